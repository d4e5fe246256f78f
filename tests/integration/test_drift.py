"""A run loses and makes up nothing: weeks of the demo community here, a year in `transactive bench year`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from transactive.bench.runs.year import levied, on_a_street, walked
from transactive.core.slot_book import SlotBook
from transactive.core.slots import parse_time
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.studies.drift import Drift

USED, HELD = "what meters let through is what homes used", "batteries hold what went in and did not come out"
ENTERED, TOLD = "footprints are what entered and stayed", "members' footprints are those of the slots"


@pytest.mark.parametrize("start", [pytest.param("2016-12-19T00:00Z", marks=pytest.mark.long), "2017-06-05T00:00Z"])
def test_weeks_with_batteries_a_levy_and_lossy_lines_drift_by_nothing(demo_setting, start):
    setting = on_a_street(levied(demo_setting))
    lines = list(walked(setting, slots_of(setting, parse_time(start), 14)).lines())
    assert [line for line in lines if line.off] == []
    assert all(line.checked > 10**5 for line in lines)
    assert {line.unit for line in lines} == {"Wh", "mg", "n¤"}


@pytest.mark.parametrize(
    ("part", "column", "rules"),
    [
        ("readings", "import_wh", {USED}),
        ("readings", "charge_wh", {USED, HELD}),
        ("certificates", "energy_wh", {"certificates of producing devices are what they made"}),
        ("footprints", "location_mg", {ENTERED, TOLD}),
        ("postings", "amount_n", {"postings of energy are Wh × price", "escrow and pool"}),
    ],
)  # fmt: skip
def test_a_unit_too_many_in_one_slot_is_found(demo_setting, part, column, rules):
    slots = slots_of(demo_setting, parse_time("2017-06-05T00:00Z"), 1)
    walk = recorded_run(demo_setting, slots)
    drift = Drift(walk)

    def add(record: SlotBook) -> None:
        if record.readings.slot == slots[20]:
            table = getattr(record, part)
            wrong = getattr(table, column).copy()
            wrong[0] += 1
            record = replace(record, **{part: replace(table, **{column: wrong})})
        drift.add(record)

    walk.run(add)
    assert {line.rule for line in drift.lines() if line.off} == rules
