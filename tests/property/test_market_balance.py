"""The balance price: the rules of `docs/papers/balance_price.md` on random curves, orders and deliveries."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.market.balance.pricing import (
    ENERGY_END,
    PRICE_END,
    Balance,
    Cancellation,
    Fill,
    PriceCurve,
    PricingRefusal,
    Promise,
)

BOTH = st.booleans()
SMALL = PriceCurve(200, 80, 300, 6, 24)


@st.composite
def curves(draw) -> PriceCurve:
    floor = draw(st.sampled_from([0, 1, 80_000]) | st.integers(0, PRICE_END - 3))
    base = draw(
        st.sampled_from([floor + 1, min(floor + 120_000, PRICE_END - 2)]) | st.integers(floor + 1, PRICE_END - 2)
    )
    cap = draw(st.sampled_from([base + 1, PRICE_END - 1]) | st.integers(base + 1, PRICE_END - 1))
    size = st.sampled_from([1, 2, 7, 1_000, ENERGY_END - 1]) | st.integers(1, ENERGY_END - 1)
    return PriceCurve(base, floor, cap, draw(size), draw(size))


@st.composite
def places(draw) -> tuple[PriceCurve, Balance]:
    """A curve and where its slot may be."""
    curve = draw(curves())
    side = st.integers(0, curve.limit_wh) | st.sampled_from([0, curve.limit_wh])
    return curve, Balance(draw(side), draw(side))


def price(curve: PriceCurve, q: int) -> Fraction:
    """p(q) as the module's docstring has it."""
    if q >= 0:
        return curve.base_n - Fraction((curve.base_n - curve.floor_n) * min(q, curve.scale_wh), curve.scale_wh)
    return curve.base_n + Fraction((curve.cap_n - curve.base_n) * min(-q, curve.scale_wh), curve.scale_wh)


def area(curve: PriceCurve, q: int) -> Fraction:
    """C(q) by trapezoids of the price: another way than the module's."""
    sign = 1 if q >= 0 else -1
    knots = sorted({0, min(abs(q), curve.scale_wh), abs(q)})
    parts = ((price(curve, sign * a) + price(curve, sign * z)) / 2 * (z - a) for a, z in pairwise(knots))
    return sign * sum(parts, Fraction(0))


