"""The fuzzer itself: it can fail, it repeats, and two EVMs say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.campaign import CALLS_PER_LIFE, LIVES, Job, live
from tests.fuzz.currency_life import CurrencyLife
from tests.fuzz.expected import LIVES_EACH, WANTED
from tests.fuzz.life import Tally
from tests.fuzz.machine import new_machine

ROOT = Path(__file__).parents[2]
MACHINES = ["py-evm", *(["revm"] if find_spec("pyrevm") else [])]


class OffByOne(CurrencyLife):
    """A twin that believes in one unit less than the contract's cap."""

    def begin(self):
        c = super().begin()
        self.twin.cap -= 1
        return c


def test_all_lives_together_make_twenty_thousand_calls():
    assert LIVES_EACH * CALLS_PER_LIFE * len(LIVES) >= WANTED == 20_000


def test_a_twin_that_is_off_by_one_is_found_out_and_named():
    with pytest.raises(AssertionError, match=r"currency life 5 on py-evm: .*cap exceeded"):
        OffByOne(new_machine("py-evm"), 5, Tally()).run(CALLS_PER_LIFE)


@pytest.mark.parametrize("contract", LIVES)
def test_a_life_is_the_same_again_and_on_every_evm(contract):
    first, *others = (live(Job(contract, 7, 80, machine)) for machine in ["py-evm", *MACHINES])
    for other in others:
        assert other[2] == first[2] == ""
        assert other[1].calls == first[1].calls


def test_a_campaign_counts_and_reports(tmp_path):
    told = tmp_path / "fuzz.md"
    command = "-m tests.fuzz --evm py-evm --only currency --seed 3 --calls 400 --processes 1 --report"
    done = subprocess.run(
        [sys.executable, *command.split(), told], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    total = re.search(r"([\d,]+) calls, 0 steps on the register, 0 differences", done.stdout)
    assert total
    assert f"**{total[1]}**" in told.read_text(encoding="utf-8")
    assert "| `permit` |" in told.read_text(encoding="utf-8")
