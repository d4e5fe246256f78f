"""A storage that S2 describes by fill levels and rates, as a store of whole Wh for the programme that plans batteries.

A held Wh is what one Wh drawn fills at full power, so that charging has no loss; what is lost on the way out is the
efficiency. Where a mode fills at several rates by level, the slowest counts, so that a plan promises nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import PPM, IntArray
from transactive.protocols.s2.messages import (
    FillDescription,
    FillLeakage,
    FillMode,
    FillTargets,
    FillUsage,
    NumberRange,
    PowerRange,
)
from transactive.trading.devices.plan import rules
from transactive.trading.devices.stores import NO_LIMIT_WH, PlanHorizon, Stores, step

HOUR = 3_600
MOST_W, MOST_WH, MOST_WH_A_LEVEL = 10**7, 10**9, 10**12
"""What no device of a home draws, holds, or holds at a level."""
ELECTRIC = "ELECTRIC.POWER."


@dataclass(frozen=True, slots=True)
class FillSystem:
    """A storage with one actuator. wh_a_level: held Wh of a level; low, high: levels it is kept between.

    charge_w, give_w: most power drawn and given. efficiency_ppm: given Wh for a million held. modes: of the actuator.
    """

    actuator: str
    modes: tuple[FillMode, ...]
    low: float
    high: float
    wh_a_level: float
    charge_w: float
    give_w: float
    efficiency_ppm: int
    leakage: float = 0.0
    usage: FillUsage | None = None
    targets: FillTargets | None = None

    @classmethod
    def of(cls, said: FillDescription) -> FillSystem:
        """The storage of a description. Raises DataError for one that cannot be planned."""
        if len(said.actuators) != 1:
            raise DataError("one actuator is planned; describe one that stands for all")
        actuator = said.actuators[0]
        modes = tuple(mode for mode in actuator.operation_modes if not mode.abnormal_condition_only)
        low, high = sorted((said.storage.fill_level_range.start_of_range, said.storage.fill_level_range.end_of_range))
        ends = [end for mode in modes for end in _ends(mode)]
        filling = [(watts, rate) for watts, rate in ends if watts > 0 and rate > 0]
        giving = [(-watts, -rate) for watts, rate in ends if watts < 0 and rate < 0]
        if not filling or high <= low:
            raise DataError("no mode draws power and fills the storage between its levels; nothing can be planned")
        charge_w = max(watts for watts, _ in filling)
        rate = min(rate for watts, rate in filling if watts == charge_w)
        if max(abs(watts) for watts, _ in ends) > MOST_W:
            raise DataError(f"a mode has more than {MOST_W:,} W; no device of a home has")
        if charge_w * max(high - low, MOST_WH / MOST_WH_A_LEVEL) > MOST_WH * rate * HOUR:
            raise DataError(f"{charge_w:g} W that fill {rate:g} levels a second fill no storage of a home; check both")
        wh_a_level = charge_w / (rate * HOUR)
        give_w = max((watts for watts, _ in giving), default=0.0)
        lost = max((rate for watts, rate in giving if watts == give_w), default=0.0)
        emptied = lost * HOUR * wh_a_level
        efficiency = PPM if emptied <= give_w else max(round(PPM * give_w / emptied), 1)
        return cls(actuator.id, modes, low, high, wh_a_level, charge_w, give_w, efficiency)

    def leaking(self, said: FillLeakage) -> FillSystem:
        """The same with what it loses: the most of any level."""
        return replace(self, leakage=max(0.0, *(one.leakage_rate for one in said.elements)))

    def held_wh(self, level: float) -> int:
        """What is held at a level [Wh]."""
        return round((min(max(level, self.low), self.high) - self.low) * self.wh_a_level)

    def stores(self, slot: int, slots: int, length: int) -> Stores:
        """Columns of the programme for slots from one on [Unix s], `length` long [s]."""
        starts = slot + length * np.arange(slots)
        whole = self.held_wh(self.high)
        least, most = self._targets(starts, length)
        drain = self._drained(starts, length, whole)
        return Stores(
            _column(int(self.charge_w * length / HOUR), slots),
            _column(int(self.give_w * length / HOUR), slots),
            least,
            most,
            drain,
            np.array([PPM]),
            np.array([self.efficiency_ppm]),
            np.array([PPM]),
            np.array([whole]),
            np.array([0]),
        )

    def power_w(self, level: float, slot: int, length: int, need: IntArray, spare: IntArray) -> float:
        """Mean power in the first slot [W], drawn above 0, by a plan of all slots with prices [µ¤/kWh], (slots,)."""
        slots = len(need)
        stores, held = self.stores(slot, slots, length), np.array([self.held_wh(level)])
        nothing = np.zeros((slots, 1, 1), np.int64)
        prices = need[:, None], np.minimum(spare, need)[:, None]
        ahead = PlanHorizon(nothing, *prices, np.array([int(need.min())]), np.array([NO_LIMIT_WH]))
        rule = rules(stores, ahead, upto=1)[0]
        draw, give, _, _ = step(rule, stores, 0, held, np.zeros(1, np.int64), np.array([NO_LIMIT_WH]))
        return float(int(draw[0]) - int(give[0])) * HOUR / length

    def mode_at(self, power_w: float) -> tuple[str, float]:
        """Mode and factor whose power is nearest to one [W]."""
        found = []
        for mode in self.modes:
            (first, _), (last, _) = _ends(mode)
            factor = 0.0 if last == first else min(max((power_w - first) / (last - first), 0.0), 1.0)
            found.append((abs(first + factor * (last - first) - power_w), mode.id, factor))
        _, mode_id, factor = min(found)
        return mode_id, factor

    def _drained(self, starts: IntArray, length: int, whole: int) -> IntArray:
        """What is used and lost in slots [Wh], no more than the whole storage, (slots, 1)."""
        used = np.zeros(len(starts))
        for start, end, rate in _usage(self.usage) if self.usage else ():
            overlap = np.minimum(starts + length, end) - np.maximum(starts, start)
            used += np.maximum(overlap, 0) * rate * self.wh_a_level
        lost = np.maximum(used, 0) + self.leakage * length * self.wh_a_level
        return np.round(np.minimum(lost, whole)).astype(np.int64)[:, None]

    def _targets(self, starts: IntArray, length: int) -> tuple[IntArray, IntArray]:
        """What shall be held at the end of slots at least, and at most [Wh], each (slots, 1)."""
        slots, whole = len(starts), self.held_wh(self.high)
        least, most = _column(0, slots), _column(whole, slots)
        begin = int(self.targets.start_time.timestamp() * 1_000) if self.targets else 0
        for element in self.targets.elements if self.targets else ():
            within = ((starts + length) * 1_000 > begin) & ((starts + length) * 1_000 <= begin + element.duration)
            low, high = sorted((element.fill_level_range.start_of_range, element.fill_level_range.end_of_range))
            least[within, 0], most[within, 0] = self.held_wh(low), self.held_wh(high)
            begin += element.duration
        return least, most


def power_of(ranges: Sequence[PowerRange]) -> tuple[float, float]:
    """Electric power at factors 0 and 1 [W], over all phases. Raises DataError without any."""
    electric = [one for one in ranges if one.commodity_quantity.startswith(ELECTRIC)]
    if not electric:
        raise DataError("a mode has no electric power; only such devices are planned")
    return sum(one.start_of_range for one in electric), sum(one.end_of_range for one in electric)


def _ends(mode: FillMode) -> tuple[tuple[float, float], tuple[float, float]]:
    """Power [W] and rate of a mode at factors 0 and 1; of several elements the one that fills slowest."""
    slowest = min(mode.elements, key=lambda one: max(_rates(one.fill_rate)))
    first, last = power_of(slowest.power_ranges)
    return (first, slowest.fill_rate.start_of_range), (last, slowest.fill_rate.end_of_range)


def _rates(said: NumberRange) -> tuple[float, float]:
    return abs(said.start_of_range), abs(said.end_of_range)


def _usage(said: FillUsage) -> Iterator[tuple[float, float, float]]:
    """Start and end [Unix s] and rate [levels a second] of what is used."""
    start = said.start_time.timestamp()
    for element in said.elements:
        end = start + element.duration / 1_000
        yield start, end, element.usage_rate_expected
        start = end


def _column(value: int, slots: int) -> IntArray:
    return np.full((slots, 1), value, np.int64)
