"""Prices by location: the linear program's welfare on random trees, losses and all; `uniform` where no line is full."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.strategies import Book, books, grids, orders_table
from transactive.core.community.network import Network, tree
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import PPM, IntArray
from transactive.market.auction import uniform
from transactive.market.network.curves import curve
from transactive.market.network.locational import check_nodal, clear, losses_n, surplus_n
from transactive.market.network.losses import MOST_PRICE, arriving, needed, position_in, position_out


@dataclass(frozen=True)
class Placed:
    orders: Orders
    grid: PriceGrid
    node: IntArray
    network: Network


LIMITS = st.sampled_from((0, 1, 7, 40, 200, 10**6))
LOSSES = st.sampled_from((0, 0, 1, 20_000, 333_333, 500_000))


@st.composite
def placed_books(
    draw: st.DrawFn, most_nodes: int = 8, most_wh: int = 60, grid: PriceGrid | None = None, *, lossy: bool = False
) -> Placed:
    """Orders on trees of any shape; lines that are full, closed or wide, and another limit each way or losses."""
    nodes = draw(st.integers(1, most_nodes))
    grid = grid or draw(grids(most_ticks=6))
    count = draw(st.integers(0, 24))

    def column(values: st.SearchStrategy[int], size: int = count) -> list[int]:
        return draw(st.lists(values, min_size=size, max_size=size))

    parent = [-1, *(draw(st.integers(max(0, i - 3), i - 1)) for i in range(1, nodes))]
    limit, loss = (np.array([0, *column(values, nodes - 1)], np.int64) for values in (LIMITS, LOSSES))
    ticks = column(st.integers(0, grid.size - 1))
    sides = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    orders = orders_table(
        [0] * count, sides, [grid.price(k) for k in ticks], column(st.integers(1, most_wh)), slot=7200
    )
    names = tuple(f"n{i}" for i in range(nodes))
    network = tree(names, np.array(parent, np.int64), limit, loss if lossy else None)
    network = replace(network, back_wh=np.array(column(LIMITS, nodes - 1), np.int64))
    return Placed(orders, grid, np.array(column(st.integers(0, nodes - 1)), np.int64), network)


def welfare(orders: Orders, given: IntArray) -> int:
    return int((orders.price * np.where(orders.is_buy, given, -given)).sum())


def optimum(book: Placed) -> tuple[float, float, float]:
    """Largest welfare, its flows in sum, and the largest volume that goes with it, by linear programs.

    A line has a column each way: what enters it; its other end gets that less the loss.
    """
    orders, network, count = book.orders, book.network, len(book.orders)
    sign, lines = np.where(orders.is_buy, 1.0, -1.0), np.arange(len(network.start))
    balance = np.zeros((len(network), count + 2 * len(lines)))
    balance[book.node, np.arange(count)] = sign
    for there, back, shift in ((network.start, network.end, 0), (network.end, network.start, len(lines))):
        balance[there, count + shift + lines] = 1.0
        balance[back, count + shift + lines] = network.loss_ppm / PPM - 1
    bounds = [(0.0, float(wh)) for wh in np.concatenate([orders.energy_wh, network.limit_wh, network.back_wh])]
    value = np.concatenate([sign * orders.price, np.zeros(2 * len(lines))])
    nothing = np.zeros(len(network))
    found = linprog(-value, A_eq=balance, b_eq=nothing, bounds=bounds)
    volume = np.concatenate([np.maximum(sign, 0.0), np.zeros(2 * len(lines))])
    slack = 1e-6 * max(1, abs(found.fun))
    most = -linprog(-volume, A_eq=balance, b_eq=nothing, bounds=bounds, A_ub=-value[None], b_ub=[found.fun + slack]).fun
    return -found.fun, found.x[count:].sum(), most


@given(placed_books())
def test_every_node_balances_and_prices_differ_over_full_lines_only(book: Placed) -> None:
    clearing = clear(book.orders, book.grid, 1, book.node, book.network)
    check_nodal(book.orders, book.node, book.network, clearing)
    price, flow, network = clearing.price, clearing.flow_wh, book.network
    step = price[network.end] - price[network.start]
    assert ((step == 0) | (flow == network.limit_wh) | (flow == -network.back_wh)).all()
    assert (step * flow >= 0).all()
    assert surplus_n(book.orders, book.node, clearing) == int((step * flow).sum())
    assert losses_n(network, clearing) == 0
    better = np.where(book.orders.is_buy, book.orders.price > price[book.node], book.orders.price < price[book.node])
    assert (clearing.allocated_wh[better] == book.orders.energy_wh[better]).all()
    assert clearing.digest() == clear(book.orders, book.grid, 1, book.node, book.network).digest()


@given(placed_books())
def test_welfare_and_volume_equal_the_linear_program(book: Placed) -> None:
    clearing = clear(book.orders, book.grid, 1, book.node, book.network)
    if not len(book.orders):
        return
    best, _, most = optimum(book)
    assert welfare(book.orders, clearing.allocated_wh) == pytest.approx(best, abs=0.01)
    assert clearing.traded_wh == pytest.approx(most, abs=0.01)


# -- losses ---------------------------------------------------------------------------------------


@given(placed_books(lossy=True))
def test_what_is_lost_is_sold_and_paid_for_and_each_line_earns_its_losses(book: Placed) -> None:
    network, clearing = book.network, clear(book.orders, book.grid, 1, book.node, book.network)
    check_nodal(book.orders, book.node, network, clearing)
    sold = int(clearing.allocated_wh[~book.orders.is_buy].sum())
    assert sold == clearing.traded_wh + clearing.lost_wh.sum()
    flow, lost, price = clearing.flow_wh, clearing.lost_wh, clearing.price
    assert (lost == np.abs(flow) * network.loss_ppm // PPM).all()
    sender, receiver = (
        np.where(flow > 0, *ends) for ends in ((network.start, network.end), (network.end, network.start))
    )
    earned = price[receiver] * (np.abs(flow) - lost) - price[sender] * np.abs(flow)
    assert (earned >= 0).all()
    assert earned.sum() == surplus_n(book.orders, book.node, clearing)
    rent = (price[receiver] - price[sender]) * (np.abs(flow) - lost)
    assert rent.sum() == surplus_n(book.orders, book.node, clearing) + losses_n(network, clearing)
    assert clearing.digest() == clear(book.orders, book.grid, 1, book.node, network).digest()


@given(
    st.sampled_from((PriceGrid(0, 9, 1), PriceGrid(80_000, 250_000, 10_000))).flatmap(
        lambda g: placed_books(grid=g, lossy=True)
    )
)
def test_with_losses_welfare_equals_the_linear_program_within_the_rounding(book: Placed) -> None:
    """Prices across a line are whole µ¤/kWh: 1 n¤ for each Wh that enters it; lost energy is whole Wh: 1 Wh a line."""
    if not len(book.orders):
        return
    best, flows, _ = optimum(book)
    found = welfare(book.orders, clear(book.orders, book.grid, 1, book.node, book.network).allocated_wh)
    whole = len(book.network.start) * book.grid.cap
    assert best - flows - whole - 0.01 <= found <= best + whole + 0.01


@given(st.integers(1, PPM), st.integers(0, 2**61), st.lists(st.integers(0, 50), min_size=1))
def test_what_is_needed_is_the_least_that_arrives(keep: int, start: int, more: list[int]) -> None:
    sent = start // 2 + np.array(more, np.int64)
    arrives = arriving(sent, keep)
    assert arrives.tolist() == [wh - wh * (PPM - keep) // PPM for wh in sent.tolist()]
    least = needed(arrives, keep)
    assert (arriving(least, keep) == arrives).all()
    assert (arriving(np.maximum(least - 1, 0), keep) < arrives)[arrives > 0].all()


@given(
    st.lists(st.tuples(st.integers(-30, 60), st.integers(1, 90)), unique_by=lambda step: step[0], max_size=9),
    st.integers(-200, 200),
    st.sampled_from((500_000, 666_667, 900_000, 980_000, 999_999)),
    st.tuples(LIMITS, LIMITS),
)
def test_a_parent_sees_through_a_line_what_the_branch_does_at_its_own_price(
    steps: list[tuple[int, int]], top: int, keep: int, limits: tuple[int, int]
) -> None:
    places, energy = np.array(sorted(steps), np.int64).reshape(-1, 2).T
    branch = curve(top, places, energy)
    seen = branch.through(*limits, keep)
    assert (np.diff(seen.places) >= 0).all()
    for parent in range(-62, 130, 3):
        taking, giving = branch.after(position_in(parent, keep)), branch.after(position_out(parent, keep))
        expected = min(int(needed(np.array(max(taking, 0)), keep)), limits[0])
        if giving < 0:
            expected = -int(arriving(np.array(min(-giving, limits[1])), keep))
        assert seen.after(parent) == expected


@given(st.integers(0, 2**32), st.sampled_from((10**3, MOST_PRICE)))
def test_losses_line_after_line_stay_inside_64_bits(seed: int, most: int) -> None:
    random, count, nodes = np.random.default_rng(seed), 20, 9
    parent = np.array([-1, *(int(random.integers(max(0, i - 2), i)) for i in range(1, nodes))])
    loss = random.choice([0, 20_000, 500_000], nodes)
    network = tree(tuple(map(str, range(nodes))), parent, random.integers(0, 2**61, nodes), loss)
    sides, prices = (random.random(count) < 0.5).tolist(), random.integers(-most, most, count).tolist()
    energy = random.integers(1, 2**62 // nodes // count, count).tolist()
    orders = orders_table([0] * count, sides, prices, energy, slot=0)
    clear(orders, PriceGrid(-most, most, 1), 1, random.integers(0, nodes, count), network)  # checks itself


def test_a_long_way_with_losses_worked_by_hand() -> None:
    """1,000 Wh at 100,000 lose 10 % twice; a buyer at the end gets 810 and pays for 1,000."""
    network = tree(
        ("pv", "corner", "home"), np.array([-1, 0, 1]), np.array([0, 5000, 5000]), np.array([0, 100_000, 100_000])
    )
    orders = orders_table([0, 0], [False, True], [100_000, 200_000], [1000, 2000], slot=0)
    clearing = clear(orders, PriceGrid(80_000, 250_000, 10_000), 1, np.array([0, 2]), network)
    assert clearing.allocated_wh.tolist() == [1000, 810]
    assert clearing.flow_wh.tolist() == [1000, 900]
    assert clearing.lost_wh.tolist() == [100, 90]
    assert clearing.price.tolist() == [162_000, 180_000, 200_000]
    assert surplus_n(orders, np.array([0, 2]), clearing) == 0
    assert losses_n(network, clearing) == 100 * 162_000 + 90 * 180_000


@given(books(most_orders=20), st.integers(0, 2**32))
def test_where_no_line_is_full_it_is_the_uniform_market(book: Book, seed: int) -> None:
    expected = uniform.clear(book.orders, book.grid, book.members)
    random = np.random.default_rng(seed)
    for nodes in (1, 5):
        parent = np.array([-1, *(int(random.integers(0, i)) for i in range(1, nodes))], np.int64)
        network = tree(tuple(map(str, range(nodes))), parent, np.full(nodes, 2**62, np.int64))
        node = random.integers(0, nodes, len(book.orders))
        clearing = clear(book.orders, book.grid, book.members, node, network)
        assert clearing.traded_wh == expected.traded_wh
        if expected.traded_wh:
            assert set(clearing.price.tolist()) == {expected.price}
        if nodes == 1:
            assert clearing.allocated_wh.tolist() == expected.allocated_wh.tolist()
