"""Hunt for every kept fault, in parallel; what was found is kept, and the next hunt goes on from there."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import msgspec

from tests.fuzz.adversary.hunt import MOST_CALLS, Hunted, go_on
from tests.fuzz.adversary.stage import Faults
from tests.fuzz.campaign import leave_interrupts_to_the_parent
from tests.fuzz.mutant import FOLDER, SOURCES, mutant, names
from transactive.chain.artifact import Artifact

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "build" / "fuzz" / "faults"
"""Where compiled faults and the state of each hunt are kept; safe to delete."""
STEP = 20_000
"""Calls for which every hunt goes on before the next round: what is caught soon is known soon."""


class Book:
    """Keeps hunts by fault and seed. One whose contracts, patch or stages have changed since begins anew."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> Hunted:
        """How far a hunt has come."""
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(self._place(name).read_bytes(), type=Hunted)
        return Hunted(name)

    def keep(self, found: Hunted) -> None:
        """Write down how far it has come."""
        _write(self._place(found.name), msgspec.json.encode(found))

    def faults(self, name: str) -> Faults:
        """Contracts with a fault, compiled once."""
        place = self.folder / f"{name}.{_contracts(name)}.contracts.json"
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode(place.read_bytes(), type=dict[str, Artifact])
        with tempfile.TemporaryDirectory() as folder:
            made = mutant(name, Path(folder)).made
        _write(place, msgspec.json.encode(made))
        return made

    def _place(self, name: str) -> Path:
        return self.folder / f"{name}.{self.seed}.{_contracts(name)}.{_stages()}.json"


def hunt_further(name: str, book: Book, most: int, until: float) -> Hunted:
    """Go on with one hunt, and keep how far it came."""
    found = book.read(name)
    if not found.is_over and found.calls < most and time.time() < until:
        found = go_on(found, book.faults(name), book.seed, most, until)
        book.keep(found)
    return found


def hunts(seed: int, processes: int, seconds: float, tell: Callable[[Hunted], None]) -> list[Hunted]:
    """Hunt for all faults until each hunt is over, the seconds are over or Ctrl-C is pressed."""
    book, until = Book(KEPT, seed), time.time() + seconds
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=leave_interrupts_to_the_parent) as pool:
        try:
            for most in range(STEP, MOST_CALLS + STEP, STEP):
                waiting = [name for name in names() if not book.read(name).is_over]
                for found in pool.map(partial(hunt_further, book=book, most=most, until=until), waiting):
                    if found.lives:
                        tell(found)
                if time.time() >= until:
                    break
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
    return [book.read(name) for name in names()]


def table(found: Sequence[Hunted], seed: int) -> str:
    """What was found, as Markdown."""
    head = [
        "## Faults put back",
        "",
        "Each fault that was once found is a patch in `tests/fuzz/mutants`. With it the stages are run from life",
        f"{seed} on, at most {MOST_CALLS:,} calls, until a rule is broken. Written by",
        '`make fuzz ARGS="--faults --report docs/fuzz.md"`, which goes on where it was stopped.',
        "",
        "| fault | calls until a rule is broken | dishonest | rule |",
        "|---|---:|---|---|",
    ]
    return "\n".join([*head, *(_row(one) for one in found), "", ""])


def _row(one: Hunted) -> str:
    if one.rule:
        return f"| `{one.name}` | {one.calls:,} | {one.coalition} | {one.rule} |"
    return f"| `{one.name}` | {'not within' if one.is_over else 'not yet, after'} {one.calls:,} | | |"


@cache
def _contracts(name: str) -> str:
    """Digest of a fault's patch and of all contracts."""
    return _digest([FOLDER / f"{name}.patch", *sorted(SOURCES.rglob("*.vy"))])


@cache
def _stages() -> str:
    """Digest of all stages."""
    return _digest(sorted((ROOT / "tests" / "fuzz" / "adversary").rglob("*.py")))


def _write(place: Path, data: bytes) -> None:
    """Write a file whole or not at all; two hunts of one fault write the same."""
    partial_file = place.with_suffix(f".{os.getpid()}")
    partial_file.write_bytes(data)
    partial_file.replace(place)


def _digest(paths: Sequence[Path]) -> str:
    return sha256(b"".join(sha256(path.read_bytes()).digest() for path in paths)).hexdigest()[:12]
