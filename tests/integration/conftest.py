"""Runs that several tests look at: made once for all workers, on a real embedded chain and database."""

import hashlib
import io
import pickle
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.samples import write_community
from tests.shared import made_once
from transactive.cli import main
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.replay import Outcome, replay, slots_of
from transactive.metering.plausibility import judge as judges
from transactive.metering.plausibility import policy
from transactive.metering.plausibility.verdicts import ReasonArray

START = "2017-06-05T00:00Z"


@pytest.fixture(scope="session", autouse=True)
def _same_readings_are_judged_once() -> Iterator[None]:
    """Most runs here read the demo's months, and to judge them takes longer than to trade ten slots."""
    known: dict[bytes, ReasonArray] = {}

    def remembered(read: judges.Judged) -> ReasonArray:
        key = hashlib.sha256(pickle.dumps(read)).digest()
        if key not in known:
            known[key] = judges.judge(read)
        return known[key].copy()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(policy, "judge", remembered)
        yield


@dataclass(frozen=True)
class DemoRun:
    setting: Setting
    slots: range
    records: list[SlotBook]
    outcome: Outcome
    folder: Path


@pytest.fixture(scope="session")
def demo_setting() -> Setting:
    return load_setting(DEMO)


@pytest.fixture(scope="session")
def demo_run(demo_setting, tmp_path_factory) -> DemoRun:
    """The demo's week."""
    slots = slots_of(demo_setting, parse_time(START), 7)

    def make(folder: Path) -> None:
        records: list[SlotBook] = []
        outcome, fresh = replay(demo_setting, slots, folder / "state", seed="transactive", after_slot=records.append)
        assert fresh
        (folder / "run.pickle").write_bytes(pickle.dumps((records, outcome)))

    made = made_once(tmp_path_factory, "demo", make)
    records, outcome = pickle.loads((made / "run.pickle").read_bytes())
    return DemoRun(demo_setting, slots, records, outcome, made / "state")


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def sample_state(tmp_path_factory) -> Path:
    """State folder of a finished run of the small community; whoever changes it takes a copy."""

    def make(folder: Path) -> None:
        made = call("run", write_community(folder), "--no-page", "--json", "--state", folder / "state")
        assert made.code == 0, made.err
        (folder / "printed.json").write_text(made.out)

    return made_once(tmp_path_factory, "sample", make) / "state"


def call(*arguments: object) -> Called:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code or 0
    assert isinstance(code, int)
    return Called(code, out.getvalue(), err.getvalue())
