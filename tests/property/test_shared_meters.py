"""A meter that several have together: what they take and give is what it counted, to the Wh."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.community.members import Member
from transactive.core.units import PPM
from transactive.metering.homes import MeterOwners
from transactive.tabular.source import FrameSource

SLOT = 3_600
WH = st.integers(0, 1_000)
CUTS = st.lists(st.integers(1, PPM - 1), min_size=1, max_size=3, unique=True).map(sorted)


@given(CUTS, WH, WH, WH)
def test_owners_take_and_give_together_what_their_meter_counted(cuts, used, made, both):
    parts = np.diff([0, *cuts, PPM]).tolist()
    members = tuple(Member(id=f"m{number}", meter_parts_ppm={"roof": part}) for number, part in enumerate(parts))
    columns = {"consumption_wh": used, "generation_wh": made, "both_ways_wh": both}
    frame = pl.DataFrame({"slot_start": [SLOT], "member": ["roof"], "row": [1], "quality": [0], **columns})
    found = MeterOwners.of(members).gathered(frame, FrameSource(frame, "file")).sort("member")
    got = {column: found[column].to_numpy() for column in columns}
    for column, energy in columns.items():
        assert got[column].sum() == energy
        assert (got[column] >= 0).all()
    net = got["consumption_wh"] - got["generation_wh"]
    assert np.maximum(net, 0).sum() == max(used - made, 0), "no owner gives what another takes"
    assert (abs(got["generation_wh"] - made * np.array(parts) / PPM) < 2).all()
