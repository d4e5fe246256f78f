"""What a box says that its devices hold is taken up as far as they can hold it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from transactive.core.community.members import Devices
from transactive.core.community.shiftable import Heater
from transactive.core.slots import HOUR, MarketClock
from transactive.engine.devices.fleet import Fleet
from transactive.engine.devices.shifting import Shifting
from transactive.engine.live.meters import LiveMeters
from transactive.trading.devices.energy_value import tariff_prices

BATTERY_WH, BAND_WH, LARGEST = 4_000, 6_000, 2**63 - 1


def fleet() -> Fleet:
    """Two members: the first has a battery and a heater."""
    size, heater = np.array([BATTERY_WH, 0]), Heater(power_w=2_000, band_wh=BAND_WH, drain_wh=(0,) * 24)
    made = Fleet(Devices(size, size, size, np.full(2, 900_000)), MarketClock(HOUR, HOUR, 24), tariff_prices)
    members = [SimpleNamespace(devices=(heater,)), SimpleNamespace(devices=())]
    community: Any = SimpleNamespace(members=members, clock=made.clock, most_import_wh=np.zeros(2, np.int64))
    made.shifting = Shifting(community)
    return made


@pytest.mark.parametrize(
    ("told", "charged", "held"),
    [
        ((1_500, 2_500), 1_500, 2_500),
        ((1_500,), 1_500, 3_000),
        ((LARGEST, LARGEST, LARGEST), BATTERY_WH, BAND_WH),
        ((-LARGEST, -LARGEST), 0, -2_000 * 24 * 7),
        ((0, -700), 0, -700),
    ],
)
def test_no_box_fills_a_device_beyond_what_it_holds(told, charged, held):
    meters, devices = LiveMeters.__new__(LiveMeters), fleet()
    meters._fleet = devices
    meters._hold({0: told, 1: (LARGEST,)})
    assert devices.charged_wh.tolist() == [charged, 0]  # the second has none
    assert devices.shifting
    assert devices.shifting.held_wh.tolist() == [held]
