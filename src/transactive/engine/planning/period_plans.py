"""Plans of a period's slots: for the members' devices, the same devices without a market, and their lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from transactive.config.setting import Setting
from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.engine.devices.fleet import LOOK_AHEAD, Fleet
from transactive.engine.grid.operator import GridOperator
from transactive.engine.grid.unwatched import Unwatched
from transactive.engine.information import InformationSet
from transactive.engine.observer import Observer
from transactive.engine.planning.weighing import made_plan
from transactive.engine.sessions import Timetable


@dataclass(frozen=True, slots=True, eq=False)
class Planners:
    """Who plans for the members' devices. baseline: the same devices without a market; operator: of their lines."""

    fleet: Fleet
    baseline: Fleet
    operator: GridOperator | Unwatched


@dataclass(frozen=True, slots=True, eq=False)
class PeriodPlans:
    """Makes the plans of a run over `slots`, and tells observers. known: what may be known as they are made."""

    setting: Setting
    slots: range
    planners: Planners
    known: InformationSet
    timetable: Timetable
    observers: Sequence[Observer]

    def cover(self, slot: int, seen_at: Callable[[int], int]) -> None:
        """Make sure that both fleets have a rule for a slot: plans are made as the first session of a period closes.

        seen_at: end of the slots whose readings can be seen at a time [Unix s].
        """
        fleet, baseline = self.planners.fleet, self.planners.baseline
        if slot in fleet.rules:
            return
        clock = self.setting.community.clock
        length, period = clock.length, clock.slots_per_period * clock.length
        first = max(slot // period * period, self.slots[0])
        end = min(slot // period * period + period + LOOK_AHEAD, self.setting.end)
        slots = range(first, end, length)
        now = seen_at(self.timetable.planned_at(slot))
        community, batteries = self.known.ahead(now, slots)
        tariffs = [self.setting.tariff(s) for s in slots]
        carbon_value = self.known.carbon_value(now, community)
        seen = self._seen(fleet, now, community, batteries, tariffs)
        make = partial(fleet.plan, *seen, tariffs, carbon_value)
        fleet.explained = bool(self.observers)
        make()
        baseline.plan(*self._seen(baseline, now, community, batteries, tariffs), tariffs)
        own = range(first, min(slot // period * period + period, self.slots.stop), length)
        self.planners.operator.plan(own, lambda: self.known.forecast(now, range(now, own.stop, length)), make)
        if self.observers:
            self._tell(now, first, seen[1])

    def _tell(self, now: int, first: int, seen: Forecast) -> None:
        """Let observers hear of the plan that was made at `now` from slot `first` on [Unix s]."""
        before = range(now, first, self.setting.community.clock.length)
        near = self.known.ahead(now, before)[1] if before else None
        made = made_plan(self.planners.fleet, now, near, seen)
        if made is not None:
            for observer in self.observers:
                observer.planned(made)

    def _seen(
        self, fleet: Fleet, now: int, community: Forecast, batteries: Forecast, tariffs: list[Tariff]
    ) -> tuple[Forecast, Forecast]:
        """The forecasts that a fleet's batteries plan with: with what loads that can wait will draw."""
        if fleet.shifting is None:
            return community, batteries
        near, homes = self.known.of_homes(now, community.slots, fleet.shifting.homes)
        return fleet.see_shifting(near, homes, community, batteries, tariffs)
