"""Folders that an older version made: copied, moved up, and then as good as new; whenever the program is killed."""

import dataclasses
import hashlib
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
from contextlib import closing
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from litestar.testing import TestClient
from msgspec import structs

from tests.integration.conftest import call
from tests.integration.content import COLUMNS
from transactive.core.community.tariff_rules import GroupPrices, PriceRule
from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.engine.authorisations import read
from transactive.engine.state_folder import claim, describe
from transactive.store import Store
from transactive.store.folder import hold
from transactive.store.live.acts import acts_after
from transactive.store.read.advice import advice_texts
from transactive.store.read.models import said
from transactive.store.read.runs import Reader
from transactive.store.read.slot_columns import rows_from
from transactive.store.schema import CERTIFICATES, FOOTPRINTS, ORDERS, POSITIONS, POSTINGS, READINGS, VERSION
from transactive.store.upgrade import STEPS
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed

MADE_BEFORE = Path(__file__).parent / "states" / "before-schema-versions.tar.xz"
COPY = "market-version-0.sqlite"
DAY, MEMBER = "2017-06-05T00:00Z", "house-04"

# Opens copies of a folder, each in a process of its own that kills itself at the n-th thing that it does to the disk: a
# statement of SQL, a copy that is on disk, a file that takes its name. After each death the folder is opened again. The
# kills come closely at first, then farther apart.
KILL_EVERYWHERE = """
import hashlib, os, shutil, signal, sqlite3, sys
from pathlib import Path
import sqlalchemy as sa
import alembic.operations, alembic.runtime.migration, alembic.script
from transactive.store import Store
source, work = Path(sys.argv[1]), Path(sys.argv[2])
def open_dying(folder, left):
    def dies(*arguments, **named):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    for event in ("before_cursor_execute", "commit"):
        sa.event.listen(sa.Engine, event, dies)
    fsync, replace = os.fsync, Path.replace
    os.fsync = lambda file: (dies(), fsync(file))
    Path.replace = lambda path, to: (dies(), replace(path, to))
    Store(folder).close()
def in_child(do):
    child = os.fork()
    if not child:
        try:
            do()
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(3)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
def digest(file):
    with sqlite3.connect(file) as database:
        return hashlib.sha256("\\n".join(database.iterdump()).encode()).hexdigest()
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
number = 0
while True:
    number += 1 + number // 12  # each of the first, then more apart: rows are sealed one by one
    folder = work / str(number)
    shutil.copytree(source, folder)
    ended = in_child(lambda: open_dying(folder, number))
    again = in_child(lambda: Store(folder).close())
    print(ended, again, digest(folder / "market.sqlite"), digest(folder / sys.argv[3]), flush=True)
    shutil.rmtree(folder)
    if ended == 0:
        break
"""


