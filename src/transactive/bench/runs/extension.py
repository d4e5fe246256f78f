"""A run that goes on by a day: what it costs beside that day alone, and how that grows with what was settled before.

A run over a year takes half an hour to make, so two shorter ones are extended by the same day, each with chain and
database; what grows from one to the other is carried on to a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import START, neighbourhood
from transactive.config.setting import Setting
from transactive.core.slots import DAY, HOUR, parse_time
from transactive.engine.replay import replay

MEMBERS, SHORT, LONG, YEAR = 500, 2, 10, 365
"""Members, and days of a run before the day by which it is extended."""


@bench("extension", summary="a run of 500 members extended by a day, against that day alone")
def extension(_: BenchTimer) -> Iterator[Row]:
    """Extend two runs, and carry on to a year what grows between them."""
    whole = neighbourhood(MEMBERS, days=LONG + 1, quarters=1)
    begin = parse_time(START)
    day = range(begin + LONG * DAY, begin + (LONG + 1) * DAY, HOUR)
    with TemporaryDirectory() as place:
        alone = _seconds(whole, day, Path(place) / "alone")
        short, long = (_extended(whole, day, days, Path(place) / f"{days}") for days in (SHORT, LONG))
    year = long + (long - short) * (YEAR - LONG) / (LONG - SHORT)
    yield Row(name="a day alone, processor time", value=alone, unit="s")
    yield Row(name=f"{LONG} days extended by it", value=long, unit="s")
    yield Row(
        name="a year extended by it, carried on from the growth",
        value=year,
        unit="s",
        reference="1.2 x the day alone + 5 s",
        reference_value=1.2 * alone + 5,
        ratio=year / (1.2 * alone + 5),
    )


def _extended(whole: Setting, day: range, days: int, folder: Path) -> float:
    """Processor time [s] in which a run over so many days goes on over one more."""
    earlier = range(day.start - days * DAY, day.start, HOUR)
    _seconds(whole.until(day.start), earlier, folder)
    return _seconds(whole, range(earlier.start, day.stop, HOUR), folder)


def _seconds(setting: Setting, slots: range, folder: Path) -> float:
    """Processor time of a run [s]."""
    began = process_time()
    replay(setting, slots, folder, seed="transactive")
    return process_time() - began
