"""A member joins a community that runs: its state goes on, on the same ledger and chain, and older postings stay."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.test_going_on import COMMUNITY, FIRST, run, write_readings
from transactive.chain.deployments import deployment
from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time
from transactive.engine.books.snapshot import decoded
from transactive.insight.statements.statement import decode
from transactive.store import Store

JOINS = "2024-06-04T18:00Z"
"""Where the readings of the first run end, within a day of settlement."""
LAST_OF_DAY = "2024-06-05T23:00Z"
DORA = f"""
[[members]]
id = "dora"
since = "{JOINS}"
"""


def append_dora(folder: Path, first: int, hours: int) -> None:
    """Readings of dora for the hours from … to before."""
    rows = [
        f"{(FIRST + timedelta(hours=hour)).isoformat()},dora,{500 + 17 * (hour % 9)},0" for hour in range(first, hours)
    ]
    with (folder / "readings.csv").open("a") as file:
        file.write("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def joined(tmp_path_factory) -> Path:
    """A run of two members, then dora joins; her readings begin with her membership."""
    folder: Path = tmp_path_factory.mktemp("joined")
    (folder / "community.toml").write_text(COMMUNITY)
    write_readings(folder, 90)
    first = run(folder)
    assert first.code == 0, first.err
    shutil.copytree(folder / "state", folder / "before")
    (folder / "community.toml").write_text(COMMUNITY + DORA)
    write_readings(folder, 120)
    append_dora(folder, 90, 120)
    second = run(folder)
    assert second.code == 0, second.err
    (folder / "summary.json").write_text(second.out)
    return folder


def test_the_run_goes_on_and_books_balance(joined):
    summary = json.loads((joined / "summary.json").read_text())
    assert summary["slots"] == 72
    assert summary["ledger_equals_chain"]
    assert int(summary["money_residual_n"]) == int(summary["energy_residual_wh"]) == 0


def test_what_was_settled_before_stays_as_it_was(joined):
    with closing(Store(joined / "state")) as now, closing(Store(joined / "before")) as then:
        slots = then.delivered(0, 2**62)
        assert now.delivered(0, slots[-1]) == slots
        for slot in slots:
            for table in ("postings", "certificates"):
                before, after = (getattr(store, table)(slot) for store in (then, now.as_of(2)))
                for name, column in before.columns().items():
                    assert np.array_equal(column, getattr(after, name)), (table, name, slot)


def test_older_slots_are_read_with_the_accounts_of_today(joined):
    with closing(Store(joined / "state")) as now, closing(Store(joined / "before")) as then:
        for slot in then.delivered(0, 2**62):
            before, after = then.postings(slot).net_n(2 + 7), now.postings(slot).net_n(3 + 7)
            assert after.tolist() == [*before[:2].tolist(), 0, *before[2:].tolist()]
            assert now.readings(slot, 3).import_wh.tolist() == [*then.readings(slot, 2).import_wh.tolist(), 0]


def test_who_joins_is_metered_trades_and_pays(joined):
    with closing(Store(joined / "state")) as store:
        new = store.delivered(parse_time(JOINS), 2**62)
        assert sum(int(store.readings(slot, 3).import_wh[2]) for slot in new) > 0
        assert sum(int(store.postings(slot).net_n(10)[2]) for slot in new) < 0
        bought = sum(int((store.postings(slot).kind == PostingKind.BOUGHT).sum()) for slot in new)
    assert bought > 0


def test_what_came_together_before_somebody_joined_goes_to_those_of_before(joined):
    with closing(Store(joined / "state")) as store:
        first, last = (store.postings(parse_time(slot)).only(PostingKind.DIVIDEND) for slot in (JOINS, LAST_OF_DAY))
    assert first.payee.tolist() == [0, 1]
    assert len(set(first.amount_n.tolist())) == 1
    assert last.payee.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("member", "span"), [("dora", ()), ("cara", ()), ("cara", ("--to", JOINS))])
def test_statements_of_before_and_after_verify(joined, member, span):
    file = joined / f"{member}.json"
    made = call("statement", "--state", joined / "state", "--member", member, *span, "-o", file)
    assert made.code == 0, made.err
    checked = call("verify", file, "--state", joined / "state")
    assert checked.code == 0, checked.out + checked.err
    end = parse_time(JOINS) if span else parse_time("2024-06-06T00:00Z")
    begin = parse_time("2024-06-03T00:00Z") if span else parse_time(JOINS)
    statement = decode(file.read_bytes(), file.name)
    assert (statement.first_slot, statement.end) == (begin, end)
    assert statement.community.members == (2 if span else 3)


def test_a_month_of_who_joined_in_it_begins_there(joined):
    """What was before is absent, and not zero; of who left, nothing follows."""
    file = joined / "month.json"
    made = call("statement", "--state", joined / "state", "--member", "dora", "--from", "2024-06-04T00:00Z", "-o", file)
    assert made.code == 0, made.err
    statement = decode(file.read_bytes(), file.name)
    assert statement.first_slot == parse_time(JOINS) == statement.slots[0].slot
    assert call("verify", file, "--state", joined / "state").code == 0


@pytest.mark.parametrize(
    ("member", "bounds"), [("dora", ("2024-06-03T04:00Z", "2024-06-03T10:00Z")), ("cara", (None, "2024-06-03T07:00Z"))]
)
def test_a_statement_has_the_slots_of_a_membership_alone(known_before, member, bounds):
    """Members whose beginning and end the file knew as the run began: their accounts were there all the time."""
    file = known_before / f"{member}.json"
    made = call("statement", "--state", known_before / "state", "--member", member, "-o", file)
    assert made.code == 0, made.err
    statement = decode(file.read_bytes(), file.name)
    since, until = bounds
    assert statement.first_slot == parse_time(since or "2024-06-03T00:00Z")
    assert statement.end == parse_time(until)
    assert all(slot.postings for slot in statement.slots)
    assert call("verify", file, "--state", known_before / "state").code == 0


@pytest.fixture(scope="module")
def known_before(tmp_path_factory) -> Path:
    """A run of ten slots in which dora joins and cara leaves, as the file says from its beginning."""
    folder: Path = tmp_path_factory.mktemp("known")
    leaves = COMMUNITY.replace('id = "cara"', 'id = "cara"\nuntil = "2024-06-03T07:00Z"')
    (folder / "community.toml").write_text(leaves + DORA.replace(JOINS, "2024-06-03T04:00Z"))
    write_readings(folder, 58)
    append_dora(folder, 52, 58)
    assert run(folder).code == 0
    return folder


def test_no_statement_goes_over_the_change(joined):
    span = ("--from", "2024-06-04T00:00Z", "--to", "2024-06-05T00:00Z")
    made = call("statement", "--state", joined / "state", "--member", "cara", *span, "-o", joined / "over.json")
    assert made.code == 3
    assert "from 2024-06-04T18:00Z on accounts have other contracts" in made.err


def test_the_folder_is_sound_and_says_the_same_again(joined):
    again = run(joined)
    assert again.code == 0, again.err
    said = json.loads((joined / "summary.json").read_text())
    assert json.loads(again.out)["state_hash"] == said["state_hash"]
    checked = call("state", "check", "--state", joined / "state")
    assert checked.code == 0, checked.out + checked.err


@pytest.mark.long
def test_a_chain_from_before_somebody_joined_is_brought_level(joined, tmp_path):
    """Accounts move again, and each block comes out as it was: there is not even a chain to begin with."""
    (tmp_path / "community.toml").write_text(COMMUNITY + DORA)
    write_readings(tmp_path, 120)
    append_dora(tmp_path, 90, 120)
    shutil.copytree(joined / "state", tmp_path / "state")
    for name in ("chain.sqlite", "chain.sqlite-wal", "chain.sqlite-shm"):
        (tmp_path / "state" / name).unlink(missing_ok=True)
    again = run(tmp_path)
    assert again.code == 0, again.err
    assert "put there again, each block as it was" in again.err
    assert json.loads(again.out)["state_hash"] == json.loads((joined / "summary.json").read_text())["state_hash"]


def test_a_leaf_of_before_is_proved_in_the_contracts_of_then(joined, tmp_path):
    for slot, is_before, account in (("2024-06-04T12:00Z", True, "cara"), ("2024-06-05T12:00Z", False, "dora")):
        path = tmp_path / f"{account}.json"
        where = ("--state", joined / "state", "--member", account, "--slot", slot, "-o", path, "--json")
        done = call("chain", "prove", *where)
        assert done.code == 0, done.err
        assert (f"until {JOINS}; then accounts moved to" in json.loads(done.out).get("contracts", "")) == is_before
        with closing(Store(joined / "state")) as store:
            assert json.loads(path.read_text())["settlement"] == store.rosters[0 if is_before else 1].settlement
    refused = call("chain", "prove", "--state", joined / "state", "--member", "dora", "--slot", "2024-06-04T12:00Z")
    assert (refused.code, "account 'dora' is not in the deployment" in refused.err) == (3, True)


@pytest.mark.parametrize(
    ("member", "hours", "said"),
    [
        (DORA.replace("06-04T18", "06-04T12"), 120, r'let it begin there or later \(since = "2024-06-04T18:00Z"\)'),
        ('[[members]]\nid = "dora"\n', 120, "dora: its membership reaches into what is settled"),
        (DORA, 90, "dora joins with the first new slot; append readings"),
    ],
)
def test_who_cannot_join_is_told_why(joined, tmp_path, member, hours, said):
    shutil.copytree(joined / "before", tmp_path / "state")
    (tmp_path / "community.toml").write_text(COMMUNITY + member)
    write_readings(tmp_path, hours)
    if hours > 90 or "since" not in member:
        append_dora(tmp_path, 0 if "since" not in member else 84, hours)
    refused = run(tmp_path)
    assert refused.code == 4, refused.out
    assert re.search(said, refused.err), refused.err


def test_somebody_can_join_while_others_leave_and_more_join_later(joined, tmp_path):
    """A second one joins at a day's end; cara has left by then and has been paid out."""
    shutil.copytree(joined / "state", tmp_path / "state")
    emil = '\n[[members]]\nid = "emil"\nsince = "2024-06-06T00:00Z"\nmeters = ["cara"]\n'
    leaves = '\n[[from]]\nslot = "2024-06-06T00:00Z"\n[[from.members]]\nid = "cara"\nuntil = "2024-06-06T00:00Z"\n'
    (tmp_path / "community.toml").write_text(COMMUNITY + DORA + emil + leaves)
    write_readings(tmp_path, 144)
    append_dora(tmp_path, 90, 144)
    third = run(tmp_path)
    assert third.code == 0, third.err
    summary = json.loads(third.out)
    assert summary["ledger_equals_chain"]
    assert int(summary["money_residual_n"]) == 0
    with closing(Store(tmp_path / "state")) as store:
        assert [roster.members for roster in store.rosters] == [2, 3, 4]
        snapshot = store.snapshot()
        assert snapshot is not None
        assert decoded(snapshot).ledger["balances_n"].value()[:4].astype(bool).tolist() == [True, False, True, True]
        for slot in store.delivered(parse_time("2024-06-06T00:00Z"), 2**62):
            readings = store.readings(slot, 4)
            assert readings.import_wh[1] == 0 < readings.import_wh[3]