@pytest.fixture(scope="module")
def made_before(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("before")
    with tarfile.open(MADE_BEFORE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "old-state"


@pytest.fixture
def old(made_before, tmp_path) -> Path:
    """Everything that was made before, for one test to change."""
    copied: Path = shutil.copytree(made_before, tmp_path / "old")
    return copied


@pytest.fixture(scope="module")
def moved_up(made_before, tmp_path_factory) -> Path:
    """The finished run, moved up."""
    folder: Path = shutil.copytree(made_before / "finished", tmp_path_factory.mktemp("moved") / "finished")
    Store(folder).close()
    return folder


def digest(file: Path) -> str:
    """Of everything that a database holds."""
    with closing(sqlite3.connect(file)) as database:
        return hashlib.sha256("\n".join(database.iterdump()).encode()).hexdigest()


def columns(file: Path) -> dict[str, list[tuple[str, int]]]:
    """Columns of all tables, and their places in the key."""
    with closing(sqlite3.connect(file)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {
            table: sorted((name, key) for _, name, _, _, _, key in database.execute(f"pragma table_info({table})"))
            for table in tables
        }


# -- moving up ------------------------------------------------------------------------------------


def test_an_older_state_is_copied_and_moved_up_and_says_so_once(old, capsys):
    before = digest(old / "finished" / "market.sqlite")
    Store(old / "finished").close()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        (
            f"transactive: {old / 'finished'}: a state of version 0 is now of version {int(VERSION)};"
            f" as it was it is kept in {COPY}"
        )
    ]
    assert digest(old / "finished" / COPY) == before
    Store(old / "finished").close()
    assert capsys.readouterr().err == ""


def test_a_state_that_was_moved_up_has_the_tables_of_a_new_one(moved_up, tmp_path):
    Store(tmp_path / "new").close()
    assert columns(moved_up / "market.sqlite") == columns(tmp_path / "new" / "market.sqlite")


def test_each_step_goes_on_from_the_one_before_and_the_newest_is_the_programs():
    steps = [import_module(f"transactive.store.migrations.{path.stem}") for path in sorted(STEPS.glob("v*.py"))]
    assert [step.revision for step in steps] == [Path(str(step.__file__)).name[1:5] for step in steps]
    assert [step.down_revision for step in steps] == [None, *(step.revision for step in steps[:-1])]
    assert steps[-1].revision == VERSION


@pytest.mark.long
def test_what_members_had_offered_is_in_the_log_of_their_acts(sample_state, tmp_path):
    state = shutil.copytree(sample_state, tmp_path / "state")
    with closing(Store(state)) as store:
        text = store.setting("authorisations") or ""
        store.set(**{"authorisations offered": text})
    with closing(sqlite3.connect(state / "market.sqlite")) as database, database:
        database.execute("drop table acts")
        database.execute("drop table plans")
        database.execute("delete from digests where name = 'plans'")
        database.execute("update alembic_version set version_num = '0008'")
    with closing(Store(state)) as store:
        logged = acts_after(store, 0)
        assert [entry.authorised for entry in logged] == list(read(store))
        assert [entry.number for entry in logged] == [1, 2, 3]
        assert store.setting("authorisations offered") is None
    assert call("state", "check", "--state", state).code == 0


@pytest.mark.long
@pytest.mark.parametrize("name", ["finished", pytest.param("interrupted", marks=pytest.mark.soak)])
def test_a_state_survives_a_kill_wherever_it_comes_while_it_is_moved_up(made_before, tmp_path, name):
    expected = shutil.copytree(made_before / name, tmp_path / "expected")
    before = digest(expected / "market.sqlite")
    Store(expected).close()
    program = [sys.executable, "-c", KILL_EVERYWHERE, made_before / name, tmp_path / "work", COPY]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    lives = [line.split() for line in done.stdout.splitlines()]
    assert len(lives) > 8
    assert [ended for ended, *_ in lives] == ["-9"] * (len(lives) - 1) + ["0"]
    assert {tuple(rest) for _, *rest in lives} == {("0", digest(expected / "market.sqlite"), before)}


def test_a_state_that_another_process_runs_on_is_not_moved_up(old):
    before = digest(old / "finished" / "market.sqlite")
    with hold(old / "finished"):
        program = "import sys; from transactive.cli import main; main(sys.argv[1:])"
        hasty = f"import transactive.store.upgrade as upgrade; upgrade.PATIENCE = 0; {program}"
        arguments = ["statement", "--state", str(old / "finished"), "--member", MEMBER, "-o", "never.json"]
        asked = subprocess.run([sys.executable, "-c", hasty, *arguments], capture_output=True, text=True, check=False)
    assert (asked.returncode, asked.stdout) == (4, "")
    assert "another process is running on it" in asked.stderr
    assert digest(old / "finished" / "market.sqlite") == before


def test_a_newer_state_is_refused_by_name(tmp_path):
    Store(tmp_path / "state").close()
    with closing(sqlite3.connect(tmp_path / "state" / "market.sqlite")) as database, database:
        database.execute("update alembic_version set version_num = '0999'")
    before = digest(tmp_path / "state" / "market.sqlite")
    with pytest.raises(StateError, match=rf"state of version 999, .* up to {int(VERSION)}; install a newer"):
        Store(tmp_path / "state")
    assert digest(tmp_path / "state" / "market.sqlite") == before


def test_what_was_made_before_states_could_be_moved_up_is_refused_with_what_is_missing(old):
    with closing(sqlite3.connect(old / "finished" / "market.sqlite")) as database, database:
        database.execute("alter table readings drop column drawn_mg")
    before = digest(old / "finished" / "market.sqlite")
    answer = call("statement", "--state", old / "finished", "--member", MEMBER, "-o", old / "never.json")
    assert (answer.code, answer.out) == (4, "")
    assert "no readings.drawn_mg" in answer.err
    assert answer.err.count("\n") == 1
    assert digest(old / "finished" / "market.sqlite") == before


def test_what_is_packed_is_what_there_was(moved_up):
    with closing(sqlite3.connect(moved_up / COPY)) as before, closing(Store(moved_up)) as store:
        before.row_factory = sqlite3.Row
        orders = [dict(row) for row in before.execute("select * from orders order by slot, row")]
        assert list(rows_from(store, ORDERS, 0)) == orders
        for table, key in (
            (POSITIONS, "slot, is_buy, member, price"),
            (READINGS, "slot, member"),
            (POSTINGS, "slot, row"),
            (CERTIFICATES, "slot, device, first_wh"),
        ):
            kept = [dict(row) for row in before.execute(f"select * from {table.name} order by {key}")]
            assert list(rows_from(store, table, 0)) == kept
        for slot in sorted({order["slot"] for order in orders})[:3]:
            own, _, _ = store.trading(slot, 14) or pytest.fail("nothing was traded")
            rows = before.execute("select * from signatures where slot = ? order by member", (slot,)).fetchall()
            found = store.accepted(slot, own, slot // 3_600)
            assert [one.signed.signature.hex() for one in found] == [row["signature"] for row in rows]
            assert [one.receipt.to_bytes().hex() for one in found] == [row["receipt"] for row in rows]
            assert [one.signed.grant is not None for one in found] == [bool(row["agent"]) for row in rows]
        figures = [one.figures.astype("<i4").tobytes() for one in said(store, 0, 2**62)]
        kept = before.execute("select data from forecasts order by slot, target, ahead").fetchall()
        assert figures == [row["data"] for row in kept]
        advice = before.execute("select insights from advice order by member").fetchall()
        told = advice_texts(store)
        assert told is not None
        assert [text.decode() for text in told[1]] == [row["insights"] for row in advice]


def test_a_slot_that_was_altered_is_named_when_it_is_read(sample_state, tmp_path):
    folder = shutil.copytree(sample_state, tmp_path / "state")
    with closing(Store(folder)) as store:
        slot = next(slot for slot in store.delivered(0, 2**62) if len(store.certificates(slot)))
        store.postings(slot), store.certificates(slot), store.readings(slot, 3), store.trading(slot, 3)
    with closing(sqlite3.connect(folder / "market.sqlite")) as database, database:
        for table in ("postings", "certificates", "readings", "positions"):
            (block,) = database.execute(f"select block from {table} where slot = ?", (slot,)).fetchone()
            altered = block[:40] + bytes([block[40] ^ 1]) + block[41:]
            database.execute(f"update {table} set block = ? where slot = ?", (altered, slot))
        database.execute("update footprints set grid_mg = grid_mg + 1 where slot = ?", (slot,))
    with closing(Store(folder)) as store:
        for table, read in (
            ("postings", store.postings),
            ("certificates", store.certificates),
            ("readings", lambda slot: store.readings(slot, 3)),
            ("positions", lambda slot: store.trading(slot, 3)),
        ):
            with pytest.raises(StateError, match=rf"{table} of 2\d+.*Z: is not as it was written"):
                read(slot)
        with pytest.raises(StateError, match="not as they were written; take the folder from a copy"):
            store._slot(FOOTPRINTS, slot)


# -- living on ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("/", MEMBER),
        (f"/member?member={MEMBER}", MEMBER),
        ("/carbon", "Certificates"),
        ("/models", "consumption"),
        ("/api/v1/summary", "saved_n"),
        *((f"/api/v1/{name}", '"items":[{') for name in ("orders", "slots", "postings", "certificates", "insights")),
        ("/api/v1/forecasts", "q95"),
    ],
)
def test_page_and_api_read_a_state_that_was_moved_up(moved_up, address, word):
    with closing(Store(moved_up)) as store:
        app = build_app(moved_up, ChangeFeed(Reader(store)), local=True)
        with TestClient(app, base_url="http://127.0.0.1:8080") as client:
            answer = client.get(address)
    assert answer.status_code == 200
    assert word in answer.text


def test_a_statement_of_a_state_that_was_moved_up_says_what_it_said_and_holds(moved_up, made_before, tmp_path):
    path = tmp_path / "statement.json"
    made = call("statement", "--state", moved_up, "--member", MEMBER, "-o", path)
    assert made.code == 0, made.err
    assert call("verify", path, "--state", moved_up).code == 0
    earlier = made_before / "statement.json"
    assert call("verify", earlier, "--state", moved_up).code == 0
    before, now = (json.loads(file.read_text()) for file in (earlier, path))
    assert before["slots"][0].keys() <= now["slots"][0].keys()
    for part in ("account", "bill", "chain", "first_slot", "end"):
        assert before.get(part) == now.get(part)


def test_a_statement_of_an_interrupted_run_goes_to_the_last_slot_that_was_settled(old, tmp_path):
    path = tmp_path / "statement.json"
    made = call("statement", "--state", old / "interrupted", "--member", "a", "-o", path)
    assert made.code == 0, made.err
    with closing(Store(old / "interrupted")) as store:
        end = store.delivered(0, 2**62)[-1]  # it was killed before this one was committed
    assert json.loads(path.read_text())["end"] == end
    beyond = ("--to", time_text(end + 3_600))
    refused = call("statement", "--state", old / "interrupted", "--member", "a", *beyond, "-o", tmp_path / "never.json")
    assert refused.code == 3
    assert f"to {time_text(end)} so far" in refused.err
    assert call("verify", path, "--state", old / "interrupted").code == 0


def test_a_finished_run_says_what_it_came_to(old):
    again = call("demo", "--days", "1", "--start", DAY, "--no-serve", "--json", "--state", old / "finished")
    assert again.code == 0, again.err
    summary = json.loads(again.out)
    assert summary["state_hash"] == "e370ec3385d082b22c4e4bfca87d9c3b2bff51ec059ead58f0ea588a0132fe86"
    assert summary["ledger_equals_chain"]


def test_an_interrupted_run_goes_on_and_keeps_what_it_had(old, tmp_path):
    """Its batteries plan from there on as today's do, so only what it had done is as it was."""
    community, options = old / "community" / "community.toml", ("--no-page", "--json", "--state")
    with closing(Store(old / "interrupted")) as store:
        had = store.delivered(0, 2**62)
        before = [contents(store, slot) for slot in had]
    went_on, anew = (call("run", community, *options, state) for state in (old / "interrupted", tmp_path / "anew"))
    assert (went_on.code, anew.code) == (0, 0), went_on.err + anew.err
    here, there = (json.loads(each.out) for each in (went_on, anew))
    assert (here["slots"], here["money_residual_n"], here["ledger_equals_chain"]) == (there["slots"], "0", True)
    with closing(Store(old / "interrupted")) as store:
        assert 0 < len(had) < len(store.delivered(0, 2**62)) == there["slots"]
        for slot, was in zip(had, before, strict=True):
            assert contents(store, slot) == was, slot


def contents(store: Store, slot: int) -> list[list[int]]:
    """Postings, certificates and footprints of a slot."""
    return [
        np.asarray(getattr(getattr(store, table)(slot), name)).tolist()
        for table in ("postings", "certificates", "footprints")
        for name in COLUMNS[table]
    ]


# -- whose run it is ------------------------------------------------------------------------------


def test_a_key_that_came_later_does_not_make_an_older_run_another(demo_setting, tmp_path):
    slots = range(0, 7_200, 3_600)
    with closing(Store(tmp_path / "state")) as store:
        known = describe(demo_setting, slots, "seed", None)
        del known["community"]["trading"], known["community"]["chain"], known["node"]
        store.set(run=json.dumps(known))
        claim(store, demo_setting, slots, "seed", None)
        with pytest.raises(StateError, match="seed = seed, not other"):
            claim(store, demo_setting, slots, "other", None)
        known["community"]["market"]["mechanism"] = "pay_as_bid"
        store.set(run=json.dumps(known))
        with pytest.raises(StateError, match=r"community\.market\.mechanism = pay_as_bid, not"):
            claim(store, demo_setting, slots, "seed", None)


# -- who may read it ------------------------------------------------------------------------------


def modes(folder: Path) -> dict[str, int]:
    """Permissions of a folder and everything in it."""
    found = {str(path.relative_to(folder)): path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    return {name: stat.S_IMODE(mode) for name, mode in found.items()}


def test_only_the_owner_reads_a_new_state(demo_run):
    found = modes(demo_run.folder)
    assert {"chain.sqlite", "market.sqlite", "deployment.json", "in-use.lock", "models"} <= found.keys()
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_what_a_copy_has_opened_is_closed_when_it_is_opened_and_nothing_else(old):
    folder = old / "finished"
    notes = folder / "notes.txt"
    notes.write_text("of somebody else")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    Store(folder).close()
    found = modes(folder)
    assert found.pop("notes.txt") == 0o644
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_a_folder_that_many_share_is_left_open(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    Store(shared).close()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    assert stat.S_IMODE((shared / "market.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "rules",
    [
        {"standing_charge_n_per_day": 1},
        {"groups": {"night": GroupPrices(supply_micro_per_kwh=PriceRule(price_micro_per_kwh=1))}},
    ],
)
def test_a_zone_that_a_price_asks_for_makes_another_run(demo_setting, tmp_path, rules):
    slots, here = range(0, 7_200, 3_600), demo_setting.community
    settings = [
        dataclasses.replace(demo_setting, community=structs.replace(here, tariff=tariff))
        for zone in ("UTC", "Europe/Vienna")
        for tariff in [structs.replace(here.tariff, time_zone=zone, **rules)]
    ]
    with closing(Store(tmp_path / "state")) as store:
        claim(store, settings[0], slots, "seed", None)
        with pytest.raises(StateError, match=r"community\.tariff\.time_zone = UTC, not"):
            claim(store, settings[1], slots, "seed", None)