def ends(curve: PriceCurve) -> list[int]:
    k, limit = curve.scale_wh, curve.limit_wh
    return [q for q in (0, 1, -1, k, -k, k + 1, -k - 1, limit, -limit, k // 3) if abs(q) <= max(k + 1, limit)]


@given(curves(), st.integers(-ENERGY_END, ENERGY_END))
def test_potential_is_the_area_under_the_price(curve, q):
    for at in [q, *ends(curve)]:
        assert Fraction(curve.potential(at), 2 * curve.scale_wh) == area(curve, at)
        assert curve.floor_n <= price(curve, at) <= curve.cap_n
        assert abs(curve.potential(at)) < 2**160, "a product fits the contract's words with room to spare"


@given(curves(), st.integers(-(2**57), 2**57), st.integers(1, 2**57))
def test_more_production_never_raises_a_price(curve, q, more):
    assert curve.production_price(q + more) <= curve.production_price(q) <= curve.consumption_price(q)
    assert curve.consumption_price(q + more) <= curve.consumption_price(q)
    assert curve.floor_n <= curve.production_price(q)
    assert curve.consumption_price(q) <= curve.cap_n


@given(curves(), st.lists(st.integers(-(2**57), 2**57), min_size=2, max_size=12))
def test_no_way_between_two_balances_beats_the_straight_one(curve, path):
    parts = sum(curve.payment(a, z) for a, z in pairwise(path))
    assert parts <= curve.payment(path[0], path[-1]) < parts + len(path)
    assert parts + curve.payment(path[-1], path[0]) <= 0, "a cycle never gains"


@given(curves(), st.integers(0, 2**56))
def test_cash_and_loss_are_known_before(curve, q):
    q = min(q, curve.limit_wh)
    assert curve.cash_needed() >= area(curve, curve.limit_wh) > curve.cash_needed() - 1
    for side, outside in ((q, curve.floor_n), (-q, curve.cap_n)):
        assert area(curve, side) <= curve.cash_needed()
        assert area(curve, side) - outside * side <= curve.worst_loss()
    assert area(curve, curve.scale_wh) - curve.floor_n * curve.scale_wh <= curve.worst_loss()


@given(
    places(), st.integers(1, 2**57), st.integers(1, ENERGY_END), st.integers(0, PRICE_END), st.integers(0, 2**56), BOTH
)
@example(place=(SMALL, Balance(24, 0)), least=1, most=5, rate=0, part=0, producing=True)
@example(place=(SMALL, Balance(0, 0)), least=1, most=5, rate=301, part=0, producing=True)
def test_orders(place, least, most, rate, part, producing):
    """All or the furthest that the limit allows, within range and capacity, at the limit or better."""
    curve, balance = place
    limit = rate * most + part % most
    result = curve.order(balance, least, most, limit, producing=producing)
    if least > most or most >= ENERGY_END:
        assert result is PricingRefusal.AMOUNT
        return
    room = curve.limit_wh - (balance.produced_wh if producing else balance.consumed_wh)
    whole = min(most, room)
    if whole < least:
        assert result is PricingRefusal.CAPACITY
        return
    sign = 1 if producing else -1
    q = balance.surplus_wh

    def keeps(energy: int) -> bool:
        """The price of the last Wh, exactly."""
        at, bound = price(curve, q + sign * energy), Fraction(limit, most)
        edge = -(-limit // most) if producing else limit // most
        assert (at >= edge) <= (at >= bound) if producing else (at <= edge) <= (at <= bound)
        return bool(at >= edge if producing else at <= edge)

    if isinstance(result, Fill):
        assert least <= result.energy_wh <= whole
        assert result.after == balance.moved(result.energy_wh, producing=producing)
        assert result.money_n == sign * curve.payment(q, q + sign * result.energy_wh)
        assert result.money_n * most * sign >= limit * result.energy_wh * sign
        if result.energy_wh < whole:
            assert keeps(result.energy_wh)
            assert not keeps(result.energy_wh + 1)
    else:
        assert result is PricingRefusal.PRICE
        assert not keeps(least)
        total = sign * curve.payment(q, q + sign * whole)
        assert total * most * sign < limit * whole * sign


@given(places(), st.data(), BOTH)
def test_cancelling_never_gains_and_its_lock_covers_it(place, data, producing):
    curve, balance = place
    fill = curve.order(balance, 1, ENERGY_END - 1, 0 if producing else 2**200, producing=producing)
    if isinstance(fill, PricingRefusal):
        return
    held = Promise(producing, fill.energy_wh, fill.money_n)
    side = data.draw(st.integers(0, curve.limit_wh))
    now = Balance(fill.after.produced_wh, side) if producing else Balance(side, fill.after.consumed_wh)
    energy = data.draw(st.integers(1, held.energy_wh))
    done = curve.cancel(now, held, energy)
    assert isinstance(done, Cancellation)
    assert done.cost_n >= 0
    assert curve.lock(done.rest) >= 0
    assert done.cost_n <= curve.lock(held) - curve.lock(done.rest)
    assert curve.cancel(now, held, 0) is curve.cancel(now, held, held.energy_wh + 1) is PricingRefusal.AMOUNT
    back = curve.payment(now.surplus_wh, done.after.surplus_wh)
    gone = held.money_n - done.rest.money_n
    assert done.cost_n == abs(-back - gone if producing else gone - back)


@given(places(), st.integers(0, 2**57), BOTH)
def test_promising_alone_never_gains_and_never_costs_more_than_its_lock(place, certified, producing):
    curve, balance = place
    fill = curve.order(balance, 1, ENERGY_END - 1, 0 if producing else 2**200, producing=producing)
    if isinstance(fill, PricingRefusal):
        return
    held = Promise(producing, fill.energy_wh, fill.money_n)
    assert curve.outcome(held, 0) <= 0
    assert -curve.lock(held) <= curve.outcome(held, certified)
    kept = curve.outcome(held, held.energy_wh)
    assert kept == curve.outcome(held, held.energy_wh + certified) == (held.money_n if producing else -held.money_n)
    assert curve.lock(held) >= (curve.cap_n - curve.floor_n) * held.energy_wh, "on any part of the curve"
    unread = curve.outcome(held, certified, complete=False)
    assert -curve.lock(held) <= unread <= curve.outcome(held, certified)
    if producing:
        assert curve.outcome(held, certified) <= kept
    else:
        assert unread <= kept
        assert curve.outcome(held, 0, complete=False) == -curve.lock(held)


@given(curves(), st.lists(st.tuples(BOTH, st.integers(1, 2**56)), max_size=8), st.data(), BOTH, BOTH)
def test_a_promise_that_is_not_kept_costs_no_less_than_it_cost_all_others(curve, orders, data, producing, cancels):
    """The others order the same with and without it; it is not delivered, or cancelled after them all."""
    place = data.draw(st.integers(0, len(orders)))
    earlier, later = Balance(), Balance()
    for side, energy in orders[:place]:
        earlier = earlier.moved(energy, producing=side)
    fill = curve.order(earlier, 1, ENERGY_END - 1, 0 if producing else 2**200, producing=producing)
    if isinstance(fill, PricingRefusal):
        return
    held, missing = Promise(producing, fill.energy_wh, fill.money_n), data.draw(st.integers(1, fill.energy_wh))
    q = alone = earlier.surplus_wh
    q += held.energy_wh if producing else -held.energy_wh
    if not cancels:  # what is kept of the promise would have been there in any case
        alone = q - missing if producing else q + missing
    lost, later = 0, fill.after
    for side, energy in orders[place:]:
        step = energy if side else -energy
        lost += curve.payment(alone, alone + step) - curve.payment(q, q + step)
        q, alone, later = q + step, alone + step, later.moved(energy, producing=side)
    if cancels:
        done = curve.cancel(later, held, held.energy_wh)
        assert isinstance(done, Cancellation)
        paid = done.cost_n
    elif producing:
        paid = held.money_n * (held.energy_wh - missing) // held.energy_wh - curve.outcome(
            held, held.energy_wh - missing
        )
    else:
        used = held.energy_wh - missing
        paid = -(-held.money_n * used // held.energy_wh)
        paid = -curve.outcome(held, used) - paid
    assert lost <= paid + len(orders) + 1, "up to the fractions that the network keeps of each order"


@given(places(), st.integers(0, 2**56), st.integers(0, 2**56))
def test_what_is_not_kept_never_makes_the_network_lose_more(place, short, unused):
    """One producer and one consumer, each keeping a part; the network trades the rest outside at floor or cap."""
    curve, balance = place
    made, taken = min(balance.produced_wh, 10**6), min(balance.consumed_wh, 10**6)
    network = metered = q = 0
    for producing, energy, gap in ((True, made, short), (False, taken, unused)):
        step = energy if producing else -energy
        money = curve.payment(q, q + step) if producing else -curve.payment(q, q + step)
        kept = energy - min(gap, energy)
        if energy:
            network -= curve.outcome(Promise(producing, energy, money), kept)
        q, metered = q + step, metered + (kept if producing else -kept)
    network += metered * (curve.floor_n if metered > 0 else curve.cap_n)
    assert network >= -curve.worst_loss()


@given(curves(), st.randoms(use_true_random=False))
def test_the_seed_pays_whatever_happens_in_any_order(curve, rng):
    """Random days: the network's money, with the locks of what is unsettled, is never below zero."""
    balance, network = Balance(), curve.cash_needed()
    held: dict[int, Promise] = {}
    for number in range(40):
        producing = rng.random() < 0.5
        if held and rng.random() < 0.35:
            key = rng.choice(sorted(held))
            done = curve.cancel(balance, held[key], rng.randint(1, held[key].energy_wh))
            assert isinstance(done, Cancellation)
            balance, network = done.after, network + done.cost_n
            held[key] = done.rest
            if not done.rest.energy_wh:
                del held[key]
        else:
            fill = curve.order(
                balance, 1, rng.randint(1, curve.limit_wh), 0 if producing else 2**200, producing=producing
            )
            if isinstance(fill, Fill):
                held[number], balance = Promise(producing, fill.energy_wh, fill.money_n), fill.after
    assert balance.produced_wh == sum(p.energy_wh for p in held.values() if p.producing)
    promised = sum(p.money_n if p.producing else -p.money_n for p in held.values())
    exact = curve.cash_needed() - area(curve, balance.surplus_wh)
    assert network - promised >= exact, "the network keeps every fraction"
    # consumers' money is the network's from the order on; what it pays comes after, in the worst order
    network += sum(p.money_n for p in held.values() if not p.producing)
    kept = rng.random()
    for position in sorted(held.values(), key=lambda p: not p.producing):
        certified = position.energy_wh if position.producing else 0
        certified = certified if kept < 0.5 else rng.randint(0, position.energy_wh)
        network -= curve.outcome(position, certified) + (0 if position.producing else position.money_n)
        assert network >= 0


def test_a_hundred_thousand_steps_find_no_profitable_cycle():
    """Traders without a plant: orders and cancellations at random, each closed out by delivering nothing."""
    rng = random.Random(11)
    curve = PriceCurve(200_000, 80_000, 300_000, 6_000, 24_000)
    balance, paid, best = Balance(), dict.fromkeys(range(8), 0), -(10**18)
    held: dict[int, Promise] = {}
    for step in range(100_000):
        who = rng.randrange(8)
        position = held.get(who)
        producing = position.producing if position else rng.random() < 0.5
        if position and rng.random() < 0.5:
            energy = position.energy_wh if rng.random() < 0.6 else rng.randint(1, position.energy_wh)
            done = curve.cancel(balance, position, energy)
            assert isinstance(done, Cancellation)
            paid[who] -= done.cost_n
            balance, position = done.after, done.rest
        else:
            fill = curve.order(balance, 1, rng.randint(1, 4_000), 0 if producing else 2**200, producing=producing)
            if isinstance(fill, PricingRefusal):
                continue
            old = position or Promise(producing, 0, 0)
            position = Promise(producing, old.energy_wh + fill.energy_wh, old.money_n + fill.money_n)
            balance = fill.after
        if position.energy_wh:
            held[who] = position
        else:
            held.pop(who, None)
        worth = paid[who] + (curve.outcome(position, 0) if position.energy_wh else 0)
        best = max(best, worth)
        if step % 1_000 == 0:
            # all of them as one, with everything delivered and used: never more than the energy is worth outside
            promised = sum(p.money_n if p.producing else -p.money_n for p in held.values())
            assert promised + sum(paid.values()) <= area(curve, balance.surplus_wh)
    assert best <= 0


def test_a_hundred_thousand_pure_trades_find_no_profitable_cycle():
    """Production and consumption only, as at a trader with a battery: whenever balance returns, nothing was gained."""
    rng = random.Random(12)
    for scale in (1, 7, 6_000, 999_983):
        curve = PriceCurve(200_000, 80_000, 300_000, scale, 4 * scale)
        q = money = lowest = 0
        first: dict[int, int] = {0: 0}
        for _ in range(25_000):
            after = rng.randint(-4 * scale, 4 * scale) if rng.random() < 0.5 else rng.choice([0, scale, -scale, q + 1])
            money += curve.payment(q, after)
            q = after
            assert money <= first.setdefault(q, money), "back at an earlier balance with more money"
            lowest = min(lowest, money)
        assert lowest < 0


@given(st.integers(1, 10**6))
def test_the_same_share_of_the_load_moves_the_price_alike(q):
    village, nation = (PriceCurve.for_load(200_000, 80_000, 300_000, load) for load in (10**6, 10**13))
    assert price(village, q) == price(nation, q * 10**7)
    assert village.potential(-q) * 10**14 == nation.potential(-q * 10**7)
    assert (village.scale_wh, village.limit_wh) == (250_000, 10**6)


@pytest.mark.parametrize(
    "numbers",
    [(5, 5, 9, 1, 1), (9, 5, 9, 1, 1), (8, -1, 9, 1, 1), (8, 5, PRICE_END, 1, 1)]
    + [(8, 5, 9, *bad) for bad in ((0, 1), (1, 0), (ENERGY_END, 1), (1, ENERGY_END))],
)
def test_what_is_no_curve(numbers):
    with pytest.raises(DataError, match="balance price"):
        PriceCurve(*numbers)


def test_a_negative_limit_is_refused():
    assert PriceCurve(8, 5, 9, 1, 1).order(Balance(), 1, 1, -1, producing=True) is PricingRefusal.AMOUNT
