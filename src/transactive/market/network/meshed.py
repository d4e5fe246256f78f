"""Prices by location where lines form rings: a linear program, then whole Wh inside every limit.

In a ring energy divides by physics (see `power_flow`), so curves cannot be merged as in `radial`. HiGHS solves

    most    sum(limit x bought) − sum(limit x sold)
    with    at each node: bought − sold = what flows in − what flows out      its dual is the node's price
            on each line: flow = (angle_start − angle_end) / reactance, within its limits

Size is the problem: with one column for each limit and node the orders decide the time, not the network. So each node
begins with a few blocks of neighbouring limits at their mean; where a node's price falls inside a block, it is split
into single limits, and the program is solved again until there is none. Then every block is on one side of its node's
price as a whole, and the duals prove that the optimum is that of all orders.

Whole Wh. Each node's net import goes to the whole Wh below or above, up at the dearest nodes: that never costs welfare
or rent. If the flows that follow pass a limit, that limit is lowered by as much, and the program solved again. Prices
are whole µ¤/kWh, up at nodes that import and down at those that export, never past a limit of an order. Should a ring
have limits of a few Wh only, so that no such result is found, each node clears by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from transactive.core.community.network import Network
from transactive.core.errors import require
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market.network.curves import NetDemandCurve, merged
from transactive.market.network.power_flow import MICRO, Floats, PowerFlow, whole_flows
from transactive.market.network.radial import between

BLOCKS = 16
"""Blocks of a node to begin with."""
NEAR = 1e-6
"""Prices [ticks] and energies [Wh] as near as this are equal: the solver's accuracy."""
ROUNDS = 12
"""How often limits are lowered."""
STEP = MICRO // 4
"""By how many µWh limits are lowered, or a multiple."""

prepared = lru_cache(maxsize=8)(PowerFlow)
"""Power flow of a network that clears slot after slot."""


Nodes = tuple[IntArray, IntArray, IntArray, IntArray]
"""Position, net import [Wh] and price [µ¤/kWh] of each node, flow [Wh] of each line."""


