"""How fast the walk is without chain and database: copies of the demo's homes, a day, every other room on.

The copies are shifted by whole days, so that no two homes are the same. No reference can run beside it: the frameworks
that could be compared are not packages of this project.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from transactive.bench.measure import Meter
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config import DEMO, Setting, load_setting
from transactive.core.slots import parse_time
from transactive.core.tables import Measured
from transactive.core.units import IntArray
from transactive.engine.replay import slots_of
from transactive.engine.walk import Gateway, Walk

START, DAYS = "2017-06-05T00:00Z", 1
MEMBERS = 1_000
GATEWAY = Gateway(b"\1" * 32, "0x1a642f0e3c3af545e7acbd38b07251b3990914f1")


@bench("simulation", summary="a day of 1,000 members, every room but chain and database")
def simulation(meter: Meter) -> Iterator[Row]:
    """Measure member-slots per second of the walk."""
    setting = copies(load_setting(DEMO), MEMBERS)
    slots = slots_of(setting, parse_time(START), DAYS)
    work = MEMBERS * len(slots)
    yield meter.rate(
        f"{MEMBERS:,} members",
        lambda: Walk(setting, slots, GATEWAY).run(),
        count=work,
        unit="member-slots/s",
        repeats=3,
    )


def copies(setting: Setting, members: int) -> Setting:
    """Setting with so many members, copied from those there are; copy k lives k days behind its model."""
    own = setting.community.members
    times = -(-members // len(own))
    per_day = 86_400 // setting.community.clock.length

    def tiled(columns: IntArray) -> IntArray:
        return np.concatenate([np.roll(columns, per_day * k, axis=0) for k in range(times)], axis=1)[:, :members]

    homes = tuple(msgspec.structs.replace(own[i % len(own)], id=f"home-{i}") for i in range(members))
    measured = setting.measured
    return Setting(
        msgspec.structs.replace(setting.community, members=homes),
        Measured(measured.first_slot, tiled(measured.consumption_wh), tiled(measured.generation_wh)),
        setting.environment,
    )
