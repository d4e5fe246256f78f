"""A day of 100,000 members in one process: does it complete, how long does it take, how much memory does it need."""

from __future__ import annotations

from collections.abc import Iterator

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import START, neighbourhood, peak_memory
from transactive.core.slots import parse_time
from transactive.engine.devices.fleet import compiled_work
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of

MEMBERS = 100_000


@bench("country", summary=f"a day of {MEMBERS:,} members, compiled; several GB")
def country(meter: BenchTimer) -> Iterator[Row]:
    """Measure one run; raises InputError without numba."""
    setting = neighbourhood(MEMBERS)
    slots = slots_of(setting, parse_time(START), 1)
    with compiled_work() as work:
        yield meter.rate(
            f"{MEMBERS:,} members, compiled",
            lambda: recorded_run(setting, slots, work=work).run(),
            count=MEMBERS * len(slots),
            unit="member-slots/s",
            repeats=1,
            warm_up=0,
        )
    yield Row(name=f"peak memory of {MEMBERS:,} members", value=peak_memory(), unit="GB")
