"""Orders: the newsvendor's position at every price, nothing beyond the device, nothing beyond the funds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import positions_of, tariffs
from transactive.core.tables import Forecast, Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.trading.curves import curve_orders
from transactive.trading.devices.energy_value import inside_prices, tariff_prices
from transactive.trading.escrow import admit, lock_price, locked_after_clearing, locked_before_clearing

ENERGY = st.one_of(st.integers(-3, 3), st.integers(-5_000, 5_000))


@st.composite
def wishes(draw):
    """Samples, what the devices can give, tariff and grid; ticks wider than the whole spread among them."""
    tariff = draw(st.one_of(tariffs(), st.just(Tariff(280_000, 80_000, 30_000))))
    spread = tariff.grid_cost - tariff.feed_in
    # with the worked slot's tariff, 2,500 puts steps exactly on ticks
    tick = draw(st.sampled_from((max(spread // 5, 1), max(spread // 37, 1), spread + 1, 10_000 + spread // 50, 2_500)))
    members, samples = draw(st.integers(1, 3)), draw(st.integers(1, 7))
    net = np.array([[draw(ENERGY) for _ in range(members)] for _ in range(samples)], np.int64)
    most = np.array([draw(st.sampled_from((0, 2, 400, 10_000))) for _ in range(members)], np.int64)
    return net, most, tariff, PriceGrid.of(tariff, tick)


def position(orders, member, price):
    """Net position that a member's orders ask for at a price."""
    own = orders.member == member
    buys = own & orders.is_buy & (orders.price >= price)
    sells = own & ~orders.is_buy & (orders.price <= price)
    return int(orders.energy_wh[buys].sum() - orders.energy_wh[sells].sum())


@given(wishes())
def test_the_orders_ask_for_the_best_position_at_every_tick(wish):
    net, most, tariff, grid = wish
    orders = curve_orders(0, net, most, tariff, grid)
    n, g = tariff.needs_pay, tariff.gives_receive
    for member in range(net.shape[1]):
        samples = sorted(max(int(d), -int(most[member])) for d in net[:, member])
        for price in (grid.price(k) for k in range(grid.size)):
            held = position(orders, member, price)
            if price < g:  # nothing is sold below what a give receives
                assert held == max(samples[-1], 0)
            elif price > n:  # nothing is bought above what a need pays
                assert held == min(samples[0], 0)
            else:

                def cost(t, price=price, samples=samples):
                    return sum(price * t + n * max(d - t, 0) - g * max(t - d, 0) for d in samples)

                assert cost(held) == min(cost(t) for t in samples)
                if n > g:  # the smallest sample with P(D > t) at most the critical ratio
                    above = [sum(d > t for d in samples) for t in samples]
                    ranked = [
                        t for t, a in zip(samples, above, strict=True) if a * (n - g) <= (price - g) * len(samples)
                    ]
                    assert held == ranked[0]


@given(wishes())
def test_every_order_is_possible(wish):
    net, most, tariff, grid = wish
    orders = curve_orders(7, net, most, tariff, grid)
    assert orders.slot == 7
    assert (orders.energy_wh > 0).all()
    assert ((orders.price - grid.floor) % grid.tick == 0).all()
    assert ((orders.price >= grid.floor) & (orders.price <= grid.cap)).all()
    assert (orders.price[orders.is_buy] <= tariff.needs_pay).all()
    assert (orders.price[~orders.is_buy] >= tariff.gives_receive).all()
    for member, wh in enumerate(most.tolist()):
        assert orders.energy_wh[(orders.member == member) & ~orders.is_buy].sum() <= wh
        assert orders.energy_wh[(orders.member == member) & orders.is_buy].sum() <= max(net[:, member].max(), 0)
    for column in (orders.member, orders.price, orders.energy_wh, orders.lock_n):
        assert column.dtype == np.int64


@given(wishes())
def test_orders_stand_by_member_buys_from_the_dearest_then_sells_from_the_cheapest(wish):
    orders = curve_orders(0, *wish)
    rows = [
        (int(m), not b, -int(p) if b else int(p))
        for m, b, p in zip(orders.member, orders.is_buy, orders.price, strict=True)
    ]
    assert rows == sorted(rows)


@given(wishes())
def test_each_order_locks_its_worst_course(wish):
    """A buyer takes all or nothing, a seller delivers all or nothing, with the community of no help."""
    tariff = wish[2]
    orders = curve_orders(0, *wish)
    for is_buy, price, energy, lock in zip(orders.is_buy, orders.price, orders.energy_wh, orders.lock_n, strict=True):
        courses = (
            (price + tariff.fee, price - tariff.feed_in) if is_buy else (tariff.supply - tariff.fee - price, -price)
        )
        assert lock == energy * max(*courses, 0)


