"""Tens of thousands of random steps on the register of certificates and on a model of every Wh: they never differ."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fuzz.life import Tally
from tests.fuzz.machine import new_machine
from tests.fuzz.register_life import MOVES, STEPS_PER_CALL, RegisterLife
from transactive.carbon.certificates.lifecycle import State

TAKEN = {"time", "meter", "issue", "split", "merge", "transfer", "cancel", "claim", "expire", *MOVES}
CODES = {"time", "device", "metered", "overlap", "range", "name", "serial", "state", "consumed", "zone", "expired"}


def test_the_register_is_its_model():
    tally = Tally()
    for number in range(2):
        RegisterLife(new_machine("py-evm"), number, tally).run(1_000)
    assert tally.steps.total() == 2_000 * STEPS_PER_CALL
    assert {step for step, code in tally.steps if not code} == TAKEN
    assert {code for _, code in tally.steps if code} == CODES
    accepted = Counter({step: n for (step, code), n in tally.steps.items() if not code})
    assert accepted.total() > tally.steps.total() // 8
    assert tally.checked["the log of a register gives it again"] == 2


def test_a_wh_that_is_lost_is_found_out():
    """A model in which one claimed Wh is free again."""
    life = RegisterLife(new_machine("py-evm"), 3, Tally())
    life.run(200)
    cells = [cell for row in life.model.cells.values() for cell in row if cell.state == State.CLAIMED]
    cells[0].state = "active"
    with pytest.raises(AssertionError):
        life.check()
