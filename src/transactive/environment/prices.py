"""Prices of consecutive slots from a rule: a number, a series, local hours, seasons and holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from transactive.core.community.tariff_rules import Price, PricePeriod, PriceRule, TariffRules
from transactive.core.errors import ConfigError
from transactive.core.units import PPM, BoolArray, IntArray

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKEND = 5
"""First day of the weekend, Monday being 0."""
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, eq=False)
class LocalTimes:
    """Local times at which slots start, each (slots,): minute of the day, month, day of the week from Monday = 0.

    holiday: whether the day is one; before: the same of the day before, for periods that go over midnight.
    """

    minute: IntArray
    month: IntArray
    weekday: IntArray
    holiday: BoolArray
    holiday_before: BoolArray

    @classmethod
    def of(cls, starts: IntArray, rules: TariffRules) -> LocalTimes:
        """Local times of slots [Unix s]. Raises ConfigError for a zone or a date that does not exist."""
        zone, holidays = zone_of(rules.time_zone), {_date(text) for text in rules.holidays}
        moments = [datetime.fromtimestamp(start, UTC).astimezone(zone) for start in starts.tolist()]
        days = [moment.date() for moment in moments]
        return cls(
            np.array([moment.hour * 60 + moment.minute for moment in moments], np.int64),
            np.array([day.month for day in days], np.int64),
            np.array([day.weekday() for day in days], np.int64),
            np.array([day in holidays for day in days], np.bool_),
            np.array([day - timedelta(days=1) in holidays for day in days], np.bool_),
        )

    def within(self, period: PricePeriod) -> BoolArray:
        """Slots that start in a period, (slots,)."""
        first, end = _minutes(period.start), _minutes(period.end)
        months = np.isin(self.month, period.months) if period.months else np.ones(len(self.month), np.bool_)
        today = _on(period, self.weekday, self.holiday)
        if first < end:
            found: BoolArray = months & today & (self.minute >= first) & (self.minute < end)
            return found
        yesterday = _on(period, (self.weekday - 1) % len(DAYS), self.holiday_before)
        over_midnight: BoolArray = months & ((today & (self.minute >= first)) | (yesterday & (self.minute < end)))
        return over_midnight


def zone_of(name: str) -> ZoneInfo:
    """Time zone of a name. Raises ConfigError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"tariff.time_zone = {name!r} is no time zone; write it like Europe/Vienna") from None


def prices_of(price: Price, starts: IntArray, local: LocalTimes, columns: Mapping[str, IntArray]) -> IntArray:
    """Price of each slot [µ¤/kWh], (slots,). columns: series that a rule may name, in the same slots."""
    if isinstance(price, int):
        return np.full(len(starts), price, np.int64)
    if not isinstance(price, PriceRule):
        hours, values = (np.array(part, np.int64) for part in zip(*sorted(price), strict=True))
        place = np.searchsorted(hours * 60, local.minute, side="right") - 1
        by_hour: IntArray = values[place]  # before the first hour the last price of the day before goes on
        return by_hour
    if price.column is None:
        found = np.full(len(starts), price.price_micro_per_kwh or 0, np.int64)
    else:
        found = scaled(columns[price.column], price.factor_ppm) + price.plus_micro_per_kwh
    for period in reversed(price.times):
        found[local.within(period)] = period.price_micro_per_kwh
    return found


def scaled(values: IntArray, factor_ppm: int) -> IntArray:
    """Whole numbers times a factor [ppm], rounded half away from zero."""
    if factor_ppm == PPM:
        return values.copy()
    rounded = (np.abs(values) * factor_ppm + PPM // 2) // PPM
    product: IntArray = np.where(values < 0, -rounded, rounded)
    return product


def _minutes(text: str) -> int:
    """Minutes since midnight of a time of day."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _date(text: str) -> date:
    """A holiday. Raises ConfigError for a day that no month has."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"tariff.holidays: {text} is no date; correct it") from None


def _on(period: PricePeriod, weekday: IntArray, holiday: BoolArray) -> BoolArray:
    """Whether a period is for days of these kinds, (slots,)."""
    if not period.days:
        return np.ones(len(weekday), np.bool_)
    rest = (weekday >= WEEKEND) | holiday
    named = np.isin(weekday, [DAYS.index(day) for day in period.days if day in DAYS])
    kinds = {"holiday": holiday, "workday": ~rest, "weekend": rest}
    for kind, days in kinds.items():
        named |= days if kind in period.days else np.zeros(len(days), np.bool_)
    found: BoolArray = named
    return found
