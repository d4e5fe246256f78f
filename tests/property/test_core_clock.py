"""Slots, gates and periods; times as text."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from transactive.core.slots import SLOT_MINUTES, MarketClock, parse_time, time_text
from transactive.core.tariff import PriceGrid

MOMENTS = st.integers(0, 253_370_764_799)  # 1970 to 9998


@st.composite
def clocks(draw):
    minutes = draw(st.sampled_from(SLOT_MINUTES))
    per_day = 1440 // minutes
    period = draw(st.sampled_from([n for n in range(1, per_day + 1) if per_day % n == 0]))
    return MarketClock(minutes * 60, draw(st.integers(0, 2 * 86_400)), period)


@given(clocks(), st.integers(1, 10**6))
def test_the_gate_starts_a_slot_and_is_at_least_the_closure_away(clock, number):
    slot = number * clock.length
    gate = clock.gate(slot)
    assert gate % clock.length == 0
    assert clock.gate_closure <= slot - gate < clock.gate_closure + clock.length
    assert clock.end(gate) + (clock.lead - 1) * clock.length == slot


@given(clocks(), st.integers(0, 10**6))
def test_periods_follow_each_other_without_gap(clock, number):
    slot = number * clock.length
    following = slot + clock.length
    assert clock.number(slot) == number
    assert clock.ends_period(slot) == clock.starts_period(following)
    assert clock.period(following) - clock.period(slot) == clock.ends_period(slot)
    first = clock.period(slot) * clock.slots_per_period * clock.length
    assert first <= slot < first + clock.slots_per_period * clock.length


@given(clocks(), st.integers(0, 20_000))
def test_midnight_starts_a_period(clock, day):
    assert clock.starts_period(day * 86_400)
    assert clock.ends_period((day + 1) * 86_400 - clock.length)


@given(MOMENTS)
def test_a_time_survives_its_text(seconds):
    assert parse_time(time_text(seconds)) == seconds


@given(MOMENTS.filter(lambda s: 86_400 < s < 253_370_000_000), st.integers(-14 * 60, 14 * 60))
def test_a_time_with_an_offset_is_the_same_moment(seconds, minutes):
    zone = timezone(timedelta(minutes=minutes))
    assert parse_time(datetime.fromtimestamp(seconds, UTC).astimezone(zone).isoformat()) == seconds


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**4), st.integers(1, 10**4))
def test_a_grid_counts_every_price_from_floor_to_cap(floor, steps, tick):
    grid = PriceGrid(floor, floor + steps * tick, tick)
    assert grid.size == steps + 1
    assert (grid.price(0), grid.price(steps)) == (grid.floor, grid.cap)
