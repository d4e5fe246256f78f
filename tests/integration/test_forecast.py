"""`transactive forecast backtest` on files of all kinds, good and bad."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from transactive.cli import main

TRIVIAL = ("--model", "empirical", "--model", "last-day")


def rows(minutes=60, days=20, members=2, start=datetime(2024, 3, 20, tzinfo=UTC)):
    """Time, member and Wh of some homes with a daily shape."""
    per_day = 1440 // minutes
    draw = np.random.default_rng(1)
    times = [start + timedelta(minutes=minutes * k) for k in range(days * per_day)]
    wh = 500 + 300 * np.sin(2 * np.pi * np.arange(days * per_day) / per_day)
    columns = [
        (t, f"home-{m}", round(w * draw.gamma(4, 0.25), 1))
        for m in range(members)
        for t, w in zip(times, wh, strict=True)
    ]
    return pl.DataFrame(columns, schema=["time", "home", "wh"], orient="row")


def backtest(capsys, path, *options, target="wh"):
    with pytest.raises(SystemExit, match="0"):
        main(["forecast", "backtest", str(path), "--target", target, "--json", *options])
    return json.loads(capsys.readouterr().out)


DAYS = ("--test-days", "4", "--calibration-days", "8")


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_every_length_of_a_slot_can_be_backtested(tmp_path, capsys, minutes):
    path = tmp_path / "homes.csv"
    rows(minutes).with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%MZ")).write_csv(path)
    report = backtest(capsys, path, "--group", "home", *TRIVIAL, *DAYS)
    assert (report["slot_minutes"], report["horizon_slots"], report["test_days"]) == (minutes, 1440 // minutes, 4)
    assert (report["test_since"], report["test_until"]) == ("2024-04-05T00:00Z", "2024-04-09T00:00Z")
    each = report["each"]
    assert each["best_trivial"] == "empirical"
    assert each["champion"]["pinball"] <= 1.05 * min(row["pinball"] for row in each["candidates"].values())
    assert 0.7 < each["champion"]["coverage"]["min"] <= each["champion"]["coverage"]["max"] <= 1
    assert {test["loss"] for test in each["paired"]} == {"absolute error", "pinball"}
    assert report["sum"]["candidates"].keys() == set(TRIVIAL[1::2])


def test_all_models_take_part_and_forecasts_are_written(tmp_path, capsys):
    path, output = tmp_path / "homes.parquet", tmp_path / "forecasts.parquet"
    rows(days=90).write_parquet(path)
    report = backtest(capsys, path, "--group", "home", "-o", str(output), *DAYS, "--zone", "Europe/Vienna")
    assert {"boosted", "boosted-shallow", "empirical", "last-week"} <= report["each"]["candidates"].keys()
    assert {"linear", "members, boosted"} <= report["sum"]["candidates"].keys()
    written = pl.read_parquet(output)
    assert written.columns == [
        "issued",
        "slot_start",
        "member",
        "q0.05",
        "q0.25",
        "q0.50",
        "q0.75",
        "q0.95",
        "mean",
        "measured",
    ]
    assert len(written) == 4 * 24 * 2
    assert (written["slot_start"] >= written["issued"]).all()
    mae = (written["q0.50"] - written["measured"]).abs().mean()
    assert mae == pytest.approx(report["each"]["champion"]["mae"])


@pytest.mark.parametrize("way", ["semicolons", "tabs", "milliseconds", "seconds"])
def test_files_as_other_programs_write_them_say_the_same(tmp_path, capsys, way):
    usual, other = tmp_path / "usual.csv", tmp_path / "other.csv"
    frame = rows(days=20, members=1)
    frame.write_csv(usual, datetime_format="%Y-%m-%dT%H:%MZ")
    if way == "semicolons":
        comma = frame.with_columns(pl.col("wh").cast(pl.String).str.replace(".", ",", literal=True))
        comma.write_csv(other, separator=";", datetime_format="%Y-%m-%d %H:%M")
    elif way == "tabs":
        frame.write_csv(other, separator="\t", datetime_format="%Y-%m-%d %H:%M:%S")
    else:
        frame.with_columns(pl.col("time").dt.epoch("ms" if way == "milliseconds" else "s")).write_csv(other)
    one, two = (backtest(capsys, path, *TRIVIAL, *DAYS)["each"]["champion"] for path in (usual, other))
    assert one == two


def test_gaps_unsorted_rows_and_a_horizon_of_a_slot(tmp_path, capsys):
    path = tmp_path / "homes.csv"
    frame = rows(members=1).sample(fraction=0.95, shuffle=True, seed=1)
    text = frame.with_columns(
        pl.col("time").dt.strftime("%Y-%m-%d %H:%M:%S"), pl.col("wh").cast(pl.String).replace("0.0", "")
    )
    text.drop("home").write_csv(path)
    report = backtest(capsys, path, "--horizon", "1h", *TRIVIAL, *DAYS)
    assert report["gaps"] > 15
    assert report["sum"] is None
    assert report["members"] == ["wh"]
    assert report["horizon_slots"] == 1


def test_what_is_known_in_advance_helps_when_it_is_named(tmp_path, capsys):
    path = tmp_path / "homes.parquet"
    draw = np.random.default_rng(1)
    weather = np.repeat(draw.choice([0.2, 1.0], 80), 24)
    frame = rows(days=80, members=1).with_columns(pl.col("wh") * weather, weather=weather)
    frame.write_parquet(path)
    options = ("--model", "boosted-shallow", "--test-days", "10", "--calibration-days", "20")
    blind = backtest(capsys, path, *options)["each"]["champion"]["mae"]
    assert backtest(capsys, path, *options, "--known", "weather")["each"]["champion"]["mae"] < blind / 1.5


@pytest.mark.parametrize(("until", "summed"), [(19, True), (14, False)])
def test_members_that_end_early_leave_a_sum_only_where_all_are_measured(tmp_path, capsys, until, summed):
    path = tmp_path / "homes.csv"
    frame = rows()
    last = pl.lit(datetime(2024, 3, 20, tzinfo=UTC) + timedelta(days=until))
    silent = (pl.col("home") == "home-1") & (pl.col("time") > last)
    frame.with_columns(pl.when(~silent).then("wh").alias("wh")).write_csv(path)
    report = backtest(capsys, path, "--group", "home", *TRIVIAL, *DAYS)
    assert (report["sum"] is not None) == summed


def test_a_series_of_zeros_is_forecast_as_zero(tmp_path, capsys):
    path = tmp_path / "homes.csv"
    rows(members=1).with_columns(wh=pl.lit(0)).write_csv(path)
    champion = backtest(capsys, path, *TRIVIAL, *DAYS)["each"]["champion"]
    assert (champion["mae"], champion["mase"], champion["coverage"]["mean"]) == (0, 0, 1)


def text_of(change=lambda frame: frame, **options):
    frame = rows(**options).with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%MZ"), pl.col("wh").cast(pl.String))
    return change(frame).write_csv()


def with_value(column, value):
    return lambda frame: frame.with_columns(
        pl.when(pl.int_range(pl.len()) == 5).then(pl.lit(value)).otherwise(column).alias(column)
    )


def early(frame):
    return frame.with_columns(wh=pl.when(pl.col("time") < "2024-03-30").then("wh"))


GROUP = ("--group", "home")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", GROUP, "homes.csv: is empty"),
        ("time,home,wh\n", GROUP, "homes.csv: has no rows"),
        (text_of(), ("--group", "house"), "column house is missing; the file has time, home, wh"),
        (text_of(), (*GROUP, "--time", "when"), "column when is missing"),
        (text_of(lambda f: f.rename({"time": "moment"})), GROUP, "name the column of times with --time"),
        (text_of(with_value("wh", "much")), GROUP, "row 7: wh = 'much': not a number"),
        (text_of(with_value("wh", "inf")), GROUP, "row 7: wh = 'inf': not a finite number"),
        (text_of(with_value("time", "noon")), GROUP, "row 7: time = 'noon': not a time"),
        (text_of(with_value("time", "2024-03-20T05:07Z")), GROUP, "is not on the grid of 60 minutes"),
        (text_of(with_value("home", None)), GROUP, "row 7: home = None: a value is missing"),
        (text_of(early), GROUP, "no reading in the days"),
        (text_of(), (), "stands there twice; name a --group"),
        (text_of(lambda f: pl.concat([f, f[:1]])), GROUP, "stands there twice for one home; keep one row"),
        (text_of(lambda f: f.gather_every(2)), GROUP, "its times are 120 minutes apart"),
        (text_of(lambda f: f[:1]), GROUP, "holds one time only"),
        (text_of(lambda f: f.with_columns(wh=pl.lit(""))), GROUP, "wh of home-0 is empty throughout"),
        (text_of(), (*GROUP, "--test-days", "15"), "15 to test and 6 to calibrate need"),
        (text_of(), (*GROUP, "--test-days", "0"), "are 1 or more"),
        (text_of(), (*GROUP, "--horizon", "day"), "--horizon day: write it like 24h"),
        (text_of(), (*GROUP, "--horizon", "90min"), "whole slots of 60 minutes"),
        (text_of(), (*GROUP, "--model", "oracle"), "'oracle' is not installed; known: boosted"),
        (text_of(), (*GROUP, "--zone", "Mars"), "--zone Mars is no known time zone"),
        (text_of(), (*GROUP, "-o", "forecasts.csv"), "are written as .parquet"),
        (text_of(), (*GROUP, "-o", "nowhere/forecasts.parquet"), "its folder is not there"),
        (text_of(days=14), (*GROUP, "--model", "boosted", *DAYS), "learning needs 35 days"),
    ],
)  # fmt: skip
def test_bad_input_is_named_in_a_line_and_exits_with_3(tmp_path, capsys, monkeypatch, text, options, message):
    path = tmp_path / "homes.csv"
    path.write_text(text)
    monkeypatch.chdir(tmp_path)
    quick = () if "--model" in options or "to test and" in message else TRIVIAL
    days = () if "--test-days" in options else DAYS
    with pytest.raises(SystemExit) as stopped:
        main(["forecast", "backtest", str(path), "--target", "wh", *options, *quick, *dict.fromkeys(days)])
    said = capsys.readouterr()
    assert stopped.value.code == 3
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.glob("*.parquet*"))
    assert not said.out


def test_the_pool_is_in_charge_when_it_is_asked_for_and_issues_are_at_the_hour_asked_for(tmp_path, capsys):
    path = tmp_path / "homes.parquet"
    rows(days=40).write_parquet(path)
    options = ("--group", "home", *TRIVIAL, "--model", "pool", *DAYS, "--zone", "Europe/Vienna", "--issue", "12:00")
    report = backtest(capsys, path, *options)
    assert report["test_since"] == "2024-04-24T10:00Z"  # noon of summer time
    assert report["each"]["chosen"] == [{"since": "2024-04-24T10:00Z", "mix": {"pool": 1}}]
    assert report["each"]["candidates"].keys() == set(TRIVIAL[1::2])
    with pytest.raises(SystemExit, match="3"):
        main(["forecast", "backtest", str(path), "--target", "wh", "--group", "home", "--issue", "25:00"])
    assert "--issue 25:00: write a clock time" in capsys.readouterr().err


def test_weeks_ahead_are_forecast_and_so_often_trained_as_somebody_says(tmp_path, capsys):
    path = tmp_path / "homes.parquet"
    rows(days=220, members=1).write_parquet(path)
    report = backtest(capsys, path, "--horizon", "45d", "--model", "climatology", "--model", "last-week")
    assert (report["horizon_slots"], report["test_days"], report["calibration_days"]) == (45 * 24, 45, 45)
    often = backtest(capsys, path, "--model", "regression", "--trainings", "2", *DAYS)
    assert often["each"]["candidates"].keys() == {"regression"}
