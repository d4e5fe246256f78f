"""Reports of VENs as readings: what is none is left out with its reason, and stands in the way of nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from transactive.core.slots import parse_time
from transactive.protocols.openadr.clients import VtnClient
from transactive.protocols.openadr.reports import readings_of
from transactive.store.protocols.openadr import StoredObject

HOUR, START = 3_600, "2024-06-04T18:00:00Z"
TIMES = range(parse_time("2024-06-04T00:00Z"), parse_time("2024-06-05T00:00Z"))
CLIENTS = [VtnClient(f"ven-{name}", "ven", "", member=name) for name in ("anna", "cara")]


def report(*intervals: dict[str, Any], who="anna", name="meter", **period: Any) -> StoredObject:
    resource = {"resourceName": name, "intervals": intervals, "intervalPeriod": {"duration": "PT1H"} | period}
    body = json.dumps({"eventID": "e", "clientName": "box", "resources": [resource]}).encode()
    return StoredObject(id=f"of-{who}", kind="REPORT", identity="", client=f"ven-{who}", parent="e", body=body)


def used(number: int, value: float, kind="USAGE", **period: Any) -> dict[str, Any]:
    said = {"id": number, "payloads": [{"type": kind, "values": [value]}]}
    return said | ({"intervalPeriod": period} if period else {})


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (report(used(0, 1, start="9999-12-31T23:59:59-14:00")), "give a date and time"),
        (report(used(0, 1, start="0001-01-01T00:00:00Z")), "means now"),
        (report(used(0, 1, "NOTE", duration="P9999Y"), used(1, 1), start=START), "no end"),
        (report(used(0, 1, "NOTE", duration="P99999999999W"), used(1, 1), start=START), "no end"),
        (report(used(0, 1), start=START, duration="P9999Y"), "without an end"),
        (report(used(0, 1), start=START, duration="P1M"), "months and years"),
        (report(used(0, 1), start=START, duration="-PT1H"), "are understood"),
        (report(used(0, 1)), "has no start"),
        (report(used(0, 1), used(1, 2, start="9990-01-01T00:00:00Z"), start=START), "not over yet"),
        (report(used(0, 1), start="2024-06-03T23:00:00Z"), "before the run"),
        (report(used(0, 1), used(1, 2, start=START), start=START), "told before"),
    ],
)
def test_a_report_that_tells_no_slot_is_left_out_and_those_of_others_are_read(wrong, why):
    found, left = readings_of([wrong, report(used(0, 0.5), who="cara", start=START)], CLIENTS, HOUR, TIMES)
    assert [(one.member, one.energy_wh) for one in found] == [("cara", 500)]
    assert len(left) == 1
    assert why in left[0]


def test_what_a_register_shows_is_no_energy_of_a_slot():
    found, left = readings_of([report(used(0, 12_345.6, "READING"), start=START)], CLIENTS, HOUR, TIMES)
    assert (found, "no USAGE" in left[0]) == ([], True)


def test_a_battery_of_a_home_does_not_count_in_place_of_its_meter():
    meter, battery = report(used(0, 0.5), start=START), report(used(0, -2), start=START, name="battery")
    found, left = readings_of([meter, battery], CLIENTS, HOUR, TIMES)
    assert [one.energy_wh for one in found] == [500]
    assert "home's meter alone" in left[0]
    found, left = readings_of([meter, report(used(0, 0.7), start=START)], CLIENTS, HOUR, TIMES)
    assert ([one.energy_wh for one in found], left) == ([700], []), "the later report of the meter itself corrects it"
