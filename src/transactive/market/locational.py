"""Prices by location on a radial network, without a solver and in whole Wh.

A line carries at most its limit, so what a branch shows to its parent is its own net demand, cut there:

    up     curve of a branch = own curve + the curves of the branches below it, each cut to its line
    root   the price at which the whole network wants nothing
    down   a branch takes its parent's price, or the nearest one at which it wants what its full line carries

That is the optimum of the network's linear program, with the largest volume among equals. Where no line is full, the
price is that of `uniform`. Buyers pay and sellers receive the price of their node; over a full line energy flows to the
dearer side, and what remains is the congestion rent, never below zero, for the network's account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError, require
from transactive.core.tables import Orders, Table
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.allocation import by_largest_remainder
from transactive.market.book import check_total, histogram, pack_keys
from transactive.market.crossing import find_crossing
from transactive.market.curves import Curve, merged, node_curves
from transactive.market.network import Network
from transactive.market.registry import ByNode
from transactive.market.uniform import check_orders, tick_indices


@dataclass(frozen=True, slots=True, eq=False)
class NodalClearing(Table):
    """Result for one slot on a network.

    price: µ¤/kWh, (nodes,). flow_wh: from its parent into each node, (nodes,), 0 at the root. allocated_wh: (orders,).
    """

    slot: int
    price: IntArray
    flow_wh: IntArray
    traded_wh: int
    allocated_wh: IntArray


def clear(orders: Orders, grid: PriceGrid, members: int, node: IntArray, network: Network) -> NodalClearing:
    """Clear the orders of one slot at a price for each node; `node`: of each order, (orders,).

    Marginal orders of a node share pro rata by largest remainder. Raises DataError as `uniform.clear` does, and for a
    node that is none.
    """
    check_orders(orders, members)
    if len(node) != len(orders) or ((node < 0) | (node >= len(network))).any():
        raise DataError(f"orders: each needs one of the {len(network)} nodes, counted from 0")
    check_total(orders.energy_wh)
    tick = tick_indices(orders.price, grid)
    position = 2 * tick + orders.is_buy
    own = node_curves(node, position, orders.energy_wh, orders.is_buy.astype(np.int64), len(network))
    branches = merge_up(own, network, 2 * grid.size)
    place, flow, net = walk_down(own, branches, network, _wish(tick, orders, grid.size), 2 * grid.size - 1)
    given = _allocate(orders, node, position, own, place, net)
    price = grid.floor + grid.tick * (place // 2)
    clearing = NodalClearing(orders.slot, price, flow, int((given * orders.is_buy).sum()), given)
    check_nodal(orders, node, network, clearing)
    return clearing


def merge_up(own: list[Curve], network: Network, positions: int) -> list[Curve]:
    """Curve of each branch, before it is cut by the line above it."""
    parts = [[curve] for curve in own]
    branches = list(own)
    for number in range(len(own) - 1, -1, -1):
        if len(parts[number]) > 1:
            branches[number] = merged(parts[number], positions)
        if number:
            cut = branches[number].clipped(int(network.limit_wh[number]))
            parts[int(network.parent[number])].append(cut)
    return branches


def walk_down(
    own: list[Curve], branches: list[Curve], network: Network, wish: int | None, last: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Position of the price, flow into and net import [Wh] of each node; `wish`: position that the root prefers."""
    place, flow, net = ([0] * len(own) for _ in range(3))
    parent, limit = network.parent.tolist(), network.limit_wh.tolist()
    children: list[list[int]] = [[] for _ in own]
    for number in range(1, len(own)):
        children[parent[number]].append(number)
    for number, below in enumerate(children):
        first, past = branches[number].interval(flow[number], last)
        wanted = place[parent[number]] if number else (first + past) // 2 if wish is None else wish
        here = place[number] = min(max(wanted, first), past)
        low, high = [own[number].after(here + 1)], [own[number].after(here)]
        for child in below:
            most = limit[child]
            low.append(max(-most, min(most, branches[child].after(here + 1))))
            high.append(max(-most, min(most, branches[child].after(here))))
        net[number], *flows = _between(low, high, flow[number])
        for child, into in zip(below, flows, strict=True):
            flow[child] = into
    return np.array(place, np.int64), np.array(flow, np.int64), np.array(net, np.int64)


def congestion_rent_n(orders: Orders, node: IntArray, clearing: NodalClearing) -> int:
    """What buyers pay less what sellers receive [n¤]: for the account of the network."""
    paid = np.where(orders.is_buy, clearing.allocated_wh, -clearing.allocated_wh)
    net = np.zeros(len(clearing.price), np.int64)
    np.add.at(net, node, paid)
    return sum(price * wh for price, wh in zip(clearing.price.tolist(), net.tolist(), strict=True))


def check_nodal(orders: Orders, node: IntArray, network: Network, clearing: NodalClearing) -> None:
    """Raise RuleBroken unless energy balances at every node and nobody, no line included, goes beyond its limit."""
    given, price = clearing.allocated_wh, clearing.price[node]
    into = clearing.flow_wh.copy()
    np.subtract.at(into, network.parent[1:], clearing.flow_wh[1:])
    np.subtract.at(into, node, np.where(orders.is_buy, given, -given))
    require(not into.any() and not clearing.flow_wh[0], "at every node Wh in = Wh out")
    require(bool((np.abs(clearing.flow_wh) <= network.limit_wh).all()), "no line carries more than its limit")
    require(bool(((given >= 0) & (given <= orders.energy_wh)).all()), "no order gets more than its quantity")
    beyond = (orders.is_buy & (orders.price < price)) | (~orders.is_buy & (orders.price > price))
    require(not (beyond & (given != 0)).any(), "no order trades beyond its limit")
    require(congestion_rent_n(orders, node, clearing) >= 0, "the congestion rent is not below zero")


def _wish(tick: IntArray, orders: Orders, ticks: int) -> int | None:
    """Position of the uniform price, which holds wherever no line is full; None without a trade."""
    crossing = find_crossing(histogram(pack_keys(tick, orders.is_buy, ticks), orders.energy_wh, ticks))
    if crossing.tick is None:
        return None
    return 2 * crossing.tick + (crossing.rationed is None or crossing.rationed >= ticks)


def _between(low: list[int], high: list[int], total: int) -> list[int]:
    """Whole numbers from `low` to `high` that sum to `total`, in proportion to their ranges."""
    width, need = sum(high) - sum(low), total - sum(low)
    parts, before, given = [], 0, 0
    for least, most in zip(low, high, strict=True):
        before += most - least
        now = before * need // width if width else 0
        parts.append(least + now - given)
        given = now
    return parts


def _allocate(
    orders: Orders, node: IntArray, position: IntArray, own: list[Curve], place: IntArray, net: IntArray
) -> IntArray:
    """Wh of each order: better than its node's price in full, at it what the node's net import leaves."""
    there = place[node]
    better = np.where(orders.is_buy, position > there, position < there)
    given: IntArray = orders.energy_wh * better
    marginal = np.flatnonzero(position == there)
    marginal = marginal[np.argsort(node[marginal], kind="stable")]
    cuts = np.flatnonzero(np.diff(node[marginal])) + 1
    for rows in np.split(marginal, cuts) if len(marginal) else []:
        number = int(node[rows[0]])
        here, energy = int(place[number]), orders.energy_wh[rows]
        if here % 2:  # buys are on the position: without them the node imports least
            total = int(net[number]) - own[number].after(here + 1)
        else:
            total = own[number].after(here) - int(net[number])
        given[rows] = by_largest_remainder(energy, total, int(energy.sum()))
    return given


MECHANISM = ByNode(clear)
