"""What keeps the lines of the tight feeder, against only watching them, and its forecasts against climatology."""

from __future__ import annotations

from collections.abc import Iterator

from transactive.bench.measure import Meter
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config import FEEDER, load_setting
from transactive.core.units import NANO, WH_PER_KWH
from transactive.engine.grid_study import study
from transactive.engine.replay import slots_from
from transactive.insight.grid_study import GridStudy


@bench("grid", summary="lines of a tight feeder: watched, limited, priced; forecasts of lines against climatology")
def grid(_: Meter) -> Iterator[Row]:
    """Study the bundled feeder: two weeks, three ways."""
    setting = load_setting(FEEDER)
    found = study(setting, slots_from(setting))
    yield from _ways(found)
    for scores in found.forecasts:
        yield Row(
            name=f"Brier score of lines, {scores.name}",
            value=scores.brier,
            unit="",
            reference="climatology in hindsight",
            reference_value=scores.climatology,
            ratio=scores.brier / scores.climatology,
        )
        yield Row(name=f"flows inside nine of ten, {scores.name}", value=100 * scores.coverage, unit="%")


def _ways(found: GridStudy) -> Iterator[Row]:
    """What each way leaves, holds back and costs."""
    watched, limits, priced = found.variants
    yield Row(
        name="slots with a line over its limit, prices first",
        value=priced.grid.slots_over,
        unit="slots",
        reference="only watched",
        reference_value=watched.grid.slots_over,
        ratio=priced.grid.slots_over / watched.grid.slots_over,
    )
    yield Row(
        name="PV held back, prices first",
        value=priced.grid.curtailed_wh / WH_PER_KWH,
        unit="kWh",
        reference="limits alone",
        reference_value=limits.grid.curtailed_wh / WH_PER_KWH,
        ratio=priced.grid.curtailed_wh / limits.grid.curtailed_wh,
    )
    costs = [(int(way.members_pay_n) - int(way.network_n)) / NANO for way in found.variants]
    yield Row(
        name="members and network pay together, prices first",
        value=costs[2],
        unit="USD",
        reference="only watched",
        reference_value=costs[0],
        ratio=costs[2] / costs[0],
    )
