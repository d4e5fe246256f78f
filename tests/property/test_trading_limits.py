"""No order beyond the limits of its member, whichever agent asks for it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST, Limits
from transactive.trading.agents.conformance import MEMBERS, random_gate
from transactive.trading.agents.order_gathering import OrderGatherer
from transactive.trading.agents.protocol import MarketSight

PRICE = st.integers(-200_000, 400_000)
AGENT = st.sampled_from(("curves", "truthful", "zic", "zip"))


@st.composite
def limited_gates(draw):
    """A gate at which members have limits, and their agents."""
    gate = random_gate(np.random.default_rng(draw(st.integers(0, 1 << 30))))
    highest = [draw(st.one_of(st.just(NO_HIGHEST), PRICE)) for _ in range(MEMBERS)]
    lowest = [draw(st.one_of(st.just(NO_LOWEST), PRICE)) for _ in range(MEMBERS)]
    trades = [draw(st.booleans()) for _ in range(MEMBERS)]
    limits = Limits(np.array(highest), np.array(lowest), np.array(trades))
    columns = {name: getattr(gate, name) for name in MarketSight.__slots__} | {"limits": limits}
    return MarketSight(**columns), [draw(AGENT) for _ in range(MEMBERS)]


@given(limited_gates())
def test_no_order_is_beyond_the_limits(case):
    gate, agents = case
    orders, limits, grid = OrderGatherer(agents).orders(gate), gate.limits, gate.grid
    for member, is_buy, price in zip(orders.member, orders.is_buy, orders.price, strict=True):
        assert limits.trades[member]
        assert price <= limits.highest_buy[member] if is_buy else price >= limits.lowest_sell[member]
        assert grid.floor <= price <= grid.cap
        assert (price - grid.floor) % grid.tick == 0
    assert (np.diff(orders.member) >= 0).all()
    assert (orders.lock_n >= 0).all()


@given(limited_gates())
@settings(max_examples=30)
def test_limits_never_add_energy_and_leave_the_orders_of_others_alone(case):
    gate, agents = case
    free = {name: getattr(gate, name) for name in MarketSight.__slots__} | {"limits": Limits.none(MEMBERS)}
    limited, unlimited = OrderGatherer(agents).orders(gate), OrderGatherer(agents).orders(MarketSight(**free))
    for member in range(MEMBERS):
        own, before = limited.only(limited.member == member), unlimited.only(unlimited.member == member)
        for side in (True, False):
            assert own.energy_wh[own.is_buy == side].sum() <= before.energy_wh[before.is_buy == side].sum()
        limits = gate.limits
        if (limits.highest_buy[member], limits.lowest_sell[member]) == (NO_HIGHEST, NO_LOWEST) and limits.trades[
            member
        ]:
            assert own.digest() == before.digest()
