"""Damaged states: a page whose bytes a query can return is named with file and table, and nothing shows a traceback."""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.config.setting import load_setting
from transactive.core.slot_book import SlotBook
from transactive.engine.replay import replay, slots_from
from transactive.services.states.check import check_state

FILES = ("market.sqlite", "chain.sqlite")
FLIPPED = 16
UNREADABLE = object()


class Stop(Exception):
    """An interruption that a test makes."""


def told(path: Path) -> dict[str, object]:
    """All that queries can return of a file: rows of each table by its name, and the definitions."""
    found: dict[str, object] = {}
    with closing(sqlite3.connect(path)) as database:
        try:
            schema = database.execute("select type, name, rootpage, sql from sqlite_master").fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            return {"schema": UNREADABLE}
        found["schema"] = schema
        for kind, name, *_ in schema:
            if kind == "table":
                try:
                    found[name] = database.execute(f"select * from {name}").fetchall()
                except (sqlite3.DatabaseError, UnicodeDecodeError):
                    found[name] = UNREADABLE
    return found


def damage(path: Path, draw: random.Random) -> set[str]:
    """Flip bytes within a page in use; the tables whose rows are others now."""
    whole, before = path.read_bytes(), told(path)
    while True:
        with closing(sqlite3.connect(path)) as database:
            (size,) = database.execute("pragma page_size").fetchone()
        page, place = draw.randrange(len(whole) // size), draw.randrange(size - FLIPPED)
        at = page * size + place
        flipped = bytes(byte ^ draw.randrange(1, 256) for byte in whole[at : at + FLIPPED])
        path.write_bytes(whole[:at] + flipped + whole[at + FLIPPED :])
        after = told(path)
        if changed := {name for name in before | after if after.get(name) != before.get(name)}:
            return changed
        path.write_bytes(whole)


@pytest.fixture(scope="module")
def states(sample_state, tmp_path_factory) -> tuple[Path, tuple[Path, Path]]:
    """A community, with the state of a finished and of an interrupted run."""
    folder = tmp_path_factory.mktemp("states")
    community, state = write_community(folder), folder / "interrupted"
    setting = load_setting(community)
    slots = slots_from(setting)

    def stop(book: SlotBook) -> None:
        if book.slot == slots[30]:
            raise Stop

    with suppress(Stop):
        replay(setting, slots, state, seed="transactive", after_slot=stop)
    return community, (sample_state, state)


def rounds(states: tuple[Path, tuple[Path, Path]], folder: Path, seeds: range) -> Iterator[str]:
    """Damage a page for each seed; what was not named, in words."""
    community, both = states
    for seed in seeds:
        draw = random.Random(seed)
        state = shutil.copytree(both[seed % 2], folder / f"state-{seed}")
        file = FILES[seed // 2 % 2]
        changed = damage(state / file, draw)
        said = call("run", community, "--no-page", "--state", state)
        if said.code not in {0, 4}:
            yield f"{seed}: run exits with {said.code}: {said.err}"
        shutil.rmtree(state)
        shutil.copytree(both[seed % 2], state)
        damage(state / file, random.Random(seed))
        named = {(found.file, found.table) for found in check_state(state)}
        if not named & {(file, table) for table in changed}:
            yield f"{seed}: {file} {sorted(changed)} is not named: {sorted(named)}"
        shutil.rmtree(state)


def test_damaged_pages_are_named(states, tmp_path):
    assert list(rounds(states, tmp_path, range(4))) == []


@pytest.mark.long
@pytest.mark.parametrize("pages", [range(4, 34), pytest.param(range(34, 104), marks=pytest.mark.soak)], ids=len)
def test_a_hundred_damaged_pages_are_named(states, tmp_path, pages):
    assert list(rounds(states, tmp_path, pages)) == []


def test_a_command_after_one_on_a_damaged_state_names_its_own_error(states, tmp_path):
    community, (whole, _) = states
    state = shutil.copytree(whole, tmp_path / "state")
    draw = random.Random(0)
    while not damage(state / FILES[0], draw) & {"settings", "snapshot"}:  # what is looked at each time it is opened
        shutil.copyfile(whole / FILES[0], state / FILES[0])
    assert check_state(state)  # opens it, as a command of this process would
    said = call("chain", "status", "--node", "embedded:nowhere")
    assert (said.code, "there is no chain at nowhere" in said.err) == (5, True), said.err
    assert call("run", community, "--no-page", "--state", state).code == 4
    assert call("chain", "status", "--node", "embedded:nowhere").code == 5
