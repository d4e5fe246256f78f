"""Location-based carbon through a network: what each member's import emitted, by proportional sharing.

All that reaches a node mixes there, and everything that leaves it, to members, lines or the grid, carries that mix
(J. Bialek, "Tracing the flow of electricity", IEE Proceedings: Generation, Transmission and Distribution 143, 1996).
Nodes are taken downstream, each once what flows into it is known: its mix is mg over Wh, and its mg are apportioned to
what leaves it by largest remainder, so none is lost. What a line loses takes no carbon along: what arrives is
so much more intense, as with a battery's losses.

Without a network all members are at one node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.carbon.footprints.mixes import Mix
from transactive.core.community.network import Network, tree
from transactive.core.errors import require
from transactive.core.units import WH_PER_KWH, IntArray, share, share_columns


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """Where members are, (members,), and what flows over the lines in a slot [Wh], (lines,)."""

    network: Network
    node: IntArray
    flow_wh: IntArray

    @classmethod
    def at_one_node(cls, members: int) -> Wiring:
        """Members beside each other, without lines."""
        nothing = np.zeros(0, np.int64)
        return cls(tree(("",), np.array([-1]), np.zeros(1, np.int64)), np.zeros(members, np.int64), nothing)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Where carbon went: imported_mg and the mix of each member's node [mg/kWh], (members,), and the grid's part.

    The mix is rounded down; it is that of what members took at the node, 0 where nobody took anything.
    """

    imported_mg: IntArray
    mix_mg_per_kwh: IntArray
    from_grid: Mix
    to_grid: Mix


def trace(wiring: Wiring, imported_wh: IntArray, exported_wh: IntArray, exported_mg: IntArray, grid: Mix) -> Trace:
    """Follow the carbon of a slot from what was exported, (members,), and from the grid to what was imported.

    The carbon of grid energy is rounded down once, as a whole: imported_mg and to_grid hold exported_mg and from_grid
    to the mg.
    """
    network, nodes = wiring.network, len(wiring.network)
    taken, given, carbon = (_by_node(wiring.node, column, nodes) for column in (imported_wh, exported_wh, exported_mg))
    missing = taken - given - network.net_wh(wiring.flow_wh)
    grid_wh = int(np.maximum(missing, 0).sum())
    grid_mg = grid.of(grid_wh)
    carbon += share_columns(grid_mg, np.maximum(missing, 0))
    leaving = np.maximum(-missing, 0)
    used_mg, left_mg = _downstream(network, wiring.flow_wh, carbon, taken, leaving)
    by_member = np.zeros_like(imported_wh)
    order = np.argsort(wiring.node, kind="stable")
    ends = np.searchsorted(wiring.node[order], np.arange(nodes + 1))
    for node in np.flatnonzero(taken).tolist():
        here = order[ends[node] : ends[node + 1]]
        by_member[here] = share_columns(int(used_mg[node]), imported_wh[here])
    mix = used_mg * WH_PER_KWH // np.maximum(taken, 1)
    return Trace(by_member, mix[wiring.node], Mix(grid_wh, grid_mg), Mix(int(leaving.sum()), int(left_mg.sum())))


def _by_node(node: IntArray, column: IntArray, nodes: int) -> IntArray:
    """Sum of a column of members by node, (nodes,)."""
    total = np.zeros(nodes, np.int64)
    np.add.at(total, node, column)
    return total


def _downstream(
    network: Network, flow_wh: IntArray, carbon_mg: IntArray, taken_wh: IntArray, leaving_wh: IntArray
) -> tuple[IntArray, IntArray]:
    """Carbon [mg] that members take at each node and that leaves there with the grid, each (nodes,).

    carbon_mg: what enters at each node, from members and from the grid.
    """
    sender, receiver = network.ways(flow_wh)
    sent = np.abs(flow_wh)
    lines: list[list[int]] = [[] for _ in range(len(network))]
    waiting = np.bincount(receiver[sent > 0], minlength=len(network))
    for line in np.flatnonzero(sent).tolist():
        lines[sender[line]].append(line)
    pool, used, left = carbon_mg.copy(), np.zeros_like(taken_wh), np.zeros_like(taken_wh)
    queue = np.flatnonzero(waiting == 0).tolist()
    for node in queue:  # grows while it is walked
        away = lines[node]
        weights = [int(taken_wh[node]), int(leaving_wh[node]), *sent[away].tolist()]
        used[node], left[node], *carried = share(int(pool[node]), weights)
        for line, mg in zip(away, carried, strict=True):
            pool[receiver[line]] += mg
            waiting[receiver[line]] -= 1
            if not waiting[receiver[line]]:
                queue.append(int(receiver[line]))
    require(len(queue) == len(network), "flows lead downstream, never in a circle")
    return used, left
