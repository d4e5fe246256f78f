"""Lines as a viewer sees them: the grid's token sees flows of groups of homes, and of other lines only their state.

A row of a hidden line loses its figures here, before anything reads it: what stands in their place is made of the state
and the line's nominal limit alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from transactive.core.community.line_groups import LineGroups, line_groups
from transactive.core.community.network import Network
from transactive.core.congestion import FORECAST, Measure
from transactive.core.units import BoolArray, IntArray
from transactive.store.read.runs import Row, Run

LineState: TypeAlias = Literal["within", "near", "beyond"]
STATES: tuple[LineState, ...] = get_args(LineState)
NEAR = 80
"""Loading from which a line is near its limit [%]."""
FULL = 100
LIKELY_PPM, RISKY_PPM = 500_000, 50_000
"""Probabilities from which a line is likely over its limit, and at risk."""


def loading(network: Network, line: int, flow_wh: int) -> int:
    """Loading of a line [%], rounded up beyond the limit and down within it; 0 if nothing flows where nothing may."""
    limit, size = int((network.limit_wh if flow_wh >= 0 else network.back_wh)[line]), abs(flow_wh)
    if size > limit:
        return -(-FULL * size // limit) if limit else FULL + 1
    return FULL * size // limit if limit else 0


def flow_state(network: Network, line: int, flow_wh: int) -> LineState:
    """How a flow stands to the line's limit."""
    percent = loading(network, line, flow_wh)
    return "beyond" if percent > FULL else "near" if percent >= NEAR else "within"


def forecast_state(row: Row) -> LineState:
    """How a forecast stands to the line's limits, by how likely it passes them."""
    ppm = row["over_ppm"] + row["back_ppm"]
    return "beyond" if ppm >= LIKELY_PPM else "near" if ppm > RISKY_PPM else "within"


@dataclass(frozen=True, slots=True, eq=False)
class SeenLines:
    """Rows of lines for one viewer.

    whole: whether it sees every figure. summable: lines whose sums of a kind of measure are seen otherwise, (lines,).
    """

    groups: LineGroups
    whole: bool
    summable: dict[Measure, BoolArray]

    @property
    def network(self) -> Network:
        """The network."""
        return self.groups.network

    def hides(self, line: int) -> bool:
        """Whether only the state of a line is seen."""
        return not (self.whole or self.groups.shown[line])

    def lines_with_sums(self, kind: Measure) -> list[int]:
        """Lines whose sums of one kind of measure are seen."""
        told = np.ones(len(self.groups.group), np.bool_) if self.whole else self.summable[kind]
        return [int(line) for line in np.flatnonzero(told)]

    def loads(self, rows: Iterable[Row]) -> list[Row]:
        """What lines carried, each with its state and whether that is all that is seen."""
        return [self._load(row) for row in rows]

    def _load(self, row: Row) -> Row:
        line, network = row["line"], self.network
        seen = {**row, "state": flow_state(network, line, row["flow_wh"]), "hidden": self.hides(line)}
        if seen["hidden"]:
            seen["flow_wh"] = self._stand_in(line, seen["state"])
            seen["unlimited_wh"] = self._stand_in(line, flow_state(network, line, row["unlimited_wh"]))
            seen["price"] = 0
        return seen

    def forecast(self, row: Row) -> Row:
        """What a line was expected to carry."""
        line = row["line"]
        seen: dict[str, Any] = {**row, "state": forecast_state(row), "hidden": self.hides(line)}
        if seen["hidden"]:
            stand_in = self._stand_in(line, seen["state"])
            seen |= dict.fromkeys(FORECAST, 0) | dict.fromkeys(("expected_wh", "low_wh", "high_wh"), stand_in)
            seen["over_ppm"] = {"within": 0, "near": RISKY_PPM + 1, "beyond": LIKELY_PPM}[seen["state"]]
        return seen

    def interventions(self, rows: Iterable[Row]) -> list[Row]:
        """What was asked for lines; hidden ones and those with too few homes to ask keep their kind only."""
        return [self._intervention(row) for row in rows]

    def _intervention(self, row: Row) -> Row:
        summed = self.whole or bool(self.summable[Measure(row["kind"])][row["line"]])
        seen: dict[str, Any] = {**row, "hidden": self.hides(row["line"]), "summed": summed}
        if not self.whole:
            seen["homes"] = 0
        if not summed:
            seen |= dict.fromkeys(("energy_wh", "amount_n"), 0)
        if seen["hidden"]:
            seen |= {name: 0 for name in ("unlimited_wh", "price") if name in row}
        return seen

    def _stand_in(self, line: int, state: LineState) -> int:
        """A flow of this state that is made of the nominal limit alone [Wh]."""
        ahead, back = int(self.network.limit_wh[line]), int(self.network.back_wh[line])
        limit, way = (ahead, 1) if ahead or not back else (back, -1)
        return way * {"within": 0, "near": -(-limit * NEAR // FULL), "beyond": limit + 1}[state]


def seen_lines(run: Run, least: int) -> SeenLines | None:
    """Lines of a run as the grid's token sees them; None without a network. least: homes that a figure covers."""
    if run.site is None:
        return None
    members, node, nodes = run.community.members, run.site.node, len(run.site.network)

    def at_nodes(able: Iterable[bool]) -> IntArray:
        return np.bincount(node, np.array(list(able)), nodes).astype(np.int64)

    groups = line_groups(run.site.network, at_nodes(True for _ in members), least)
    summable = {
        Measure.CALL: groups.summable(at_nodes(bool(member.battery_wh) for member in members)),
        Measure.MOVE: groups.summable(at_nodes(bool(member.battery_wh or member.devices) for member in members)),
        Measure.CURTAIL: groups.summable(at_nodes(bool(member.pv_w) for member in members)),
        Measure.OPEN: groups.shown,
    }
    return SeenLines(groups, whole=False, summable=summable)
