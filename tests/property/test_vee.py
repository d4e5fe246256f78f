"""Registers that turn over, jump or leave gaps: nothing of it becomes energy that was not counted."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.metering.meters.rising import RisingRegisters
from transactive.metering.vee import spread, unrolled

BEGIN = 1_700_000_100
TURN = 10**9


@given(st.integers(0, 10**12), st.integers(0, TURN - 1), st.sampled_from([10**6, TURN]))
def test_a_register_that_turns_over_is_counted_on(last, rose, turn):
    rose %= turn
    assert unrolled((last + rose) % turn, last, turn) == last + rose
    assert unrolled(last + rose, last, None) == last + rose


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=6), st.integers(1, 200))
def test_a_gap_keeps_the_sum_and_is_even_but_for_its_end(rose, slots):
    parts = spread(rose, slots)
    assert len(parts) == slots
    assert [sum(column) for column in zip(*parts, strict=True)] == rose
    assert len(set(parts[:-1])) <= 1
    assert all(0 <= last - each < slots for each, last in zip(parts[0], parts[-1], strict=True) if slots > 1)


@given(st.lists(st.integers(0, 270), min_size=2, max_size=60), st.integers(0, 2 * TURN))
def test_what_a_meter_counts_arrives_whole_over_its_turns(rises, start):
    rising, counted, told = RisingRegisters(100_000, turns_over_wh=TURN), start, list[int]()
    for k, rise in enumerate(rises):
        counted += rise
        told += rising.take(BEGIN + 10 * k, (counted % TURN,))
    assert [after - before for before, after in pairwise(told)] == rises[1:]


@pytest.mark.parametrize("turn", [None, TURN])
@pytest.mark.parametrize("shown", [0, 4_900_000, 10**8])
def test_a_zero_a_reset_and_a_spike_are_neither_energy_nor_the_new_base(shown, turn):
    rising = RisingRegisters(100_000, turns_over_wh=turn)
    rising.take(BEGIN, (5_000_000,))
    with pytest.raises(DataError, match=r"registers (ran backwards|jumped)"):
        rising.take(BEGIN + 10, (shown,))
    assert rising.take(BEGIN + 20, (5_000_150,)) == (5_000_150,)
