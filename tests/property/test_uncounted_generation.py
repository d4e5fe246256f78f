"""What a home made is known from what left it, whatever its meter counts: every export has a source."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.carbon.footprints.flows import behind_the_meter
from transactive.core.tables import Readings
from transactive.engine.live.meters import generated

WH = st.integers(0, 5_000)


@given(taken=WH, given_wh=WH, made=st.integers(0, 100))
def test_a_meter_that_counts_both_ways_in_a_slot_leaves_no_export_without_a_source(taken, given_wh, made):
    energy = np.array([[taken], [given_wh], [made], [0], [0], [0]], np.int64)
    energy[2] = generated(energy)
    taken_in, left, source, charged, discharged = energy[:5]
    readings = Readings(0, taken_in, left, source, charged, discharged, np.zeros(1, np.int64))
    found = behind_the_meter(readings)
    assert (found.pv_to_export == given_wh).all()
    assert (readings.consumption_wh >= 0).all()
