"""Prices by location: what a network can carry decides who trades, and each node has its price.

A tree is cleared by merging curves (`radial`), lines with rings by a linear program (`meshed`). Buyers pay and sellers
receive the price of their node; over a full line energy flows to the dearer side, and whom energy is sent to pays for
what is lost on the way. So buyers never pay less than sellers receive. What remains is for the network's account: it
buys lost energy where it enters its line, and has the rest as congestion rent.
"""

from __future__ import annotations

import numpy as np

from transactive.core.community.network import Network
from transactive.core.errors import DataError, require
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.auction.allocation import by_largest_remainder
from transactive.market.auction.crossing import find_crossing
from transactive.market.auction.uniform import check_orders, tick_indices
from transactive.market.book import MOST_TICKS, MOST_WH, check_total, histogram, pack_keys
from transactive.market.network.curves import NetDemandCurve, node_curves
from transactive.market.network.losses import MOST_PRICE
from transactive.market.network.meshed import clear_meshed
from transactive.market.network.radial import clear_radial
from transactive.market.nodal import NodalClearing
from transactive.market.registry import ByNode

PASSES = 3
"""Clearings of a book whose lines lose more the more flows: each with the losses at the flows of the one before."""
MOST_RING_WH = 10**12
"""Largest book on a network with rings [Wh]: in µWh its flows and limits stay inside 64 bits."""


def clear(orders: Orders, grid: PriceGrid, members: int, node: IntArray, network: Network) -> NodalClearing:
    """Clear the orders of one slot at a price for each node; `node`: of each order, (orders,).

    Marginal orders of a node share pro rata by largest remainder. Where losses grow with the flow, each line loses a
    fixed part, the one at the flow that it had in the pass before; the first pass knows of no losses. Raises DataError
    as `uniform.clear` does, for a node that is none, and for prices and energies beyond what losses or a linear program
    can be calculated with.
    """
    check_orders(orders, members)
    if network.loss_at_limit_ppm is None:
        return _clear(orders, grid, node, network)
    flow = np.zeros(len(network.start), np.int64)
    for _ in range(PASSES - 1):
        flow = _clear(orders, grid, node, network.at_flow(flow)).flow_wh
    return _clear(orders, grid, node, network.at_flow(flow))


def _clear(orders: Orders, grid: PriceGrid, node: IntArray, network: Network) -> NodalClearing:
    """Clear once, each line losing its fixed part."""
    if len(node) != len(orders) or ((node < 0) | (node >= len(network))).any():
        raise DataError(f"orders: each needs one of the {len(network)} nodes, counted from 0")
    check_total(orders.energy_wh)
    tick = tick_indices(orders.price, grid)
    if network.calculates:
        _check_range(orders, grid, network)
    position = 2 * (orders.price if network.lossy else tick) + orders.is_buy
    own = node_curves(node, position, orders.energy_wh, orders.is_buy.astype(np.int64), len(network))
    wish = None if network.lossy or grid.size > MOST_TICKS else _wish(tick, orders, grid.size)
    clear_nodes = clear_radial if network.radial else clear_meshed
    place, net, prices, flow = clear_nodes(own, network, grid, wish)
    given = allocate(orders, node, position, own, place, net)
    traded = int((given * orders.is_buy).sum())
    clearing = NodalClearing(orders.slot, prices, flow, network.lost_wh(flow), traded, given)
    check_nodal(orders, node, network, clearing)
    return clearing


def surplus_n(orders: Orders, node: IntArray, clearing: NodalClearing) -> int:
    """What buyers pay less what sellers receive [n¤]: for the account of the network."""
    paid = np.where(orders.is_buy, clearing.allocated_wh, -clearing.allocated_wh)
    net = np.zeros(len(clearing.price), np.int64)
    np.add.at(net, node, paid)
    return sum(price * wh for price, wh in zip(clearing.price.tolist(), net.tolist(), strict=True))


def losses_n(network: Network, clearing: NodalClearing) -> int:
    """What lost energy costs [n¤], at the price where it entered its line."""
    sender = np.where(clearing.flow_wh > 0, network.start, network.end)
    prices, lost = clearing.price[sender].tolist(), clearing.lost_wh.tolist()
    return sum(price * wh for price, wh in zip(prices, lost, strict=True))


def check_nodal(orders: Orders, node: IntArray, network: Network, clearing: NodalClearing) -> None:
    """Raise RuleBroken unless energy balances at every node and nobody, no line included, goes beyond its limit."""
    given, price, flow = clearing.allocated_wh, clearing.price[node], clearing.flow_wh
    left = network.net_wh(flow)
    np.subtract.at(left, node, np.where(orders.is_buy, given, -given))
    require(not left.any(), "at every node Wh in = Wh out")
    require(bool((flow <= network.limit_wh).all() and (-flow <= network.back_wh).all()), "no line is beyond its limit")
    require(bool((clearing.lost_wh == network.lost_wh(flow)).all()), "a line loses its part of what enters it")
    bought = int((given * orders.is_buy).sum())
    lost = int(clearing.lost_wh.sum())
    require(bought == clearing.traded_wh == int(given.sum()) - bought - lost, "Wh sold = Wh bought + Wh lost")
    require(bool(((given >= 0) & (given <= orders.energy_wh)).all()), "no order gets more than its quantity")
    beyond = (orders.is_buy & (orders.price < price)) | (~orders.is_buy & (orders.price > price))
    require(not (beyond & (given != 0)).any(), "no order trades beyond its limit")
    require(surplus_n(orders, node, clearing) >= 0, "buyers pay at least what sellers receive")


def allocate(
    orders: Orders, node: IntArray, position: IntArray, own: list[NetDemandCurve], place: IntArray, net: IntArray
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


def _check_range(orders: Orders, grid: PriceGrid, network: Network) -> None:
    """What losses, in 64 bits, or a linear program, in floats, are calculated with."""
    where = "cannot be cleared where lines lose energy or form rings; split it or open the rings"
    if max(abs(grid.floor), abs(grid.cap)) > MOST_PRICE:
        raise DataError(f"a book with prices beyond ±{MOST_PRICE} µ¤/kWh {where}")
    most = MOST_WH // len(network) if network.radial else MOST_RING_WH
    if int(orders.energy_wh.sum()) > most:
        raise DataError(f"a book of more than {most} Wh {where}")


def _wish(tick: IntArray, orders: Orders, ticks: int) -> int | None:
    """Position of the uniform price, which holds wherever no line is full; None without a trade."""
    crossing = find_crossing(histogram(pack_keys(tick, orders.is_buy, ticks), orders.energy_wh, ticks))
    if crossing.tick is None:
        return None
    return 2 * crossing.tick + (crossing.rationed is None or crossing.rationed >= ticks)


MECHANISM = ByNode(clear)
