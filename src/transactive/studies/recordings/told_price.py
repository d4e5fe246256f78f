"""A price that an option tells: one number with its unit, or several by days and hours, in place of a column."""

from __future__ import annotations

import re
from typing import cast, get_args

import numpy as np

from transactive.core.community.tariff_rules import Day, Price, PricePeriod, PriceRule, TariffRules, TimeOfDay
from transactive.core.errors import ConfigError, InputError
from transactive.core.spelling.quantities import whole
from transactive.core.units import IntArray
from transactive.environment.prices import LocalTimes, prices_of

AMOUNT = re.compile(r"[-−+]?\d[\d._]*\s*\S*/\s*[kM]?Wh")
PART = re.compile(
    r"(?:(?P<days>[a-z]+(?:[,-][a-z]+)*)\s+)?(?:(?P<start>\d\d?:\d\d)\s*-\s*(?P<end>\d\d?:\d\d)\s+)?(?P<amount>[-−+]?\d.*)"
)
TIME = re.compile(get_args(TimeOfDay)[1].pattern)
EXAMPLE = "'workday 07:00-22:00 34 ct/kWh; 26 ct/kWh'"


def told_price(text: str) -> Price | None:
    """Price that text tells, or None for what is the name of a column. Raises InputError.

    Parts stand between semicolons, each with its days and local time, where it has some; the first that fits counts.
    """
    if not AMOUNT.search(text):
        return None
    periods = [_period(part.strip()) for part in text.split(";") if part.strip()]
    last = periods[-1]
    if last.days or (last.start, last.end) != ("00:00", "24:00"):
        raise InputError(f"--price {text!r}: the last price must hold at all other times; write it like {EXAMPLE}")
    if len(periods) == 1:
        return last.price_micro_per_kwh
    return PriceRule(price_micro_per_kwh=last.price_micro_per_kwh, times=tuple(periods[:-1]))


def prices_told(price: Price, starts: IntArray, zone: str) -> IntArray:
    """Price of slots [µ¤/kWh], (slots,); starts [Unix s]; zone: of days and hours. Raises InputError for no zone."""
    try:
        local = LocalTimes.of(starts, TariffRules(time_zone=zone))
    except ConfigError:
        raise InputError(f"--zone {zone}: is no time zone; write it like Europe/Vienna") from None
    return np.asarray(prices_of(price, starts, local, {}), np.int64)


def _period(part: str) -> PricePeriod:
    """A price with the times at which it holds."""
    found = PART.fullmatch(part)
    if found is None:
        raise InputError(f"--price: {part!r} is no price; write it like {EXAMPLE}")
    amount = whole(found["amount"], "_micro_per_kwh", place="--price")
    start, end = (_time(found[name], part) if found[name] else default for name, default in
                  (("start", "00:00"), ("end", "24:00")))  # fmt: skip
    return PricePeriod(price_micro_per_kwh=amount, start=start, end=end, days=_days(found["days"] or "", part))


def _time(text: str, part: str) -> str:
    """A time of day with two digits of the hour."""
    full = text.rjust(5, "0")
    if not TIME.match(full):
        raise InputError(f"--price: {part!r}: {text} is no time of day; write it like 07:00")
    return full


def _days(text: str, part: str) -> tuple[Day, ...]:
    """Days by name, singly or from … to."""
    known, found = get_args(Day), list[Day]()
    for each in text.split(",") if text else ():
        first, _, last = each.partition("-")
        if first not in known or (last and (last not in known[:7] or first not in known[:7])):
            raise InputError(f"--price: {part!r}: {each} is no day; take {', '.join(known)}, or such as mon-fri")
        begin, end = known.index(first), known.index(last or first)
        span = range(begin, end + 1 if end >= begin else end + 8)
        found += [cast("Day", known[place % 7] if last else known[place]) for place in span]
    return tuple(found)
