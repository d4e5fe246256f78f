"""`transactive schedule backtest` on files of all kinds, good and bad."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from transactive.cli import main

USUAL = {"--battery-wh": "6400", "--power-w": "5000", "--efficiency": "0.9", "--export-price": "80000"}
USUAL |= {"--load": "used", "--pv": "sun", "--price": "price"}


def home(minutes=60, days=17, name="home-1", seed=1):
    """Rows of one home with sun and an evening peak, under a time-of-use price."""
    per_day = 1440 // minutes
    draw = np.random.default_rng(seed)
    hour = np.arange(days * per_day) * minutes / 60 % 24
    used = (300 + 900 * np.exp(-((hour - 19) ** 2) / 6)) * draw.uniform(0.5, 2, len(hour)) * minutes / 60
    sun = 3_000 * np.exp(-((hour - 12) ** 2) / 8) * draw.uniform(0.2, 1, days).repeat(per_day) * minutes / 60
    start = datetime(2024, 3, 20, tzinfo=UTC)
    return pl.DataFrame(
        {
            "time": [start + timedelta(minutes=minutes * k) for k in range(len(hour))],
            "home": [name] * len(hour),
            "used": np.rint(used).astype(np.int64),
            "sun": np.rint(sun).astype(np.int64),
            "price": np.where((hour >= 16) & (hour < 21), 540_000, 210_000),
        }
    )


def written(frame, path):
    if path.suffix == ".csv":
        frame.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        frame.write_parquet(path)
    return path


def command(path, *options):
    given = USUAL | dict(zip(options[::2], map(str, options[1::2]), strict=True))
    return ["schedule", "backtest", str(path), *(word for option in given.items() for word in option)]


def backtest(capsys, path, *options):
    with pytest.raises(SystemExit, match="0"):
        main([*command(path, *options), "--json"])
    return json.loads(capsys.readouterr().out)


def refusal(capsys, path, *options):
    with pytest.raises(SystemExit, match="3"):
        main([*command(path, *options), "--json"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_every_length_of_a_slot_can_be_run(tmp_path, capsys, minutes):
    path = written(home(minutes, days=16), tmp_path / "home.csv")
    report = backtest(capsys, path, "--test-days", "1", "--max-import-w", "4000", "--initial-wh", "640")
    assert (report["slot_minutes"], report["test_days"]) == (minutes, 1)
    ways = ("perfect_foresight", "scheduled", "as_in_a_run", "simple_rule", "no_control")
    costs = {way: int(report[way]["cost_n"]) for way in ways}
    assert costs["perfect_foresight"] <= costs["scheduled"] < costs["no_control"]
    assert costs["perfect_foresight"] <= costs["as_in_a_run"] < costs["no_control"]
    expected = 1 - (costs["scheduled"] - costs["perfect_foresight"]) / (
        costs["no_control"] - costs["perfect_foresight"]
    )
    assert report["share_of_possible_saving"] == pytest.approx(expected)


def test_csv_and_parquet_prices_apart_and_together_give_the_same(tmp_path, capsys):
    frame = home()
    csv, parquet = (written(frame, tmp_path / name) for name in ("home.csv", "home.parquet"))
    readings = written(frame.drop("price"), tmp_path / "readings.parquet")
    prices = written(frame.select("time", "price"), tmp_path / "prices.csv")
    reports = [
        backtest(capsys, csv),
        backtest(capsys, parquet, "--time", "time"),
        backtest(capsys, readings, "--prices", str(prices)),
    ]
    for report in reports:
        del report["cpu_s"], report["file"]
    assert reports[0] == reports[1] == reports[2]


def test_each_member_of_a_group_is_run_as_if_it_were_alone(tmp_path, capsys):
    homes = [home(), home(name="home-2", seed=2)]
    alone = [backtest(capsys, written(frame, tmp_path / "one.csv"))["members"][0] for frame in homes]
    together = backtest(capsys, written(pl.concat(homes), tmp_path / "two.csv"), "--group", "home")["members"]
    assert [row["member"] for row in together] == ["home-1", "home-2"]
    for one, row in zip(alone, together, strict=True):
        assert row | {"member": ""} == one | {"member": ""}


def test_a_reserve_is_as_good_as_a_smaller_battery(tmp_path, capsys):
    path = written(home(), tmp_path / "home.csv")
    kept = backtest(capsys, path, "--battery-wh", "8400", "--reserve-wh", "2 kWh", "--initial-wh", "3000")
    smaller = backtest(capsys, path, "--initial-wh", "1000")
    del kept["cpu_s"], smaller["cpu_s"]
    assert kept == smaller


def test_what_an_owner_forbids_its_battery_costs_and_foresight_keeps_to_it_too(tmp_path, capsys):
    path = written(home(), tmp_path / "home.csv")
    usual = ("--export-price", "300000", "--battery-wh", "9000")
    ways = ("perfect_foresight", "scheduled", "as_in_a_run")
    costs = {}
    for bans in ((), ("--no-grid-charge",), ("--no-battery-export",), ("--no-grid-charge", "--no-battery-export")):
        with pytest.raises(SystemExit, match="0"):
            main([*command(path, *usual), *bans, "--json"])
        report = json.loads(capsys.readouterr().out)
        costs[bans] = [int(report[way]["cost_n"]) for way in ways]
        assert costs[bans][0] == min(costs[bans])
        assert report["share_of_possible_saving"] > 0.5
    free, own, at_home, both = costs.values()
    assert all(mine < less for mine, less in zip(free, own, strict=True))
    assert all(mine < less for mine, less in zip(free, at_home, strict=True))
    assert all(least >= max(a, b) for least, a, b in zip(both[:1], own[:1], at_home[:1], strict=True))


def test_another_forecaster_can_be_planned_by(tmp_path, capsys):
    path = written(home(days=24), tmp_path / "home.csv")
    reports = [
        backtest(capsys, path, "--battery-wh", "12000", "--model", model)
        for model in ("day-so-far", "empirical", "mean-of-week")
    ]
    assert len({report["scheduled"]["cost_n"] for report in reports}) == 3
    assert min(report["share_of_possible_saving"] for report in reports) > 0.8


def test_a_gap_is_counted_and_an_export_price_above_the_price_is_said(tmp_path, capsys):
    frame = home().with_columns(pl.when(pl.int_range(pl.len()) == 100).then(None).otherwise(pl.col("sun")).alias("sun"))
    path = written(frame, tmp_path / "home.csv")
    report = backtest(capsys, path, "--export-price", "300000")
    assert report["gaps"] == 1
    assert report["capped_slots"] == 2 * 19
    with pytest.raises(SystemExit, match="0"):
        main(command(path, "--export-price", "300000"))
    said = capsys.readouterr().out
    assert "2 days from 2024-04-04T00:00Z" in said
    assert "38 slots cost less than --export-price" in said


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("used", "-5", "row 30: used = '-5': is below 0"),
        ("sun", "many", "row 30: sun = 'many': not a number"),
        ("sun", "1e12", "row 30: sun = '1e12': is more than 1000000000"),
        ("price", None, "price has no value for 2024-03-21T04:00Z"),
        ("time", "yesterday", "row 30: time = 'yesterday': not a time"),
    ],
)
def test_a_wrong_value_is_named_by_file_row_and_column(tmp_path, capsys, column, value, message):
    frame = pl.read_csv(written(home(), tmp_path / "home.csv"), infer_schema=False)
    faulty = pl.when(pl.int_range(pl.len()) == 28).then(pl.lit(value)).otherwise(pl.col(column))
    path = written(frame.with_columns(faulty.alias(column)), tmp_path / "home.csv")
    said = refusal(capsys, path)
    assert f"home.csv: {message}" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--efficiency", "90"), "--efficiency 90.0: is a part of one"),
        (("--initial-wh", "7000"), "--initial-wh 7000: is between 0 and --battery-wh, 6400"),
        (("--reserve-wh", "6400"), "--reserve-wh 6400: is from 0 to less than --battery-wh, 6400"),
        (("--reserve-wh", "500", "--initial-wh", "499"), "--initial-wh 499: is between --reserve-wh, 500, and"),
        (("--power-w", "0"), "--power-w 0: is between 1"),
        (("--max-import-w", "-1"), "--max-import-w -1: is between 1"),
        (("--test-days", "3"), "--test-days 3: is between 1 and 2 with this file"),
        (("--pv", "moon"), "home.csv: column moon is missing; the file has time, home, used"),
        (("--pv", "used"), "--load, --pv and --price name the same column twice"),
        (("--prices", "none.csv"), "none.csv: cannot be read"),
        (("--model", "oracle"), "forecaster 'oracle' is not installed; known: boosted"),
    ],
)
def test_a_wrong_option_is_named_with_what_it_can_be(tmp_path, capsys, options, message):
    path = written(home(), tmp_path / "home.csv")
    assert message in refusal(capsys, path, *options)


def test_a_column_of_prices_may_say_its_unit(tmp_path, capsys):
    whole = backtest(capsys, written(home(), tmp_path / "home.csv"))
    for name, per in (("price_eur_mwh", 1_000), ("Price [ct/kWh]", 10_000)):
        other = home().with_columns((pl.col("price") / per).alias(name)).drop("price")
        options = ("--price", name)
        assert backtest(capsys, written(other, tmp_path / "other.csv"), *options)["scheduled"] == whole["scheduled"]


def test_fractions_are_rounded_and_other_units_are_refused(tmp_path, capsys):
    frame = home()
    whole = backtest(capsys, written(frame, tmp_path / "home.csv"))
    parts = frame.with_columns(pl.col("used", "sun", "price") + 0.25)
    rounded = backtest(capsys, written(parts, tmp_path / "parts.parquet"))
    assert rounded["scheduled"] == whole["scheduled"]
    for column, per, unit in (("used", 1_000, "Wh"), ("sun", 1_000, "Wh"), ("price", 1_000_000, "µ¤/kWh")):
        path = written(frame.with_columns(pl.col(column) / per), tmp_path / "other.csv")
        said = refusal(capsys, path)
        assert f"does not look like {unit}; multiply" in said
        assert f"other.csv: row 2: {column} = " in said or column == "sun"  # dark at first


def test_a_short_file_and_prices_of_another_time_are_refused(tmp_path, capsys):
    frame = home()
    path = written(frame, tmp_path / "home.csv")
    short = written(frame.head(15 * 24), tmp_path / "short.csv")
    assert "short.csv: holds 15 days" in refusal(capsys, short)
    quarters = written(home(15).select("time", "price"), tmp_path / "quarters.csv")
    assert "price has slots of 15 minutes, used of 60" in refusal(capsys, path, "--prices", quarters)
    half = written(frame.head(200).select("time", "price"), tmp_path / "half.csv")
    assert "half.csv: price has no value for" in refusal(capsys, path, "--prices", half)