@pytest.mark.long
def test_who_joins_after_a_single_new_slot_finds_no_deposit_twice(tmp_path):
    """The state after that slot has deposits that were in no block yet; they are paid as accounts move."""
    (tmp_path / "community.toml").write_text(COMMUNITY)
    for hours in (72, 73):
        write_readings(tmp_path, hours)
        assert run(tmp_path).code == 0
    (tmp_path / "community.toml").write_text(COMMUNITY + DORA.replace("04T18", "04T01"))
    write_readings(tmp_path, 75)
    append_dora(tmp_path, 73, 75)
    grown = run(tmp_path)
    assert grown.code == 0, grown.err
    assert json.loads(grown.out)["ledger_equals_chain"]


@pytest.mark.long
def test_who_joins_right_after_an_upgrade_moves_once_more(joined, tmp_path, monkeypatch):
    """Nothing was settled in the contracts of the upgrade: their file and their money are there all the same."""
    (tmp_path / "community.toml").write_text(COMMUNITY)
    write_readings(tmp_path, 90)
    state = shutil.copytree(joined / "before", tmp_path / "state")
    with monkeypatch.context() as patched:
        patched.setattr(deployment, "is_todays", lambda *_: False)
        done = call("chain", "upgrade", tmp_path / "community.toml", "--node", f"embedded:{state}", "--json")
    assert done.code == 0, done.err
    (tmp_path / "community.toml").write_text(COMMUNITY + DORA)
    write_readings(tmp_path, 120)
    append_dora(tmp_path, 90, 120)
    grown = run(tmp_path)
    assert grown.code == 0, grown.err
    summary = json.loads(grown.out)
    assert summary["ledger_equals_chain"]
    assert int(summary["money_residual_n"]) == 0
    with closing(Store(state)) as store:
        assert [(roster.since == parse_time(JOINS), roster.members) for roster in store.rosters] == [
            (False, 2),
            (True, 2),
            (True, 3),
        ]
        files = [json.loads((state / f"deployment{n}.json").read_text()) for n in ("-1", "-2", "")]
        found = [file["contracts"]["settlement"]["address"] for file in files]
        assert found == [roster.settlement for roster in store.rosters]
    for name in ("chain.sqlite", "chain.sqlite-wal", "chain.sqlite-shm"):
        (state / name).unlink(missing_ok=True)
    again = run(tmp_path)
    assert again.code == 0, again.err
    assert json.loads(again.out)["state_hash"] == summary["state_hash"]


