"""Papers of a month: the statements of 30 homes, each as PDF, table and JSON with its proofs, in one archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import START, neighbourhood
from transactive.core.slots import DAY, HOUR, parse_time
from transactive.engine.replay import replay
from transactive.services.papers.batch import write_all
from transactive.services.statements.issue import issuer

HOMES, DAYS, AHEAD = 30, 31, 2


@bench("papers", summary="statements of 30 homes and a month, in processor time")
def papers(_: BenchTimer) -> Iterator[Row]:
    """Replay the month, then make all its papers."""
    first = parse_time(START)
    with TemporaryDirectory() as place:
        folder = Path(place)
        slots = range(first, first + DAYS * DAY, HOUR)
        replay(neighbourhood(HOMES, days=DAYS + AHEAD, quarters=1), slots, folder, seed="transactive")
        began = process_time()
        with issuer(folder) as issue:
            write_all(issue, folder / "all.zip", lambda _done, _of: None)
        yield Row(name="statements of 30 homes and a month", value=process_time() - began, unit="s")
