"""`transactive grid study`: lines watched, limited, priced; as a table and as one object."""

import json

import numpy as np
import pytest

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.config.shipped import FEEDER
from transactive.forecasting.congestion import congestion
from transactive.forecasting.evaluation.line_scores import brier, climatology, covered, hourly_climatology

DAYS = ("--days", "2", "--start", "2017-06-01T00:00Z")


@pytest.fixture(scope="module")
def found():
    called = call("grid", "study", "feeder", *DAYS, "--json")
    assert called.code == 0
    return json.loads(called.out)


def test_lines_that_pass_their_limits_when_watched_keep_them_in_both_other_ways(found) -> None:
    watched, limits, prices = found["variants"]
    assert [way["name"] for way in found["variants"]] == ["watched", "limits", "prices first"]
    assert watched["grid"]["slots_over"] > 3
    assert watched["missing_wh"] > 0
    assert watched["grid"]["curtailed_wh"] == 0 == watched["grid"]["called_wh"]
    for way in (limits, prices):
        assert way["grid"]["slots_over"] == way["grid"]["lines_over"] == way["missing_wh"] == 0
        assert all(line["most_wh"] <= line["limit_wh"] for line in way["lines"])
        assert all(line["most_back_wh"] <= line["limit_back_wh"] for line in way["lines"])
        assert way["generation_wh"] + way["grid"]["curtailed_wh"] == watched["generation_wh"]
    assert limits["grid"]["called_wh"] == 0 < prices["grid"]["called_wh"]
    assert prices["grid"]["curtailed_wh"] < limits["grid"]["curtailed_wh"]
    assert int(prices["network_n"]) < int(watched["network_n"])


def test_forecasts_are_scored_for_what_nothing_limited(found) -> None:
    for scores in found["forecasts"]:
        assert 0 < scores["brier"] < scores["climatology"]
        assert scores["passed"] == found["variants"][0]["grid"]["lines_over"]
        assert 0.8 < scores["coverage_least"] <= scores["coverage"] <= 1


def test_the_table_says_the_same(found) -> None:
    called = call("grid", "study", FEEDER, *DAYS)
    assert called.code == 0
    lines = {line.split("  ")[1].strip(): line.split() for line in called.out.splitlines() if "  " in line[2:]}
    over = [str(way["grid"]["slots_over"]) for way in found["variants"]]
    assert lines["slots with a line over its limit"][-3:] == over
    held = [f"{way['grid']['curtailed_wh'] / 1000:.1f}" for way in found["variants"]]
    assert lines["PV held back, kWh"][-3:] == held


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.toml",), "config: nowhere.toml: cannot be read"),
        (("feeder", "--days", "0"), "input: --days 0: give at least 1"),
        (("feeder", "--start", "2030-06-01T00:00Z"), "data: 2030-06-01T00:00Z and 1 days from it are not in the data"),
    ],
)
def test_what_cannot_be_studied_is_said_in_a_line(arguments, message) -> None:
    called = call("grid", "study", *arguments)
    assert called.code == 3
    assert called.err.startswith(f"transactive: {message}")


def test_a_community_without_lines_cannot_be_studied(tmp_path) -> None:
    called = call("grid", "study", write_community(tmp_path))
    assert called.code == 3
    assert "grid study needs lines: add [network]" in called.err


def test_samples_of_members_make_the_probability_of_a_line() -> None:
    """Ten days: in two of them the sun of all roofs passes the limit together, in one the load does."""
    flow = np.array([-90, -90, 120, *7 * [10]])[None, :, None]
    said = congestion(np.array([0]), flow, np.array([100]), np.array([50]))
    assert said.expected_wh.tolist() == [[1]]
    assert 150_000 < said.back_ppm[0, 0] < 250_000
    assert 50_000 < said.over_ppm[0, 0] < 150_000
    assert said.low_wh[0, 0] < -90 < 100 < said.high_wh[0, 0]
    assert said.beyond_wh[0, 0] in range(8, 15)
    sure = congestion(np.array([0]), np.full((1, 5, 1), 7), np.array([7]), np.array([0]))
    assert sure.passed_ppm.tolist() == [[0]]
    assert sure.low_wh == sure.high_wh == 7


def test_scores_of_lines_by_hand() -> None:
    passed = np.array([[1], [0], [1], [1]])
    assert brier(np.array([[10**6], [0], [10**6], [0]]), passed) == 0.25
    assert brier(climatology(passed), passed) == pytest.approx(0.75 * 0.25)
    assert brier(hourly_climatology(passed, 2), passed) == pytest.approx(0.125)
    assert covered(passed, 0 * passed, 0 * passed).tolist() == [0.25]


@pytest.mark.long
def test_the_demo_runs_on_the_feeder_too(tmp_path) -> None:
    called = call(
        "demo",
        "--feeder",
        "--days",
        "1",
        "--start",
        "2017-06-01T00:00Z",
        "--no-serve",
        "--json",
        "--state",
        tmp_path / "s",
    )
    assert called.code == 0
    grid = json.loads(called.out)["grid"]
    assert grid["managed"]
    assert grid["slots_over"] == 0 < grid["would_be_over"]


def test_the_feeder_is_not_for_a_day_on_chain() -> None:
    called = call("demo", "--feeder", "--market", "balance", "--on-chain", "--json")
    assert called.code == 3
    assert "--feeder and --on-chain" in called.err
