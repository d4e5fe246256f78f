"""What a tonne less is worth to a member: in the plan, in the limits of its orders, and nowhere else."""

from dataclasses import replace

import msgspec
import numpy as np

from tests.strategies import whole
from transactive.config.community_file import load
from transactive.config.shipped import DEMO
from transactive.core.community.members import Devices
from transactive.core.slots import MarketClock
from transactive.core.tables import Forecast
from transactive.core.tariff import PriceGrid, Tariff
from transactive.engine.devices.fleet import Fleet
from transactive.forecasting.intensity import intensity
from transactive.trading.curves import curve_orders
from transactive.trading.devices.energy_value import carbon_value, tariff_prices
from transactive.trading.escrow import lock_price

HOUR, DAY = 3_600, 86_400
TARIFF = Tariff(280_000, 80_000, 30_000)
GRID = PriceGrid.of(TARIFF, 100)


def ahead(samples):
    """Forecast of hours from 0 on: samples (hours, samples, members)."""
    net = np.array(samples, np.int64)
    return Forecast(np.arange(len(net)) * HOUR, 0, net)


def test_a_wh_saves_carbon_as_often_as_the_community_is_short():
    forecast = ahead([[[1, 1], [1, -5]], [[-1, 0], [-1, 0]], [[3, 0], [3, 0]]])
    assert carbon_value(forecast, whole(400, 400, 301)).tolist() == [200, 0, 301]


def test_expected_intensity_is_the_mean_of_the_same_time_of_day():
    past = np.concatenate((np.arange(24) + 100, np.arange(24) + 300)).astype(np.int64)
    assert intensity(past, 0, HOUR, whole(2 * DAY, 3 * DAY + 5 * HOUR)).tolist() == [200, 205]
    assert intensity(whole(10, 20), 0, HOUR, whole(0, 5 * HOUR)).tolist() == [10, 15]
    assert intensity(whole(), 0, HOUR, whole(0)).tolist() == [0]


def test_a_premium_raises_buys_up_to_the_highest_price_and_never_a_sell():
    net = np.array([[-500, 100, 200], [-100, 300, 200]], np.int64)
    most = whole(500, 0, 0)
    plain = curve_orders(0, net, most, TARIFF, GRID)
    dearer = curve_orders(0, net, most, TARIFF, GRID, premium=whole(7_777, 7_777, 10**9))
    assert (plain.member == dearer.member).all()
    assert (plain.energy_wh == dearer.energy_wh).all()
    by_hand = np.where(plain.member == 2, GRID.cap, np.minimum(plain.price + 7_700, GRID.cap))
    assert (dearer.price == np.where(plain.is_buy, by_hand, plain.price)).all()
    assert (dearer.lock_n == dearer.energy_wh * lock_price(dearer.is_buy, dearer.price, TARIFF)).all()


def devices(members):
    size = np.full(members, 4_000, np.int64)
    return Devices(size, size, size, np.full(members, 900_000, np.int64))


def rules_of(carbon_price, carbon_mg):
    """Rules of three homes with the same load; cheap hours are dirty, dear ones clean."""
    fleet = Fleet(devices(3), MarketClock(HOUR, HOUR, 24), tariff_prices, carbon_price=carbon_price)
    tariffs = [replace(TARIFF, supply=200_000 + 100_000 * (hour % 2)) for hour in range(24)]
    fleet.plan(ahead(np.full((24, 4, 1), 1_500)), ahead(np.full((24, 4, 3), 500)), tariffs, carbon_mg)
    return [rule.columns() for rule in fleet.rules.values()]


def test_members_plan_at_their_own_price_of_carbon_and_others_as_before():
    dirty = np.where(np.arange(24) % 2, 0, 900).astype(np.int64)
    plain = rules_of(None, None)
    mixed = rules_of(whole(0, 1_000, 0), dirty)
    changed = 0
    for before, after in zip(plain, mixed, strict=True):
        for name in before:
            if name != "slot" and before[name] is not None:
                assert (before[name][[0, 2]] == after[name][[0, 2]]).all()
                changed += int(before[name][1] != after[name][1])
    assert changed > 0


def test_a_community_without_a_price_of_carbon_has_none():
    demo_community = load(DEMO)
    assert demo_community.carbon_price is None
    one = msgspec.structs.replace(demo_community.members[0], carbon_price_per_t=50)
    priced = msgspec.structs.replace(demo_community, members=(one, *demo_community.members[1:]))
    assert priced.carbon_price is not None
    assert priced.carbon_price.tolist() == [50] + [0] * 13
