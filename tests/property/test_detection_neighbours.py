"""What is compared with all others is found from one sort, and is what leaving each one out in turn would give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transactive.engine.daily.detector import load_judge
from transactive.insight.detection import device_faults, folded
from transactive.insight.detection.findings import Kind
from transactive.insight.detection.folded import Folded, fold
from transactive.insight.detection.learned import windows
from transactive.insight.detection.meters import HOURS, MeterSeries
from transactive.insight.detection.neighbours import medians_of_others
from transactive.insight.detection.scan import scan

DAYS = 98
VALUES = st.floats(-1e6, 1e6) | st.integers(0, 3).map(float)
"""With ties, which is where a sort could go wrong."""


def one_by_one(values: np.ndarray) -> np.ndarray:
    """The same by its definition."""
    return np.stack([np.median(np.delete(values, row, axis=0), axis=0) for row in range(len(values))])


@given(arrays(np.float64, st.tuples(st.integers(2, 9), st.integers(1, 4)), elements=VALUES))
def test_medians_of_others_are_those_of_what_is_left(values):
    assert np.array_equal(medians_of_others(values), one_by_one(values))


def street(members: int, seed: int) -> MeterSeries:
    """Homes with PV, every second of them with something wrong from the middle on, and a feeder that lacks energy."""
    rng, hours, half = np.random.default_rng(seed), DAYS * HOURS, DAYS * HOURS // 2
    shape = 300 + 200 * np.sin(np.arange(hours) / 12 * np.pi)[:, None]
    consumption = np.rint(shape * rng.gamma(4, 0.25, (hours, members)) * rng.uniform(0.5, 2, members))
    sun = np.maximum(np.sin((np.arange(hours) % 24 - 6) / 12 * np.pi), 0) * np.repeat(rng.uniform(0.3, 1, DAYS), 24)
    power = 1000.0 * rng.integers(2, 9, members).astype(np.float64)
    generation = np.rint(np.outer(sun, power) * rng.uniform(0.9, 1.1, (hours, members)))
    feeder = 1.03 * (consumption - generation).sum(axis=1)
    feeder[half:] += 400 * members
    for member in range(0, members, 2):
        match member // 2 % 5:
            case 0:
                consumption[half:, member] = np.rint(0.3 * consumption[half:, member])
            case 1:
                consumption[half : half + 480, member] = 0
            case 2:
                generation[half:, member] = np.rint(0.2 * generation[half:, member])
            case 3:
                consumption[half:, member] *= 4
            case _:
                consumption[half:, member] = np.roll(consumption[half:, member], 5)
    return MeterSeries(0, 3600, consumption, generation=generation, pv_w=power, feeder=feeder)


def usual_one_by_one(own: np.ndarray, sizes: np.ndarray) -> list[device_faults.Usual | None]:
    """What each PV's neighbours let expect, by its definition."""
    found: list[device_faults.Usual | None] = []
    for place in range(len(own)):
        others = np.delete(np.arange(len(own)), place)
        known = others[np.isfinite(sizes[others])]
        if len(others) < device_faults.NEIGHBOURS:
            found.append(None)
        elif np.isfinite(sizes[place]) and len(known) >= device_faults.NEIGHBOURS:
            expected = np.median(own[known] / sizes[known, None], axis=0) * sizes[place]
            found.append((expected, device_faults.FEW))
        else:
            peaks = np.quantile(own[others], 0.95, axis=1)
            alike = others[np.abs(peaks / max(np.median(peaks), 1.0) - 1) < device_faults.ALIKE]
            enough = len(alike) >= max(device_faults.NEIGHBOURS, 0.8 * len(others))
            found.append((np.median(own[alike], axis=0), device_faults.FEW_UNSTATED) if enough else None)
    return found


@pytest.mark.parametrize("members", [2, 4, 5, 12, 31])
@pytest.mark.parametrize("stated", [0.0, 0.5, 1.0])
def test_what_neighbours_let_expect_of_a_pv_is_what_its_definition_says(members, stated):
    rng = np.random.default_rng(members)
    own = np.rint(rng.uniform(3_000, 4_000, (members, 40)) * rng.choice([1, 1, 1, 1, 1, 0.5], (members, 1)))
    sizes = np.where(rng.random(members) < stated, 3_000.0, np.nan)
    for got, wanted in zip(device_faults._usual(own, sizes), usual_one_by_one(own, sizes), strict=True):
        assert (got is None) == (wanted is None)
        if got and wanted:
            assert np.array_equal(got[0], wanted[0])
            assert got[1] == wanted[1]


def test_what_a_meter_would_have_read_is_what_its_definition_says():
    days = fold(street(12, seed=2))
    for member, first, end in ((0, 49, 98), (3, 10, 20), (11, 2, 30), (5, 0, 98), (7, 60, 61)):
        past = slice(max(first - 28, 0), first) if first >= 7 else slice(end, end + 28)
        if not len(days.consumption[member, past]):
            past = slice(0, days.days)
        others = np.delete(days.consumption, member, axis=0)
        ratio = (others[:, first:end].mean(axis=(1, 2)) + 5) / (others[:, past].mean(axis=(1, 2)) + 5)
        wanted = np.broadcast_to(days.consumption[member, past].mean(axis=0), (end - first, 24)) * np.median(ratio)
        assert np.array_equal(days.expected(member, first, end), wanted)


def test_findings_are_the_same_as_one_by_one(monkeypatch):
    judge, meters = load_judge(), street(24, seed=1)
    together = scan(fold(meters), judge).findings
    for module in (device_faults, folded, windows):
        monkeypatch.setattr(module, "medians_of_others", one_by_one)
    assert scan(fold(meters), judge).findings == together
    assert {Kind.THEFT, Kind.UNMETERED, Kind.PV_FAULT, Kind.UNUSUAL_USE} <= {one.kind for one in together}


def test_a_day_count_is_asked_for_once():
    days: Folded = fold(street(6, seed=3))
    first = days.expected(0, 50, 60)
    assert len(days._moves) == 1
    assert not np.array_equal(first, days.expected(1, 50, 60))
    assert len(days._moves) == 1
