"""A community goes on: readings are appended, and ledger, chain and certificates carry on after a run was over."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.test_crash import KILL_AT, command
from transactive.core.slots import parse_time
from transactive.store import Store

FIRST = datetime(2024, 6, 1, tzinfo=UTC)
COMMUNITY = """
name = "Grows"
currency = "EUR"

[market]
slot_minutes = 60
gate_closure_minutes = 60

[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 12_000_000_000
top_up_below_n = 10_000_000_000
top_up_to_n = 12_000_000_000

[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350

[data]
readings = "readings.csv"

[run]
first_slot = "2024-06-03T00:00Z"

[[members]]
id = "anna"
pv_w = 6_000
battery_wh = 5_000
battery_w = 2_500

[[members]]
id = "cara"
never_pay_above_micro_per_kwh = 250_000
"""


def write_readings(folder: Path, hours: int, *, corrected: int | None = None) -> None:
    """Readings of so many hours; `corrected`: an hour in which cara used 5 kWh more."""
    rows = ["slot_start,member,consumption_wh,generation_wh"]
    for hour in range(hours):
        at = (FIRST + timedelta(hours=hour)).isoformat()
        sun = max(0, 6 - abs(hour % 24 - 12)) * 600 + 7 * (hour % 5)
        rows.append(f"{at},anna,{300 + 11 * (hour % 7)},{sun if 6 < hour % 24 < 18 else 0}")
        rows.append(f"{at},cara,{400 + 13 * (hour % 11) + (5_000 if hour == corrected else 0)},0")
    (folder / "readings.csv").write_text("\n".join(rows) + "\n")


def run(folder: Path, state: str = "state"):
    return call("run", folder / "community.toml", "--no-page", "--json", "--state", folder / state)


def statement_holds(folder: Path, state: str = "state") -> bool:
    made = call("statement", "--state", folder / state, "--member", "cara", "-o", folder / "cara.json")
    assert made.code == 0, made.err
    return call("verify", folder / "cara.json", "--state", folder / state).code == 0


@pytest.fixture(
    scope="module",
    params=[pytest.param(96, id="whole days", marks=pytest.mark.long), pytest.param(90, id="within a day")],
)
def grown(request, tmp_path_factory) -> Path:
    """A run over three days or less, a day appended, and another."""
    folder: Path = tmp_path_factory.mktemp("grown")
    (folder / "community.toml").write_text(COMMUNITY)
    for end in (request.param, 120, 144):
        write_readings(folder, end)
        done = run(folder)
        assert done.code == 0, done.err
        summary = json.loads(done.out)
        assert summary["slots"] == end - 48
        assert summary["ledger_equals_chain"]
        assert int(summary["money_residual_n"]) == int(summary["energy_residual_wh"]) == 0
        assert statement_holds(folder)
        shutil.copytree(folder / "state", folder / f"after-{end}")
    return folder


def test_what_was_settled_before_stays_as_it_was(grown):
    with closing(Store(grown / "state")) as now:
        for earlier in sorted(grown.glob("after-*")):
            with closing(Store(earlier)) as then:
                for slot in then.delivered(0, 2**62):
                    for table in ("postings", "certificates", "footprints"):
                        before, after = (getattr(store, table)(slot) for store in (then, now))
                        for name, column in before.columns().items():
                            assert np.array_equal(column, getattr(after, name)), (table, name, slot)


def test_every_slot_is_settled_and_committed_once(grown):
    with closing(Store(grown / "state")) as store:
        delivered = store.delivered(0, 2**62)
    assert delivered == list(range(parse_time("2024-06-03T00:00Z"), parse_time("2024-06-07T00:00Z"), 3_600))
    status = call("chain", "status", "--node", f"embedded:{grown / 'state'}", "--json")
    assert status.code == 0, status.err
    with closing(Store(grown / "state")) as store:
        summary = json.loads(store.setting("outcome") or "")["summary"]
    assert summary["chain"]["slot_commits"] == len(delivered)
    assert summary["chain"]["nettings"] == 4


def test_it_trades_on_for_all_members(grown):
    with closing(Store(grown / "state")) as store:
        day = store.delivered(parse_time("2024-06-06T00:00Z"), 2**62)
        traded = sum(int(store.postings(slot).energy_wh.sum()) for slot in day if len(store.postings(slot)))
    assert traded > 0


def test_a_finished_run_without_more_readings_says_the_same_again(grown):
    again = run(grown)
    assert again.code == 0, again.err
    with closing(Store(grown / "state")) as store:
        assert (
            json.loads(again.out)["state_hash"] == json.loads(store.setting("outcome") or "")["summary"]["state_hash"]
        )


@pytest.mark.long
def test_a_kill_before_the_first_new_block_loses_no_deposit(tmp_path):
    """What accounts are filled up with as a run goes on is booked before the block that carries it."""
    (tmp_path / "community.toml").write_text(COMMUNITY)
    write_readings(tmp_path, 72)
    assert run(tmp_path).code == 0
    write_readings(tmp_path, 78)
    shutil.copytree(tmp_path / "state", tmp_path / "whole")
    whole = run(tmp_path, "whole")
    assert whole.code == 0, whole.err
    arguments = [
        sys.executable,
        "-c",
        KILL_AT,
        "database",
        "1",
        *command(tmp_path / "community.toml", tmp_path / "state"),
    ]
    assert subprocess.run(arguments, capture_output=True, check=False).returncode == -signal.SIGKILL
    again = run(tmp_path)
    assert again.code == 0, again.err
    assert json.loads(again.out)["state_hash"] == json.loads(whole.out)["state_hash"]


@pytest.mark.long
def test_a_chain_that_is_older_than_the_database_is_brought_level_also_beyond_an_earlier_end(grown, tmp_path):
    state = shutil.copytree(grown / "state", tmp_path / "state")
    with closing(Store(state)) as store:
        outcome = store.setting("outcome")
    earlier = sorted(grown.glob("after-*"), key=lambda path: int(path.name[6:]))[0]
    for name in ("chain.sqlite", "chain.sqlite-wal", "chain.sqlite-shm"):
        (state / name).unlink(missing_ok=True)
        if (earlier / name).exists():
            shutil.copy(earlier / name, state / name)
    again = call("run", grown / "community.toml", "--no-page", "--json", "--state", state)
    assert again.code == 0, again.err
    assert json.loads(again.out)["state_hash"] == json.loads(outcome or "")["summary"]["state_hash"]
