"""Sessions of the market for the same slots: day-ahead for a whole period at once, intraday for each slot at its gate.

What a session traded is a position of the slot. The next one trades from there, and settlement settles their sum, each
trade at its own price; so a device that is promised in one session is not there again in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from transactive.core.slots import MarketClock
from transactive.core.tables import Orders, Refusals, stacked
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.market import mechanisms
from transactive.market.mechanisms import Cleared
from transactive.trading.escrow import locked_after_clearing


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Orders of one slot, those that were refused, and what became of them; of one session or of all so far."""

    orders: Orders
    refusals: Refusals
    cleared: Cleared

    @property
    def held_wh(self) -> IntArray:
        """Bought − sold per member [Wh], (members,)."""
        return self.cleared.positions.held_wh

    def locked_n(self, tariff: Tariff, before: IntArray) -> IntArray:
        """What its positions lock [n¤], (members,). before: with the orders' own locks, which it is never above.

        What deals undo of each other costs nobody more than its orders might have.
        """
        locked: IntArray = np.minimum(locked_after_clearing(self.cleared.positions, tariff), before)
        return locked

    def and_then(self, later: Session) -> Session:
        """Both sessions as one."""
        orders, refusals = stacked(self.orders, later.orders), stacked(self.refusals, later.refusals)
        return Session(orders, refusals, mechanisms.join(self.cleared, later.cleared))


@dataclass(frozen=True, slots=True)
class Timetable:
    """When sessions close and plans are made in a run over `slots`.

    lead: slots between the day-ahead gate and a period, None without such a session. day_ahead: slots that it clears,
    by the time [Unix s] at which it closes.
    """

    clock: MarketClock
    slots: range
    lead: int | None
    day_ahead: Mapping[int, range] = field(init=False)

    def __post_init__(self) -> None:
        closing: dict[int, range] = {}
        length = self.clock.length
        period = self.clock.slots_per_period * length
        for start in range(self.slots[0] // period * period, self.slots.stop, period):
            own = range(max(start, self.slots[0]), min(start + period, self.slots.stop), length)
            time = self.planned_at(own[0])
            closing[time] = range(closing.get(time, own).start, own.stop, length)
        object.__setattr__(self, "day_ahead", closing if self.lead is not None else {})

    def missed(self, done: int) -> list[int]:
        """Times of day-ahead sessions that closed by a slot's start, for slots after it [Unix s]."""
        return [time for time, slots in self.day_ahead.items() if time <= done < slots.start]

    def planned_at(self, slot: int) -> int:
        """Time [Unix s] at which the plans of the slot's period are made: its day-ahead gate, or its first one."""
        period = self.clock.slots_per_period * self.clock.length
        start = slot // period * period
        first = self.clock.gate(self.slots[0])
        if self.lead is None:
            return max(self.clock.gate(start), first)
        return max(start - max(self.lead, self.clock.lead) * self.clock.length, first)
