"""`transactive detect …` on files of all kinds, good and bad."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from transactive.cli import main
from transactive.config.shipped import DEMO
from transactive.engine.daily.detector import FILE

READINGS = DEMO.parent / "readings.parquet"


def detect(capsys, *arguments):
    with pytest.raises(SystemExit, match="0"):
        main(["detect", *map(str, arguments), "--json"])
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["detect", *map(str, arguments)])
    assert stopped.value.code not in (0, None)
    return capsys.readouterr().err


def homes(minutes=60, days=60, members=4, start=datetime(2024, 3, 10, tzinfo=UTC)):
    """Time, home and Wh with a daily shape."""
    per_day = 1440 // minutes
    draw = np.random.default_rng(1)
    times = [start + timedelta(minutes=minutes * k) for k in range(days * per_day)]
    wh = minutes / 60 * (500 + 300 * np.sin(2 * np.pi * np.arange(days * per_day) / per_day))
    columns = [
        (t, f"home-{m}", round(w * draw.gamma(4, 0.25) + 1, 1))
        for m in range(members)
        for t, w in zip(times, wh, strict=True)
    ]
    return pl.DataFrame(columns, schema=["time", "home", "wh"], orient="row")


def test_faulty_houses_are_named_and_sound_ones_left_alone(capsys, tmp_path):
    output = tmp_path / "scores.parquet"
    report = detect(capsys, READINGS, "-o", output)
    found = {(one["member"], one["kind"]) for one in report["findings"]}
    assert found == {
        ("house-12", "dead meter"), ("house-14", "PV fault"), ("house-15", "dead meter"), ("house-15", "PV fault"),
    }  # fmt: skip
    assert all(one["energy_wh"] > 0 and 0 < one["confidence"] <= 1 and one["evidence"] for one in report["findings"])
    assert report["judge_sha256"] == hashlib.sha256(FILE.read_bytes()).hexdigest()
    scores = pl.read_parquet(output)
    assert scores.columns == ["member", "first", "end", "log_odds"]
    assert len(scores) == sum(one["windows"] for one in report["scores"]) == 17 * 47


@pytest.mark.parametrize("minutes", [5, 15, 30, 60])
def test_every_length_of_a_slot_can_be_scored(tmp_path, capsys, minutes):
    path = tmp_path / "homes.csv"
    frame = homes(minutes)
    stolen = (pl.col("home") == "home-2") & (pl.col("time") >= datetime(2024, 4, 12, tzinfo=UTC))
    frame = frame.with_columns(pl.when(stolen).then(pl.col("wh") * 0.3).otherwise(pl.col("wh")).alias("wh"))
    frame.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%MZ")).write_csv(path)
    report = detect(capsys, path, "--zone", "Europe/Vienna")
    assert [(one["member"], one["kind"]) for one in report["findings"]] == [("home-2", "theft")]
    scores = {one["member"]: one["theft_score"] for one in report["scores"]}
    assert max(scores, key=lambda name: float(scores[name])) == "home-2"


def test_a_feeder_in_kilowatt_hours_that_lacks_energy(tmp_path, capsys):
    frame = homes(members=5)
    feeder = frame.group_by("time").agg((1.05 * pl.col("wh").sum()).alias("feeder"))
    stolen = (pl.col("home") == "home-1") & (pl.col("time") >= datetime(2024, 4, 20, tzinfo=UTC))
    frame = frame.with_columns(pl.when(stolen).then(pl.col("wh") * 0.2).otherwise(pl.col("wh")).alias("wh"))
    frame = frame.join(feeder, on="time").with_columns(pl.col("wh", "feeder") / 1000)
    path = tmp_path / "homes.parquet"
    frame.write_parquet(path)
    report = detect(capsys, path, "--feeder", "feeder", "--unit", "kWh")
    kinds = {(one["member"], one["kind"]) for one in report["findings"]}
    assert kinds == {(None, "unmetered energy"), ("home-1", "theft")}


def test_one_meter_of_a_week_with_gaps_is_looked_at(tmp_path, capsys):
    path = tmp_path / "home.csv"
    homes(days=8, members=1).drop("home").filter(pl.col("time").dt.hour() != 3).write_csv(path)
    report = detect(capsys, path)
    assert (report["members"], report["days"], report["gaps"]) == (1, 8, 8)
    assert report["findings"] == []
    assert report["scores"] == [{"member": "wh", "windows": 0, "theft_score": None, "latest": None}]


def test_people_read_words(capsys, tmp_path):
    path = tmp_path / "home.csv"
    homes(days=8, members=1).write_csv(path)
    with pytest.raises(SystemExit, match="0"):
        main(["detect", str(path)])
    words = capsys.readouterr().out
    assert "nothing found" in words
    assert "six weeks" in words


def test_what_cannot_be_read_is_refused_with_the_next_step(tmp_path, capsys):
    path = tmp_path / "homes.parquet"
    homes(days=10).write_parquet(path)
    negative = tmp_path / "negative.parquet"
    homes(days=10).with_columns(-pl.col("wh")).write_parquet(negative)
    kilo = tmp_path / "kilo.parquet"
    homes(days=10).with_columns(pl.col("wh") / 1000).write_parquet(kilo)
    short = tmp_path / "short.parquet"
    homes(days=5).write_parquet(short)
    for arguments, words in (
        ([tmp_path / "none.csv"], "cannot be read"),
        ([path, "--consumption", "load"], "column load is missing; the file has time, home, wh"),
        ([path, "--zone", "Vienna"], "write it like Europe/Vienna"),
        ([path, "-o", tmp_path / "scores.csv"], "written as .parquet"),
        ([path, "--judge", READINGS], "make it anew with transactive detect train"),
        ([negative], "below 0"),
        ([kilo], "--unit kWh"),
        ([short], "5 whole days of readings"),
        (["backtest", path], "42 are needed"),
        (["backtest", "--seeds", "0"], "--seeds is 1 or more"),
        (["train", "-o", tmp_path / "judge.json"], "written as .npz"),
    ):
        assert words in refused(capsys, *arguments), arguments


def test_a_judge_of_ones_own_is_taught_and_used(tmp_path, capsys):
    path, judge = tmp_path / "homes.parquet", tmp_path / "judge.npz"
    homes(days=50, members=5).write_parquet(path)
    told = detect(capsys, "train", path, "-o", judge)
    assert told["sha256"] == hashlib.sha256(judge.read_bytes()).hexdigest()
    assert detect(capsys, path, "--judge", judge)["judge_sha256"] == told["sha256"]
