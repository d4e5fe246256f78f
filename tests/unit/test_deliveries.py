"""What trades and meters of a slot make of each other, on lines that lose energy."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.strategies import SLOT, whole
from transactive.core.accounts import Accounts
from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.core.tables import Readings
from transactive.core.tariff import Tariff
from transactive.core.trades.positions import Positions
from transactive.engine.deliveries import Settling
from transactive.market.mechanisms import Site
from transactive.settlement.netted import post


def settling() -> Settling:
    """Two homes along one cable, in a community with a market."""
    lines = [Line(start, end, 10_000, loss_at_limit_ppm=100_000) for start, end in (("grid", "near"), ("near", "far"))]
    site = Site(np.array([1, 2]), network_of(NetworkRules(("grid", "near", "far"), tuple(lines))))
    rules = SimpleNamespace(at=lambda slot: SimpleNamespace(sharing_in_force=None))
    setting: Any = SimpleNamespace(community=rules, reported=lambda slot: None)
    return Settling(setting, range(0), site)


def test_what_a_home_gave_and_took_of_the_supplier_loses_nothing_for_the_network():
    """Its roof gave 1 kWh in the slot in which it took 1 kWh, and nobody traded: none of it came to the neighbour."""
    nothing, tariff = whole(0, 0), Tariff(280, 80, 30)
    untraded = Positions.of(SLOT, 2, np.empty(0, np.int64), np.empty(0, bool), *(np.empty(0, np.int64),) * 2)
    readings = Readings(SLOT, whole(1_000, 5_000), whole(1_000, 0), whole(1_000, 0), nothing, nothing)
    delivery = settling().delivery(untraded, readings, tariff)
    assert (delivery.both_ways_wh.tolist(), delivery.lost_used_wh) == ([1_000, 0], 0)
    net = post(delivery, untraded, tariff, Accounts(2)).net_n(Accounts(2).total)
    assert net[:4].tolist() == [-1_000 * 200, -5_000 * 280, 1_000 * 200 + 5_000 * 280, 0]


def test_what_it_gave_beyond_that_loses_as_ever():
    nothing, tariff = whole(0, 0), Tariff(280, 80, 30)
    untraded = Positions.of(SLOT, 2, np.empty(0, np.int64), np.empty(0, bool), *(np.empty(0, np.int64),) * 2)
    one, both = (
        Readings(SLOT, whole(taken, 4_000), whole(given, 0), whole(given, 0), nothing, nothing)
        for taken, given in ((0, 3_000), (1_000, 4_000))
    )
    lost = [settling().delivery(untraded, readings, tariff).lost_used_wh for readings in (one, both)]
    assert lost[0] == lost[1] > 0
