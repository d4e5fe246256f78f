"""Readings as people have them, from the file to the bill: `transactive import`, `check` and `run`."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.integration.conftest import call
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.web.charts.flow import Flow

COMMUNITY = """
name = "One home"
currency = "EUR"

[market]
slot_minutes = 60
slots_per_period = 24

[tariff]
supply_micro_per_kwh = 280_000
feed_in_micro_per_kwh = 80_000
network_fee_micro_per_kwh = 30_000

[accounts]
opening_n = 100_000_000_000
top_up_below_n = 50_000_000_000
top_up_to_n = 100_000_000_000

[carbon]
pv_g_per_kwh = 45
grid_g_per_kwh = 350

[data]
readings = "readings.csv"

[run]
first_slot = "2024-09-08T00:00Z"

[[members]]
id = "anna"
pv_w = 5000
"""
HOURS = [datetime(2024, 9, 1, tzinfo=UTC) + timedelta(hours=k) for k in range(24 * 8)]


def community(folder, head, rows, data=""):
    (folder / "readings.csv").write_text("\n".join([head, *rows]))
    text = COMMUNITY.replace('readings = "readings.csv"', f'readings = "readings.csv"\n{data}')
    (folder / "community.toml").write_text(text)
    return folder / "community.toml"


def test_half_a_kilowatt_hour_in_and_out_each_hour_is_billed_both_ways(tmp_path):
    rows = [f"{hour:%Y-%m-%dT%H:%M:%SZ},anna,500,500" for hour in HOURS]
    path = community(tmp_path, "slot_start,member,import_wh,export_wh", rows)
    called = call("run", path, "--no-page", "--json", "--state", tmp_path / "state")
    assert called.code == 0, called.err
    summary = json.loads(called.out)
    assert summary["bills"] == {"without_market_n": "2400000000", "with_market_n": "2400000000"}
    assert (summary["energy_residual_wh"], summary["money_residual_n"], summary["local_share"]) == (0, "0", 0.0)
    with closing(Store(tmp_path / "state")) as store:
        reader = Reader(store)
        run = reader.run() or pytest.fail("no run")
        totals = Counter(reader).totals(run, reader.position())
        flow = Flow.of(reader.readings(run.first_slot) or pytest.fail("no readings"))
    assert (totals.local_wh, totals.grid_import_wh, totals.grid_export_wh) == (0, 12_000, 12_000)
    assert (flow.grid_to_homes, flow.sun_to_grid, flow.sun_to_homes) == (500, 500, 0)


def test_what_a_file_does_not_tell_stands_in_the_community_file_or_in_an_option(tmp_path):
    rows = [f"{hour:%d.%m.%Y %H:%M};{250 + 37 * (k % 7)};0" for k, hour in enumerate(HOURS)]
    head = "Beginn;Bezug;Einspeisung"
    path = community(tmp_path, head, rows)
    called = call("check", path)
    assert (called.code, "no unit stands there" in called.err) == (3, True)
    path = community(tmp_path, head, rows, 'unit = "Wh"')
    assert 'say zone = "Europe/Vienna"' in call("check", path).err
    path = community(tmp_path, head, rows, 'unit = "Wh"\nzone = "UTC"')
    assert "192 slots of 60 minutes" in call("check", path).out
    said = ("--unit", "Wh", "--zone", "UTC")
    called = call("import", tmp_path / "readings.csv", *said, "-o", tmp_path / "kept.parquet")
    assert called.code == 0, called.err
    for words in ("import", "192 slots", "W on average", "gaps        none"):
        assert words in called.out
    kept = pl.read_parquet(tmp_path / "kept.parquet")
    assert kept.columns == ["slot_start", "member", "import_wh", "export_wh", "quality"]
    assert kept["import_wh"].to_list() == [250 + 37 * (k % 7) for k in range(len(HOURS))]
    assert (tmp_path / "kept.profile.toml").is_file()
    again = call("import", tmp_path / "readings.csv", "--profile", tmp_path / "kept.profile.toml", "--json")
    assert json.loads(again.out)["belief"]["slots"] == len(HOURS)


@pytest.mark.parametrize("arguments", [("-o", "somewhere/else.csv"), ("--zone", "Mars/Olympus")])
def test_an_option_that_cannot_be_is_named_before_anything_is_written(tmp_path, arguments):
    community(tmp_path, "slot_start,member,consumption_wh,generation_wh", ["2024-09-01T00:00:00Z,anna,1,0"])
    before = sorted(tmp_path.iterdir())
    called = call("import", tmp_path / "readings.csv", *arguments)
    assert (called.code, called.out) == (3, "")
    assert arguments[0] in called.err
    assert sorted(tmp_path.iterdir()) == before
