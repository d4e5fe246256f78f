"""What one change would save: each candidate from a home's own figures, the best one is told.

All are sums at prices that were paid; none knows what is possible in a home, so each says what it assumes.
"""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.units import NANO
from transactive.insight.advice.cheapest import Window

MONTH_DAYS = 30
SHIFTED_WH = 1_000
"""Energy moved each day from the dearest hours to the cheapest [Wh]: a machine of laundry or dishes."""
TENTH = 10
"""Of what is always on, the part that a change takes away: one in so many."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something to do, and what it saves in thirty days [n¤]."""

    what: str
    how: str
    saved_n: int


def shift(dearest: Window, cheapest: Window, spans: tuple[str, str]) -> Change:
    """Move a kWh a day from the dearest stretch of a day to the cheapest; spans are their times of day, in words."""
    saved = (dearest.price - cheapest.price) * SHIFTED_WH * MONTH_DAYS
    how = f"a kWh a day that is used {spans[0]} is used {spans[1]} instead, at the median prices of those hours"
    return Change("Move a kWh a day to the cheapest hours", how, saved)


def idle_less(always_on_wh: int, slots_per_day: int, price: int) -> Change:
    """Take away a tenth of what is always on [Wh a slot], at the mean price paid [µ¤/kWh]."""
    saved_wh = always_on_wh * slots_per_day * MONTH_DAYS // TENTH
    how = f"a tenth of what is always on is {saved_wh / 1000:.1f} kWh in thirty days, at the mean price paid"
    return Change("Switch off a tenth of what is always on", how, saved_wh * price)


def kelvin_less(wh_per_kelvin_day: int, days_in_thirty: int, price: int, *, heats: bool) -> Change:
    """Heat or cool one kelvin less on so many days of thirty, at the mean price paid [µ¤/kWh]."""
    saved_wh = wh_per_kelvin_day * days_in_thirty
    verb = "Heat" if heats else "Cool"
    how = f"{wh_per_kelvin_day / 1000:.1f} kWh a day and kelvin, on {days_in_thirty} of thirty days like the last"
    return Change(f"{verb} one degree less", how, saved_wh * price)


def best(changes: list[Change]) -> Change | None:
    """The change that saves most; None where none saves a cent in thirty days."""
    worth = [change for change in changes if change.saved_n >= NANO // 100]
    return max(worth, key=lambda change: change.saved_n, default=None)
