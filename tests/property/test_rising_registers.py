"""Registers that rise: no glitch, exchange or loss of power ever becomes energy that nobody counted."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.metering.meters.rising import SLACK_WH, RisingRegisters

POWER = 6_000
STEP = 60
STEPS = st.lists(st.integers(0, POWER * STEP // 3_600), min_size=2, max_size=40)


@given(STEPS, st.lists(st.tuples(st.integers(0, 39), st.integers(0, 10**9)), max_size=8), st.booleans())
def test_what_glitches_say_is_never_counted(steps, glitches, restarts):
    rising = RisingRegisters(POWER, restarts=restarts)
    wrong, true, taken = dict(glitches), 50_000, []
    for step, energy in enumerate(steps):
        true += energy
        if step in wrong and step - 1 not in wrong and step and abs(wrong[step] - true) > 5_000:
            with pytest.raises(DataError):
                rising.take(step * STEP, (wrong[step], 0))
            continue
        with suppress(DataError):
            taken.append((true, rising.take(step * STEP, (true, 0))[0]))
    assert all(said == counted for said, counted in taken)


@given(STEPS, st.sets(st.integers(1, 38), max_size=4))
def test_a_plug_that_loses_power_counts_on_and_never_more_than_it_did(steps, losses):
    rising = RisingRegisters(POWER, restarts=True)
    own, true, last = 80_000, 80_000, 80_000
    for step, energy in enumerate(steps):
        own, true = (0 if step in losses else own) + energy, true + energy
        with suppress(DataError):
            counted = rising.take(step * STEP, (own, 7))[0]
            assert last <= counted <= true
            last = counted
    assert true - last <= (len(losses) * 2 + 1) * POWER * STEP // 3_600 + SLACK_WH * len(losses)


def test_a_meter_that_was_exchanged_stays_refused():
    for new in (0, 40_000, 900_000):
        rising = RisingRegisters(POWER)
        rising.take(0, (500_000, 0))
        for minute in range(1, 60 * 24):
            with pytest.raises(DataError, match="was the meter exchanged"):
                rising.take(minute * 60, (new + minute, 0))
