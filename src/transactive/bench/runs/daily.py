"""What a run does once a day for all members: how its processor time grows with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from transactive.bench.measure import BenchTimer, growth_exponent
from transactive.bench.report import Row
from transactive.bench.runs.simulation import START, neighbourhood
from transactive.core.slots import DAY, parse_time
from transactive.engine.daily.advice import Advisor
from transactive.engine.daily.detection import PAST_DAYS, DailyDetection
from transactive.engine.recorded import recorded_run
from transactive.store import Store

MEMBERS = (500, 1_000, 2_000, 4_000)
HOUR = 3_600
REPEATS = 3


def daily_growth() -> Iterator[Row]:
    """A row for each number of members, and the exponent: 1 is in proportion."""
    found: dict[str, list[float]] = {"detection": [], "advice": []}
    for members in MEMBERS:
        for what, seconds in _a_day(members).items():
            found[what].append(seconds)
            yield Row(name=f"{what} of a day, {members:,} members", value=seconds, unit="s")
    for what, times in found.items():
        yield Row(name=f"growth of {what} with the members", value=growth_exponent(MEMBERS, times), unit="exponent")


def _a_day(members: int) -> dict[str, float]:
    """Processor time of both at the end of a day that was walked without a chain, after weeks of readings [s]."""
    setting = neighbourhood(members, history=PAST_DAYS, quarters=1)
    first = parse_time(START)
    now, meter = first + DAY, BenchTimer(process_time)

    def seconds(work: Callable[[], object]) -> float:
        return float(meter.time("a day", work, unit="s", repeats=REPEATS).value or 0)

    with TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        run = recorded_run(setting, range(first, now, HOUR), store=store)
        run.run()
        past = run.meters
        detection, advisor = DailyDetection(setting, past, store), Advisor(setting, past, store, first)
        return {
            "detection": seconds(lambda: detection.scan(now)),
            "advice": seconds(lambda: advisor.advise(now)),
        }
