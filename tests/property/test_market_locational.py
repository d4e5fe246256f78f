"""Prices by location: the linear program's welfare on random trees, `uniform` where no line is full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.strategies import Book, books, grids, orders_table
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market import uniform
from transactive.market.locational import check_nodal, clear, congestion_rent_n
from transactive.market.network import Network

MANY = settings(max_examples=300, deadline=None)


@dataclass(frozen=True)
class Placed:
    orders: Orders
    grid: PriceGrid
    node: IntArray
    network: Network


@st.composite
def placed_books(draw: st.DrawFn, most_nodes: int = 8, most_wh: int = 60) -> Placed:
    """Orders on trees of any shape; lines that are full, closed or wide."""
    nodes = draw(st.integers(1, most_nodes))
    grid = draw(grids(most_ticks=6))
    count = draw(st.integers(0, 24))

    def column(values: st.SearchStrategy[int], size: int = count) -> list[int]:
        return draw(st.lists(values, min_size=size, max_size=size))

    parent = [-1, *(draw(st.integers(max(0, i - 3), i - 1)) for i in range(1, nodes))]
    limit = [0, *column(st.sampled_from((0, 1, 7, 40, 200, 10**6)), nodes - 1)]
    ticks = column(st.integers(0, grid.size - 1))
    sides = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    orders = orders_table(
        [0] * count, sides, [grid.price(k) for k in ticks], column(st.integers(1, most_wh)), slot=7200
    )
    names = tuple(f"n{i}" for i in range(nodes))
    network = Network(names, np.array(parent, np.int64), np.array(limit, np.int64))
    return Placed(orders, grid, np.array(column(st.integers(0, nodes - 1)), np.int64), network)


def welfare(orders: Orders, given: IntArray) -> int:
    return int((orders.price * np.where(orders.is_buy, given, -given)).sum())


def optimum(book: Placed) -> tuple[float, float]:
    """Largest welfare, and the largest volume that goes with it, by linear programs."""
    orders, count, lines = book.orders, len(book.orders), np.arange(1, len(book.network))
    sign = np.where(orders.is_buy, 1.0, -1.0)
    balance = np.zeros((len(book.network), count + len(lines)))
    balance[book.node, np.arange(count)] = sign
    balance[lines, count + lines - 1] = -1.0
    balance[book.network.parent[1:], count + lines - 1] = 1.0
    bounds = [(0.0, float(wh)) for wh in orders.energy_wh]
    bounds += [(-float(wh), float(wh)) for wh in book.network.limit_wh[1:]]
    value = np.concatenate([sign * orders.price, np.zeros(len(lines))])
    nothing = np.zeros(len(book.network))
    best = -linprog(-value, A_eq=balance, b_eq=nothing, bounds=bounds).fun
    volume = np.concatenate([np.maximum(sign, 0.0), np.zeros(len(lines))])
    most = -linprog(
        -volume, A_eq=balance, b_eq=nothing, bounds=bounds, A_ub=-value[None], b_ub=[-best + 1e-6 * max(1, abs(best))]
    ).fun
    return best, most


@MANY
@given(placed_books())
def test_every_node_balances_and_prices_differ_over_full_lines_only(book: Placed) -> None:
    clearing = clear(book.orders, book.grid, 1, book.node, book.network)
    check_nodal(book.orders, book.node, book.network, clearing)
    price, flow = clearing.price, clearing.flow_wh
    step = price[1:] - price[book.network.parent[1:]]
    assert ((step == 0) | (np.abs(flow[1:]) == book.network.limit_wh[1:])).all()
    assert (step * flow[1:] >= 0).all()
    assert congestion_rent_n(book.orders, book.node, clearing) == int((step * flow[1:]).sum())
    better = np.where(book.orders.is_buy, book.orders.price > price[book.node], book.orders.price < price[book.node])
    assert (clearing.allocated_wh[better] == book.orders.energy_wh[better]).all()
    assert clearing.digest() == clear(book.orders, book.grid, 1, book.node, book.network).digest()


@settings(max_examples=100, deadline=None)
@given(placed_books())
def test_welfare_and_volume_equal_the_linear_program(book: Placed) -> None:
    clearing = clear(book.orders, book.grid, 1, book.node, book.network)
    if not len(book.orders):
        return
    best, most = optimum(book)
    assert welfare(book.orders, clearing.allocated_wh) == pytest.approx(best, abs=0.01)
    assert clearing.traded_wh == pytest.approx(most, abs=0.01)


@MANY
@given(books(most_orders=20), st.integers(0, 2**32))
def test_where_no_line_is_full_it_is_the_uniform_market(book: Book, seed: int) -> None:
    expected = uniform.clear(book.orders, book.grid, book.members)
    random = np.random.default_rng(seed)
    for nodes in (1, 5):
        parent = np.array([-1, *(int(random.integers(0, i)) for i in range(1, nodes))], np.int64)
        network = Network(tuple(map(str, range(nodes))), parent, np.full(nodes, 2**62, np.int64))
        node = random.integers(0, nodes, len(book.orders))
        clearing = clear(book.orders, book.grid, book.members, node, network)
        assert clearing.traded_wh == expected.traded_wh
        if expected.traded_wh:
            assert set(clearing.price.tolist()) == {expected.price}
        if nodes == 1:
            assert clearing.allocated_wh.tolist() == expected.allocated_wh.tolist()
