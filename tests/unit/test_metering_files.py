"""Files of readings: only what is complete and plausible comes in, and the first fault is named."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from transactive.core.errors import DataError
from transactive.environment.files import read_environment
from transactive.metering import files
from transactive.metering.plausibility.policy import ReadingPolicy

HOUR = 3600
START = datetime(2017, 6, 5, tzinfo=UTC)
HEAD = "slot_start,member,consumption_wh,generation_wh\n"
ENVIRONMENT_HEAD = "slot_start,import_price_micro_per_kwh,grid_carbon_g_per_kwh\n"
SUFFIXES = (".csv", ".parquet")


def frame(members=("a", "b"), slots=3):
    """Rows in which every number says whose and when it is."""
    rows = [(slot, k) for slot in range(slots) for k in range(len(members))]
    return pl.DataFrame(
        {
            "slot_start": [START + timedelta(hours=slot) for slot, _ in rows],
            "member": [members[k] for _, k in rows],
            "consumption_wh": [100 * slot + k for slot, k in rows],
            "generation_wh": [7 * slot + 3 * k for slot, k in rows],
        }
    )


def read_measured(path: Path, members: Sequence[str], most_generation_wh: int = 1_000, ignore: Sequence[str] = ()):
    limits = files.MeterLimits(members, [most_generation_wh] * len(members), [None] * len(members))
    return files.read_measured(path, limits, HOUR, ignore)[0]


def write(table: pl.DataFrame, folder: Path, suffix: str) -> Path:
    path = folder / f"readings{suffix}"
    if suffix == ".csv":
        table.write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")
    else:
        table.write_parquet(path)
    return path


def text(folder: Path, content: str) -> Path:
    path = folder / "readings.csv"
    path.write_text(content)
    return path


def refused(path, complaint, members=("a", "b")):
    with pytest.raises(DataError, match=complaint) as caught:
        read_measured(path, members)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_stand_in_the_order_of_the_community(tmp_path, suffix):
    path = write(frame(("zoe", "adam", "mia")).sample(fraction=1, shuffle=True, seed=1), tmp_path, suffix)
    measured = read_measured(path, ["mia", "zoe", "adam"])
    assert measured.first_slot == int(START.timestamp())
    assert measured.consumption_wh.tolist() == [[2, 0, 1], [102, 100, 101], [202, 200, 201]]
    assert measured.generation_wh.tolist() == [[6, 0, 3], [13, 7, 10], [20, 14, 17]]


def test_csv_and_parquet_give_the_same(tmp_path):
    one, other = (read_measured(write(frame(), tmp_path, suffix), ["b", "a"]) for suffix in SUFFIXES)
    assert one.digest() == other.digest()
    assert one.consumption_wh.dtype == other.consumption_wh.dtype == "int64"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_members_that_do_not_take_part_are_left_out_only_if_named(tmp_path, suffix):
    odd = frame(("x",)).with_columns(pl.lit(-5, pl.Int64).alias("consumption_wh"))
    path = write(pl.concat((odd, frame())), tmp_path, suffix)
    assert read_measured(path, ["b"], ignore=["x", "a"]).consumption_wh.tolist() == [[1], [101], [201]]
    refused(path, "member = 'x' is not in the community")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ids_that_look_like_numbers_stay_text(tmp_path, suffix):
    path = write(frame(("007", "7")), tmp_path, suffix)
    assert read_measured(path, ["7", "007"]).consumption_wh[0].tolist() == [1, 0]


@pytest.mark.parametrize("kind", [pl.Int32, pl.UInt64, pl.Categorical])
def test_ids_and_registers_of_any_type_that_a_database_exports_are_read(tmp_path, kind):
    table = frame(("1", "2")).with_columns(pl.col("member").cast(kind), pl.col("consumption_wh").cast(pl.UInt16))
    assert read_measured(write(table, tmp_path, ".parquet"), ["2", "1"]).consumption_wh[1].tolist() == [101, 100]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (frame()[:2].vstack(frame()[4:]), "after slot 2017-06-05T00:00Z comes 2017-06-05T02:00Z; fill the gap"),
        (frame()[:3].vstack(frame()[4:]), "no reading of b at 2017-06-05T01:00Z"),
        (frame()[:5], "no reading of b at 2017-06-05T02:00Z"),
        (frame(("a",)), "no reading of member b"),
        (frame().vstack(frame()[2:3].with_columns(consumption_wh=pl.lit(7, pl.Int64))), "of a stands there twice"),
        (frame().with_columns(pl.Series("generation_wh", [-100, 3, 7, 10, 14, 17])), "= -100 at .*: energy is not neg"),
        (frame().with_columns(pl.col("consumption_wh") / 2), "whole number"),
        (frame().with_columns(pl.col("slot_start").dt.offset_by("30m")), "T00:30Z does not start a slot of 60 minutes"),
        (frame().with_columns(pl.col("slot_start").dt.offset_by("1ms")), "parts of a second|not a time"),
        (frame().drop("generation_wh"), "no column says what the PV of a gave"),
        (frame(("a",)).drop("member"), "no column says whose readings these are"),
        (frame()[:0], "no rows"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named(tmp_path, suffix, table, complaint):
    refused(write(table, tmp_path, suffix), complaint)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_row_that_stands_there_twice_counts_once(tmp_path, suffix):
    path = write(frame().vstack(frame()[2:3]), tmp_path, suffix)
    assert read_measured(path, ["a", "b"]).consumption_wh.tolist() == [[0, 1], [100, 101], [200, 201]]


def test_a_time_without_a_zone_is_refused(tmp_path):
    refused(text(tmp_path, HEAD + "2017-06-05T00:00:00,a,1,2\n"), "no zone", ["a"])
    naive = frame().with_columns(pl.col("slot_start").dt.replace_time_zone(None))
    refused(write(naive, tmp_path, ".parquet"), "no zone")


def test_a_time_with_an_offset_is_its_moment(tmp_path):
    path = text(tmp_path, HEAD + "2017-06-05T02:00:00+02:00,a,1,2\n")
    assert read_measured(path, ["a"]).first_slot == int(START.timestamp())


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("2017-06-05T00:00:00Z,a,1,2\n2017-06-05T01:00:00Z,a,,2\n", "no reading of a at 2017-06-05T01:00Z"),
        ("2017-06-05T00:00:00Z,a,1,2\n2017-06-05T01:00:00Z,a,2,\n", "no reading of a at 2017-06-05T01:00Z"),
        ("2017-06-05T00:00:00Z,a,1,2\n,a,1,2\n", "row 3: slot_start = None: not a time"),
        ("2017-06-05T00:00:00Z,a,1,2\n2017-06-05T00:00:00Z,,1,2\n", "row 3: no meter stands there"),
        ("2017-06-05T00:00:00Z,a,1.5,2\n", "row 2: consumption_wh = 1.5: not a whole number"),
        ("2017-06-05T00:00:00Z,a,much,2\n", "row 2: consumption_wh = 'much': not a number"),
        ("2017-06-05T00:00:00Z,a,99999999999999999999,2\n", "none that a meter shows"),
        ("2017-06-05T00:00:00Z,a,1,2,3,4\n", "more values than the head names columns"),
    ],
)  # fmt: skip
def test_a_row_that_is_not_one_is_refused(tmp_path, rows, complaint):
    refused(text(tmp_path, HEAD + rows), complaint, ["a"])


def test_a_register_beyond_64_bits_never_becomes_negative(tmp_path):
    table = frame().with_columns(pl.lit(2**63, pl.UInt64).alias("consumption_wh"))
    refused(write(table, tmp_path, ".parquet"), "none that a meter shows")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_absent_or_not_a_table_is_named(tmp_path, suffix):
    path = tmp_path / f"readings{suffix}"
    refused(path, "cannot be read")
    path.write_bytes(b"")
    refused(path, "is empty")


def test_generation_beyond_the_pv_is_refused(tmp_path):
    path = write(frame(), tmp_path, ".csv")
    assert read_measured(path, ["a", "b"], 17).generation_wh.max() == 17
    with pytest.raises(DataError, match="row 7: generation_wh = 17: the PV of b can give 16 Wh in a slot at most"):
        read_measured(path, ["a", "b"], 16)


def test_a_register_instead_of_a_reading_is_refused(tmp_path):
    table = frame().with_columns(pl.lit(10**9 + 1, pl.Int64).alias("consumption_wh"))
    refused(write(table, tmp_path, ".parquet"), "row 1: consumption_wh = 1000000001: no meter measures that much")


def test_import_beyond_the_connection_is_refused_with_the_power_that_it_would_be(tmp_path):
    """1,970 Wh in a quarter of an hour are 7.9 kW: whoever wrote W as Wh hears of it before a bill does."""
    table = pl.DataFrame(
        {
            "slot_start": [START + timedelta(minutes=15 * slot) for slot in range(96)],
            "member": "cara",
            "consumption_wh": [372 + 17 * (slot * 37 % 95) for slot in range(96)],
            "generation_wh": 0,
        }
    )
    path = write(table, tmp_path, ".csv")

    def read(connection_w):
        limits = files.MeterLimits(["cara"], [0], [connection_w // 4])
        return files.read_measured(path, limits, 900)[0]

    with pytest.raises(
        DataError, match=r"1,970 Wh in 15 minutes are 7,880 W, and the connection of cara carries 4,000 W"
    ):
        read(4_000)
    assert read(8_000).consumption_wh.max() == 1_970


def days(slots_missing=(), quality=None, count=4):
    """Four days of two homes; some slots of the first are missing."""
    rows = [(slot, k) for slot in range(24 * count) for k in range(2) if k or slot not in slots_missing]
    table = pl.DataFrame(
        {
            "slot_start": [START + timedelta(hours=slot) for slot, _ in rows],
            "member": ["ab"[k] for _, k in rows],
            "consumption_wh": [100 * (slot // 24) + 7 * (slot % 24) + k for slot, k in rows],
            "generation_wh": [0 for _ in rows],
        }
    )
    return (
        table if quality is None else table.with_columns(pl.Series("quality", [quality(slot, k) for slot, k in rows]))
    )


def read_with_gaps(path):
    limits = files.MeterLimits(["a", "b"], [0, 0], [None, None])
    return files.read_measured(path, limits, HOUR, policy=ReadingPolicy(substitute=True))[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_gap_is_substituted_by_the_days_before_and_flagged(tmp_path, suffix):
    measured = read_with_gaps(write(days(slots_missing=(24 * 3 + 5,)), tmp_path, suffix))
    assert measured.consumption_wh[24 * 3 + 5].tolist() == [100 + 35, 300 + 35 + 1]  # the mean of 200, 100 and 0
    assert np.argwhere(measured.quality).tolist() == [[24 * 3 + 5, 0]]
    refused(write(days(slots_missing=(24 * 3 + 5,)), tmp_path, suffix), 'no reading of a .* gaps = "substitute"')


def test_a_gap_at_the_beginning_takes_the_days_after(tmp_path):
    measured = read_with_gaps(write(days(slots_missing=(5,)), tmp_path, ".parquet"))
    assert measured.consumption_wh[5, 0] == 200 + 35


def test_a_gap_that_no_day_tells_of_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"no reading of a at 2017-06-05T05:00Z, and none at that time of any other day"
    ):
        read_with_gaps(write(days(slots_missing=(5, 29, 53, 77)), tmp_path, ".parquet"))


def test_qualities_of_a_file_stay_with_their_readings(tmp_path):
    table = days(quality=lambda slot, k: "L3" if (slot, k) == (7, 1) else "L1")
    measured = read_with_gaps(write(table, tmp_path, ".csv"))
    assert np.argwhere(measured.quality).tolist() == [[7, 1]]
    assert measured.digest() != read_with_gaps(write(days(), tmp_path, ".csv")).digest()


def test_without_anything_to_say_of_quality_the_digest_is_as_it_always_was(tmp_path):
    measured = read_with_gaps(write(days(), tmp_path, ".csv"))
    assert measured.quality.shape == measured.both_ways_wh.shape == (0,)


def test_readings_of_a_grid_meter_alone_keep_both_registers(tmp_path):
    table = days().rename({"consumption_wh": "import_wh", "generation_wh": "export_wh"})
    table = table.with_columns(pl.lit(50, pl.Int64).alias("export_wh"))
    limits = files.MeterLimits(["a", "b"], [10_000, 10_000], [None, None])
    measured, _ = files.read_measured(write(table, tmp_path, ".parquet"), limits, HOUR)
    assert (measured.generation_wh == 50).all()
    assert (measured.both_ways_wh == np.minimum(measured.consumption_wh, 50)).all()


# -- environment --------------------------------------------------------------------------------


def surroundings(folder: Path, rows: str) -> Path:
    return text(folder, ENVIRONMENT_HEAD + rows)


def test_prices_may_be_negative_and_rows_in_any_order_and_twice_alike(tmp_path):
    rows = "2017-06-05T01:00:00Z,-5,400\n2017-06-05T00:00:00Z,250000,0\n2017-06-05T01:00:00Z,-5,400\n"
    environment = read_environment(surroundings(tmp_path, rows), HOUR)
    assert environment.first_slot == int(START.timestamp())
    assert environment.supply_price.tolist() == [250_000, -5]
    assert environment.grid_g_per_kwh.tolist() == [0, 400]


def test_a_temperature_is_taken_to_a_tenth_and_may_be_absent(tmp_path):
    head, rows = ENVIRONMENT_HEAD.strip() + ",temperature_c\n", "2017-06-05T00:00:00Z,5,4,"
    assert read_environment(text(tmp_path, f"{head}{rows}-3.26\n"), HOUR).temperature.tolist() == [-33]
    assert read_environment(surroundings(tmp_path, "2017-06-05T00:00:00Z,5,4\n"), HOUR).temperature.tolist() == []
    two = f"{head}{rows}1\n2017-06-05T01:00:00Z,5,4,"
    for value, complaint in (("", "row 3: temperature_c = None"), ("inf", "not a number"), ("700", "outdoors")):
        with pytest.raises(DataError, match=complaint):
            read_environment(text(tmp_path, f"{two}{value}\n"), HOUR)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("", "no rows"),
        ("2017-06-05T00:00:00Z,5,4\n2017-06-05T00:00:00Z,6,4\n", "row 3: 2017-06-05T00:00Z stands there twice"),
        ("2017-06-05T00:00:00Z,5,4\n2017-06-05T02:00:00Z,5,4\n", "comes 2017-06-05T02:00Z; fill the gap"),
        ("2017-06-05T00:30:00Z,5,4\n", "does not start a slot of 60 minutes"),
        ("2017-06-05T00:00:00Z,5,-4\n", "grid_carbon_g_per_kwh = -4: carbon intensity is not negative"),
        ("2017-06-05T00:00:00Z,5,4\n2017-06-05T01:00:00Z,,4\n", "row 3: import_price_micro_per_kwh = None"),
        ("2017-06-05T00:00:00Z,0.25,4\n", "row 2: import_price_micro_per_kwh = '0.25': not a whole number"),
        ("2017-06-05T00:00:00,5,4\n", "no zone"),
    ],
)  # fmt: skip
def test_surroundings_with_a_fault_are_refused(tmp_path, rows, complaint):
    path = surroundings(tmp_path, rows)
    with pytest.raises(DataError, match=complaint):
        read_environment(path, HOUR)
