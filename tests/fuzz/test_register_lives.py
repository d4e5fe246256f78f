"""Random lives of the register of certificates, and whether the ledger beside it would notice a defect."""

from collections import Counter

import pytest

from tests.fuzz.register import STEPS_PER_LIFE, RegisterLife
from transactive.carbon import lifecycle
from transactive.carbon.lifecycle import State, Step
from transactive.carbon.register import Register
from transactive.core.errors import RuleBroken


def lives(count):
    tally = Counter[tuple[str, bool]]()
    for number in range(count):
        RegisterLife(number, tally).run(STEPS_PER_LIFE)
    return tally


def test_twenty_thousand_steps_lose_and_double_nothing():
    tally = lives(40)
    for name in (*Step, "issue", "split", "merge", "meter"):
        assert tally[name, True] > 0 < tally[name, False], name


def test_a_register_that_reserves_what_was_cancelled_is_found_out(monkeypatch):
    monkeypatch.setitem(lifecycle.LEADS_TO, (Step.RESERVE, State.CANCELLED), State.RESERVED)
    with pytest.raises(KeyError, match="cancelled"):
        lives(20)


def test_a_register_that_forgets_what_was_claimed_is_found_out(monkeypatch):
    monkeypatch.setattr(Register, "claimed_wh", lambda *_: 0)
    with pytest.raises((AssertionError, RuleBroken), match="claimed"):
        lives(60)
