"""The history of a page: its period in figures beside the period before, drawn bar by bar, with links that keep it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from transactive.store.read.history.days import DaySums, SlotSums, sums_of
from transactive.store.read.history.figures import slot_figures
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.texts.formatting import Words, count_text
from transactive.texts.language import N_, _, ngettext
from transactive.web.charts.history import HistoryBar, history_chart
from transactive.web.history.periods import (
    SPAN_NAMES,
    SPANS,
    AskedPeriod,
    Period,
    asked_period,
    day_of,
    midnight,
    short,
    title,
)
from transactive.web.history.subjects import HistoryFigure, Subject, SubjectFigures, Values, told


@dataclass(frozen=True, slots=True)
class Past:
    """What the history of a run is read from. days: sums that grow with it; now: end of the newest slot [Unix s]."""

    reader: Reader
    run: Run
    days: DaySums
    now: int
    over: bool

    @classmethod
    def of(cls, reader: Reader, run: Run, days: DaySums, position: RunProgress) -> Past:
        """The past of a run at a position."""
        newest = run.first_slot if position.delivered is None else run.clock.end(position.delivered)
        return cls(reader, run, days, newest, position.over)

    @property
    def words(self) -> Words:
        """Its currency and zone."""
        return Words(self.run.community.currency, self.run.community.zone)

    def sums(self, period: Period, until: int | None = None) -> SlotSums:
        """Sums of a period, up to a time if one is given [Unix s]; days that it cuts are read slot by slot."""
        words, found = self.words, SlotSums.empty(len(self.run.community.members))
        for day in period.each_day():
            start, end = midnight(day, words), midnight(day + timedelta(days=1), words)
            whole = self.days.whole(start)
            if until is not None and until < end:
                if start < until and whole is not None:
                    found.join(sums_of(self.reader, self.run, start, until - 1))
                break
            if whole is not None:
                found.join(whole)
        return found

    def same_part(self, period: Period, before: Period) -> int:
        """The time in the period before up to which it is as far as this one is now [Unix s].

        A day that is over is compared with the whole of its day, however long clock changes made either.
        """
        words = self.words
        today = min(day_of(self.now - 1, words), period.last)
        into = self.now - midnight(today, words)
        day = min(before.first + (today - period.first), before.last)
        end = midnight(day + timedelta(days=1), words)
        return end if self.now == midnight(today + timedelta(days=1), words) else min(midnight(day, words) + into, end)


def history_part(
    past: Past,
    asked: AskedPeriod,
    shown: int,
    subject: Subject,
    *,
    path: str,
    keep: Mapping[str, str],
    member: int | None = None,
) -> dict[str, Any]:
    """Everything that the card shows. shown: a time of the day that the page is about; keep: what links carry on."""
    words, length = past.words, past.run.clock.length
    today, of = day_of(past.now - 1, words), told(subject, words, length)
    period = asked_period(asked, day_of(shown, words))
    before = period.before()
    running = period.first <= today <= period.last
    cut = past.same_part(period, before) if running else None
    here, there = past.sums(period), past.sums(before, cut)
    end = midnight(before.last + timedelta(days=1), words) if cut is None else cut
    whole = there.slots == (end - midnight(before.first, words)) // length
    first = day_of(past.run.first_slot, words)
    bars = _bars(past, period, before, of, member)
    return {
        "title": title(period, None if past.over else today),
        "against": _against(before, there, whole=whole, running=running, over=past.over),
        "figures": [_compared(figure, here.of(member), there.of(member), whole=whole) for figure in of.figures],
        "chart": history_chart(bars, of.axis, of.css, title(period, None)),
        "rows": [(bar.label, *bar.texts) for bar in bars],
        "head": [_bar_name(period), *(f"={_(figure.name)}{_bracket(figure.unit)}" for figure in of.figures)],
        "empty": here.slots == 0,
        "spans": SPANS,
        "span_names": SPAN_NAMES,
        "period": period,
        "on": max(min(period.last, today), period.first) if asked.day is None else asked.day,
        "bounds": (first, today),
        "earlier": _query(before, first, today) if before.last >= first else None,
        "later": _query(period.after(), first, today) if period.after().first <= today else None,
        "stay": urlencode(_staying(asked)),
        "staying": _staying(asked),
        "path": path,
        "keep": dict(keep),
        "css": of.css.removeprefix("k-"),
        "above": _(of.figures[0].name),
        "term": {"carbon": "location", "grid": "grid"}.get(subject, "saved"),
        "below": of.below is not None,
    }


def _query(period: Period, first: date, today: date) -> str:
    """How an address names a period, by a day of the run that is in it."""
    if period.span == "range":
        return f"span=range&first={period.first}&last={period.last}"
    return f"span={period.span}&day={min(max(period.first, first), today)}"


def _staying(asked: AskedPeriod) -> dict[str, str]:
    """What links to other days and slots carry on: the kind of period, and of a range its days."""
    given = {"span": asked.span, "first": asked.first, "last": asked.last}
    return {key: value for key, value in given.items() if value is not None}


def _against(before: Period, there: SlotSums, *, whole: bool, running: bool, over: bool) -> str:
    """What the figures are compared with, in words."""
    if not there.slots:
        return _(NOTHING_IN_PART if running else NOTHING)
    if not whole:
        return ngettext(
            "Of the period before only %(num)s slot was recorded, so nothing is compared.",
            "Of the period before only %(num)s slots were recorded, so nothing is compared.",
            there.slots,
        )
    return _(SAME_PART if running and not over else AS_MUCH if running else COMPARED, before=title(before, None))


NOTHING = N_("Nothing was recorded in the period before.")
NOTHING_IN_PART = N_("Nothing was recorded in the same part of the period before.")
COMPARED = N_("Compared with the period before, %(before)s.")
SAME_PART = N_("Compared with the same part of the period before, %(before)s.")
AS_MUCH = N_("Compared with as much of the period before, %(before)s.")


def _compared(
    figure: HistoryFigure, here: Mapping[str, int], there: Mapping[str, int], *, whole: bool
) -> dict[str, str]:
    """A figure, and how it has changed."""
    value, past = figure.value(here), figure.value(there)
    change, mood = "", ""
    if whole and value is not None and past:
        points = figure.unit == "%"
        moved = value - past if points else (200 * (value - past) + abs(past)) // (2 * abs(past))
        sign = "+" if moved > 0 else "−" if moved < 0 else "±"
        size = f"{sign}{count_text(abs(moved))}"
        change = _("%(size)s points", size=size) if points else _("%(size)s %%", size=size)
        if moved and figure.wish:
            mood = "ok" if (moved > 0) == (figure.wish == "more") else "warn"
    return {
        "name": _(figure.name),
        "text": figure.text(here),
        "unit": figure.unit,
        "before": figure.text(there) if whole else "",
        "change": change,
        "mood": mood,
    }


def _bars(past: Past, period: Period, before: Period, of: SubjectFigures, member: int | None) -> list[HistoryBar]:
    """The period bar by bar, each beside its place in the period before."""
    parts = _slots(past, period, member) if period.days == 1 else _parts(past, period.bars(), member)
    past_parts = _slots(past, before, member) if period.days == 1 else _parts(past, before.bars(), member)
    places = [values for _, values in past_parts]
    return [_bar(label, values, places[k] if k < len(places) else None, of) for k, (label, values) in enumerate(parts)]


def _bar(
    label: str, values: Mapping[str, int] | None, before: Mapping[str, int] | None, of: SubjectFigures
) -> HistoryBar:
    first = of.figures[0]

    def drawn(figure: HistoryFigure | None, values: Values | None) -> float | None:
        value = None if figure is None or values is None else figure.value(values)
        return None if value is None else value / of.scale

    texts = tuple("–" if values is None else figure.text(values) for figure in of.figures)
    return HistoryBar(label, drawn(first, values), drawn(first, before), drawn(of.below, values), texts)


def _parts(past: Past, periods: Sequence[Period], member: int | None) -> list[tuple[str, dict[str, int] | None]]:
    """DaySums or months with their sums, None where nothing was delivered."""
    with_year = len({period.first.year for period in periods}) > 1
    sums = [(short(period, with_year=with_year), past.sums(period)) for period in periods]
    return [(label, sums.of(member) if sums.slots else None) for label, sums in sums]


def _slots(past: Past, period: Period, member: int | None) -> list[tuple[str, dict[str, int] | None]]:
    """Slots of a day with their figures, None of those that are to come."""
    words, run = past.words, past.run
    start, end = midnight(period.first, words), midnight(period.last + timedelta(days=1), words)
    figures = dict(slot_figures(past.reader, run, start, end - 1))
    rows = {row["slot"]: row for row in past.reader.slots(start, end - 1) if row["meters"] is not None}
    found: list[tuple[str, dict[str, int] | None]] = []
    for slot in range(start, end, run.clock.length):
        sums = SlotSums.empty(len(run.community.members))
        if slot in rows:
            sums.add(figures[slot])
            sums.add_slot(rows[slot])
        found.append((words.clock(slot), sums.of(member) if slot in rows else None))
    return found


def _bar_name(period: Period) -> str:
    return _("Slot from") if period.days == 1 else _("Day") if period.bars()[0].span == "day" else _("Month")


def _bracket(unit: str) -> str:
    return f" [{unit}]" if unit else ""
