"""Kill the program anywhere and run the same command again: it ends in the same state, to the last hash."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.waiting import until
from transactive.store import Store
from transactive.store.read import models

# Runs the command line and kills itself at the n-th commit of a stage: "database" as soon as a slot's delivery is
# durable and its block is not, "chain" as soon as the block is durable and its row in the database is not.
KILL_AT = """
import os, signal, sys
import transactive.store as store, transactive.engine.books.commitments as commitments
point, count = sys.argv[1], int(sys.argv[2])
def dying(function):
    left = [count]
    def wrapped(*arguments, **named):
        result = function(*arguments, **named)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapped
if point == "database":
    store.Store.save_delivery = dying(store.Store.save_delivery)
elif point == "trading":
    store.Store.save_trading = dying(store.Store.save_trading)
else:
    commitments.ChainCommitments._block = dying(commitments.ChainCommitments._block)
from transactive.cli import main
main(sys.argv[3:])
"""


@pytest.fixture(scope="module")
def community(tmp_path_factory) -> Path:
    return write_community(tmp_path_factory.mktemp("community"), whole_period=True)


@pytest.fixture(scope="module")
def whole(community, tmp_path_factory) -> Path:
    state = Path(tmp_path_factory.mktemp("whole") / "state")
    called = call("run", community, "--no-page", "--json", "--state", state)
    assert called.code == 0, called.err
    state.with_name("printed.json").write_text(called.out)
    return state


@pytest.fixture(scope="module")
def undisturbed(whole) -> dict[str, object]:
    summary: dict[str, object] = json.loads(whole.with_name("printed.json").read_text())
    return summary


def forecasts(state: Path) -> list[object]:
    """Everything that a state keeps of its forecasts."""
    with closing(Store(state)) as store:
        first, *_, last = store.delivered(0, 2**62)
        said = [
            (s.slot, s.target, s.ahead, s.issued, s.model, s.figures.tolist()) for s in models.said(store, first, last)
        ]
        return [said, models.models(store), models.events(store), models.active_records(store)]


def command(community: Path, state: Path) -> list[str]:
    return ["run", str(community), "--no-page", "--json", "--state", str(state)]


def finish(community: Path, state: Path, undisturbed: dict[str, object]) -> None:
    """Run to the end and compare everything but the seconds and the path."""
    called = call(*command(community, state))
    assert called.code == 0, called.err
    printed = json.loads(called.out)
    for summary in (printed, expected := json.loads(json.dumps(undisturbed))):
        del summary["seconds"], summary["chain"]["url"]
    assert printed == expected


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 25])
def test_what_was_forecast_and_who_is_in_charge_outlive_a_kill(community, whole, undisturbed, tmp_path, count):
    state = tmp_path / "state"
    arguments = [sys.executable, "-c", KILL_AT, "database", str(count), *command(community, state)]
    assert subprocess.run(arguments, capture_output=True, check=False).returncode == -signal.SIGKILL
    finish(community, state, undisturbed)
    assert forecasts(state) == forecasts(whole)


LONG = pytest.mark.long


@pytest.mark.long
@pytest.mark.parametrize(
    ("point", "count"),
    [("chain", 49)]  # and ("database", 25) above
    + [pytest.param("database", n, marks=LONG) for n in (1, 2, 9, 23, 24, 30, 45, 46, 47)]
    + [pytest.param("chain", n, marks=LONG) for n in (1, 2, 12, 24, 26, 47, 48, 50)]
    + [pytest.param("trading", n, marks=LONG) for n in (1, 2, 25)],
)
def test_killed_between_database_and_chain(community, undisturbed, tmp_path, point, count):
    state = tmp_path / "state"
    arguments = [sys.executable, "-c", KILL_AT, point, str(count), *command(community, state)]
    died = subprocess.run(arguments, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    finish(community, state, undisturbed)


def delivered(state: Path) -> int:
    """Slots whose delivery a run, which goes on meanwhile, has made durable."""
    path = state / "market.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            return int(database.execute("select count(*) from clearings").fetchone()[0])
        except sqlite3.OperationalError:  # its tables are still being made
            return 0


def ended_or_delivered(process: subprocess.Popen[str], state: Path, slots: int) -> bool:
    """Whether a run is over, or so many slots are delivered."""
    return process.poll() is not None or delivered(state) >= slots


@LONG
def test_killed_at_random_moments(community, undisturbed, tmp_path):
    """Ten kills on one state, each somewhere in the work on a slot that was drawn."""
    state, draw, kills = tmp_path / "state", random.Random(11), 0
    program = [sys.executable, "-c", "from transactive.cli import main; main()", *command(community, state)]
    while kills < 10:
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        slots = delivered(state) + draw.randint(1, 8)
        until(partial(ended_or_delivered, process, state, slots), f"{slots} slots are delivered")
        process.kill()
        _, error = process.communicate()
        kills += 1
        if process.returncode == 0:  # it was done before the kill: begin anew
            state = tmp_path / f"state-{kills}"
            program[-1] = str(state)
        else:
            assert process.returncode == -signal.SIGKILL, error
    finish(community, state, undisturbed)


def test_finished_run_says_so_and_changes_nothing(community, whole, undisturbed, tmp_path):
    state = shutil.copytree(whole, tmp_path / "state")
    before = {file.name: file.read_bytes() for file in state.iterdir()}
    again = call(*command(community, state))
    assert again.code == 0
    assert "finished already" in again.err
    assert json.loads(again.out)["state_hash"] == undisturbed["state_hash"]
    assert {file.name: file.read_bytes() for file in state.iterdir()} == before


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("supply_micro_per_kwh = 280_000", "supply_micro_per_kwh = 290_000", "community.tariff.supply_micro_per_kwh"),
        ("battery_w = 5_000", "battery_w = 4_000", "community.members[0].battery_w"),
        ('currency = "EUR"', 'currency = "USD"', "community.currency = EUR, not USD"),
        ('[[members]]\nid = "c"\npv_w = 5_000\n', "", "3 community.members, not 2"),
    ],
)
def test_state_of_another_configuration_is_refused_with_the_difference(community, whole, tmp_path, old, new, named):
    state = shutil.copytree(whole, tmp_path / "state")
    before = {file.name: file.read_bytes() for file in state.iterdir()}
    text = community.read_text()
    assert old in text
    other = tmp_path / "community.toml"
    other.write_text(text.replace(old, new))
    rows = [row for row in community.with_name("readings.csv").read_text().splitlines() if new or ",c," not in row]
    (tmp_path / "readings.csv").write_text("\n".join(rows) + "\n")
    shutil.copy(community.with_name("credits.toml"), tmp_path)
    called = call(*command(other, state))
    assert called.code == 4
    assert called.out == ""
    assert named in called.err
    assert {file.name: file.read_bytes() for file in state.iterdir()} == before


def test_second_process_on_a_state_is_refused(community, tmp_path):
    state = tmp_path / "state"
    program = [sys.executable, "-c", "from transactive.cli import main; main()", *command(community, state)]
    first = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(
            lambda: (state / "market.sqlite").exists() or first.poll() is not None, "the first run opens its database"
        )
        assert first.poll() is None
        os.kill(first.pid, signal.SIGSTOP)  # it holds the state and does not get on
        second = call(*command(community, state))
    finally:
        first.kill()
        first.wait()
    assert (second.code, second.out) == (4, "")
    assert "another process" in second.err


@pytest.mark.long
def test_full_disk_stops_cleanly_and_the_run_goes_on_when_there_is_room(community, undisturbed, tmp_path):
    """A limit on the size of files stands for the disk: writing beyond it fails as on a full one."""
    state = tmp_path / "state"
    small = 500_000

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (small, small))

    program = [sys.executable, "-c", "from transactive.cli import main; main()", *command(community, state)]
    full = subprocess.run(program, capture_output=True, text=True, preexec_fn=limit, check=False)
    assert (full.returncode, full.stdout) == (4, ""), full.stderr
    assert "free space" in full.stderr
    assert full.stderr.count("\n") == 1
    finish(community, state, undisturbed)
