"""What planning a battery saves on anyone's days, beside the simple rule and perfect foresight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.errors import DataError, InputError
from transactive.core.slots import DAY
from transactive.core.units import PPM, IntArray
from transactive.engine.models.net_load import NetLoadForecast
from transactive.forecasting import registry
from transactive.studies.battery import (
    Recorded,
    as_in_a_run,
    first_tested,
    forecast_by,
    foreseen,
    scheduled,
    simple_rule,
    without_control,
)
from transactive.studies.recordings.days import LARGEST, Days, ScheduleColumns, read_days
from transactive.studies.scores.schedule_report import ScheduleReport, Ways, report_of
from transactive.tabular.source import Source

DAY_SO_FAR = "day-so-far"
"""The forecast that needs load and PV apart; every other one is of their difference."""


@dataclass(frozen=True, slots=True)
class Battery:
    """The battery of each member, its connection, and what is paid for exports; None: the connection has no limit.

    reserve_wh: charged Wh that stay; from_grid, to_grid: whether it may charge from the grid, and give to it.
    """

    battery_wh: int
    power_w: int
    efficiency: float
    max_import_w: int | None
    initial_wh: int
    export_price: int
    reserve_wh: int = 0
    from_grid: bool = True
    to_grid: bool = True

    def check(self) -> None:
        """Raise InputError naming the option that cannot be."""
        for name, value in (
            ("battery-wh", self.battery_wh),
            ("power-w", self.power_w),
            ("max-import-w", self.max_import_w),
        ):
            if value is not None and not 1 <= value <= LARGEST:
                raise InputError(f"--{name} {value}: is between 1 and {LARGEST}")
        if not 0.01 <= self.efficiency <= 1:
            raise InputError(f"--efficiency {self.efficiency}: is a part of one, like 0.9: Wh given for a Wh charged")
        if not 0 <= self.reserve_wh < self.battery_wh:
            raise InputError(f"--reserve-wh {self.reserve_wh}: is from 0 to less than --battery-wh, {self.battery_wh}")
        if not self.reserve_wh <= self.initial_wh <= self.battery_wh:
            least = f"--reserve-wh, {self.reserve_wh}," if self.reserve_wh else "0"
            raise InputError(f"--initial-wh {self.initial_wh}: is between {least} and --battery-wh, {self.battery_wh}")
        if abs(self.export_price) > LARGEST:
            raise InputError(f"--export-price {self.export_price}: is in µ¤/kWh, {LARGEST} at most")


def backtest(
    source: Source,
    named: ScheduleColumns,
    battery: Battery,
    test_days: int | None = None,
    model: str = DAY_SO_FAR,
    told: Callable[[str], None] = lambda _: None,
) -> ScheduleReport:
    """Run a battery on recorded days, planned anew in each slot, beside the simple rule and perfect foresight.

    Raises DataError naming file, row and column, InputError for a battery or days that cannot be.
    """
    began = process_time()
    battery.check()
    if model != DAY_SO_FAR:
        registry.load(model)
    days = read_days(source, named)
    recorded = recorded_of(days, battery)
    tested = tested_rows(recorded, source, test_days)
    ways = Ways(
        without_control(recorded, tested),
        simple_rule(recorded, tested),
        as_in_a_run(recorded, tested),
        scheduled(recorded, tested, told, forecast_of(model, recorded, tested)),
        foreseen(recorded, tested, told),
    )
    capped = int((days.price[tested.start : tested.stop] < battery.export_price).sum())
    return report_of(source.name, days, tested, ways, capped, process_time() - began)


def recorded_of(days: Days, battery: Battery) -> Recorded:
    """The recorded days with a battery each; power becomes energy per slot [Wh], rounded down.

    A battery with a reserve is a smaller one, on top of it.
    """
    members = len(days.members)

    def each(value: int) -> IntArray:
        return np.full(members, value, np.int64)

    def per_slot(power_w: int) -> int:
        return power_w * days.length // 3_600

    devices = Devices(
        each(0),
        each(battery.battery_wh - battery.reserve_wh),
        each(per_slot(battery.power_w)),
        each(round(battery.efficiency * PPM)),
        own_only=None if battery.from_grid else np.ones(members, bool),
        home_only=None if battery.to_grid else np.ones(members, bool),
    )
    most_wh = LARGEST if battery.max_import_w is None else per_slot(battery.max_import_w)
    spare_price = np.minimum(battery.export_price, days.price)
    return Recorded(
        days.first_slot,
        days.length,
        days.load_wh,
        days.pv_wh,
        days.price,
        spare_price,
        devices,
        battery.initial_wh - battery.reserve_wh,
        most_wh,
    )


def forecast_of(model: str, recorded: Recorded, tested: range) -> NetLoadForecast | None:
    """The forecaster that was named; None for the day so far."""
    if model == DAY_SO_FAR:
        return None
    return forecast_by(model, recorded, tested)


def tested_rows(recorded: Recorded, source: Source, test_days: int | None) -> range:
    """The last days, or all that have two weeks before them. Raises DataError when there are fewer."""
    first, slots = first_tested(recorded), len(recorded.load_wh)
    per_day = DAY // recorded.length
    possible = (slots - first) // per_day
    if possible < 1:
        raise DataError(f"{source.name}: holds {slots // per_day} days; fifteen are needed before the first tested one")
    if test_days is not None and not 1 <= test_days <= possible:
        raise InputError(f"--test-days {test_days}: is between 1 and {possible} with this file")
    return range(slots - (test_days or possible) * per_day, slots)
