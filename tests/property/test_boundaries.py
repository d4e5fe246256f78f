"""Slot boundaries: registers conserve energy, whatever is heard of a meter and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.metering.boundaries import SlotBoundaries

LENGTH, BEGIN = 900, 1_700_000_100 // 900 * 900


def told(moments, rise, least_age=60):
    """What is told of messages at some seconds after BEGIN, of a meter that counts `rise` Wh a second."""
    boundaries = SlotBoundaries(LENGTH, least_age)
    found = (boundaries.take(BEGIN + at, (rise * at, 0)) for at in sorted(moments))
    return [one for one in found if one]


@given(st.sets(st.integers(0, 20_000), max_size=200), st.integers(0, 5))
def test_every_register_is_one_that_the_meter_had_just_before_a_boundary(moments, rise):
    for slot, (counted, _) in told(moments, rise):
        end = slot + LENGTH - BEGIN
        at = max(moment for moment in moments if moment <= end)
        assert end - at <= 60
        assert counted == rise * at


@given(st.sets(st.integers(0, 20_000), max_size=200))
def test_slots_are_told_once_and_in_order(moments):
    slots = [slot for slot, _ in told(moments, 1)]
    assert slots == sorted(set(slots))


@given(st.sets(st.integers(0, 20_000), max_size=120))
def test_a_boundary_with_a_young_message_and_a_later_one_is_told(moments):
    slots = {slot for slot, _ in told(moments, 1)}
    for end in range(LENGTH, 20_000, LENGTH):
        young = [at for at in moments if end - 60 <= at <= end]
        next_one = min((at for at in moments if at >= end), default=None)
        if young and next_one is not None and next_one < end + LENGTH:
            assert BEGIN + end - LENGTH in slots


def test_a_box_goes_on_after_its_last_record():
    boundaries = SlotBoundaries(LENGTH)
    boundaries.resume(BEGIN, (500, 7))
    assert boundaries.take(BEGIN + LENGTH + 10, (510, 7)) is None
    assert boundaries.take(BEGIN + 2 * LENGTH, (600, 7)) == (BEGIN + LENGTH, (600, 7))


WRONG = {
    "set its clock": (0, (1, 1)),
    "the clock went back": (BEGIN + 50, (600, 0)),
    "registers ran backwards": (BEGIN + 200, (499, 0)),
    r"registers ran backwards, .* to \(0, 0\)": (BEGIN + 200, (0, 0)),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_is_no_energy_has_its_reason_and_is_no_new_base(reason):
    boundaries = SlotBoundaries(LENGTH)
    boundaries.take(BEGIN + 100, (500, 0))
    with pytest.raises(DataError, match=reason):
        boundaries.take(*WRONG[reason])
    assert boundaries.take(BEGIN + LENGTH, (650, 0)) == (BEGIN, (650, 0))
