"""Ranked prices clear like a grid of single µ¤/kWh; results are exact at any size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import orders_table
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction import pay_as_bid, uniform
from transactive.market.auction.levels import as_they_are, by_rank
from transactive.market.result import clear_levelled


@st.composite
def any_orders(draw: st.DrawFn, lowest: int, highest: int) -> Orders:
    count = draw(st.integers(1, 10))

    def column(values: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(values, min_size=count, max_size=count))

    sides = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    wh = st.integers(1, draw(st.sampled_from((2, 5000, 2**58))))
    return orders_table(column(st.integers(0, 3)), sides, column(st.integers(lowest, highest)), column(wh))


@given(any_orders(-30, 30))
def test_ranks_give_the_price_and_allocation_of_the_finest_grid(orders: Orders) -> None:
    fine = uniform.clear(orders, PriceGrid(-30, 30, 1), 4)
    result = clear_levelled(uniform.clear, orders, by_rank(orders), 4)
    assert list(result.allocated_wh) == fine.allocated_wh.tolist()
    assert result.price == (fine.price if fine.traded_wh else None)
    plain = clear_levelled(uniform.clear, orders, as_they_are(orders), 4)
    assert list(plain.allocated_wh) == fine.allocated_wh.tolist()


@given(any_orders(-(2**63), 2**63 - 1), st.booleans())
def test_any_prices_clear_and_money_sums_to_zero(orders: Orders, by_trade: bool) -> None:
    mechanism = pay_as_bid.MECHANISM if by_trade else uniform.clear
    result = clear_levelled(mechanism, orders, by_rank(orders), 4)
    assert sum(result.money_n) == 0
    assert result.traded_wh == uniform.clear(by_rank(orders).orders, by_rank(orders).grid, 4).traded_wh
    rows = zip(orders.is_buy.tolist(), orders.price.tolist(), result.allocated_wh, result.money_n, strict=True)
    for is_buy, limit, wh, money in rows:
        assert money >= (-limit if is_buy else limit) * wh, "nobody beyond its limit"
    assert result.welfare_n >= 0


def test_a_wide_book_gets_the_coarsest_grid_on_which_its_prices_lie() -> None:
    book = as_they_are(orders_table([0, 0, 0], [True, False, False], [-(2**63), 2**62, 0], [1, 1, 1]))
    assert (book.grid.floor, book.grid.cap, book.grid.tick) == (-(2**63), 2**62, 2**62)
