"""Loads that can wait, day after day: nothing needed is ever lost, nothing is drawn that cannot be."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.community.shiftable import Appliance, Heater, Vehicle, minutes
from transactive.core.units import PPM
from transactive.trading.devices.shiftable import (
    at_home,
    check_device,
    drawn,
    first_held_wh,
    run_slots,
    runs,
    stores_of,
    whole_slots,
    window_slots,
)
from transactive.trading.devices.stores import PlanHorizon

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
        draw, after = drawn(rule, stores, t, held, load, limit)
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
        _, held = drawn(wants, stores, t, held, np.zeros(1, np.int64), np.array([10**9]))
        assert not last[t] or held[0] == vehicle.needed_wh
