"""Lives of a run through power failures: nothing that was acknowledged is lost, nothing differs, nothing gets stuck.

A workload runs once undisturbed and is written down beneath SQLite. A life takes the disk as a failure at a drawn
moment may leave it, looks whether all is there that the run had told by then, and goes on, into the next failure or to
the end.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.samples import write_community
from tests.integration.test_network import write as write_network
from tests.power.outage import disk_after, put_disk
from tests.power.recording import Step, files, recorded
from transactive.config.setting import Setting, load_setting
from transactive.core.slot_book import SlotBook
from transactive.engine.replay import replay, slots_from
from transactive.store import Store
from transactive.store.read.stages import recorded_blocks

SEED, MOST_FAILURES = "transactive", 3
OVER = "over"
"""What is told once a run has ended; before that, each slot by its start."""


def _changed(*changes: tuple[str, str]) -> Callable[[Path], Path]:
    """Writer of the small community with some of its text replaced."""

    def write(folder: Path) -> Path:
        path = write_community(folder)
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        return path

    return write


SLOTS = "slot_minutes = 60"
NO_OFFSETS = ('[carbon.offsets]\nfile = "credits.toml"\n', "")
WORKLOADS: dict[str, Callable[[Path], Path]] = {
    "day-ahead": _changed((SLOTS, f'{SLOTS}\nsessions = ["day_ahead", "intraday"]')),
    "levy": _changed(("[carbon.offsets]", '[carbon.levy]\nmode = "fixed"\n\n[carbon.offsets]')),
    "offsets": _changed(),
    "network": write_network,
}


@dataclass
class Life:
    """What came of a life. said: each fault in words."""

    failures: int = 0
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Workload:
    """A run that was not disturbed. path: of its community file; told: its rows; steps: all that SQLite did for it."""

    name: str
    path: Path
    setting: Setting
    folder: Path
    state_hash: str
    told: Mapping[str, Any]
    steps: Sequence[Step]

    @classmethod
    def of(cls, name: str, folder: Path) -> Workload:
        """Run it once, in a folder of its own."""
        folder.mkdir()
        path, state = WORKLOADS[name](folder), folder / "state"
        setting = load_setting(path)
        with recorded() as recorder:
            state_hash = run(setting, state, recorder.say)
        return cls(name, path, setting, state, state_hash, rows(state), recorder.steps)

    def live(self, number: int, folder: Path) -> Life:
        """One life through one to `MOST_FAILURES` power failures."""
        life = Life()
        life.said += self._live(number, folder, life)
        return life

    def _live(self, number: int, folder: Path, life: Life) -> Iterator[str]:
        """What was lost, differs or is stuck, in words."""
        draw, steps = random.Random(f"{self.name} {number}"), self.steps
        before: Mapping[str, bytes] = {}
        for failure in range(1, 1 + draw.randint(1, MOST_FAILURES)):
            last = [place for place, step in enumerate(steps) if step.kind == "said"]
            cut = draw.randint(1, last[-1] if last and failure > 1 else len(steps))
            state = folder / f"{self.name}-{number}-{failure}"
            self._lay(disk_after(before, steps[:cut], draw), state)
            life.failures += 1
            who = f"{self.name} {number}, failure {failure} after step {cut}"
            try:
                yield from (f"{who}: {lost} is lost" for lost in missing(state, said(steps[:cut])))
                before = files(state)
                with recorded() as recorder:
                    state_hash = run(self.setting, state, recorder.say)
            except Exception as error:  # noqa: BLE001 - whatever stops it is what is looked for
                yield f"{who}: is stuck: {type(error).__name__}: {error}"
                return
            if state_hash != self.state_hash:
                yield f"{who}: differs in its state hash, {state_hash}"
            yield from (f"{who}: differs in {differs}" for differs in differences(rows(state), self.told))
            steps = recorder.steps
            shutil.rmtree(state)

    def _lay(self, disk: Mapping[str, bytes], state: Path) -> None:
        """A state folder with the files of a disk, and with those that are not databases."""
        shutil.copytree(self.folder, state, ignore=shutil.ignore_patterns("*.sqlite*", "*.lock"))
        put_disk(disk, state)


def run(setting: Setting, state: Path, say: Callable[[str], None]) -> str:
    """Run to the end; each slot and the end are said when a user is told. Returns the state hash."""

    def tell(book: SlotBook) -> None:
        say(str(book.slot))

    outcome, _ = replay(setting, slots_from(setting), state, seed=SEED, after_slot=tell)
    say(OVER)
    return outcome.summary.state_hash


def said(steps: Sequence[Step]) -> set[str]:
    """What was told by these steps."""
    return {step.data.decode() for step in steps if step.kind == "said"}


def missing(state: Path, told: set[str]) -> Iterator[str]:
    """What was told and is not in a state."""
    if not told:
        return
    with closing(Store(state)) as store:
        there = {str(block.slot) for block in recorded_blocks(store)} & {
            str(slot) for slot in store.delivered(0, 2**62)
        }
        if store.setting("outcome"):
            there.add(OVER)
    yield from sorted(told - there)


def rows(state: Path) -> dict[str, Any]:
    """All rows of a state's database but the register's name; of the outcome without what a clock and a path are in."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(state / "market.sqlite")) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            found[name] = sorted(map(repr, database.execute(f"select * from {name}")))
        settings = dict(database.execute("select key, value from settings"))
        digests = database.execute("select * from digests where slot >= 0").fetchall()
    assert settings.pop("register")  # drawn anew for each folder
    outcome = json.loads(settings.pop("outcome"))
    for clock_or_path in (outcome["summary"].pop("seconds"), outcome["summary"]["chain"].pop("url")):
        assert clock_or_path is not None
    return found | {"settings": [*settings.items(), outcome], "digests": sorted(map(repr, digests))}


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Each table that differs, with what is only in the one and only in the other."""
    for name in sorted({*one, *other}):
        here, there = one.get(name, []), other.get(name, [])
        if here != there:
            ours, theirs = ([row for row in a if row not in b] for a, b in ((here, there), (there, here)))
            yield f"{name}: {ours}, not {theirs}"
