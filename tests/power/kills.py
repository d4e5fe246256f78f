"""Lives of a run that is killed at drawn moments: what it had told is there, and in the end nothing differs."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.power.lives import Life, Workload, differences, missing, rows, run
from transactive.config.setting import load_setting

MOST_KILLS = 4
CONTEXT = multiprocessing.get_context("forkserver")
"""Each run is a process of its own, made by a server that has imported all and begun nothing."""
CONTEXT.set_forkserver_preload(["tests.power.kills"])


@dataclass(frozen=True)
class Victim:
    """A workload, and how long it takes in a process of its own [s]."""

    workload: Workload
    seconds: float

    @classmethod
    def of(cls, workload: Workload, folder: Path) -> Victim:
        """Time it once."""
        state, began = folder / f"{workload.name}-timed", time.monotonic()
        code, _ = lived_for(workload.path, state, None)
        seconds = time.monotonic() - began
        shutil.rmtree(state)
        if code:
            raise RuntimeError(f"{workload.name} ended with {code}")
        return cls(workload, seconds)

    def live(self, number: int, folder: Path) -> Life:
        """One life through one to `MOST_KILLS` kills, and to its end."""
        life = Life()
        life.said += self._live(number, folder, life)
        return life

    def _live(self, number: int, folder: Path, life: Life) -> Iterator[str]:
        """What was lost, differs or is stuck, in words."""
        name = self.workload.name
        draw, state, told = random.Random(f"killed {name} {number}"), folder / f"{name}-{number}-killed", set[str]()
        for _ in range(draw.randint(1, MOST_KILLS)):
            code, said = lived_for(self.workload.path, state, draw.uniform(0, self.seconds))
            told |= said
            life.failures += code < 0
            who = f"{name} {number}, kill {life.failures}"
            if code > 0:
                yield f"{who}: is stuck with exit code {code}"
                return
            yield from (f"{who}: {lost} is lost" for lost in missing(state, told))
        code, _ = lived_for(self.workload.path, state, None)
        if code:
            yield f"{name} {number}: is stuck with exit code {code}"
            return
        yield from (f"{name} {number}: differs in {one}" for one in differences(rows(state), self.workload.told))
        shutil.rmtree(state)


def lived_for(path: Path, state: Path, seconds: float | None) -> tuple[int, set[str]]:
    """Let a run live for so long, or to its end: its exit code, negative if it was killed, and what it told."""
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_run, args=(path, state, there))
    process.start()
    there.close()
    process.join(seconds)
    process.kill()
    process.join()
    told: set[str] = set()
    with suppress(EOFError):
        while True:
            told.add(here.recv_bytes().decode())
    return process.exitcode or 0, told


def _run(path: Path, state: Path, teller: Connection) -> None:
    """The run that lives: it tells each slot once a user would be told."""
    run(load_setting(path), state, lambda text: teller.send_bytes(text.encode()))