def clear_meshed(own: Sequence[NetDemandCurve], network: Network, grid: PriceGrid, wish: int | None) -> Nodes:
    """Clear nodes with their `own` curves: positions are 2 x tick, one more for a buy; `wish`: best if no line is full.

    Other results than `wish` come from floats, so two machines may differ in the last Wh of equally good ones.
    """
    power, last = prepared(network), 2 * grid.size - 1
    most = sum(int(curve.fallen[-1]) for curve in own if len(curve.fallen))  # no flow is larger than all orders
    ceiling = np.minimum(np.stack((network.limit_wh, network.back_wh)), most) * MICRO
    limits = ceiling.copy()
    free = _without_limits(own, power, ceiling, grid, wish)
    if free is not None:
        return free
    columns = ProgramColumns.of(own)
    edges = columns.coarse()
    program = NetworkProgram(columns, np.flatnonzero(edges), power)
    for _ in range(ROUNDS):
        while (solution := program.solve(limits)) and columns.split(edges, solution[0]):
            program = NetworkProgram(columns, np.flatnonzero(edges), power)
        if solution is None:
            break
        price, net = solution
        whole = _whole_nets(price, net, power)
        micro = power.micro(whole)
        excess = np.stack((micro, -micro)) - ceiling
        if (excess <= 0).all():
            place, prices, left_n = _prices(own, price, whole, grid)
            if left_n >= 0:
                return place, whole, prices, whole_flows(network, micro)
        limits -= np.maximum(-(-excess // STEP) * STEP, 0)
    nothing = np.zeros(len(own), np.int64)
    middle = np.array([sum(curve.interval(0, 0, last)) / 4 for curve in own])
    place, prices, _ = _prices(own, middle, nothing, grid)
    return place, nothing, prices, np.zeros(len(network.start), np.int64)


def _without_limits(
    own: Sequence[NetDemandCurve], power: PowerFlow, limits: IntArray, grid: PriceGrid, wish: int | None
) -> Nodes | None:
    """One price everywhere, if the lines carry what follows from it within `limits` each way [µWh]; None if not."""
    first, past = merged(own).interval(0, 0, 2 * grid.size - 1)
    here = min(max((first + past) // 2 if wish is None else wish, first), past)
    net = np.array(between([c.after(here + 1) for c in own], [c.after(here) for c in own], 0), np.int64)
    if np.bincount(power.islands, net).any():
        return None
    micro = power.micro(net)
    if (np.stack((micro, -micro)) > limits).any():
        return None
    place = np.full(len(own), here)
    return place, net, grid.floor + grid.tick * (place // 2), whole_flows(power.network, micro)


@dataclass(frozen=True, slots=True, eq=False)
class ProgramColumns:
    """Energy of each node, limit and side, sorted by node and limit: node, limit [ticks], side, Wh, (columns,)."""

    node: IntArray
    tick: IntArray
    is_buy: BoolArray
    energy: IntArray

    @classmethod
    def of(cls, own: Sequence[NetDemandCurve]) -> ProgramColumns:
        """Columns of the nodes' curves."""
        node = np.repeat(np.arange(len(own)), [len(curve.places) for curve in own])
        places, energy = (np.concatenate([getattr(curve, name) for curve in own]) for name in ("places", "wh"))
        starts = np.flatnonzero(np.append(True, (np.diff(node) != 0) | (np.diff(places) != 0))[: len(node)])
        energy = np.add.reduceat(energy, starts) if len(starts) else energy
        return cls(node[starts], places[starts] // 2, places[starts] % 2 == 1, energy)

    def coarse(self) -> BoolArray:
        """Where a block starts, (columns,): BLOCKS of about equal length at each node."""
        counts = np.bincount(self.node)
        before = np.repeat(np.cumsum(counts) - counts, counts)
        block = (np.arange(len(self.node)) - before) * BLOCKS // np.repeat(np.maximum(counts, BLOCKS), counts)
        return np.append(True, (np.diff(self.node) != 0) | (np.diff(block) != 0))[: len(self.node)]

    def split(self, edges: BoolArray, price: Floats) -> int:
        """Split, in place, the block around each node's price [ticks], and return how many there were."""
        starts = np.flatnonzero(edges)
        ends = np.append(starts[1:], len(self.node)) - 1
        here = price[self.node[starts]]
        inside = np.flatnonzero((self.tick[starts] < here - NEAR) & (self.tick[ends] > here + NEAR))
        for block in inside.tolist():
            edges[starts[block] : ends[block] + 1] = True
        return len(inside)


class NetworkProgram:
    """The linear program with blocks that begin at `starts`: columns of blocks, lines, angles; rows of nodes, lines."""

    def __init__(self, columns: ProgramColumns, starts: IntArray, power: PowerFlow) -> None:
        import highspy

        self.power, lines = power, np.arange(len(power.network.start))
        self.node, self.sign, worth, energy = _blocks(columns, starts)
        nodes, count = len(power.network), len(self.node)
        self.flows = (count + lines).astype(np.int32)
        free = np.full(nodes, highspy.kHighsInf)
        free[power.references] = 0.0
        program: Any = highspy.HighsLp()
        program.num_col_, program.num_row_ = count + len(lines) + nodes, nodes + len(lines)
        program.col_cost_ = np.concatenate((-self.sign * worth, np.zeros(len(lines) + nodes)))
        program.col_lower_ = np.concatenate((np.zeros(count + len(lines)), -free))
        program.col_upper_ = np.concatenate((energy, np.zeros(len(lines)), free)).astype(np.float64)
        program.row_lower_ = program.row_upper_ = np.zeros(nodes + len(lines))
        program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        program.a_matrix_.start_, program.a_matrix_.index_, program.a_matrix_.value_ = self._matrix(program.num_col_)
        self.solver = quiet_solver()
        self.solver.setOptionValue("presolve", "off")  # costs more than it saves where bounds change and change again
        self.solver.passModel(program)

    def _matrix(self, width: int) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
        """Start of each column, rows and values, by columns."""
        network, lines = self.power.network, np.arange(len(self.power.network.start))
        rows, one, angles = len(network) + lines, np.ones(len(lines)), len(self.node) + len(lines)
        entries = (
            (np.arange(len(self.node)), self.node, self.sign),
            (self.flows, network.start, one),
            (self.flows, network.end, -one),
            (self.flows, rows, one),
            (angles + network.start, rows, -self.power.susceptance),
            (angles + network.end, rows, self.power.susceptance),
        )
        column, row, value = (np.concatenate(part) for part in zip(*entries, strict=True))
        order = np.lexsort((row, column))
        starts = np.searchsorted(column[order], np.arange(width + 1))
        return starts.astype(np.int32), row[order].astype(np.int32), value[order]

    def solve(self, limits: IntArray) -> tuple[Floats, Floats] | None:
        """Price [ticks] and net import [Wh] of each node; limits: each way [µWh], (2, lines). None if nothing fits."""
        import highspy

        network, status = self.power.network, highspy.HighsModelStatus
        most, least = limits[0] / MICRO, -limits[1] / MICRO
        if (least > most).any():
            return None
        self.solver.changeColsBounds(len(self.flows), self.flows, least, most)
        self.solver.run()
        if self.solver.getModelStatus() == status.kInfeasible:
            return None
        require(self.solver.getModelStatus() == status.kOptimal, "the linear program of a network has an optimum")
        found = self.solver.getSolution()
        given = self.sign * np.array(found.col_value)[: len(self.node)]
        net: Floats = np.bincount(self.node, given, len(network)).astype(np.float64)
        price: Floats = -np.array(found.row_dual)[: len(network)]
        return price, net


def quiet_solver() -> Any:  # noqa: ANN401 - a class of a library without types
    """A solver that prints nothing: without its callbacks, whose set-up greets on standard output."""
    import highspy

    solver: Any = cast("Any", highspy.Highs.__base__)()
    solver.setOptionValue("output_flag", False)  # noqa: FBT003 - the solver's own signature
    return solver


def _blocks(columns: ProgramColumns, starts: IntArray) -> tuple[IntArray, Floats, Floats, IntArray]:
    """Node, sign (1 for buys), mean limit [ticks] and Wh of each block and side that has energy."""
    parts = []
    for sign, side in ((1.0, columns.is_buy), (-1.0, ~columns.is_buy)):
        energy = np.add.reduceat(columns.energy * side, starts)
        worth = np.add.reduceat(columns.energy * side * columns.tick.astype(np.float64), starts)
        used = np.flatnonzero(energy)
        parts.append((columns.node[starts[used]], np.full(len(used), sign), worth[used] / energy[used], energy[used]))
    node, sign_of, worth, energy = (np.concatenate(part) for part in zip(*parts, strict=True))
    return node, sign_of, worth, energy


def _whole_nets(price: Floats, net: Floats, power: PowerFlow) -> IntArray:
    """Net imports in whole Wh, each next to the solver's, of sum 0 on each island: up where energy is dearest."""
    near = np.rint(net)
    net = np.where(np.abs(net - near) < 1e3 * NEAR, near, net)
    whole = np.floor(net).astype(np.int64)
    dearest = np.lexsort((whole - net, -np.rint(price / NEAR)))
    islands = power.islands
    dearest = dearest[(net > whole)[dearest]]
    for island in power.references.tolist():
        missing = -int(whole[islands == island].sum())
        whole[dearest[islands[dearest] == island][:missing]] += 1
    return whole


def _prices(
    own: Sequence[NetDemandCurve], price: Floats, net: IntArray, grid: PriceGrid
) -> tuple[IntArray, IntArray, int]:
    """Position and whole price of each node at its whole net import, near the solver's price; and what the network has.

    The network has [n¤] what importing nodes pay less what exporting ones receive: sum(price x net import). Should this
    be below zero, prices move by what is missing, at the largest nodes first, as far as no order passes its limit.
    """
    ends = np.array(
        [curve.interval(wanted, 0, 2 * grid.size - 1) for curve, wanted in zip(own, net.tolist(), strict=True)]
    )
    near = np.rint(price)
    exact = np.where(np.abs(price - near) < NEAR, near, price)
    place = (2 * np.floor(exact)).astype(np.int64).clip(ends[:, 0], ends[:, 1])
    micro = exact * grid.tick
    whole = np.where(net > 0, np.ceil(micro), np.floor(micro)).astype(np.int64)
    low, high = grid.floor + ends.T // 2 * grid.tick
    prices = (grid.floor + whole).clip(low, high)
    left_n = sum(p * wh for p, wh in zip(prices.tolist(), net.tolist(), strict=True))
    for node in np.argsort(-np.abs(net), kind="stable").tolist():
        if left_n >= 0 or not net[node]:
            break
        room = int(high[node] - prices[node] if net[node] > 0 else prices[node] - low[node])
        move = min(room, -(left_n // abs(int(net[node]))))
        prices[node] += move if net[node] > 0 else -move
        left_n += move * abs(int(net[node]))
    return place, prices, left_n
