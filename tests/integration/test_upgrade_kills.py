"""SIGKILL inside `chain upgrade`, at any write: the same command goes on, to the same contracts, balances and books.

Writes are counted as the system sees them: each transaction of SQLite before it is committed, each file before it is
written, renamed or removed. A process of its own dies at the n-th.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import call
from tests.integration.test_older_states import MADE_BEFORE, MEMBER
from transactive.chain.deployments.deployment import FILE, load
from transactive.chain.nodes.client import ChainClient
from transactive.chain.packing import decode_balances, words_for
from transactive.config.shipped import DEMO
from transactive.core.slots import time_text
from transactive.store import Store

ROOT = Path(__file__).parents[2]
ENDS = ("COMMIT", "END", "RELEASE")
FILES = ("os.rename", "os.remove", "shutil.copyfile")


def count_writes(reached: Callable[[str], None]) -> None:
    """Tell of every write that this process is about to make, for the rest of its life."""

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILES:
            reached(f"{event} {Path(str(arguments[0])).name}")
        elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax"):
            reached(f"open {arguments[0]}")

    def told(statement: str) -> None:
        if statement.upper().startswith(ENDS):
            reached(statement)

    def connect(*arguments: Any, **named: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connects(*arguments, **named)
        made.set_trace_callback(told)
        return made

    connects = sqlite3.connect
    for module in (sqlite3, sqlite3.dbapi2):
        setattr(module, "connect", connect)  # noqa: B010 - of an overloaded function, in a child, which ends
    sys.addaudithook(heard)


def in_a_child(does: Callable[..., None], *given: Any) -> int:
    """What a process of its own came to: its exit code, or the signal that ended it, below zero.

    Not a fork: of a process with threads, such as those of Polars, one may wait for ever.
    """
    words = [f"Path({str(each)!r})" if isinstance(each, Path) else repr(each) for each in given]
    code = f"from pathlib import Path; from {__name__} import {does.__name__}; {does.__name__}({', '.join(words)})"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode


def upgrade(folder: Path, of_run: bool) -> None:
    """The command on a copy of what the older version left. Raises AssertionError where it fails."""
    words: tuple[object, ...] = ("--node", f"embedded:{folder}")
    if not of_run:
        words += ("--deployment", folder / FILE, "--output", folder / "new.json")
    done = call("chain", "upgrade", DEMO, *words, "--json")
    over = "are of this version already" if of_run else "is there already"  # it died after its last write
    assert done.code == 0 or over in done.err, done.err


def copy(before: Path, folder: Path, of_run: bool) -> Path:
    """What is upgraded: a finished run, or its chain alone."""
    if of_run:
        return shutil.copytree(before / "finished", folder)
    folder.mkdir()
    for name in ("chain.sqlite", FILE):
        shutil.copy(before / "finished" / name, folder / name)
    return folder


def came_to(folder: Path, of_run: bool) -> dict[str, Any]:
    """What an upgrade leaves: contracts, balances in the old and the new ones, and what the state says of them."""
    new = load(folder / (FILE if of_run else "new.json"))
    old = load(folder / ("deployment-1.json" if of_run else FILE))
    found: dict[str, Any] = {"contracts": new.contracts, "block": new.block}
    with closing(ChainClient.open(f"embedded:{folder}")) as client:
        found["head"] = client.head_hash if of_run else None
        for name, known in (("new", new), ("old", old)):
            settlement, count = client.contract("settlement", known.address("settlement")), len(known.accounts)
            found[name] = decode_balances(client.read_words(settlement, "balances", words_for(count)))[:count]
    if of_run:
        with closing(Store(folder)) as store:
            found["rosters"] = store.rosters
            found["settings"] = (store.setting("settlement"), store.setting("outcome"))
    else:
        assert not (folder / "upgrade.json").exists()
    return found


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """What was made by the older version: never changed."""
    folder = Path(tmp_path_factory.mktemp("before"))
    with tarfile.open(MADE_BEFORE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old-state"


def watched(writes: Path, folder: Path, of_run: bool) -> None:
    """Upgrade, and note each write in a file."""
    with writes.open("w") as file:
        count_writes(lambda what: print(what, file=file, flush=True))
        upgrade(folder, of_run)


@pytest.fixture(scope="module", params=[False, pytest.param(True, marks=pytest.mark.long)], ids=["chain alone", "run"])
def undisturbed(before, tmp_path_factory, request) -> tuple[bool, list[str], dict[str, Any]]:
    """Whether it is of a run; the writes of an upgrade that nobody kills; what it comes to."""
    base = Path(tmp_path_factory.mktemp("undisturbed"))
    folder = copy(before, base / "state", request.param)

    assert in_a_child(watched, base / "writes", folder, request.param) == 0
    return request.param, (base / "writes").read_text().splitlines(), came_to(folder, request.param)


def shot(folder: Path, of_run: bool, count: int) -> None:
    """Upgrade, and die at a write."""
    left = [count]

    def dies(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    count_writes(dies)
    upgrade(folder, of_run)


def goes_on(before: Path, base: Path, undisturbed: tuple[bool, list[str], dict[str, Any]], count: int) -> None:
    """Die at a write, and upgrade again."""
    of_run, writes, expected = undisturbed
    folder = base / f"state-{count}"
    at = f"killed at write {count} of {len(writes)}, {writes[count - 1]}"
    copy(before, folder, of_run)
    assert in_a_child(shot, folder, of_run, count) == -signal.SIGKILL, at
    assert in_a_child(upgrade, folder, of_run) == 0, at
    assert came_to(folder, of_run) == expected, at
    if of_run:
        checked = call("state", "check", "--state", folder)
        assert checked.code == 0, (at, checked.out, checked.err)
        path = folder / "statement.json"
        assert call("statement", "--state", folder, "--member", MEMBER, "-o", path).code == 0, at
        assert call("verify", path, "--state", folder).code == 0, at
        slot = time_text(json.loads(path.read_text())["first_slot"])
        where = ("--state", folder, "--member", MEMBER, "--slot", slot)
        proved = call("chain", "certificates", *where, "-o", folder / "certificates.json", "--json")
        assert proved.code == 0, (at, proved.err)  # in the contract of before, which keeps them
        sent = call("chain", "exit", folder / "certificates.json", "--node", f"embedded:{folder}", "--json")
        assert json.loads(sent.out)["leaving"] == json.loads(proved.out)["leaving"], (at, sent.err)
    shutil.rmtree(folder)


def test_killed_at_a_write_an_upgrade_goes_on(before, undisturbed, tmp_path):
    """At its last write, after which everything seems done."""
    goes_on(before, tmp_path, undisturbed, len(undisturbed[1]))


@pytest.mark.long
def test_killed_at_any_write_an_upgrade_goes_on(before, undisturbed, tmp_path):
    for count in range(1, len(undisturbed[1]) + 1):
        goes_on(before, tmp_path, undisturbed, count)


# -- in the middle of a run, which an older version was killed in between two slots

MIDDLE = 3
"""Writes at which it is killed, as far from each other as they can be."""


def upgrade_in_the_middle(folder: Path, community: Path) -> None:
    """The command on a run that is not over. Raises AssertionError where it fails."""
    done = call("chain", "upgrade", community, "--node", f"embedded:{folder}", "--json")
    assert done.code == 0 or "are of this version already" in done.err, done.err


def watched_in_the_middle(writes: Path, folder: Path, community: Path) -> None:
    """Upgrade, and note each write in a file."""
    with writes.open("w") as file:
        count_writes(lambda what: print(what, file=file, flush=True))
        upgrade_in_the_middle(folder, community)


def shot_in_the_middle(folder: Path, community: Path, count: int) -> None:
    """Upgrade, and die at a write."""
    left = [count]

    def dies(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    count_writes(dies)
    upgrade_in_the_middle(folder, community)


def moved_to(folder: Path) -> dict[str, Any]:
    """What an upgrade leaves, without the summary of the slots so far, which says how long they took."""
    found = came_to(folder, of_run=True)
    return found | {"settings": found["settings"][0]}


def went_on(folder: Path, community: Path) -> str:
    """State hash of a run that goes on to its end."""
    done = call("run", community, "--no-page", "--json", "--state", folder)
    assert done.code == 0, done.err
    return str(json.loads(done.out)["state_hash"])


@pytest.mark.long
def test_killed_in_the_middle_of_a_run_an_upgrade_goes_on(before, tmp_path):
    """The same command again, and then the next `run`: contracts, balances and books are those of nobody killed."""
    community, whole = before / "community" / "community.toml", tmp_path / "whole"
    shutil.copytree(before / "interrupted", whole)
    assert in_a_child(watched_in_the_middle, tmp_path / "writes", whole, community) == 0
    writes = (tmp_path / "writes").read_text().splitlines()
    expected = moved_to(whole)
    ended = went_on(whole, community)
    for number in range(1, MIDDLE + 1):
        count = len(writes) * number // MIDDLE
        at = f"killed at write {count} of {len(writes)}, {writes[count - 1]}"
        folder = shutil.copytree(before / "interrupted", tmp_path / f"state-{count}")
        assert in_a_child(shot_in_the_middle, folder, community, count) == -signal.SIGKILL, at
        assert in_a_child(upgrade_in_the_middle, folder, community) == 0, at
        assert moved_to(folder) == expected, at
        assert went_on(folder, community) == ended, at
