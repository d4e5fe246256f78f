"""What a box costs its computer: memory and share of a core, as the system counts for a process of its own.

The box is `transactive node run` at a simulated meter that sends one telegram a second. A copy of the market's chain is
measured by a process that has all of a box loaded, and executes the blocks of a day.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transactive.bench.report import Row
from transactive.chain.nodes.urls import CHAIN_FILE
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.engine.replay import replay, slots_of
from transactive.node.settings import BoxSettings, make_box
from transactive.studies.live_street.p1 import P1Port, telegram

SETTLED, SECONDS = 6, 20
"""When a box that was started does nothing but its work, and how long that is looked at [s]."""
COPYING = """
import sys
from pathlib import Path
import transactive.node.life
from transactive.cli.node import actions
from transactive.chain.embedded.copies import told_blocks
from transactive.node.verify.chain_copy import ChainCopy
copy = ChainCopy(Path(sys.argv[2]))
while copy.take(told_blocks(Path(sys.argv[1]), copy.height + 1, 200_000)):
    pass
print("done", flush=True)
sys.stdin.read()
"""
START = "2017-06-05T00:00Z"


def running(folder: Path) -> list[str]:
    """Arguments of a Python that runs a box as people do."""
    return ["-c", f"from transactive.cli import main; main(['node', 'run', {str(folder)!r}, '--quiet'])"]


def box_costs(folder: Path, broker: str) -> Iterator[Row]:
    """Rows of a box that records and verifies, and of one that keeps a copy of the chain too."""
    port = P1Port(lambda: telegram(time.time(), int(time.time()) % 10**8, 0), 1.0)
    try:
        settings = BoxSettings("bench", broker, port.url, 900, 31337, winter_seconds=0, code="AAAAA-BBBBB")
        make_box(folder / "box", settings)
        with _process(running(folder / "box")) as box:
            time.sleep(SETTLED)
            before = _processor_time(box.pid)
            time.sleep(SECONDS)
            share, memory = 100 * (_processor_time(box.pid) - before) / SECONDS, _memory(box.pid)
    finally:
        port.close()
    yield Row(name="a box, memory", value=memory, unit="MB")
    yield Row(name="a box, share of a core", value=share, unit="%")
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time(START), 1)
    replay(setting, slots, folder / "market", seed="bench")
    (folder / "copy").mkdir()
    with _process(["-c", COPYING, str(folder / "market" / CHAIN_FILE), str(folder / "copy")]) as copying:
        if copying.stdout:
            copying.stdout.readline()
        yield Row(name="a box with a copy of the chain, memory", value=_memory(copying.pid), unit="MB")


@contextmanager
def _process(arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python of its own while the block runs."""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _memory(process: int) -> float:
    """The most that a process has held [MB]."""
    told = dict(line.split(":", 1) for line in _of(process, "status").splitlines())
    return int(told["VmHWM"].split()[0]) / 1_024


def _processor_time(process: int) -> float:
    """What a process has spent so far [s]. Source: proc(5), fields 14 and 15 of stat, counted behind its name."""
    fields = _of(process, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _of(process: int, name: str) -> str:
    """What the system tells of a process. Raises InputError where there is no /proc."""
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError as error:
        raise InputError(f"bench live: the cost of a box is read from /proc, on Linux ({error.strerror})") from None
