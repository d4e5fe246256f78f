"""Books of few blocks are cleared exactly, in whole numbers, with a written rule for equal optima."""

from __future__ import annotations

import pytest

from tests.strategies import orders_table
from transactive.core.tables import Orders
from transactive.market.auction.blocks import exact
from transactive.market.auction.blocks.block_prices import conflict, suiting_prices
from transactive.market.auction.blocks.call_auction import clear
from transactive.market.auction.blocks.order_kinds import BlockOrder, KindBook

BUY, SELL = True, False


def slot(*orders: tuple[bool, int, int]) -> Orders:
    """Plain orders of one slot: side, price, energy."""
    return orders_table([0] * len(orders), [o[0] for o in orders], [o[1] for o in orders], [o[2] for o in orders])


def sell(price: int, most_wh: int, *, first: int = 0, slots: int = 1, least_wh: int | None = None) -> BlockOrder:
    return BlockOrder(SELL, price, first, slots, most_wh if least_wh is None else least_wh, most_wh)


def test_a_block_is_served_where_only_the_edge_of_the_prices_suits_it():
    """It needs a mean of 30,000, and has it only at −40,000, at which a seller is indifferent and goes without."""
    book = KindBook(
        (slot((BUY, 100_000, 500)), slot((BUY, -30_000, 500), (SELL, -40_000, 200))), (sell(30_000, 500, slots=2),)
    )
    clearing = clear(book)
    assert (clearing.price, clearing.block_wh) == ((100_000, -40_000), (500,))
    assert [given.tolist() for given in clearing.plain_wh] == [[500], [500, 0]]
    assert clearing.welfare_n == clearing.bound_n == 5_000_000


def test_a_block_takes_less_than_it_would_like_where_another_needs_the_price():
    """At the full energy of the first, the second would lose; without the second there would be less welfare."""
    book = KindBook(
        (slot((BUY, 100, 550), (BUY, 50, 300)), slot((BUY, 129, 100))),
        (sell(49, 500, least_wh=100), sell(90, 100, slots=2)),
    )
    clearing = clear(book)
    assert clearing.block_wh == (450, 100)
    assert clearing.price[0] is not None
    assert 51 <= clearing.price[0] <= 100
    alone = 500 * 100 + 0 - 500 * 49
    assert clearing.welfare_n == clearing.bound_n == 550 * 100 + 100 * 129 - 450 * 49 - 100 * 180 > alone


def test_two_blocks_that_need_each_other_are_found():
    """A buy over two slots and a sell in each: no one of them, and no two, can be served alone."""
    blocks = (BlockOrder(BUY, 60, 0, 2, 100, 100), sell(80, 100), sell(30, 100, first=1))
    clearing = clear(KindBook((slot(), slot()), blocks))
    assert clearing.block_wh == (100, 100, 100)
    assert clearing.welfare_n == 100 * (120 - 80 - 30)


def test_of_equal_optima_the_least_imbalance_wins_then_the_smaller_number():
    demand = slot((BUY, 100, 300))
    assert clear(KindBook((demand,), (sell(50, 300), sell(50, 300)))).block_wh == (300, 0)
    # 300 Wh at 60 are worth what 200 at 40 are; who goes without would have gained 300 Wh, or 200
    blocks = (sell(40, 200), sell(60, 300))
    assert clear(KindBook((demand,), blocks)).block_wh == (0, 300)
    assert clear(KindBook((demand,), blocks[::-1])).block_wh == (300, 0)
    # equal in both: the number decides
    buys = slot((BUY, 100, 200))
    assert clear(KindBook((buys,), (sell(50, 200), sell(50, 200, least_wh=150)))).block_wh == (200, 0)


def test_when_the_nodes_run_out_the_bound_says_how_much_may_be_missing(monkeypatch):
    book = KindBook(
        (slot((BUY, 100, 550), (BUY, 50, 300)), slot((BUY, 129, 100))),
        (sell(49, 500, least_wh=100), sell(90, 100, slots=2)),
    )
    best = clear(book).welfare_n
    monkeypatch.setattr(exact, "MOST_NODES", 1)
    cut = clear(book)
    assert cut.welfare_n <= best <= cut.bound_n
    assert cut.welfare_n < cut.bound_n


def test_books_of_more_blocks_are_searched_and_bounded():
    most = exact.MOST_BLOCKS
    few = KindBook((slot((BUY, 100, 10 * most)),), tuple(sell(50 + n, 10) for n in range(most)))
    many = KindBook(few.plain, (*few.blocks, sell(99, 10)))
    assert clear(few).welfare_n == clear(few).bound_n
    assert clear(few).welfare_n <= clear(many).welfare_n <= clear(many).bound_n


def test_prices_move_no_further_than_a_block_needs():
    wished, intervals = [50, 50, 50], [(0, 60), (40, 100), (None, None)]
    assert suiting_prices([sell(50, 1, slots=2)], intervals, wished) == [50, 50, 50]
    assert suiting_prices([sell(70, 1, slots=2)], intervals, wished) == [50, 90, 50]
    assert suiting_prices([sell(80, 1, slots=2)], intervals, wished) == [60, 100, 50]
    assert suiting_prices([sell(81, 1, slots=2)], intervals, wished) is None
    assert suiting_prices([sell(81, 1, slots=3)], intervals, wished) == [50, 50, 143]


def test_a_contradiction_names_its_bounds():
    against = conflict([sell(81, 1, slots=2)], [(0, 60), (40, 100)])
    assert {(bound.slot, bound.block) for bound in against} == {(0, None), (1, None), (None, 0)}
    assert conflict([sell(80, 1, slots=2)], [(0, 60), (40, 100)]) == []


@pytest.mark.parametrize("number", range(3))
def test_blocks_in_another_order_have_the_same_welfare(number):
    blocks = [sell(49, 500, least_wh=100), sell(90, 100, slots=2), BlockOrder(BUY, 70, 0, 2, 50, 80)]
    plain = (slot((BUY, 100, 550), (BUY, 50, 300)), slot((BUY, 129, 100)))
    turned = tuple(blocks[number:] + blocks[:number])
    assert clear(KindBook(plain, turned)).welfare_n == clear(KindBook(plain, tuple(blocks))).welfare_n
