"""The result of a market on a network: a price for each node, a flow for each line."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.tables import Table
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class NodalClearing(Table):
    """Result for one slot on a network.

    price: µ¤/kWh, (nodes,). flow_wh: what enters each line, positive from its start to its end, (lines,). lost_wh: of
    that, (lines,). traded_wh: what buyers got; sellers sold what was lost more. allocated_wh: (orders,).
    """

    slot: int
    price: IntArray
    flow_wh: IntArray
    lost_wh: IntArray
    traded_wh: int
    allocated_wh: IntArray