class Stop(Exception):
    """An interruption that a test makes."""


@pytest.mark.parametrize(
    "stage",
    [
        "transactive.store.Store.take_up",  # the accounts are in the new contracts, and the database does not know it
        pytest.param("transactive.chain.ledgers.moving.set_limits", marks=pytest.mark.long),
        "transactive.chain.deployments.deployment.Deployment.save",  # nobody is told where they are
        pytest.param("transactive.engine.replay._walk", marks=pytest.mark.long),
    ],
)
def test_interrupted_while_accounts_move_it_ends_as_undisturbed(joined, tmp_path, monkeypatch, stage):
    def stop(*_: object, **__: object) -> None:
        raise Stop

    (tmp_path / "community.toml").write_text(COMMUNITY + DORA)
    write_readings(tmp_path, 120)
    append_dora(tmp_path, 90, 120)
    shutil.copytree(joined / "before", tmp_path / "state")
    with monkeypatch.context() as patched:
        patched.setattr(stage, stop)
        with pytest.raises(Stop):
            run(tmp_path)
    done = run(tmp_path)
    assert done.code == 0, done.err
    said = json.loads((joined / "summary.json").read_text())
    assert json.loads(done.out)["state_hash"] == said["state_hash"]
    deployments = [json.loads((folder / "state" / "deployment.json").read_text()) for folder in (joined, tmp_path)]
    assert deployments[0] == deployments[1]
