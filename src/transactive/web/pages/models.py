"""The models page: who forecasts what, how often the interval held, and everything that happened to the models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from transactive.core.slots import DAY
from transactive.forecasting.evaluation.monitor import WEEK
from transactive.store.model_records import ActiveModelRecord, ModelEvent, ModelRecord
from transactive.store.read import models as kept
from transactive.store.read.forecasts import forecasters
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.texts.formatting import Words, counted, percent
from transactive.web.charts.draw import Plot, both
from transactive.web.pages.parts.common import freshness
from transactive.web.viewers import Viewer

WIDE, NARROW = (720, 280), (296, 240)
SHOWN = 50
"""Newest events and models on the page; the API has all."""
NOMINAL = 90
"""What the interval should hold [%]."""
TITLES = {
    "consumption": ("Consumption", "of each home, the day before"),
    "generation": ("Generation", "of each PV, the day before"),
    "community": ("Community", "net load of all homes, the day before"),
    "price": ("Price", "of slots with a trade, the day before"),
    "orders": ("Orders", "net load of each home at the gate"),
    "plans": ("Plans", "net load of each home, for batteries"),
}
MARKS = {"promoted": "s-export", "drift": "s-import", "fell back": "s-import", "recovered": "s-export"}


def models_page(
    reader: Reader, run: Run, position: RunProgress, viewer: Viewer, *, target: str, idle: float
) -> dict[str, Any]:
    """Everything that the page shows. target: whose coverage is drawn."""
    active_records, events, models = (
        kept.active_records(reader.store),
        kept.events(reader.store),
        kept.models(reader.store),
    )
    names = forecasters(reader)
    known = [name for name in TITLES if any(active.target == name for active in active_records)]
    days = [active for active in active_records if active.target == target and active.day is not None]
    words = Words(run.community.currency, run.community.zone)
    return {
        "run": run,
        "words": words,
        "viewer": viewer,
        "fresh": freshness(run, position, len(run.community.members), idle, words),
        "head": _head(active_records, events, known, target),
        "targets": [_target(name, active_records, names, words) for name in known],
        "target": target,
        "title": TITLES[target][0],
        "choices": [(name, TITLES[name][0]) for name in known],
        "chart": _chart(days, [event for event in events if event.target == target], words) if days else None,
        "days": [_day(active, names, words) for active in days],
        "events": [_event(event, words) for event in reversed(events[-SHOWN:])],
        "models": [_model(model, words) for model in reversed(models[-SHOWN:])],
        "maintain": run.community.forecast.maintain,
    }


def _head(
    active_records: Sequence[ActiveModelRecord], events: Sequence[ModelEvent], known: Sequence[str], target: str
) -> dict[str, str]:
    """The answer in the headline: how the chosen target fares."""
    latest = {active.target: active for active in active_records}
    trained = sum(latest[name].model is not None for name in known)
    text = f"{trained} of {len(known)} targets are forecast by a trained model, the others by empirical quantiles."
    drifts = sum(event.kind == "drift" for event in events)
    text += f" {counted(len(events), 'event')}, {counted(drifts, 'drift') if drifts else 'no drift'}."
    covered = _covered(_days(active_records, target)[-WEEK:])
    title = "No day is over yet" if covered is None else f"{TITLES[target][0]}: {covered} % inside the 90 % interval"
    return {"title": title, "text": text}


def _days(active_records: Sequence[ActiveModelRecord], name: str) -> list[ActiveModelRecord]:
    """Judged days of a target."""
    return [active for active in active_records if active.target == name and active.day is not None]


def _covered(days: Sequence[ActiveModelRecord]) -> int | None:
    """Share of some days inside the interval [%]."""
    counted_slots = sum(active.day.counted for active in days if active.day)
    return percent(sum(c.day.inside for c in days if c.day), counted_slots) if counted_slots else None


def _target(
    name: str, active_records: Sequence[ActiveModelRecord], names: dict[int | None, str], words: Words
) -> dict[str, str]:
    """One target: its active model, since when, and the last week and month."""
    own = [active for active in active_records if active.target == name]
    since = own[-1].since
    for active in reversed(own):
        if active.model != own[-1].model:
            break
        since = active.since
    days = _days(active_records, name)
    week, month = (_covered(days[-count:]) for count in (WEEK, 4 * WEEK))
    return {
        "name": name,
        "title": TITLES[name][0],
        "text": TITLES[name][1],
        "active": names[own[-1].model],
        "since": _when(since, words),
        "week": "–" if week is None else f"{week} %",
        "month": "–" if month is None else f"{month} %",
    }


def _chart(days: Sequence[ActiveModelRecord], events: Sequence[ModelEvent], words: Words) -> Markup:
    """Coverage day by day, and of the week up to each, with what happened marked."""
    first, last = days[0].since // DAY - 1, days[-1].since // DAY
    span = max(last - first, WEEK)
    by_day = [(active.since // DAY - first - 0.5, _covered([active])) for active in days]
    weeks = [
        (active.since // DAY - first - 0.5, _covered(days[max(k - WEEK + 1, 0) : k + 1]))
        for k, active in enumerate(days)
    ]

    def draw(width: int, height: int) -> Plot:
        plot = Plot(width, height, (0, span), (0, 100), left=40)
        plot.horizontals((0, 25, 50, 75, 100))
        plot.text(0, 9, "% inside")
        plot.rule((0, NOMINAL), (span, NOMINAL), "l s-grid dash")
        for x, share in by_day:
            if share is not None:
                plot.rect((x - 0.3, x + 0.3), (0, share), "k-import soft", 2)
        plot.line([None if share is None else (x, share) for x, share in weeks], "s-export")
        for event in events:
            place = event.at / DAY - first
            if event.kind in MARKS and 0 <= place <= span:
                plot.rule((place, 0), (place, 100), f"l {MARKS[event.kind]} thin")
                plot.text(plot.px(place) + 4, plot.top + 10, event.kind, "halo")
        apart = max(span // (3 if plot.small else 6), 1)
        ends = days[0].since - 1  # a day ends where the next begins, in the table too
        plot.labels((day + 0.5, words.short_day(ends + day * DAY)) for day in range(0, span, apart))
        return plot

    return both(draw, "Share of what came inside the 90 % interval, by day and by week", WIDE, NARROW)


def _day(active: ActiveModelRecord, names: dict[int | None, str], words: Words) -> tuple[str, ...]:
    """One judged day."""
    day = active.day
    if day is None:
        return (words.short_day(active.since - 1), names[active.model], "–", "–", "–")
    covered = _covered([active])
    share = "–" if covered is None else f"{covered} %"
    return (words.short_day(active.since - 1), names[active.model], share, f"{day.pit:.2f}", f"{day.pinball:,.4g}")


def _event(event: ModelEvent, words: Words) -> dict[str, str]:
    """One event."""
    by = "by hand" if event.by == "person" else ""
    return {
        "at": _when(event.at, words),
        "target": TITLES[event.target][0],
        "kind": event.kind,
        "text": event.text,
        "by": by,
    }


def _when(seconds: int, words: Words) -> str:
    """A time in few letters: 4 June 23:00."""
    return f"{words.short_day(seconds)} {words.clock(seconds)}"


def _model(model: ModelRecord, words: Words) -> tuple[str, ...]:
    """One model of the registry."""
    test = model.contest
    scores = ("–", "–", "–") if test is None else (
        f"{test.pinball:.4g}", f"{test.against_pinball:.4g} ({test.against})", f"{test.p_value:.2g}"
    )  # fmt: skip
    return (
        f"{model.learnt.forecaster} no. {model.number}",
        TITLES[model.target][0],
        model.status,
        f"{words.short_day(model.learnt.since)} to {words.short_day(model.learnt.until)}",
        *scores,
        model.hash[:12],
    )
