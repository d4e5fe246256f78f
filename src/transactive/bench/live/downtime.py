"""How long a live market takes to catch up after a day in which it was down while all meters went on.

The homes are those of the simulation; a box at each signs what it counts in quarter hours. What is measured is what the
market does when it is back: take in the signed records of all boxes, and settle all slots, whose gates are void, with
database and chain. The day of the boxes is made before, by a rehearsal. No reference can run beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import START, neighbourhood
from transactive.config.setting import Setting
from transactive.core.errors import require
from transactive.core.slots import DAY, parse_time
from transactive.engine.books.signed_run import LOCAL_CHAIN_ID
from transactive.engine.live.collector import Collector
from transactive.engine.live.session import (
    GRACE_SECONDS,
    OUTBOX_FILE,
    NobodyListens,
    Pace,
    demo_meters,
    rehearse,
)
from transactive.engine.live.waiting import RehearsalClock, SessionClock
from transactive.engine.live.world import World
from transactive.engine.replay import replay, slots_of
from transactive.metering.record_file import RecordFile
from transactive.store.live.journal import JOURNAL_FILE, Enrolment, Journal

MEMBERS, SEED = 1_000, "downtime"
Times = tuple[float, float]
AT_ONCE = 2_000
"""Records that are written in one transaction."""


@bench("downtime", summary=f"a live market catches up after a day, {MEMBERS:,} homes")
def downtime(_: BenchTimer) -> Iterator[Row]:
    """Measure once, wall time and processor time: minutes of preparation for seconds."""
    setting = neighbourhood(MEMBERS)
    slots = slots_of(setting, parse_time(START), 1)
    with TemporaryDirectory() as folder:
        made, back = Path(folder) / "made", Path(folder) / "back"
        rehearse(setting, slots, made, seed=SEED, pace=Pace(spread=0))
        with closing(RecordFile(made / OUTBOX_FILE)) as outbox:
            records = list(outbox.all())
        taken, settled = _come_back(setting, slots, back, records)
        yield Row(name=f"{len(records):,} records taken in", value=taken[0], unit="s")
        yield Row(name=f"{len(slots)} slots settled", value=settled[0], unit="s")
        yield Row(name=f"caught up after {DAY // 3_600} h", value=taken[0] + settled[0], unit="s")
        yield Row(name=f"caught up after {DAY // 3_600} h, processor time", value=taken[1] + settled[1], unit="s")


def _now() -> Times:
    """Wall and processor time [s]."""
    return perf_counter(), process_time()


def _come_back(setting: Setting, slots: range, folder: Path, records: list[bytes]) -> tuple[Times, Times]:
    """How long it takes to take in the records of all boxes, each box's own in their order, and to settle [s]."""
    ids, times = setting.community.ids, list[Times]()
    with closing(Journal(folder / JOURNAL_FILE)) as journal:
        collector = Collector(journal, RehearsalClock(slots.stop), slots.step, LOCAL_CHAIN_ID)
        meters = demo_meters(ids, SEED)
        collector.enrol(Enrolment(meter.address, member) for member, meter in enumerate(meters))
        since = _now()
        for start in range(0, len(records), AT_ONCE):
            collector.enter(records[start : start + AT_ONCE])
        took = _passed(since, _now())
        require(not collector.refused, "every record of a box is taken in")
        late = SessionClock(RehearsalClock(slots.stop + GRACE_SECONDS), journal, GRACE_SECONDS)
        world = World(late, NobodyListens(), journal, lambda _: False, lambda _: False)
        known = setting.read_by(slots[0])
        replay(known, slots, folder, seed=SEED, after_slot=lambda _: times.append(_now()), made=world.kernel)
    wall, processor = _passed(times[0], times[-1])
    all_slots = len(slots) / (len(slots) - 1)  # before the first slot a market opens
    return took, (wall * all_slots, processor * all_slots)


def _passed(since: Times, until: Times) -> Times:
    """Time between two moments [s]."""
    return until[0] - since[0], until[1] - since[1]
