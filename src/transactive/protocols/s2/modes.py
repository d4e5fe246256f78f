"""A device without a storage, as S2 describes it by modes: which mode costs least over the slots to come.

    C_t(m) = price x energy + running costs of m + min over m' of [ transition costs + C_{t+1}(m') ]

Backwards over the slots, exactly for the ends of each mode's power; between them nothing is cheaper, as costs are
linear in the factor.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.protocols.s2.messages import DeviceMode, ModeDescription, ModeTransition
from transactive.protocols.s2.storage import HOUR, power_of

MICRO_KWH = 1_000_000 * 1_000
"""Costs of a Wh at a price of 1 µ¤/kWh, in ¤, are one part of so many."""


@dataclass(slots=True)
class ModeSystem:
    """Modes of a device, the one it is in, and when timers end [Unix s]. known: with those of abnormal conditions."""

    known: frozenset[str]
    modes: dict[str, DeviceMode]
    transitions: dict[tuple[str, str], ModeTransition]
    timers: dict[str, int]
    active: str = ""
    runs_until: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, said: ModeDescription) -> ModeSystem:
        """The modes of a description. Raises DataError for none that may be chosen."""
        modes = {mode.id: mode for mode in said.operation_modes if not mode.abnormal_condition_only}
        if not modes:
            raise DataError("all modes are for abnormal conditions; none can be planned")
        for mode in modes.values():
            power_of(mode.power_ranges)
        allowed = {(one.origin, one.to): one for one in said.transitions if not one.abnormal_condition_only}
        return cls(
            frozenset(mode.id for mode in said.operation_modes),
            modes,
            allowed,
            {timer.id: timer.duration for timer in said.timers},
        )

    def best(self, now: int, length: int, need: IntArray, spare: IntArray) -> tuple[str, float] | None:
        """Mode and factor of the slot that begins, by a plan of all slots with prices [µ¤/kWh], (slots,).

        A transition that a timer forbids now is not taken; later ones are planned without timers. None where the device
        is in an abnormal condition that no transition leads out of.
        """
        after = dict.fromkeys(self.modes, 0.0)
        for t in range(len(need) - 1, 0, -1):
            costs = {name: self._cost(name, int(need[t]), int(spare[t]), length)[0] for name in self.modes}
            after = {name: min(self._moves(name, costs, after).values()) for name in self.modes}
        costs = {name: self._cost(name, int(need[0]), int(spare[0]), length)[0] for name in self.modes}
        begin = self.active
        moves = self._moves(begin, costs, after)
        free = {name: cost for name, cost in moves.items() if name == begin or not self._is_blocked(begin, name, now)}
        if not free:
            return None
        chosen = min(free, key=lambda name: (free[name], name != begin, name))
        self._start_timers(begin, chosen, now)
        return chosen, self._cost(chosen, int(need[0]), int(spare[0]), length)[1]

    def _moves(self, begin: str, costs: dict[str, float], after: dict[str, float]) -> dict[str, float]:
        """What it costs to be in each mode that can be reached, from now on."""
        reached = {begin: 0.0} | {
            to: one.transition_costs for (origin, to), one in self.transitions.items() if origin == begin
        }
        return {name: paid + costs[name] + after[name] for name, paid in reached.items() if name in self.modes}

    def _cost(self, name: str, need: int, spare: int, length: int) -> tuple[float, float]:
        """Least costs of a slot in a mode [¤], and at which factor."""
        mode = self.modes[name]
        first, last = power_of(mode.power_ranges)
        running = mode.running_costs
        extra = (running.start_of_range, running.end_of_range) if running else (0.0, 0.0)
        found = []
        for factor, watts in ((0.0, first), (1.0, last)):
            price = need if watts > 0 else spare
            found.append((watts * length / HOUR * price / MICRO_KWH + extra[int(factor)] * length, factor))
        return min(found)

    def _is_blocked(self, begin: str, to: str, now: int) -> bool:
        """Whether a timer forbids a transition now."""
        one = self.transitions.get((begin, to))
        return one is not None and any(self.runs_until.get(timer, 0) > now for timer in one.blocking_timers)

    def _start_timers(self, begin: str, to: str, now: int) -> None:
        """Start the timers of a transition that is taken now."""
        one = self.transitions.get((begin, to)) if begin != to else None
        for timer in one.start_timers if one else ():
            self.runs_until[timer] = now + self.timers.get(timer, 0) / 1_000
