"""What lines lost of the energy that members gave each other, as their meters say.

The flow of a slot, the supplier's energy in it, loses what the lines lose at that flow. All that reaches a node mixes
there, and everything that leaves it carries that mix (J. Bialek, "Tracing the flow of electricity", IEE Proceedings:
Generation, Transmission and Distribution 143, 1996). So while the grid feeds the network, of what a line loses that
part is the members' that came from members, downstream from node to node; while it takes what is left over, that part
which goes to members, upstream. Parts are millionths, rounded down, and so is the sum: the rest is the supplier's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.community.network import Network
from transactive.core.units import PPM, IntArray
from transactive.market.network.line_flows import line_flows


def local_losses_wh(network: Network, node: IntArray, imported_wh: IntArray, exported_wh: IntArray) -> int:
    """What was lost between members [Wh], at most what they gave; node, imported_wh, exported_wh: (members,).

    0 on a network without losses.
    """
    if not network.lossy:
        return 0
    taken, given = (_by_node(network, node, column) for column in (imported_wh, exported_wh))
    flow = line_flows(network).of(taken - given)
    lost = network.lost_wh(flow)
    missing = int((taken - given - network.net_wh(flow))[0])
    sender, receiver = network.ways(flow)
    sent = np.abs(flow)
    if missing >= 0:
        other, own, start, end, weight = missing, given, sender, receiver, sent - lost
    else:
        other, own, start, end, weight = -missing, taken, receiver, sender, sent
    part = _parts_ppm(own.tolist(), other, start.tolist(), end.tolist(), weight.tolist())
    between = sum(wh * part[node] for wh, node in zip(lost.tolist(), start.tolist(), strict=True))
    return int(between) // PPM


def _by_node(network: Network, node: IntArray, column: IntArray) -> IntArray:
    """Sum of a column of members by node, (nodes,)."""
    total = np.zeros(len(network), np.int64)
    np.add.at(total, node, column)
    return total


def _parts_ppm(
    own: Sequence[int], grid_wh: int, start: Sequence[int], end: Sequence[int], weight: Sequence[int]
) -> list[int]:
    """Part of what mixes at each node that is the members' [ppm], (nodes,), 0 where nothing does.

    own: what comes from members at each node [Wh]; grid_wh: from the grid, at the first. start, end, weight: of lines,
    the ways that the mix goes, and what each brings to its end [Wh].
    """
    total, mine = list(own), [wh * PPM for wh in own]
    total[0] += grid_wh
    lines: list[list[int]] = [[] for _ in own]
    waiting = [0] * len(own)
    for line, wh in enumerate(weight):
        if wh:
            lines[start[line]].append(line)
            waiting[end[line]] += 1
    part = [0] * len(own)
    queue = [node for node, lines_in in enumerate(waiting) if not lines_in]
    for node in queue:  # grows while it is walked; a tree has no circle
        part[node] = mine[node] // total[node] if total[node] else 0
        for line in lines[node]:
            to = end[line]
            total[to] += weight[line]
            mine[to] += weight[line] * part[node]
            waiting[to] -= 1
            if not waiting[to]:
                queue.append(to)
    return part
