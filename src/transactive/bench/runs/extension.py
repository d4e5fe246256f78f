"""A run that goes on by a day: what it costs beside that day alone, and how that grows with what was settled before.

A run over a year takes half an hour to make, so one is extended after sixty days and after 120, with chain and
database; what grows from one to the other is carried on to a year. Earlier, growth says nothing: detection looks at up
to 98 days, forecasts at up to 56, and each day more is one that they had not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from time import process_time

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import HISTORY, START, neighbourhood
from transactive.config.setting import Setting
from transactive.core.slots import DAY, HOUR, parse_time
from transactive.engine.replay import replay

MEMBERS, SHORT, LONG, YEAR = 500, 60, 120, 365
"""Members, and days of a run before the day by which it is extended."""


@bench("extension", summary="a run of 500 members extended by a day, against that day alone")
def extension(_: BenchTimer) -> Iterator[Row]:
    """Extend a run twice, and carry on to a year what grows in between."""
    yield from extended_runs(MEMBERS, SHORT, LONG)


def extended_runs(members: int, short: int, long: int) -> Iterator[Row]:
    """Figures of a run extended by a day after so many days, and after more of them."""
    whole = neighbourhood(members, history=HISTORY + long, quarters=1)
    begin = parse_time(START) - long * DAY
    last = range(parse_time(START), parse_time(START) + DAY, HOUR)
    with TemporaryDirectory() as place:
        alone = _seconds(whole, last, Path(place) / "alone")
        seconds = []
        for days in (short, long):
            run, copy, end = Path(place) / "run", Path(place) / f"{days}", begin + days * DAY
            _seconds(whole.until(end), range(begin, end, HOUR), run)
            copytree(run, copy)
            seconds.append(_seconds(whole.until(end + DAY), range(begin, end + DAY, HOUR), copy))
    yield Row(name="a day alone, processor time", value=alone, unit="s")
    for days, value in zip((short, long), seconds, strict=True):
        yield Row(name=f"{days} days extended by it", value=value, unit="s")
    year = seconds[1] + max(seconds[1] - seconds[0], 0) * (YEAR - long) / (long - short)
    limit = 1.2 * alone + 5
    yield Row(
        name="a year extended by it, carried on from the growth",
        value=year,
        unit="s",
        reference="1.2 x the day alone + 5 s",
        reference_value=limit,
        ratio=year / limit,
    )


def _seconds(setting: Setting, slots: range, folder: Path) -> float:
    """Processor time of a run [s]."""
    began = process_time()
    replay(setting, slots, folder, seed="transactive")
    return process_time() - began
