"""Local days that somebody asks for: which they are, what they are called, and the ones before them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.texts.formatting import Words, date_in_year, long_date
from transactive.texts.language import N_, _, local_date, ngettext

Span = Literal["day", "week", "month", "year", "range"]
SPANS: tuple[Span, ...] = get_args(Span)
SPAN_NAMES: dict[Span, str] = {
    "day": N_("Day"), "week": N_("Week"), "month": N_("Month"), "year": N_("Year"), "range": N_("From … to"),
}  # fmt: skip
"""What people call them."""
ONE_DAY = timedelta(days=1)
MOST_DAYS = 3_700
"""DaySums of a range, at most: ten years."""
FIRST_YEAR, LAST_YEAR = 1980, 2200
DAYS_SHOWN = 62
"""DaySums of a range up to which each is a bar of its own; beyond them months are."""


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """What an address asks for, as it was written; `span` None where it names none."""

    span: str | None = None
    day: str | None = None
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` to `last`, both in it."""

    span: Span
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def before(self) -> Period:
        """The period before: of the same kind, or of a range as many days."""
        if self.span == "range":
            return Period("range", self.first - timedelta(days=self.days), self.first - ONE_DAY)
        return period_with(self.span, self.first - ONE_DAY)

    def after(self) -> Period:
        """The period after."""
        if self.span == "range":
            return Period("range", self.last + ONE_DAY, self.last + timedelta(days=self.days))
        return period_with(self.span, self.last + ONE_DAY)

    def bars(self) -> list[Period]:
        """What the period is drawn as: days, or months of what is longer; a day by itself."""
        if self.days <= DAYS_SHOWN:
            return [Period("day", day, day) for day in self.each_day()]
        months, day = [], self.first
        while day <= self.last:
            month = period_with("month", day)
            months.append(Period("month", day, min(month.last, self.last)))
            day = month.last + ONE_DAY
        return months

    def each_day(self) -> Iterator[date]:
        """Its days in order."""
        return (self.first + timedelta(days=k) for k in range(self.days))


def period_with(span: Span, day: date) -> Period:
    """The day, week from Monday, month or year that a day is in."""
    if span == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(span, monday, monday + timedelta(days=6))
    if span == "month":
        following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        return Period(span, day.replace(day=1), following - ONE_DAY)
    if span == "year":
        return Period(span, day.replace(month=1, day=1), day.replace(month=12, day=31))
    return Period(span, day, day)


def asked_period(asked: AskedPeriod, shown: date) -> Period:
    """The period that an address names, else the week of the day that the page shows. Raises InputError."""
    span, day = asked.span or "week", shown if asked.day is None else _date("day", asked.day)
    if span != "range":
        kind = next((known for known in SPANS if known == span), None)
        if kind is None:
            raise InputError(f"span {span}: a period is {', '.join(SPANS[:-1])} or range")
        return period_with(kind, day)
    last = day if asked.last is None else _date("last", asked.last)
    first = last - timedelta(days=29) if asked.first is None else _date("first", asked.first)
    if last < first:
        raise InputError(f"first {first}: comes after last {last}; give the earlier day first")
    if (last - first).days >= MOST_DAYS:
        raise InputError(f"first {first}: up to {last} are more than {MOST_DAYS:,} days; ask for fewer")
    return Period("range", first, last)


def day_of(seconds: int, words: Words) -> date:
    """The local day of a time [Unix s]."""
    return datetime.fromtimestamp(seconds, words.zone).date()


def midnight(day: date, words: Words) -> int:
    """Its first second [Unix s]."""
    return int(datetime(day.year, day.month, day.day, tzinfo=words.zone).timestamp())


def title(period: Period, today: date | None) -> str:
    """What people call it, with its days: This week, 5 to 11 June 2017. today: None once nothing more will come."""
    is_range = period.span == "range"
    name = ngettext("%(num)s day", "%(num)s days", period.days) if is_range else _name(period, today)
    return _("%(name)s, %(days)s", name=name, days=_days(period)) if name else _days(period)


def short(period: Period, *, with_year: bool = False) -> str:
    """A bar of a chart in few letters: 5 June, June, or with its year Jun 2017."""
    first = period.first
    if period.span == "month" and with_year:
        return local_date(first, f"{first:%b %Y}", "yMMM")
    return local_date(first, f"{first:%B}", "LLLL") if period.span == "month" else date_in_year(first)


def is_date(text: str) -> bool:
    """Whether a text looks like a date, not a time."""
    return len(text) == len("2017-06-05")


def time_of(text: str, words: Words) -> int:
    """A time [Unix s] of the local day that a date names, or the time itself. Raises InputError."""
    return midnight(_date("day", text), words) if is_date(text) else parse_time(text)


THIS = {"week": N_("This week"), "month": N_("This month"), "year": N_("This year")}
LAST = {"week": N_("Last week"), "month": N_("Last month"), "year": N_("Last year")}


def _date(key: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{key} {text[:40]!r}: is no day; write it like 2017-06-05") from None
    if not FIRST_YEAR <= day.year < LAST_YEAR:
        raise InputError(f"{key} {text}: give a day between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def _name(period: Period, today: date | None) -> str:
    """Say that it is this week, last month, yesterday; nothing of what lies further back."""
    if today is None:
        return ""
    if period.span == "day":
        return {0: _("Today"), 1: _("Yesterday")}.get((today - period.first).days, "")
    if period.first <= today <= period.last:
        return _(THIS[period.span])
    return _(LAST[period.span]) if period.after().first <= today <= period.after().last else ""


def _days(period: Period) -> str:
    first, last = period.first, period.last
    if period.span == "day":
        return long_date(first)
    if period.span in ("month", "year"):
        return local_date(first, f"{first:%B %Y}", "yMMMM") if period.span == "month" else f"{first.year}"
    end = local_date(last, f"{last.day} {last:%B %Y}", "long")
    if first == last:
        return end
    if first.year != last.year:
        begin = local_date(first, f"{first.day} {first:%B} {first.year}", "long")
    elif first.month != last.month:
        begin = date_in_year(first)
    else:
        return _("%(first_day)s to %(last)s", first_day=first.day, last=end)
    return _("%(first)s to %(last)s", first=begin, last=end)
