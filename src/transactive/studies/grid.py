"""The same days of a community under three ways to run its network, without chain and database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec
import numpy as np

from transactive.config.setting import Setting
from transactive.core.congestion import Congestion, Interventions, LineLoads, Measure
from transactive.core.errors import ConfigError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.core.units import PPM, IntArray
from transactive.engine.grid.operator import GridOperator
from transactive.engine.kernel import Kernel
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of
from transactive.forecasting.evaluation.line_scores import brier, climatology, covered, hourly_climatology
from transactive.insight.studies.grid import ForecastScores, GridStudy, GridVariant, LineFigures
from transactive.insight.summarising import grid_summary
from transactive.market.network.line_flows import beyond_wh

WAYS: tuple[tuple[str, dict[str, int]], ...] = (
    ("watched", {"manage": False}),
    ("limits", {"manage": True, "risk_ppm": PPM}),
    ("prices first", {"manage": True}),
)
"""Names and rules; with a risk of one no line is ever given a price."""


def study(setting: Setting, slots: range, done: Callable[[int], None] = lambda _: None) -> GridStudy:
    """Walk through the slots under each way; done: hears how many slots of all ways are through.

    Raises ConfigError for a community without a network.
    """
    community, variants = setting.community, []
    seen: list[_Seen] = []
    for name, rules in WAYS:
        grid = msgspec.structs.replace(community.grid, **rules)
        seen.append(_Seen(replace(setting, community=msgspec.structs.replace(community, grid=grid)), slots))
        seen[-1].run(partial(_told_after, done, (len(seen) - 1) * len(slots)))
        variants.append(seen[-1].figures(name, seen[0]))
    kinds = (("a day ahead", True), ("at the gate", False))
    return GridStudy(
        community=community.name,
        currency=community.currency,
        mechanism=community.market.mechanism,
        first_slot=time_text(slots[0]),
        slots=len(slots),
        members=len(community.members),
        variants=tuple(variants),
        forecasts=tuple(seen[0].scores(name, ahead=ahead) for name, ahead in kinds),
    )


def _told_after(done: Callable[[int], None], before: int, through: int) -> None:
    done(before + through)


@dataclass(slots=True)
class _Seen:
    """What one walk said of its lines."""

    setting: Setting
    slots: range
    walk: Kernel = field(init=False)
    operator: GridOperator = field(init=False)
    loads: list[LineLoads] = field(init=False, default_factory=list)
    forecasts: dict[tuple[int, bool], Congestion] = field(init=False, default_factory=dict)
    network_n: int = 0
    generation_wh: int = 0
    missing_wh: int = 0

    def run(self, done: Callable[[int], None]) -> None:
        """Walk through the slots."""
        self.walk = recorded_run(self.setting, self.slots)
        if not isinstance(self.walk.operator, GridOperator):
            raise ConfigError("grid study needs lines: add [network] to the community file, or study feeder")
        self.operator = operator = self.walk.operator
        operator.told = self._hear

        def settled(record: SlotBook) -> None:
            loads, interventions = operator.report
            self._settled(record, loads, interventions)
            done(len(self.loads))

        self.walk.run(settled)

    def _hear(self, seen: Congestion, ahead: bool) -> None:
        for place, slot in enumerate(seen.slots.tolist()):
            self.forecasts[slot, ahead] = seen.at(place)

    def _settled(self, record: SlotBook, loads: LineLoads, done: Interventions) -> None:
        accounts = self.walk.accounts
        self.loads.append(loads)
        self.network_n += int(record.postings.net_n(accounts.total)[accounts.network])
        self.generation_wh += int(record.readings.generation_wh.sum())
        self.missing_wh += done.energy_of(Measure.OPEN)

    def pays_n(self) -> list[int]:
        """What each member pays [n¤], after the credit for what its battery holds."""
        return [bill.with_market_n - bill.with_market_credit_n for bill in bills_of(self.walk)]

    def figures(self, name: str, watched: _Seen) -> GridVariant:
        """Sums over the slots, beside those of the same days only watched."""
        walk, pays = self.walk, self.pays_n()
        return GridVariant(
            name=name,
            grid=grid_summary(walk.tally, managed=self.setting.community.grid.manage),
            members_pay_n=str(sum(pays)),
            network_n=str(self.network_n),
            members_worse_off=sum(bill.saved_n < 0 for bill in bills_of(walk)),
            members_below_watched=sum(own > free for own, free in zip(pays, watched.pays_n(), strict=True)),
            generation_wh=self.generation_wh,
            missing_wh=self.missing_wh,
            lines=tuple(self._lines()),
        )

    def _lines(self) -> list[LineFigures]:
        """Each line's limits and largest flows."""
        network, flow = self.operator.site.network, self._column("flow_wh")
        over = self._passed(flow).sum(axis=0).tolist()
        limits = zip(network.limit_wh.tolist(), network.back_wh.tolist(), strict=True)
        return [
            LineFigures(
                name=network.label(line),
                limit_wh=limit,
                limit_back_wh=back,
                most_wh=max(int(flow[:, line].max()), 0),
                most_back_wh=max(int(-flow[:, line].min()), 0),
                slots_over=over[line],
            )
            for line, (limit, back) in enumerate(limits)
        ]

    def scores(self, name: str, *, ahead: bool) -> ForecastScores:
        """Scores of the forecasts of one kind, for flows that nothing limited."""
        told = [self.forecasts[slot, ahead] for slot in self.slots]
        said, low, high = (
            np.concatenate([getattr(one, name) for one in told]) for name in ("passed_ppm", "low_wh", "high_wh")
        )
        flow = self._column("unlimited_wh")
        passed, inside = self._passed(flow), covered(flow, low, high)
        per_day = 86_400 // self.walk.clock.length
        return ForecastScores(
            name=name,
            said=round(float(said.sum()) / PPM, 3),
            passed=float(passed.sum()),
            brier=round(brier(said, passed), 6),
            climatology=round(brier(climatology(passed), passed), 6),
            hourly_climatology=round(brier(hourly_climatology(passed, per_day), passed), 6),
            coverage=round(float(inside.mean()), 4),
            coverage_least=round(float(inside.min()), 4),
        )

    def _column(self, name: str) -> IntArray:
        return np.stack([getattr(loads, name) for loads in self.loads])

    def _passed(self, flow: IntArray) -> IntArray:
        """Where flows, (slots, lines), pass a limit: 1, elsewhere 0."""
        passed: IntArray = (beyond_wh(self.operator.site.network, flow) != 0).astype(np.int64)
        return passed
