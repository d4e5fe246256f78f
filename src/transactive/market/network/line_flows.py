"""What members' meters put on the lines of a network, supplier's energy and losses included.

The grid's side, the first node, gives or takes whatever the others want. In a tree a line carries what the branch below
it takes on balance and what is lost on the way there, exactly; in a ring energy divides as `power_flow` says, rounded
away from zero to whole Wh, so that a line beyond its limit never looks like one within it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from transactive.core.community.network import Network
from transactive.core.units import PPM, IntArray
from transactive.market.network.losses import arriving, needed
from transactive.market.network.power_flow import PowerFlow


class LineFlows:
    """Flows of one network; one with rings is prepared once, as its matrix is inverted."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._power = None if network.radial else PowerFlow(network)

    def of_members(self, node: IntArray, net_wh: IntArray) -> IntArray:
        """Flows from what members take on balance [Wh], (…, members), at their nodes, (members,)."""
        nodes = np.zeros((len(self.network), *net_wh.shape[:-1]), np.int64)
        np.add.at(nodes, node, np.moveaxis(net_wh, -1, 0))
        return self.of(np.moveaxis(nodes, 0, -1))

    def of(self, net_wh: IntArray) -> IntArray:
        """What enters each line [Wh], (…, lines), positive from its start to its end.

        net_wh: net import of each node, (…, nodes); the first node's is not looked at.
        """
        if self._power:
            return self._power.outward_wh(net_wh)
        network, left = self.network, net_wh.copy()
        flow = np.zeros((*net_wh.shape[:-1], len(network.start)), np.int64)
        for line in range(len(network.start) - 1, -1, -1):  # line k leads to node k + 1, whose branches come later
            below = left[..., line + 1]
            sent, arrives = self._through(line, np.maximum(below, 0)), np.maximum(-below, 0)
            arrives = arrives - self._lost(line, arrives)
            flow[..., line] = np.where(below > 0, sent, below)
            left[..., network.start[line]] += np.where(below > 0, sent, -arrives)
        return flow

    def _through(self, line: int, arrives: IntArray) -> IntArray:
        """Least that must enter a line so that so much arrives [Wh]."""
        if self.network.loss_at_limit_ppm is None:
            return needed(arrives, PPM - int(self.network.loss_ppm[line]))
        sent = arrives
        while ((more := arrives + self._lost(line, sent)) != sent).any():  # a Wh more loses at most half a Wh more
            sent = more
        return sent

    def _lost(self, line: int, sent: IntArray) -> IntArray:
        """What is lost of so much that enters a line [Wh]."""
        if self.network.loss_at_limit_ppm is None:
            return sent - arriving(sent, PPM - int(self.network.loss_ppm[line]))
        flows = np.zeros((*sent.shape, len(self.network.start)), np.int64)
        flows[..., line] = sent
        lost: IntArray = self.network.lost_wh(flows)[..., line]
        return lost

    def sensitivity_ppm(self) -> IntArray:
        """By how much a line's flow grows with a Wh more that a node takes [ppm], (lines, nodes), losses left out."""
        if self._power:
            return self._power.sensitivity_ppm()
        network = self.network
        grows = np.zeros((len(network.start), len(network)), np.int64)
        for line in range(len(network.start) - 1, -1, -1):
            grows[line, line + 1] = PPM
            below = np.flatnonzero(network.start == line + 1)
            grows[line] += grows[below].sum(axis=0)
        return grows


def beyond_wh(network: Network, flow_wh: IntArray) -> IntArray:
    """By how much flows, (…, lines), pass the limits [Wh], below 0 backwards; 0 within them."""
    over: IntArray = np.maximum(flow_wh - network.limit_wh, 0) + np.minimum(flow_wh + network.back_wh, 0)
    return over


line_flows = lru_cache(maxsize=8)(LineFlows)
"""Flows of a network that is asked slot after slot."""
