"""Two hashes hold four runs: what they decide (content) and everything they keep (state).

A commit that changes one of them says why, in its message and in CHANGELOG.md. The program that prints the golden file
anew is this module: `python -m tests.integration.test_hashes`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.integration.conftest import START, call
from tests.integration.content import content_hash
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO, FEEDER
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.replay import replay, slots_of

GOLDEN = Path(__file__).parent / "golden" / "hashes.json"


def example(folder: Path) -> Setting:
    """The community that `transactive init` writes."""
    assert call("init", folder / "example").code == 0
    return load_setting(folder / "example" / "community.toml")


def day_ahead(_: Path) -> Setting:
    """The demo with a day-ahead session before the intraday one."""
    setting = load_setting(DEMO)
    market = msgspec.structs.replace(setting.community.market, sessions=("day_ahead", "intraday"))
    return replace(setting, community=msgspec.structs.replace(setting.community, market=market))


RUNS: dict[str, tuple[Callable[[Path], Setting], int]] = {
    "demo": (lambda _: load_setting(DEMO), 7),
    "example": (example, 3),
    "feeder": (lambda _: load_setting(FEEDER), 2),
    "day-ahead": (day_ahead, 2),
}
"""A setting and how many days of it are run, by name."""


def hashes(name: str, folder: Path) -> dict[str, str]:
    """Both hashes of a run with chain and database in a folder."""
    load, days = RUNS[name]
    setting = load(folder)
    records: list[SlotBook] = []
    slots = slots_of(setting, parse_time(START), days)
    outcome, _ = replay(setting, slots, folder / "state", seed="transactive", after_slot=records.append)
    return {"content": content_hash(records), "state": outcome.summary.state_hash}


@pytest.mark.parametrize("name", [name for name in RUNS if name != "demo"])
def test_a_run_decides_and_keeps_what_it_did_before(name, tmp_path):
    assert hashes(name, tmp_path) == json.loads(GOLDEN.read_text())[name]


def test_the_demo_decides_and_keeps_what_it_did_before(demo_run):
    found = {"content": content_hash(demo_run.records), "state": demo_run.outcome.summary.state_hash}
    assert found == json.loads(GOLDEN.read_text())["demo"]


def main() -> None:
    """Run everything and print the golden file."""
    found = {}
    for name in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = hashes(name, Path(folder))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
