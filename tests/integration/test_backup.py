"""Backups of a state: made while a run goes on, put back whole, refused where they are not as they were written."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import transactive
from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.config.setting import load_setting
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.engine.replay import replay, slots_from
from transactive.services.credit_publication import OUTBOX
from transactive.services.governing.kept import digests, keep
from transactive.services.states.backup import DATABASES, LOGS, MANIFEST, back_up
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal
from transactive.web.accounts import signing_in
from transactive.web.accounts.book import read_book

PACKAGE = Path(transactive.__file__).parent


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path, Path, str]:
    """A community, the state of its finished run, a backup that was made in the middle of it, and its state hash."""
    folder = tmp_path_factory.mktemp("made")
    community, state, backup = write_community(folder), folder / "state", folder / "backup"
    setting = load_setting(community)
    slots = slots_from(setting)

    def copy(book: SlotBook) -> None:
        if book.slot == slots[20]:
            assert back_up(state, backup).last_slot == time_text(book.slot)

    outcome, _ = replay(setting, slots, state, seed="transactive", after_slot=copy)
    return community, state, backup, outcome.summary.state_hash


@pytest.mark.long
def test_a_backup_of_a_run_that_goes_on_ends_as_that_does(made, tmp_path):
    community, _, backup, state_hash = made
    state = tmp_path / "state"
    assert call("state", "restore", backup, "--state", state).code == 0
    gone_on = call("run", community, "--no-page", "--json", "--state", state)
    assert (gone_on.code, state_hash in gone_on.out) == (0, True), gone_on.err
    checked = call("state", "check", "--state", state, "--json")
    assert checked.code == 0, checked.err
    assert json.loads(checked.out) == {"sound": True, "damage": []}


def test_what_was_there_before_a_restore_is_kept(made, tmp_path):
    _, finished, backup, _ = made
    state = shutil.copytree(finished, tmp_path / "state")
    before = (state / "market.sqlite").read_bytes()
    for number in (1, 2):
        restored = call("state", "restore", backup, "--state", state)
        assert restored.code == 0
        assert f"state.before-{number}" in restored.err
    assert (tmp_path / "state.before-1" / "market.sqlite").read_bytes() == before
    assert (state / "market.sqlite").read_bytes() == (backup / "market.sqlite").read_bytes()
    assert (state / "market.sqlite").stat().st_mode & 0o77 == 0


def test_a_backup_has_the_journal_and_who_may_come_in_and_brings_back_nobody_who_was_sent_away(made, tmp_path):
    state = shutil.copytree(made[1], tmp_path / "state")
    with closing(Journal(state / JOURNAL_FILE)) as journal:
        journal.append(7, ArrivalKind.ENROLLED, [b"{}"])
        signing_in.invite(state, "member", "a", ("a", "b"), 7)
        signing_in.invite(state, "auditor", None, ("a", "b"), 7)
        (state / "import-limits.json").write_text("[]")
        copied = back_up(state, tmp_path / "backup")
    assert {JOURNAL_FILE, "accounts.json", "import-limits.json"} <= copied.files.keys()
    assert not any(name.endswith((".lock", "-wal", "-shm")) for name in copied.files)
    first, second = read_book(state).invitations
    signing_in.withdraw(state, first.id, 8)
    (state / JOURNAL_FILE).unlink()
    assert call("state", "restore", tmp_path / "backup", "--state", state).code == 0
    assert read_book(state).invitations == [second]
    with closing(Journal(state / JOURNAL_FILE)) as journal:
        assert [entry.body for entry in journal.all_after(0)] == [b"{}"]
    (state / "accounts.json").unlink()
    assert call("state", "restore", tmp_path / "backup", "--state", state).code == 0
    assert read_book(state).invitations == [], "and who was sent away by deleting the file stays away"
    shutil.rmtree(state)
    assert call("state", "restore", tmp_path / "backup", "--state", state).code == 0
    assert read_book(state).invitations == [first, second], "where nothing is known since, it is as it was"


def test_a_restore_forgets_nobody_who_looked_and_no_line_that_a_proposal_binds(made, tmp_path):
    """Nor does a backup leave out what was sent of credits, which would be sent again."""
    state = shutil.copytree(made[1], tmp_path / "state")
    digest = keep(state, b"{}", {0: b'{"line": 0}', 1: b'{"line": 1}'})
    with closing(sqlite3.connect(state / OUTBOX)) as outbox:
        outbox.execute("CREATE TABLE sent (number INTEGER)")
    for log in LOGS:
        (state / log).write_text("before\n")
    copied = back_up(state, tmp_path / "backup")
    assert {OUTBOX, f"consequences/{digest}/lines/1.json", *LOGS} <= copied.files.keys()
    for log in LOGS:
        (state / log).write_text("before\nsince\n")
    shutil.rmtree(state / "consequences")
    assert call("state", "restore", tmp_path / "backup", "--state", state).code == 0
    assert {(state / log).read_text() for log in LOGS} == {"before\nsince\n"}
    assert list(digests(state)) == [digest]
    assert (state / "consequences" / digest / "lines" / "1.json").read_bytes() == b'{"line": 1}'


def test_every_database_of_a_state_is_in_its_backups():
    """A file that somebody adds to states is named here, or why it is none of a state."""
    elsewhere = {
        "chain-copy.sqlite": "of a box", "bare.sqlite": "of a bench", "copy.sqlite": "for a moment",
        "upgrade-outbox.sqlite": "beside a deployment without a run",
    }  # fmt: skip
    named = set[str]()
    for path in PACKAGE.rglob("*.py"):
        named |= set(re.findall(r'"([a-z-]+\.sqlite)"', path.read_text(encoding="utf-8")))
    assert named - set(elsewhere) == set(DATABASES)


@pytest.mark.parametrize("file", ["market.sqlite", "chain.sqlite", MANIFEST])
def test_a_backup_that_is_not_as_it_was_written_changes_nothing(made, tmp_path, file):
    backup, state = shutil.copytree(made[2], tmp_path / "backup"), shutil.copytree(made[1], tmp_path / "state")
    before = sorted(path.name for path in tmp_path.iterdir()), (state / "market.sqlite").read_bytes()
    data = (backup / file).read_bytes()
    (backup / file).write_bytes(bytes([data[0] ^ 1]) + data[1:])
    refused = call("state", "restore", backup, "--state", state)
    assert refused.code == 3
    assert file in refused.err
    assert (sorted(path.name for path in tmp_path.iterdir()), (state / "market.sqlite").read_bytes()) == before


def test_backups_need_a_run_and_a_new_place(made, tmp_path):
    assert call("state", "backup", tmp_path / "backup", "--state", tmp_path / "none").code == 4
    assert call("state", "backup", made[2], "--state", made[1]).code == 3
    assert call("state", "restore", tmp_path / "none", "--state", tmp_path / "state").code == 3
    assert call("state", "check", "--state", tmp_path / "none").code == 4
    assert list(tmp_path.iterdir()) == []
