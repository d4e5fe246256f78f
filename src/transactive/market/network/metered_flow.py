"""What flows over the lines of a network in whole Wh that balance at every node, as its members' meters say.

The grid gives what is missing at the first node and takes what is left over there; of an island behind open lines, at
the island's first node. Without rings these are the flows of `line_flows`; with rings they divide by reactance and
each ends at the whole Wh below or above (`power_flow`), where `line_flows` looks for the worst of a line and
rounds away from zero. No Wh runs in a circle.
"""

from __future__ import annotations

import numpy as np

from transactive.core.community.network import Network
from transactive.core.units import IntArray
from transactive.market.network.line_flows import line_flows
from transactive.market.network.power_flow import PowerFlow, whole_flows


class MeteredFlow:
    """Flows of one network; prepared once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._power = None if network.radial else PowerFlow(network)

    def flows(self, net_wh: IntArray) -> IntArray:
        """Flows [Wh], (lines,), positive from start to end, for what each node takes − gives [Wh], (nodes,)."""
        return line_flows(self.network).of(net_wh) if self._power is None else _with_rings(self._power, net_wh)


def _with_rings(power: PowerFlow, net_wh: IntArray) -> IntArray:
    """Flows with rings: each island's first node is set to what the others leave, then reactances divide the rest."""
    net = net_wh.copy()
    island = np.zeros_like(net)
    np.add.at(island, power.islands, net)
    net[power.references] -= island[power.references]
    flow = whole_flows(power.network, power.micro(net))
    return _without_circles(power.network, flow)


def _without_circles(network: Network, flow_wh: IntArray) -> IntArray:
    """The flows less what runs in a circle, which rounding can leave where a ring carries next to nothing."""
    flow = flow_wh.copy()
    while circle := _circle(network, flow):
        least = int(np.abs(flow[circle]).min())
        flow[circle] -= np.sign(flow[circle]) * least
    return flow


def _circle(network: Network, flow_wh: IntArray) -> list[int]:
    """Lines of one circle of flows, none if there is no circle."""
    sender, receiver = network.ways(flow_wh)
    lines = np.flatnonzero(flow_wh)
    while not (fed := np.isin(sender[lines], receiver[lines])).all():
        lines = lines[fed]  # what comes from a node that nothing flows into is on no circle
    if not len(lines):
        return []
    into = dict(zip(receiver[lines].tolist(), lines.tolist(), strict=True))
    path: list[int] = []
    passed: dict[int, int] = {}
    node = int(sender[lines[0]])
    while node not in passed:  # upstream, until a node comes again
        passed[node] = len(path)
        path.append(into[node])
        node = int(sender[into[node]])
    return path[passed[node] :]
