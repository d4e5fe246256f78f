"""Detection room: each kind is found where it was put, named rightly, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from transactive.config.shipped import DEMO
from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.engine.daily.detector import demo_days, load_judge
from transactive.insight.detection import drift, promises
from transactive.insight.detection.findings import Finding, Kind, joined, spans
from transactive.insight.detection.folded import fold
from transactive.insight.detection.learned.backtest import area
from transactive.insight.detection.learned.features import HISTORY, WINDOW, Samples, describe, names
from transactive.insight.detection.learned.forest import of_lightgbm
from transactive.insight.detection.learned.judge import Judge
from transactive.insight.detection.learned.manipulations import OTHER, STANDARD
from transactive.insight.detection.meters import HOURS, MeterSeries, calendar_of
from transactive.insight.detection.scan import Scan, scan

FIRST = 1470034800  # 2016-08-01T07:00Z
FROM, TO = 150 * HOURS, 200 * HOURS


@pytest.fixture(scope="module")
def judge() -> Judge:
    return load_judge()


@pytest.fixture(scope="module")
def homes() -> MeterSeries:
    days = demo_days()
    return MeterSeries(FIRST, 3600, days.reshape(len(days), -1).T)


@pytest.fixture(scope="module")
def sun() -> np.ndarray:
    import polars as pl

    frame = pl.read_parquet(DEMO.parent / "readings.parquet").sort("slot_start", "member")
    values = frame["generation_wh"].to_numpy().astype(float).reshape(-1, 17)
    return values[:, [place for place in range(17) if place not in (11, 13, 14)]]


def altered(homes: MeterSeries, member: int, change) -> MeterSeries:
    consumption = homes.consumption.copy()
    consumption[FROM:TO, member] = change(consumption[FROM:TO, member])
    return replace(homes, consumption=consumption)


def look(meters: MeterSeries, judge: Judge) -> Scan:
    return scan(fold(meters), judge)


def kinds(meters: MeterSeries, judge: Judge) -> set[tuple[str, int | None]]:
    return {(one.kind, one.member) for one in look(meters, judge).findings}


def samples(rng: np.random.Generator, count: int = 20) -> Samples:
    history, window = rng.gamma(2, 400, (count, HISTORY, HOURS)), rng.gamma(2, 400, (count, WINDOW, HOURS))
    return Samples(history, window, np.zeros(count), np.zeros_like(history), np.zeros_like(window))


def test_sound_homes_of_a_year_get_no_item(homes: MeterSeries, judge: Judge, sun: np.ndarray) -> None:
    assert kinds(replace(homes, generation=sun), judge) == set()


@pytest.mark.parametrize("trick", ["scale", "off-hours", "random scale", "random mean", "flat mean"])
def test_falsified_meters_are_called_theft(homes: MeterSeries, judge: Judge, trick: str) -> None:
    rng = np.random.default_rng(3)
    before = homes.consumption[FROM - HISTORY * HOURS : FROM, 0].reshape(-1, HOURS)
    meters = altered(homes, 0, lambda load: STANDARD[trick](load.reshape(-1, HOURS), before, rng).ravel())
    found = [one for one in look(meters, judge).findings if one.member == 0]
    assert [one.kind for one in found] == [Kind.THEFT]
    assert found[0].first < FIRST + 3600 * TO
    assert found[0].end > FIRST + 3600 * FROM


def test_missing_feeder_energy_is_found_and_laid_at_the_right_door(homes: MeterSeries, judge: Judge) -> None:
    rng = np.random.default_rng(3)
    feeder = 1.04 * homes.consumption.sum(axis=1) + rng.normal(0, 100, len(homes.consumption))
    meters = replace(altered(homes, 4, lambda load: 0.3 * load), feeder=feeder)
    found = look(meters, judge).findings
    assert {(one.kind, one.member) for one in found} == {(Kind.UNMETERED, None), (Kind.THEFT, 4)}
    stolen = 0.7 * homes.consumption[FROM:TO, 4].sum()
    unmetered = next(one for one in found if one.kind == Kind.UNMETERED)
    assert unmetered.energy_wh == pytest.approx(stolen, rel=0.1)


def test_a_sound_feeder_misses_nothing(homes: MeterSeries, judge: Judge) -> None:
    assert kinds(replace(homes, feeder=1.05 * homes.consumption.sum(axis=1)), judge) == set()


def test_silence_is_a_dead_meter_and_a_gap_is_not(homes: MeterSeries, judge: Judge) -> None:
    assert kinds(altered(homes, 2, np.zeros_like), judge) == {(Kind.DEAD_METER, 2)}
    gap = homes.consumption.copy()
    gap[FROM : FROM + 60, 2] = np.nan
    assert kinds(replace(homes, consumption=gap), judge) == set()


def test_the_same_reading_for_ever_is_a_stuck_meter(homes: MeterSeries, judge: Judge) -> None:
    stuck = homes.consumption.copy()
    stuck[FROM : FROM + 50, 4] = 777
    assert kinds(replace(homes, consumption=stuck), judge) == {(Kind.STUCK_METER, 4)}


@pytest.mark.parametrize("hours", [3, -5])
def test_a_clock_that_is_off_shows_in_its_sun(homes: MeterSeries, judge: Judge, sun: np.ndarray, hours: int) -> None:
    moved = sun.copy()
    moved[FROM:TO, 0] = np.roll(sun[:, 0], hours)[FROM:TO]
    found = look(replace(homes, generation=moved), judge).findings
    assert [(one.kind, one.member) for one in found] == [(Kind.CLOCK_SHIFT, 0)]
    assert ("later" if hours > 0 else "earlier") in found[0].evidence


def test_pv_that_breaks_and_pv_that_was_never_right(homes: MeterSeries, judge: Judge, sun: np.ndarray) -> None:
    broken = sun.copy()
    broken[FROM:, 2] *= 0.45
    broken[FROM:TO, 5] = 0
    broken[:, 9] *= 0.3
    faulty = {(Kind.PV_FAULT, member) for member in (2, 5, 9)}
    assert kinds(replace(homes, generation=broken), judge) == faulty
    watts = np.array([4, 4, 4, 5, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5]) * 1000.0
    watts[9] = 1_500  # it is that small, and says so
    assert kinds(replace(homes, generation=broken, pv_w=watts), judge) == faulty - {(Kind.PV_FAULT, 9)}


def test_a_battery_that_wastes_and_one_that_stopped(homes: MeterSeries, judge: Judge) -> None:
    hour = np.arange(len(homes.consumption))[:, None] % HOURS
    owners = np.arange(14)[None] < 3
    charge, discharge = (np.where((hour == at) & owners, wh, 0.0) for at, wh in ((12, 4000.0), (19, 3600.0)))
    discharge[FROM:, 0] /= 2
    charge[FROM:TO, 1] = discharge[FROM:TO, 1] = 0
    found = kinds(replace(homes, charge=charge, discharge=discharge), judge)
    assert found == {(Kind.BATTERY_FAULT, 0), (Kind.BATTERY_FAULT, 1)}


def test_a_battery_that_is_full_as_the_run_is_young_is_sound(homes: MeterSeries, judge: Judge) -> None:
    charge, discharge = np.zeros_like(homes.consumption), np.zeros_like(homes.consumption)
    charge[-6 * HOURS :: HOURS, 3] = 4_000.0
    discharge[-5 * HOURS :: HOURS, 3] = 3_000.0  # 19 of 24 kWh would be 63 %, but the rest may be inside
    discharge[-1, 3] = 0
    assert kinds(replace(homes, charge=charge, discharge=discharge), judge) == set()


def test_several_times_the_usual_use_is_unusual(homes: MeterSeries, judge: Judge) -> None:
    assert (Kind.UNUSUAL_USE, 7) in kinds(altered(homes, 7, lambda load: load + 3_000), judge)


def test_one_home_alone_can_be_judged(homes: MeterSeries, judge: Judge) -> None:
    alone = replace(homes, consumption=homes.consumption[:, :1])
    assert kinds(alone, judge) == set()
    assert (Kind.THEFT, 0) in kinds(altered(alone, 0, lambda load: 0.2 * load), judge)


def test_quarter_hours_say_what_their_hours_say(homes: MeterSeries, judge: Judge) -> None:
    hourly = altered(replace(homes, consumption=homes.consumption[:, :4]), 0, lambda load: 0.2 * load)
    quarters = replace(hourly, length=900, consumption=np.repeat(hourly.consumption / 4, 4, axis=0))
    assert kinds(quarters, judge) == kinds(hourly, judge)


def test_a_week_is_enough_for_meters_and_less_is_refused(homes: MeterSeries, judge: Judge) -> None:
    week = replace(homes, consumption=homes.consumption[: 7 * HOURS].copy())
    week.consumption[:, 1] = 0
    week.consumption[:HOURS, 1] = 500
    found = look(week, judge)
    assert {(one.kind, one.member) for one in found.findings} == {(Kind.DEAD_METER, 1)}
    assert np.isnan(found.scores.latest(14)).all()
    with pytest.raises(DataError, match="6 whole days"):
        look(replace(week, consumption=week.consumption[: 7 * HOURS - 1]), judge)


def test_days_follow_the_clock_on_the_wall() -> None:
    start = 1490310000  # 2017-03-24T00:00 in Vienna, two days before the clock goes forward
    calendar = calendar_of(start - 5 * 3600, 5 * HOURS + 5, "Europe/Vienna")
    assert calendar.starts[0] == start
    assert np.diff(calendar.starts).tolist() == [DAY, DAY, DAY - 3600, DAY]
    hours = np.arange(5 * HOURS + 5, dtype=float)[:, None]
    days = calendar.folded(hours)
    assert days.shape == (1, 5, HOURS)
    assert days[0, 2, 2] == (days[0, 2, 1] + days[0, 2, 3]) / 2 or days[0, 2, 2] == days[0, 2, 1]


def test_an_hour_that_the_clock_repeats_is_a_mean() -> None:
    start = 1509055200  # 2017-10-27T00:00 in Vienna
    calendar = calendar_of(start, 4 * HOURS + 1, "Europe/Vienna")
    days = calendar.folded(np.arange(4.0 * HOURS + 1)[:, None])
    assert calendar.days == 4
    assert days[0, 2, 2] == (50 + 51) / 2
    assert days[0, 3, 0] == 3 * HOURS + 1


def test_features_are_relative_and_of_one_sample_alone() -> None:
    given = samples(np.random.default_rng(0))
    rows = describe(given)
    assert rows.shape == (20, len(names()))
    assert np.isfinite(rows).all()
    assert np.allclose(rows[3:5], describe(given.rows(slice(3, 5))))
    large = [describe(replace(given, history=given.history * by, window=given.window * by)) for by in (1e3, 1e5)]
    assert np.allclose(large[0], large[1], rtol=0.02, atol=0.02)
    nothing = replace(given, history=given.history * 0, window=given.window * 0)
    assert np.isfinite(describe(nothing)).all()


def test_nobody_inflates_the_own_bill() -> None:
    rng = np.random.default_rng(0)
    history, window = rng.gamma(2, 400, (HISTORY, HOURS)), rng.gamma(2, 400, (WINDOW, HOURS))
    for name, trick in {**STANDARD, **OTHER}.items():
        false = trick(window, history, rng)
        assert false.shape == window.shape, name
        assert (false >= 0).all(), name
        assert false.sum() <= max(window.sum(), WINDOW * history.sum(axis=1).max()) * (1 + 1e-9), name


def test_trees_as_arrays_say_what_their_library_says() -> None:
    import lightgbm

    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6))
    model = lightgbm.LGBMClassifier(n_estimators=20, num_leaves=7, verbose=-1, n_jobs=1, random_state=0)
    model.fit(x, x[:, 0] * x[:, 1] > 0)
    forest = of_lightgbm(model.booster_.dump_model())
    assert np.allclose(forest.margins(x), model.booster_.predict(x, raw_score=True), atol=1e-3)


def test_a_judge_is_read_as_it_was_written(judge: Judge) -> None:
    again = Judge.from_bytes(judge.to_bytes())
    rows = describe(samples(np.random.default_rng(1)))
    assert (again.scores(rows) == judge.scores(rows)).all()
    with pytest.raises(DataError, match="detect train"):
        Judge.from_bytes(b"no such thing")


def test_drift_is_noticed_in_residuals_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    calm = rng.uniform(-0.5, 0.5, (5, 300)) / 3
    assert not drift.page_hinkley(calm)[0].any()
    calm[2, 200:] += 0.4
    alarms, onsets = drift.page_hinkley(calm)
    assert alarms.any(axis=1).tolist() == [False, False, True, False, False]
    first = int(alarms[2].argmax())
    assert 200 <= first <= 215
    assert 195 <= onsets[2, first] <= 203


def test_who_does_not_keep_promises_is_found_beside_those_who_do() -> None:
    sold = np.full((4, 30), 3_000.0)
    short = 0.1 * sold
    short[1, 10:] = 2_900.0
    calendar = calendar_of(FIRST, 30 * HOURS, None)
    found = promises.broken(calendar, sold, short)
    assert [(one.kind, one.member) for one in found] == [(Kind.SHORT_DELIVERY, 1)]
    assert promises.broken(calendar, sold, 0.9 * sold) == []  # everybody's fog


def test_findings_that_meet_are_one() -> None:
    one = Finding(Kind.THEFT, 1, 0, 10 * DAY, 100, "weak", 0.5)
    two = replace(one, first=8 * DAY, end=20 * DAY, evidence="strong", confidence=0.9)
    apart = replace(one, first=90 * DAY, end=99 * DAY)
    whole = joined([apart, two, one, replace(one, member=2)])
    assert [(each.member, each.first, each.end) for each in whole] == [
        (1, 0, 20 * DAY), (2, 0, 10 * DAY), (1, 90 * DAY, 99 * DAY),
    ]  # fmt: skip
    assert whole[0].evidence == "strong"
    assert spans(np.array([0, 1, 1, 0, 1, 0, 0, 1], bool), join=1) == [(1, 5), (7, 8)]


def test_area_counts_pairs_that_are_right() -> None:
    assert area(np.array([1.0, 2.0, 3.0, 2.0]), np.array([False, False, True, True])) == 0.875


def test_flat_substitutes_are_poor_data_and_no_theft(homes, judge):
    flat = altered(homes, 4, lambda load: np.full_like(load, load.mean()))
    poor = np.zeros(homes.consumption.shape, bool)
    poor[FROM:TO, 4] = True
    assert (Kind.THEFT, 4) in kinds(flat, judge)
    found = [one for one in look(replace(flat, poor=poor), judge).findings if one.member == 4]
    assert [(one.kind, one.first) for one in found] == [(Kind.POOR_DATA, FIRST + FROM * 3600)]
    assert "estimated or substituted" in found[0].evidence


def test_a_few_estimated_hours_are_no_finding(homes, judge):
    poor = np.zeros(homes.consumption.shape, bool)
    poor[FROM : FROM + 20, 4] = True
    assert Kind.POOR_DATA not in {kind for kind, _ in kinds(replace(homes, poor=poor), judge)}
