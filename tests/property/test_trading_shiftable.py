"""Loads that can wait, day after day: nothing needed is ever lost, nothing is drawn that cannot be."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.community.shiftable import Appliance, Heater, Vehicle, minutes, weekdays
from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.core.units import PPM
from transactive.trading.devices.shiftable import (
    at_home,
    check_device,
    drawn,
    first_held_wh,
    forgives,
    run_slots,
    runs,
    stores_of,
    whole_slots,
    window_slots,
)
from transactive.trading.devices.stores import PlanHorizon

OWING = np.zeros(1, np.bool_)
LENGTHS = st.sampled_from((300, 900, 1800, 3600))
TIME = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda t: f"{t[0]:02}:{t[1]:02}")


@st.composite
def vehicles(draw):
    return Vehicle(
        arrives=draw(TIME),
        leaves=draw(TIME),
        needed_wh=draw(st.integers(1, 60_000)),
        power_w=draw(st.integers(500, 22_000)),
        efficiency_ppm=draw(st.sampled_from((PPM, 900_000, 333_333))),
    )


@st.composite
def heaters(draw):
    return Heater(
        power_w=draw(st.integers(500, 9_000)),
        performance_ppm=draw(st.sampled_from((PPM, 980_000, 3_141_592))),
        band_wh=draw(st.integers(1, 40_000)),
        drain_wh=tuple(draw(st.lists(st.integers(0, 2_000), min_size=24, max_size=24))),
        loses_ppm=draw(st.sampled_from((0, 10_000))),
    )


@st.composite
def appliances(draw):
    return Appliance(
        power_w=draw(st.integers(500, 3_000)),
        earliest=draw(TIME),
        latest=draw(TIME),
        runs_minutes=draw(st.integers(1, 240)),
    )


@given(appliances(), LENGTHS, st.integers(0, 23), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_an_appliance_begins_and_ends_each_run_in_its_window_at_the_least_cost(appliance, length, first_hour, random):
    width = max(length, 900) // 60
    slots = first_hour * 3600 + np.arange(0, 2 * 86_400, width * 60)
    need = np.array([random.randint(100_000, 300_000) for _ in slots])
    shape = len(slots), 1
    ahead = PlanHorizon(
        np.full((len(slots), 1, 1), 500),
        need[:, None],
        np.zeros(shape, np.int64),
        np.zeros(1, np.int64),
        np.full(1, 10**9),
    )
    if window_slots(appliance, width) < run_slots(appliance, width):
        return
    found = runs(appliance, slots, width * 60, ahead, int(slots[0]) + 86_400)
    takes = run_slots(appliance, width)
    opens = -(-minutes(appliance.earliest) // width) * width % 1440
    for row in found:
        window = (slots[row] // 60 - opens) % 1440 // width
        assert window + takes <= window_slots(appliance, width)
        begins = range(row - window, row - window + window_slots(appliance, width) - takes + 1)
        costs = [need[k : k + takes].sum() for k in begins if k + takes <= len(slots)]
        assert need[row : row + takes].sum() == min(costs)
    assert len(found) <= 1


@given(st.one_of(vehicles(), heaters()), LENGTHS, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_what_is_needed_is_had_or_owed_to_the_last_wh(device, length, random):
    slots = np.arange(0, 86_400 * 3 // 2, max(length, 900))
    stores = stores_of([device], slots, max(length, 900))
    held = first_held_wh([device])
    limit = np.array([random.choice((0, 3_000, 10**9))])
    for t in range(len(slots)):
        rule = np.sort(np.array([random.randint(0, 60_000) for _ in range(4)])).reshape(4, 1)
        load = np.array([random.randint(-4_000, 4_000)])
        left = (held * stores.keep_ppm + PPM // 2) // PPM - stores.drain_wh[t]
        draw, after = drawn(rule, stores, t, held, load, limit, OWING)
        assert 0 <= draw[0] <= stores.draw_wh[t, 0]
        assert load[0] + draw[0] <= max(limit[0], load[0])
        gained = draw * stores.gain_ppm // PPM
        assert after[0] <= left[0] + gained[0]  # nothing from nothing
        if after[0] < stores.most_wh[t, 0]:
            assert after[0] == left[0] + gained[0]  # and nothing lost on the way
        held = after


@given(vehicles(), LENGTHS)
def test_a_vehicle_is_away_at_least_from_when_it_leaves_to_when_it_arrives(vehicle, length):
    slots = np.arange(0, 86_400, length)
    here, last, gone = at_home(vehicle, slots, length)
    stay = whole_slots(vehicle, length // 60)
    if 0 < stay < len(slots):
        assert here.sum() == stay
        assert last.sum() == gone.sum() == 1
        assert (last & ~here).sum() == (gone & here).sum() == 0
        assert gone.argmax() == (last.argmax() + 1) % len(slots)


def test_a_vehicle_with_time_and_power_leaves_with_what_it_needs_every_day_however_dear():
    vehicle = Vehicle(arrives="18:00", leaves="07:00", needed_wh=9_000, power_w=3_000)
    check_device(vehicle, 60)
    slots = np.arange(0, 5 * 86_400, 3600)
    stores, held = stores_of([vehicle], slots, 3600), first_held_wh([vehicle])
    _, last, _ = at_home(vehicle, slots, 3600)
    wants = np.full((4, 1), vehicle.needed_wh)
    for t in range(len(slots)):
        _, held = drawn(wants, stores, t, held, np.zeros(1, np.int64), np.array([10**9]), OWING)
        assert not last[t] or held[0] == vehicle.needed_wh


def test_a_vehicle_leaves_at_its_local_time_before_and_after_the_clocks_change():
    """In Vienna 06:00 is 05:00 UTC on 29 March 2024 and 04:00 UTC on 1 April."""
    vehicle = Vehicle(arrives="22:00", leaves="06:00", needed_wh=9_000, power_w=3_000, zone="Europe/Vienna")
    winter, summer = parse_time("2024-03-29T00:00Z"), parse_time("2024-04-01T00:00Z")
    for start, hour in ((winter, 5), (summer, 4)):
        _, last, gone = at_home(vehicle, start + np.arange(12) * 3600, 3600)
        assert np.flatnonzero(last).tolist() == [hour - 1]
        assert np.flatnonzero(gone).tolist() == [hour]


def test_a_vehicle_that_drives_on_weekdays_stays_at_home_on_the_others():
    vehicle = Vehicle(arrives="22:00", leaves="06:00", needed_wh=9_000, power_w=3_000, days="Mo-Fr")
    friday = parse_time("2024-03-29T00:00Z")
    here, last, _ = at_home(vehicle, friday + np.arange(4 * 24) * 3600, 3600)
    assert np.flatnonzero(last).tolist() == [5, 3 * 24 + 5]
    assert np.flatnonzero(~here).tolist() == [*range(6, 22), *range(3 * 24 + 6, 3 * 24 + 22)]


@given(vehicles(), LENGTHS, st.sampled_from(("Mo-Su", "We-Tu", "Mo,Tu,We,Th,Fr,Sa,Su")))
def test_all_days_of_the_week_are_each_day(vehicle, length, days):
    slots = np.arange(0, 3 * 86_400, length)
    every = at_home(msgspec.structs.replace(vehicle, days=days, zone="UTC"), slots, length)
    assert all((one == other).all() for one, other in zip(every, at_home(vehicle, slots, length), strict=True))


@pytest.mark.parametrize(
    ("text", "meant"), [("Mo-Fr", "1111100"), ("Sa-Su", "0000011"), ("Fr-Mo", "1000111"), ("Tu,Th-Fr", "0101100")]
)
def test_days_of_the_week(text, meant):
    assert "".join(str(int(day)) for day in weekdays(text)) == meant


def test_a_need_that_cannot_be_had_is_refused_unless_best_effort_will_do():
    """Two hours at 3 kW and 90 % hold 5,400 Wh; the rest of 26,000 Wh is taken elsewhere, and nothing is owed."""
    vehicle = Vehicle(arrives="04:00", leaves="06:00", needed_wh=26_000, power_w=3_000)
    with pytest.raises(InputError, match=r"holds 5400 Wh at most .* best_effort = true"):
        check_device(vehicle, 60)
    willing = msgspec.structs.replace(vehicle, best_effort=True, starts_wh=0)
    check_device(willing, 60)
    slots = np.arange(0, 3 * 86_400, 3600)
    stores, held = stores_of([willing], slots, 3600), first_held_wh([willing])
    drew, wants = 0, np.full((4, 1), willing.needed_wh)
    for t in range(len(slots)):
        limit = np.array([10**9 if t > 24 else 1_000])  # on the first day the connection is in the way
        draw, held = drawn(wants, stores, t, held, np.zeros(1, np.int64), limit, forgives([willing]))
        drew += int(draw[0])
        assert held[0] >= 0
    assert drew == 2_000 + 2 * 6_000
    monday = msgspec.structs.replace(vehicle, days="Mo")
    check_device(monday, 60)  # a week's stay has room for it


@pytest.mark.parametrize(
    ("change", "message"),
    [({"zone": "Europe/Atlantis"}, "no time zone"), ({"starts_wh": 9_001}, "starts_wh = 9001 is more than")],
)
def test_what_a_vehicle_cannot_be(change, message):
    vehicle = Vehicle(arrives="22:00", leaves="06:00", needed_wh=9_000, power_w=3_000)
    with pytest.raises(InputError, match=message):
        check_device(msgspec.structs.replace(vehicle, **change), 60)