# -- escrow ---------------------------------------------------------------------------------------


@st.composite
def purses(draw):
    count, members = draw(st.integers(0, 12)), draw(st.integers(1, 4))
    lock = np.array([draw(st.sampled_from((0, 1, 7, 50, 10**15))) for _ in range(count)], np.int64)
    member = np.array([draw(st.integers(0, members - 1)) for _ in range(count)], np.int64)
    rows = np.arange(count, dtype=np.int64)
    orders = Orders(3, member, rows % 2 == 0, rows * 10, rows + 1, lock)
    return orders, np.array([draw(st.sampled_from((0, 1, 50, 64, 10**15, 10**18))) for _ in range(members)], np.int64)


@given(purses())
def test_orders_are_admitted_one_after_the_other_as_far_as_the_funds_go(purse):
    orders, free = purse
    kept, refused = admit(orders, free)
    left = free.tolist()
    fits, missing = [], []
    for row, (member, lock) in enumerate(zip(orders.member.tolist(), orders.lock_n.tolist(), strict=True)):
        if lock <= left[member]:
            left[member] -= lock
            fits.append(row)
        else:
            missing.append((row, lock - left[member]))
    out = [row for row, _ in missing]
    for name in ("member", "is_buy", "price", "energy_wh"):
        assert getattr(kept, name).tolist() == getattr(orders, name)[fits].tolist()
        assert getattr(refused, name).tolist() == getattr(orders, name)[out].tolist()
    assert kept.lock_n.tolist() == orders.lock_n[fits].tolist()
    assert refused.missing_n.tolist() == [amount for _, amount in missing]
    assert (refused.missing_n > 0).all()
    assert (locked_before_clearing(kept, len(free)) <= free).all()
    assert len(kept) + len(refused) == len(orders)
    assert kept.slot == refused.slot == orders.slot


@given(wishes(), st.data())
def test_locks_only_shrink_when_the_price_is_known(wish, data):
    net, most, tariff, grid = wish
    orders = curve_orders(0, net, most, tariff, grid)
    price = grid.price(data.draw(st.integers(0, grid.size - 1)))
    members = net.shape[1]
    traded = (orders.is_buy & (orders.price >= price)) | (~orders.is_buy & (orders.price <= price))
    bought, sold = (
        [int(orders.energy_wh[traded & (orders.member == m) & side].sum()) for m in range(members)]
        for side in (orders.is_buy, ~orders.is_buy)
    )
    after = locked_after_clearing(positions_of(0, price, bought, sold), tariff)
    assert (after <= locked_before_clearing(orders, members)).all()
    at_limit = np.array([price])
    buy, sell = (int(lock_price(np.array([side]), at_limit, tariff)[0]) for side in (True, False))
    assert after.tolist() == [b * buy + s * sell for b, s in zip(bought, sold, strict=True)]


# -- worth ----------------------------------------------------------------------------------------


@st.composite
def forecasts(draw):
    slots, samples, members = draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    net = np.array([draw(ENERGY) for _ in range(slots * samples * members)], np.int64).reshape(slots, samples, members)
    return Forecast(np.arange(slots) * 3600, 0, net), [draw(tariffs()) for _ in range(slots)]


@given(forecasts())
def test_prices_inside_lie_between_those_of_a_short_and_a_long_community(net_load_forecast):
    forecast, tariff_list = net_load_forecast
    need, spare = inside_prices(forecast, tariff_list)
    for t, tariff in enumerate(tariff_list):
        short = [int(row.sum()) > 0 for row in forecast.net_load_wh[t]]
        assert tariff.needs_pay + tariff.fee <= need[t] <= tariff.supply
        assert tariff.feed_in <= spare[t] <= tariff.gives_receive
        assert spare[t] <= need[t]
        if all(short):
            assert (need[t], spare[t]) == (tariff.supply, tariff.gives_receive)
        if not any(short):
            assert (need[t], spare[t]) == (tariff.needs_pay + tariff.fee, tariff.feed_in)
    assert need.dtype == spare.dtype == np.int64


@given(forecasts())
def test_a_home_alone_sees_the_tariff(net_load_forecast):
    need, spare = tariff_prices(*net_load_forecast)
    assert need.tolist() == [tariff.supply for tariff in net_load_forecast[1]]
    assert spare.tolist() == [tariff.feed_in for tariff in net_load_forecast[1]]
