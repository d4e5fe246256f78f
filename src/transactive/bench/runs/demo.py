"""The demo's week, all rooms and the embedded chain on, and how long the command line takes to say what it can do.

The week counts from the files of the community to the last netting on chain, imports included; it runs once, as it is
long and steady. Nothing comparable can run beside it, so its rows have no reference. The page is not part of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from transactive.bench.measure import BenchTimer, Reference, Work
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.slots import parse_time

START = "2017-06-05T00:00Z"
DAYS = 7
HELP = "from transactive.cli import main; main(['--help'])"


@bench("demo", summary="a week of the demo community with the chain on, and --help")
def demo(meter: BenchTimer) -> Iterator[Row]:
    """Measure the first command that a newcomer runs."""
    yield meter.time("--help", python(HELP), Reference("python -c pass", python("pass")), unit="s", repeats=7)
    with TemporaryDirectory() as folder:
        start = meter.timer()
        member_slots = replay_week(Path(folder))
        seconds = meter.timer() - start
    yield Row(name="demo week", value=seconds, unit="s")
    yield Row(name="demo week, chain and database on", value=member_slots / seconds, unit="member-slots/s")


def replay_week(folder: Path) -> int:
    """Replay the week in an empty folder and return its members x slots."""
    from transactive.config.setting import load_setting
    from transactive.config.shipped import DEMO
    from transactive.engine.replay import replay, slots_of

    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time(START), DAYS)
    replay(setting, slots, folder, seed="transactive")
    return len(setting.community.members) * len(slots)


def python(code: str) -> Work:
    """Work that runs `code` in a new interpreter and waits for it."""
    command = [sys.executable, "-c", code]
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own code
