"""The plan for all: never beyond a device, never dearer than what anybody did, and what homes alone could have had."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import batteries
from transactive.core.community.members import Devices
from transactive.core.units import PPM
from transactive.studies.gain.program import FacedStreet, best_plan
from transactive.studies.gain.steps import cost_n
from transactive.trading.devices.foresight import least_cost_n
from transactive.trading.devices.stores import batteries as stores_of

NO_LIMIT = 1 << 40
NONE, BOTH = np.zeros(2, np.int64), np.array([0, 2_000], np.int64)
BATTERY = Devices(NONE, BOTH, BOTH, np.array([PPM, 900_000], np.int64))


@st.composite
def streets(draw):
    """A few homes over a few slots, with prices of any size and order that a tariff can have."""
    homes, slots = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    load = st.integers(-8_000, 8_000)
    net = np.array([[draw(load) for _ in range(homes)] for _ in range(slots)], np.int64)
    feed_in = np.array([draw(st.integers(0, 200_000)) for _ in range(slots)], np.int64)
    supply = feed_in + np.array([draw(st.integers(0, 200_000)) for _ in range(slots)], np.int64)
    room = supply - feed_in - draw(st.integers(0, 60_000))
    devices = draw(batteries(homes))
    none, limit = np.zeros(slots), np.full(homes, NO_LIMIT)
    return FacedStreet(net, supply, feed_in, room, devices, np.zeros(homes), limit, int(supply.min()), none, none)


@settings(max_examples=60)
@given(streets())
def test_a_plan_keeps_to_its_devices_and_costs_what_its_meters_say(street):
    plan, devices = best_plan(street), street.devices
    near = pytest.approx
    after = np.vstack((np.zeros(len(devices.power_wh)), plan.held_wh))
    given_out = plan.give_wh * PPM / devices.efficiency_ppm
    assert np.diff(after, axis=0) == near(plan.draw_wh - given_out, abs=1e-3)
    for moved, most in ((plan.draw_wh, devices.power_wh), (plan.give_wh, devices.power_wh)):
        assert ((moved >= -1e-6) & (moved <= most + 1e-6)).all()
    assert ((plan.held_wh >= -1e-6) & (plan.held_wh <= devices.capacity_wh + 1e-6)).all()
    net = street.net_load_wh + plan.draw_wh - plan.give_wh
    paid = cost_n(street, np.maximum(net, 0), np.maximum(-net, 0))
    left = street.rest_price * (plan.held_wh[-1] * devices.efficiency_ppm).sum() / PPM
    assert plan.cost_n == near(paid - left, abs=10_000)  # n¤: a hundredth of a ¢


@settings(max_examples=60)
@given(streets())
def test_without_neighbours_it_is_what_each_home_alone_could_have_had(street):
    stores = stores_of(street.devices, len(street.supply))
    prices = street.supply, street.feed_in, street.rest_price
    alone = [least_cost_n(stores, n, load, *prices, 0, NO_LIMIT)[0] for n, load in enumerate(street.net_load_wh.T)]
    assert best_plan(street.alone()).cost_n == pytest.approx(sum(alone), abs=10_000)


@settings(max_examples=60)
@given(streets())
def test_nobody_loses_by_one_plan_for_all(street):
    together = best_plan(street).cost_n
    idle = cost_n(street, np.maximum(street.net_load_wh, 0), np.maximum(-street.net_load_wh, 0))
    assert together <= min(idle, best_plan(street.alone()).cost_n) + 10_000


@settings(max_examples=40)
@given(streets())
def test_a_home_that_plans_for_all_beside_others_makes_nothing_worse(street):
    net = street.net_load_wh
    taken, given_out = np.maximum(net, 0), np.maximum(-net, 0)
    before = cost_n(street, taken, given_out)
    own = best_plan(street.of_home(0, taken, given_out))
    net = net.astype(np.float64)
    net[:, 0] += own.draw_wh[:, 0] - own.give_wh[:, 0]
    left = street.rest_price * own.held_wh[-1, 0] * street.devices.efficiency_ppm[0] / PPM
    assert cost_n(street, np.maximum(net, 0), np.maximum(-net, 0)) - left <= before + 10_000


def test_a_surplus_at_noon_serves_the_neighbour_in_the_evening():
    """One home gives 1,000 Wh at noon, the other needs 900 in the evening: its battery takes all, and pays the fee."""
    net = np.array([[-1_000, 0], [0, 900]])
    supply, feed_in, fee = 280_000, 80_000, 30_000
    price = np.ones(2, np.int64)
    street = FacedStreet(
        net, supply * price, feed_in * price, (supply - feed_in - fee) * price, BATTERY, np.zeros(2),
        np.full(2, NO_LIMIT), 0, np.zeros(2), np.zeros(2),
    )  # fmt: skip
    assert best_plan(street).cost_n == pytest.approx(1_000 * fee)
    assert best_plan(street.alone()).cost_n == pytest.approx(900 * supply - 1_000 * feed_in)
    assert best_plan(replace(street, room=-price)).cost_n == pytest.approx(900 * supply - 1_000 * feed_in)
