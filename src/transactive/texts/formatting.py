"""How exact integers become text for people: prices, money, energy, times. All rounding for the screen is here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from transactive.core.errors import InputError
from transactive.core.slots import DAY, midnight, parse_time
from transactive.core.units import NANO, money_text
from transactive.core.units import kwh_text as kwh_digits
from transactive.texts.language import _, figure, local_date, ngettext

CENTS = {"USD": "¢", "EUR": "ct", "GBP": "p", "CHF": "Rp."}
"""Currencies whose prices people know in hundredths."""
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z")
"""A time in UTC, as messages write it."""


@dataclass(frozen=True, slots=True)
class Words:
    """Texts in the community's currency and in the times of its zone."""

    currency: str
    zone: tzinfo = UTC

    def clock(self, seconds: int) -> str:
        """Time of day [Unix s]: 18:00."""
        return clock_text(seconds, self.zone)

    def span(self, slot: int, length: int) -> str:
        """A slot by its times: 18:00–19:00."""
        return f"{self.clock(slot)}–{self.clock(slot + length)}"

    def day(self, seconds: int) -> str:
        """A day: Sunday 11 June 2017."""
        return day_text(seconds, self.zone)

    def short_day(self, seconds: int) -> str:
        """A day in few letters: 11 June."""
        return short_day(seconds, self.zone)

    def date(self, seconds: int) -> str:
        """A day as files are named: 2017-06-11."""
        return datetime.fromtimestamp(seconds, self.zone).strftime("%Y-%m-%d")

    def moment(self, seconds: int) -> str:
        """A time with its day: 11 June 2017, 18:00."""
        moment = datetime.fromtimestamp(seconds, self.zone)
        day = local_date(moment, f"{moment.day} {moment:%B %Y}", "long")
        return _("%(day)s, %(clock)s", day=day, clock=self.clock(seconds))

    def localised(self, text: str) -> str:
        """A sentence with its times in UTC as the clocks of the zone show them."""
        return STAMP.sub(self._moment_of, text)

    def _moment_of(self, stamp: re.Match[str]) -> str:
        try:
            return self.moment(parse_time(stamp[0]))
        except (InputError, OverflowError):
            return stamp[0]  # no time after all, such as 31 June

    def day_start(self, seconds: int) -> int:
        """Midnight before a time, or at it [Unix s]."""
        return midnight(seconds, self.zone)

    def next_day(self, seconds: int) -> int:
        """Midnight after a time [Unix s]: 23, 24 or 25 hours after the one before."""
        return midnight(seconds, self.zone, 1)

    def before(self, seconds: int) -> int:
        """The same time of day a day before [Unix s]."""
        return self._shifted(seconds, -1)

    def after(self, seconds: int) -> int:
        """The same time of day a day later [Unix s]."""
        return self._shifted(seconds, 1)

    def _shifted(self, seconds: int, days: int) -> int:
        moment = datetime.fromtimestamp(seconds, self.zone) + timedelta(days=days)  # wall clock, then its offset
        return int(moment.timestamp())

    def zone_text(self, seconds: int) -> str:
        """The zone, as it is ahead of UTC at a time: UTC, or Los Angeles (UTC−7)."""
        if self.zone is UTC or str(self.zone) == "UTC":
            return "UTC"
        return f"{str(self.zone).rsplit('/', 1)[-1].replace('_', ' ')} ({self.offset_text(seconds)})"

    def offset_text(self, seconds: int) -> str:
        """How far the clocks are ahead of UTC at a time: UTC+2."""
        ahead = datetime.fromtimestamp(seconds, self.zone).utcoffset() or timedelta()
        minutes = int(ahead.total_seconds()) // 60
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}"

    @property
    def price_unit(self) -> str:
        """Unit of prices on the page."""
        return f"{CENTS.get(self.currency, self.currency)}/kWh"

    @property
    def coin(self) -> str:
        """Unit behind a short price: a hundredth where people know it."""
        return CENTS.get(self.currency, self.currency)

    def price(self, micro_per_kwh: int, digits: int = 1) -> str:
        """Price [µ¤/kWh] in `price_unit`, without it."""
        if self.currency in CENTS:
            return figure(money_text(micro_per_kwh * 100_000, digits=digits))
        return figure(money_text(micro_per_kwh * 1_000, digits=digits + 2))

    def per_kwh(self, micro_per_kwh: int, digits: int = 1) -> str:
        """Price [µ¤/kWh] with its unit: 12.3 ct/kWh."""
        return f"{self.price(micro_per_kwh, digits)} {self.price_unit}"

    def price_value(self, micro_per_kwh: int) -> float:
        """Price [µ¤/kWh] in `price_unit`, for coordinates only."""
        return micro_per_kwh / (10_000 if self.currency in CENTS else 1_000_000)

    def money(self, amount_n: int, digits: int = 2) -> str:
        """Money [n¤] with its currency."""
        return figure(money_text(amount_n, self.currency, digits))

    def small(self, amount_n: int, digits: int = 4) -> str:
        """A small amount of money [n¤] in `coin`, without it. digits: of a hundredth of the currency."""
        factor, more = (100, 0) if self.currency in CENTS else (1, 2)
        return figure(money_text(amount_n * factor, digits=digits + more))

    def exact(self, amount_n: int) -> str:
        """Money [n¤] to the last unit, for tooltips and proofs."""
        whole, part = divmod(abs(amount_n), NANO)
        return figure(f"{'−' if amount_n < 0 else ''}{whole:,}.{part:09d} {self.currency}")


def kwh_text(energy_wh: int, digits: int = 1) -> str:
    """Energy [Wh] for people, in kWh."""
    return figure(kwh_digits(energy_wh, digits))


def count_text(number: int) -> str:
    """A whole number for people: 1,234."""
    return figure(f"{number:,}")


def percent(part: int, whole: int) -> int:
    """Whole per cent of a share, rounded down, so that 100 means all; 100 of nothing."""
    return max(0, min(part, whole)) * 100 // whole if whole > 0 else 100


def stamp(seconds: int) -> str:
    """Time in the API: RFC 3339 in UTC, always with its seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_text(seconds: int, zone: tzinfo = UTC) -> str:
    """Time of day: 18:00."""
    return datetime.fromtimestamp(seconds, zone).strftime("%H:%M")


def day_text(seconds: int, zone: tzinfo = UTC) -> str:
    """A day in words: Sunday 11 June 2017."""
    return long_date(datetime.fromtimestamp(seconds, zone))


def short_day(seconds: int, zone: tzinfo = UTC) -> str:
    """A day in few letters: 11 June."""
    return date_in_year(datetime.fromtimestamp(seconds, zone))


def long_date(day: date) -> str:
    """A date with its day of the week: Sunday 11 June 2017."""
    return local_date(day, f"{day:%A} {day.day} {day:%B %Y}", "full")


def date_in_year(day: date) -> str:
    """A date without its year: 11 June."""
    return local_date(day, f"{day.day} {day:%B}", "MMMMd")


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 slot, 24 slots."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span_of_time(seconds: int) -> str:
    """A duration in its largest whole unit: 38 s, 5 min, 2 h, 3 days."""
    if seconds >= 2 * DAY:
        return ngettext("%(num)s day", "%(num)s days", seconds // DAY)
    for unit, size in (("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
