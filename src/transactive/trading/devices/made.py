"""A plan as it was made: its rules, the prices and the worth that it weighed, and what it expected, with a band.

It is what tells later why a battery did something; nothing in it is worked out afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.tables import DeviceRules
from transactive.core.units import IntArray

BAND = 10
"""One in so many samples lies below a band, and one above it."""
Follow = Callable[[DeviceRules, IntArray, IntArray], IntArray]
"""What batteries hold after a slot by a rule, from what they held and the net load, both (samples, batteries) [Wh]."""


@dataclass(frozen=True, slots=True, eq=False)
class MadePlan:
    """A plan of some batteries over coming slots.

    made: when [Unix s]. slots: their starts [Unix s]; the first `own` are those that the plan was made for, the others
    lent their value, and a later plan takes their place. members: whose batteries, (batteries,). levels_wh: rules in
    the order of `DeviceRules`, (slots, 4, batteries). need_price, spare_price: what a Wh costs that the home takes and
    what one brings that it gives, as expected [µ¤/kWh], (slots, batteries). load_wh, held_wh: low, middle and high
    net load of the home in a slot and level after it, (slots, 3, batteries). worth: what one more held Wh of each step
    is worth after a slot [µ¤/kWh], (own, steps, batteries); steps are equal and begin above the reserve.
    """

    made: int
    slots: IntArray
    own: int
    members: IntArray
    levels_wh: IntArray
    need_price: IntArray
    spare_price: IntArray
    load_wh: IntArray
    held_wh: IntArray
    worth: IntArray

    def of(self, slot: int, member: int) -> WeighedSlot | None:
        """What the plan weighed for one battery in one slot; None if it was not made for it."""
        place, column = np.flatnonzero(self.slots == slot), np.flatnonzero(self.members == member)
        if not len(place) or not len(column):
            return None
        t, k = int(place[0]), int(column[0])
        worth = tuple(self.worth[t, :, k].tolist()) if t < self.own else ()
        levels, load, held = (table[t, :, k].tolist() for table in (self.levels_wh, self.load_wh, self.held_wh))
        prices = int(self.need_price[t, k]), int(self.spare_price[t, k])
        return WeighedSlot(slot, self.made, *prices, tuple(levels), tuple(load), tuple(held), worth)


@dataclass(frozen=True, slots=True)
class WeighedSlot:
    """One battery's slot in a plan, in the words of `MadePlan`; worth: empty in slots that only lent their value."""

    slot: int
    made: int
    need_price: int
    spare_price: int
    levels_wh: tuple[int, ...]
    load_wh: tuple[int, ...]
    held_wh: tuple[int, ...]
    worth: tuple[int, ...]


def band(samples_wh: IntArray) -> IntArray:
    """Low, middle and high of samples, (3, batteries): of ten samples one is lower than the band, and one higher."""
    ordered = np.sort(samples_wh, axis=0)
    count = len(ordered)
    chosen: IntArray = ordered[[count // BAND, count // 2, count - 1 - count // BAND]]
    return chosen


def expected_levels(rules: Sequence[DeviceRules], follow: Follow, load_wh: IntArray, held_wh: IntArray) -> IntArray:
    """Bands of what batteries hold after each slot [Wh], (slots, 3, batteries), as samples walk through the rules.

    load_wh: samples of net load, (slots, samples, batteries). held_wh: samples of what is held before the first slot.
    """
    found = np.empty((len(rules), 3, held_wh.shape[1]), np.int64)
    for t, rule in enumerate(rules):
        held_wh = follow(rule, held_wh, load_wh[t])
        found[t] = band(held_wh)
    return found
