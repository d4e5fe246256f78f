"""One reader for every command: a profile, or a community file, means the same wherever it is given."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.conftest import call
from transactive.core.errors import DataError
from transactive.metering.exports.profile import Told
from transactive.metering.exports.reader import ReadOptions
from transactive.studies.recordings.exports import as_recording
from transactive.studies.recordings.meters import MeterColumns, read_meters
from transactive.tabular.source import FrameSource

PROFILE = """
[time]
columns = ["wann"]
order = "dmy"
zone = "Europe/Vienna"
stamp = "end"

[[registers]]
column = "wert"
register = "import"
unit = "kWh"
"""
FIRST = datetime(2024, 1, 9, tzinfo=UTC)
HOURS = 24 * 9
COMMUNITY = """
name = "One home"
currency = "EUR"
[market]
slot_minutes = 60
gate_closure_minutes = 60
[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000
[accounts]
opening_n = 12_000_000_000
top_up_below_n = 10_000_000_000
top_up_to_n = 12_000_000_000
[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350
[data]
readings = "utility.csv"
[[members]]
id = "anna"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("profile")
    ends = (FIRST + timedelta(hours=k + 2) for k in range(HOURS))  # Vienna is an hour ahead, and the end is named
    rows = (f"{end:%d.%m.%Y %H:%M};0,{200 + k * 7 % 24:03d}" for k, end in enumerate(ends))
    (place / "utility.csv").write_text("\n".join(["wann;wert", *rows]))
    (place / "own.toml").write_text(PROFILE)
    (place / "community.toml").write_text(COMMUNITY)
    return place


def test_a_profile_reads_a_file_that_tells_nothing_itself(folder):
    file, own = folder / "utility.csv", str(folder / "own.toml")
    with pytest.raises(DataError):
        as_recording(file, ("",), ReadOptions(told=Told(zone="Europe/Vienna")))
    read = as_recording(file, ("",), ReadOptions(own))
    assert isinstance(read, FrameSource)
    assert read.frame["slot_start"][0] == FIRST
    assert read.frame["consumption_wh"].to_list() == [200 + k * 7 % 24 for k in range(HOURS)]


def test_the_same_file_means_the_same_to_detection_in_any_unit_that_is_said(folder):
    own = str(folder / "own.toml")
    for unit in ("Wh", "kWh"):
        meters = read_meters(folder / "utility.csv", MeterColumns(profile=own), "Europe/Vienna", unit).meters
        assert meters.first == int(FIRST.timestamp())
        assert meters.consumption.ravel().tolist() == [200 + k * 7 % 24 for k in range(HOURS)]


def test_a_community_file_stands_for_its_readings(folder):
    (folder / "community.toml").write_text(COMMUNITY.replace('"utility.csv"', '"utility.csv"\nprofile = "own.toml"'))
    read = as_recording(folder / "community.toml", ("",), ReadOptions())
    assert isinstance(read, FrameSource)
    assert read.frame["consumption_wh"].to_list() == [200 + k * 7 % 24 for k in range(HOURS)]
    assert set(read.frame["member"]) == {"anna"}


@pytest.mark.parametrize(
    "words",
    [
        ("check", "community.toml"),
        ("compare", "community.toml", "--days", "1", "--mechanisms", "uniform"),
        ("detect", "utility.csv"),
        (
            "forecast",
            "backtest",
            "utility.csv",
            "--target",
            "consumption_wh",
            "--test-days",
            "2",
            "--model",
            "last-day",
        ),
    ],
    ids=lambda words: words[0],
)
def test_every_command_takes_a_profile(folder, words):
    (folder / "community.toml").write_text(COMMUNITY)
    given = [folder / word if "." in word else word for word in words]
    without = call(*given)
    assert without.code in (2, 3), without.out
    done = call(*given, "--profile", folder / "own.toml")
    assert done.code == 0, done.err
    nobody = call(*given, "--profile", "none-of-this-name")
    assert nobody.code == 3
    assert "known: at-eda-energiedaten" in nobody.err
