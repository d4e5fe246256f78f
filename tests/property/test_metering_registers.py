"""Registers: five unsigned counters that balance, whatever happened behind the meter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import RuleBroken
from transactive.metering.registers import measure

ENERGY = st.one_of(st.integers(0, 5), st.integers(0, 10**6), st.integers(0, 2**40))
HOMES = st.lists(st.tuples(ENERGY, ENERGY, ENERGY, ENERGY), min_size=1, max_size=8)


def columns(homes):
    return np.array(homes, np.int64).T


@given(HOMES)
def test_what_one_register_lacks_another_one_has(homes):
    consumption, generation, charge, discharge = columns(homes)
    r = measure(3600, consumption, generation, charge, discharge)
    assert (r.import_wh + generation + discharge == r.export_wh + charge + consumption).all()
    assert (np.minimum(r.import_wh, r.export_wh) == 0).all()
    assert (r.import_wh >= 0).all()
    assert (r.export_wh >= 0).all()
    assert (r.consumption_wh == consumption).all()
    assert r.slot == 3600


@given(HOMES)
def test_what_a_meter_counted_both_ways_stands_in_both_registers(homes):
    consumption, generation, charge, discharge = columns(homes)
    both = np.minimum(consumption, generation)
    once = measure(3600, consumption, generation, charge, discharge)
    r = measure(3600, consumption, generation, charge, discharge, both)
    assert (r.import_wh == once.import_wh + both).all()
    assert (r.export_wh == once.export_wh + both).all()
    assert (r.consumption_wh == consumption).all()


@given(HOMES, st.integers(0, 3), st.data())
def test_a_register_never_runs_backwards(homes, which, data):
    flows = list(columns(homes))
    home = data.draw(st.integers(0, len(homes) - 1))
    flows[which] = flows[which].copy()
    flows[which][home] = -data.draw(st.integers(1, 10**6))
    with pytest.raises(RuleBroken, match="never runs backwards"):
        measure(3600, *flows)
