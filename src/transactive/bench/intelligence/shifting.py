"""What it saves that vehicles and heat pumps wait: homes of the demo with such devices, planned and drawing at once.

Seven homes have a vehicle, the seven others a heat pump; their own readings, weeks of winter and summer. Times are
those of California in UTC. Devices that draw at once fill up as soon as they may; batteries plan in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.community.shiftable import Heater, Vehicle
from transactive.core.slots import parse_time
from transactive.core.units import NANO, IntArray
from transactive.engine.devices.shifting import Shifting
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of, slots_of
from transactive.trading.devices.stores import PlanHorizon, Stores

WEEKS = ("2017-01-16", "2017-06-05")
VEHICLE = Vehicle(power_w=7_000, arrives="01:00", leaves="14:00", needed_wh=9_000)
HEAT_PUMP = Heater(power_w=2_500, performance_ppm=3_000_000, band_wh=8_000, drain_wh=(1_200,) * 24, loses_ppm=10_000)


class AtOnce(Shifting):
    """Loads that do not wait."""

    def levels(self, stores: Stores, seen: PlanHorizon) -> IntArray:  # noqa: ARG002 - of no interest to those who do not plan
        """Fill up whatever it costs."""
        return np.repeat(stores.most_wh[:, None], 4, axis=1)


@bench("shifting", summary="vehicles and heat pumps in a community: planned, against drawing at once")
def shifting(_: BenchTimer) -> Iterator[Row]:
    """Compare the bills of all members, with and without a market."""
    setting = with_devices(load_setting(DEMO))
    for start in WEEKS:
        planned, at_once = (bills(setting, start, waits=waits) for waits in (True, False))
        for name, own, other in zip(("with a market", "without"), planned, at_once, strict=True):
            yield Row(
                name=f"bills of the week from {start}, {name}",
                value=own / NANO,
                unit="USD",
                reference="drawing at once",
                reference_value=other / NANO,
                ratio=own / other,
            )


def with_devices(setting: Setting) -> Setting:
    """The community with a device in each home."""
    members = tuple(
        msgspec.structs.replace(member, devices=(VEHICLE if place % 2 else HEAT_PUMP,))
        for place, member in enumerate(setting.community.members)
    )
    return replace(setting, community=msgspec.structs.replace(setting.community, members=members))


def bills(setting: Setting, start: str, *, waits: bool) -> tuple[int, int]:
    """Bills of a week, with and without a market [n¤], what devices hold at the end credited in both."""
    walk = recorded_run(setting, slots_of(setting, parse_time(f"{start}T00:00Z"), 7))
    if not waits:
        walk.fleet.shifting, walk.baseline_fleet.shifting = (AtOnce(setting.community) for _ in range(2))
    walk.run()
    made = bills_of(walk)
    return (
        sum(bill.with_market_n - bill.with_market_credit_n for bill in made),
        sum(bill.without_market_n - bill.without_market_credit_n for bill in made),
    )
