"""Direct trading on any network: what is sold is bought, nobody beyond its curve, and near the auction in the end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.direct_nodes import GRID, SLOT, Street, best_welfare, welfare, wish, wishes
from transactive.core.proofs.deals.quotes import DemandCurve
from transactive.trading.direct.demand import bounded, steps_of_orders, value_n
from transactive.trading.direct.mesh import Conditions, Rounds
from transactive.trading.direct.plan import QuotedKey, plan

PRICES = st.integers(0, GRID.size - 1).map(GRID.price)
SIDE = st.lists(st.tuples(PRICES, st.integers(1, 3_000)), max_size=4)


@st.composite
def members(draw: st.DrawFn) -> Street:
    """Members with any orders, some of which buy and sell, within any allowance."""
    bounds = st.one_of(st.none(), st.tuples(st.integers(0, 4_000), st.integers(0, 4_000)))
    count = draw(st.integers(2, 7))
    made = [wish(k, draw(SIDE), draw(SIDE), draw(bounds)) for k in range(count)]
    return Street.of(made, seed=draw(st.integers(0, 99)), sealed_below=draw(st.sampled_from((0, 99))))


@settings(max_examples=25)
@given(members(), st.integers(0, 600_000), st.integers(0, 2), st.integers(0, 2), st.integers(0, 99))
def test_the_rules_hold_on_any_network(street: Street, loss: int, delay: int, cut: int, seed: int) -> None:
    mesh = street.mesh(Conditions(loss, delay, cut), seed)
    deals = mesh.run(Rounds(rounds=3, ticks=8, retries=2))
    street.check()
    assert sum(mesh.reports[-1].positions) == 0
    if not loss and not cut:
        assert sum(node.purse.position for node in street.nodes) == 0
        assert street.money_n() == 0
    assert len({deal.hash for deal in deals}) == len(deals)


@settings(max_examples=15)
@given(st.integers(2, 9), st.integers(0, 10**6))
def test_without_loss_one_round_has_the_welfare_of_the_auction(count: int, seed: int) -> None:
    street = Street.of(wishes(count, seed))
    mesh = street.mesh(Conditions(), seed)
    mesh.run(Rounds(rounds=1))
    assert welfare(street, mesh.reports[0].positions) == best_welfare(street)


@settings(max_examples=8)
@given(st.integers(0, 10**6))
def test_after_a_cut_a_round_or_two_make_good_what_was_missed(seed: int) -> None:
    street = Street.of(wishes(10, seed))
    mesh = street.mesh(Conditions(loss_ppm=100_000, cut_rounds=1), seed)
    mesh.run(Rounds(rounds=4))
    assert welfare(street, mesh.reports[-1].positions) >= 0.99 * best_welfare(street)
    street.check()


@given(st.lists(st.tuples(SIDE, SIDE, st.integers(-3_000, 3_000)), min_size=1, max_size=6), st.integers(0, 9))
def test_a_plan_balances_and_moves_nobody_away_from_what_it_wants(
    books: list[tuple[list[tuple[int, int]], list[tuple[int, int]], int]], round_: int
) -> None:
    standings = []
    for seat, (buys, sells, held) in enumerate(books):
        top, prices, energies = steps_of_orders(buys, sells)
        key = f"0x{seat * 7 + 1:040x}"
        standings.append(QuotedKey(seat, key, held, top, list(zip(prices, energies, strict=True))))
    made = plan(standings, round_, GRID)
    assert made == plan(standings[::-1], round_, GRID)
    after = {each.seat: each.position for each in standings}
    for pair in made.pairs:
        assert pair.energy_wh > 0
        assert pair.buyer != pair.seller
        after[pair.buyer] += pair.energy_wh
        after[pair.seller] -= pair.energy_wh
    for each in standings:
        curve = DemandCurve(SLOT, each.key, bytes(32), b"", each.top, *zip_steps(each))
        least, most = curve.at(made.price)
        assert min(least, each.position) <= after[each.seat] <= max(most, each.position)
    assert GRID.floor <= made.price <= GRID.cap
    assert (made.price - GRID.floor) % GRID.tick == 0


def zip_steps(each: QuotedKey) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(price for price, _ in each.steps), tuple(wh for _, wh in each.steps)


@given(SIDE, SIDE, st.integers(0, 4_000), st.integers(0, 4_000))
def test_a_bounded_curve_wants_what_it_wanted_within_its_bounds(
    buys: list[tuple[int, int]], sells: list[tuple[int, int]], bought: int, sold: int
) -> None:
    curve = DemandCurve(SLOT, "0x" + "aa" * 20, bytes(32), b"", *steps_of_orders(buys, sells))
    top, steps = bounded(curve, bought, sold)
    small = DemandCurve(SLOT, curve.key, bytes(32), b"", top, *(tuple(step[k] for step in steps) for k in (0, 1)))
    for price in (GRID.floor, *(step for step, _ in (*buys, *sells)), GRID.cap):
        wanted = [min(max(position, -sold), bought) for position in curve.at(price)]
        assert list(small.at(price)) == wanted


@given(SIDE, st.integers(0, 12_000))
def test_a_position_is_worth_the_limits_of_its_orders(buys: list[tuple[int, int]], position: int) -> None:
    curve = DemandCurve(SLOT, "0x" + "aa" * 20, bytes(32), b"", *steps_of_orders(buys, ()))
    worth, left = 0, position
    for price, wh in sorted(buys, reverse=True):
        worth, left = worth + min(wh, left) * price, left - min(wh, left)
    assert value_n(curve, position, GRID.cap, GRID.floor) == worth + left * GRID.floor


@pytest.mark.parametrize("seed", range(2))
def test_who_never_deals_is_left_out_and_nobody_else(seed: int) -> None:
    street = Street.of(wishes(40, seed), seed)
    silent = list(range(0, 40, 5))
    mesh = street.mesh(Conditions(loss_ppm=100_000), seed, silent)
    mesh.run(Rounds(rounds=6))
    assert mesh.reports[-1].left_out <= set(silent)
    assert len(mesh.reports[-1].left_out) >= len(silent) - 3, "who is paired seldom is found late"
    assert welfare(street, mesh.reports[-1].positions) >= 0.97 * best_welfare(street, silent)
    street.check()


@pytest.mark.parametrize("sealed_below", [0, 99])
def test_the_same_chance_gives_the_same_course(sealed_below: int) -> None:
    def course() -> tuple[list[bytes], int, int]:
        mesh = Street.of(wishes(8, 5), 3, sealed_below).mesh(Conditions(200_000, 1), 7)
        return [deal.hash for deal in mesh.run(Rounds(2))], mesh.sent, mesh.sent_bytes

    assert course() == course()
