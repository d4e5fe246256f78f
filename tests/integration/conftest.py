"""Runs that several tests look at: made once, on a real embedded chain and database."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.samples import write_community
from transactive.cli import main
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.replay import Outcome, replay, slots_of

START = "2017-06-05T00:00Z"


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
    folder = tmp_path_factory.mktemp("demo")
    slots = slots_of(demo_setting, parse_time(START), 7)
    records: list[SlotBook] = []
    outcome, fresh = replay(demo_setting, slots, folder, seed="transactive", after_slot=records.append)
    assert fresh
    return DemoRun(demo_setting, slots, records, outcome, folder)


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def sample_state(tmp_path_factory) -> Path:
    """State folder of a finished run of the small community; whoever changes it takes a copy."""
    folder = tmp_path_factory.mktemp("sample")
    state: Path = folder / "state"
    made = call("run", write_community(folder), "--no-page", "--json", "--state", state)
    assert made.code == 0, made.err
    return state


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
