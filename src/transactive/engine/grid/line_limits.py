"""What homes do in a slot, within the limits of their lines: the book of redispatch, cleared by location."""

from __future__ import annotations

import numpy as np

from transactive.core.units import IntArray
from transactive.market.mechanisms import Site
from transactive.market.network import locational
from transactive.market.network.line_flows import line_flows
from transactive.trading.grid.redispatch import Limited, OwnPlans, grid_of, limited, redispatch_orders


def within_limits(site: Site, slot: int, planned: OwnPlans) -> tuple[Limited, IntArray]:
    """Move batteries and hold PV back as far as lines ask for it; and what enters each line then [Wh], (lines,).

    A line passes its limit only if no device is left: what the market would not serve of the load is told as cut, and
    stays. Where several whole Wh arrive as one over a line that loses some, the flow is the market's.
    """
    network = site.network
    orders = redispatch_orders(slot, planned, lossy=network.lossy)
    node = np.append(site.node, 0)[orders.member]
    cleared = locational.clear(orders, grid_of(lossy=network.lossy), len(site.node) + 1, node, network)
    within = limited(planned, orders, cleared.allocated_wh, lossy=network.lossy)
    if not within.cut_wh.any():
        return within, cleared.flow_wh
    return within, line_flows(network).of_members(site.node, within.net_wh(planned))
