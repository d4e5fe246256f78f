"""What a box orders for its home: a forecast from its own records, the battery's plan, and the curve that follows.

The same rooms as in a run, for one member: samples of the same hour of the last four weeks (`forecasting.empirical`),
the plan of `trading.devices.plan` at the two prices of the supplier, since a box does not know which way its community
leans, and the merit order of `trading.curves`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.boxes.messages import Terms
from transactive.core.community.members import Devices
from transactive.core.errors import DataError
from transactive.core.proofs.accepted_orders import books_of
from transactive.core.proofs.signed_orders import Order
from transactive.core.slots import DAY
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.units import IntArray
from transactive.forecasting.empirical import forecast
from transactive.trading.curves import curve_orders
from transactive.trading.devices.energy_value import tariff_prices
from transactive.trading.devices.follow import follow
from transactive.trading.devices.plan import plan

LOOK_AHEAD = DAY
"""How far beyond the slot that is traded a plan looks [s]."""


@dataclass(frozen=True, slots=True, eq=False)
class Thought:
    """What a box thinks of a slot. expected_wh: equally likely net loads after the battery's action, (samples,).

    order: with the limits kept, of `serial` 0. rules: of the battery, from the first slot that is not known yet on.
    """

    order: Order
    expected_wh: IntArray
    rules: list[DeviceRules]


def think(
    net_load_wh: IntArray, end: int, charged_wh: int, terms: Terms, slot: int, limits: tuple[int, int]
) -> Thought:
    """Forecast, plan and order for a slot [Unix s].

    net_load_wh: known net load without the battery [Wh], (slots,), up to `end` [Unix s]. charged_wh: what the battery
    holds then. limits: highest price to buy and lowest to sell at [µ¤/kWh]. Raises DataError where nothing is known.
    """
    length = terms.slot_seconds
    stop = slot + length + (LOOK_AHEAD if terms.capacity_wh else 0)
    seen = _expected(net_load_wh, end, length, range(end, stop, length))
    devices = _devices(terms)
    rules = _plan(seen, devices, terms)
    charged = np.full((seen.net_load_wh.shape[1], 1), charged_wh, np.int64)
    for place, rule in enumerate(rules[: (slot - end) // length + 1]):
        load = seen.net_load_wh[place]
        charge, discharge, charged = follow(rule, devices, charged, load)
        expected = load + charge - discharge
    return Thought(_order(expected, terms, slot, limits), expected[:, 0], rules)


def _expected(net_load_wh: IntArray, end: int, length: int, slots: range) -> Forecast:
    """Samples of coming slots: those of the same hour, and before a day is known, all slots that are."""
    known = len(net_load_wh)
    if not known:
        raise DataError("nothing is known of the home yet; the first order follows two records")
    if known * length >= DAY:
        return forecast(net_load_wh[:, None], end - known * length, length, slots)
    samples = np.broadcast_to(net_load_wh, (len(slots), known))
    return Forecast(np.asarray(slots, np.int64), end, samples[:, :, None])


def _devices(terms: Terms) -> Devices:
    """The home's devices as columns of one member."""
    columns = terms.pv_wh, terms.capacity_wh, terms.power_wh, terms.efficiency_ppm
    pv, capacity, power, efficiency = (np.array([number], np.int64) for number in columns)
    return Devices(pv, capacity, power, efficiency)


def _plan(seen: Forecast, devices: Devices, terms: Terms) -> list[DeviceRules]:
    """Rules of the battery in the slots seen; without one they do nothing."""
    tariffs = [terms.tariff(slot) for slot in seen.slots.tolist()]
    need, spare = tariff_prices(seen, tariffs)
    return plan(seen, devices, need, np.minimum(spare, need), int(need.min()))


def _order(expected: IntArray, terms: Terms, slot: int, limits: tuple[int, int]) -> Order:
    """The merit order of what is expected, (samples, 1), as far as the limits allow; an empty one where nothing is."""
    highest, lowest = limits
    most = np.array([terms.pv_wh + terms.power_wh], np.int64)
    number = slot // terms.slot_seconds
    tariff = terms.tariff(slot)
    if not tariff.meets:
        return Order(terms.account, number, 0, (), ())
    curve = curve_orders(slot, expected, most, tariff, terms.grid(slot))
    kept = np.where(curve.is_buy, curve.price <= highest, curve.price >= lowest)
    for book in books_of(curve.only(kept), number):
        return Order(terms.account, number, 0, book.buys, book.sells)
    return Order(terms.account, number, 0, (), ())
