"""Shares by the hour and a distributor's allocation: read from files, held against the meters, refused where off."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from transactive.core.community.members import Member
from transactive.core.errors import DataError
from transactive.core.slots import HOUR, parse_time, time_text
from transactive.metering.coefficients import read_coefficients
from transactive.metering.exports.reader import ReadOptions
from transactive.metering.homes import MeterOwners
from transactive.metering.reported import Reported, read_report

OWNERS = MeterOwners.of((Member(id="one"), Member(id="two", meters=("m2", "m3")), Member(id="plant")))
MADRID = ZoneInfo("Europe/Madrid")
FIRST = parse_time("2024-03-30T23:00Z")  # midnight of the day of the clock change in Madrid
HEAD = "slot_start;meter;import;shared_used;export;surplus\n"
REPORT = """
[time]
columns = ["slot_start"]
[[registers]]
column = "import"
register = "import"
unit = "Wh"
[[registers]]
column = "shared_used"
register = "shared_used"
unit = "Wh"
[[registers]]
column = "export"
register = "export"
unit = "Wh"
[[registers]]
column = "surplus"
register = "surplus"
unit = "Wh"
"""


def written(folder: Path, text: str, name: str = "shares.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def by_hour(folder: Path, rows: dict[int, str], starts: list[int]) -> list[list[int]]:
    """Shares that a file of numbered hours gives."""
    lines = [f"{member};{hour};{share}" for hour, of in rows.items() for member, share in _pairs(of)]
    path = written(folder, "\n".join(["member;hour;share", *lines]) + "\n")
    found: list[list[int]] = read_coefficients(path, OWNERS, np.array(starts, np.int64), MADRID).tolist()
    return found


def _pairs(text: str) -> list[list[str]]:
    return [pair.split("=") for pair in text.split()]


def test_hours_of_the_year_are_counted_as_they_were_whatever_the_clock_does(tmp_path):
    """90 days of 2024 have passed by 31 March, 0 o'clock; the hour from 2 to 3 is not there that night."""
    hours = {2_161: "one=0,25 m2=0,75", 2_162: "one=1", 2_163: "two=0,5"}
    starts = [FIRST, FIRST + HOUR // 4, FIRST + HOUR, FIRST + 2 * HOUR]
    assert by_hour(tmp_path, hours, starts) == [
        [250_000, 750_000, 0], [250_000, 750_000, 0], [1_000_000, 0, 0], [0, 500_000, 0],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({2_162: "one=1"}, "no share for 2024-03-30T23:00Z (hour 2161); add its rows"),
        ({2_161: "one=0,6 two=0,400001"}, "the shares of hour 2161 make 1.000001, more than 1"),
        ({2_161: "one=1,5"}, "row 2: share = '1,5': a share is a number from 0 to 1"),
        ({2_161: "eve=0,5"}, "row 2: member = 'eve': is no member of the community"),
        ({2_161: "one=0,5 one=0,4"}, "row 2: member = 'one': has two shares in the same hour; keep one"),
    ],
)
def test_a_fault_in_shares_is_named(tmp_path, rows, said):
    with pytest.raises(DataError) as raised:
        by_hour(tmp_path, rows, [FIRST])
    assert said in str(raised.value)


def test_shares_may_stand_by_time(tmp_path):
    rows = f"slot_start,member,share\n{time_text(FIRST)},one,0.4\n{time_text(FIRST + HOUR)},two,0.25\n"
    starts = np.array([FIRST, FIRST + HOUR], np.int64)
    found = read_coefficients(written(tmp_path, rows), OWNERS, starts, MADRID)
    assert found.tolist() == [[400_000, 0, 0], [0, 250_000, 0]]


# -- a distributor's report ------------------------------------------------------------------------

TAKEN = np.array([[600, 900, 0], [300, 0, 0]], np.int64)
GIVEN = np.array([[0, 0, 1_000], [0, 50, 500]], np.int64)
ROWS = [
    "one;600;500;;", "m2;400;200;;", "m3;500;100;;", "plant;;;1000;200",
    "one;300;300;;", "m2;0;0;50;0", "m3;0;0;;", "plant;;;500;250",
]  # fmt: skip
"""Slot by slot; the member two has two meters."""


def report(folder: Path, rows: list[str]) -> Reported:
    starts = np.array([FIRST, FIRST + HOUR], np.int64)
    lines = [f"{time_text(FIRST + HOUR * (number // 4))};{row}" for number, row in enumerate(rows)]
    path = written(folder, HEAD + "\n".join(lines) + "\n")
    written(folder, 'meter = "meter"\n' + REPORT, "report.toml")
    options = ReadOptions(profile="report.toml", folder=folder, length=HOUR)
    return read_report(path, options, OWNERS, starts, TAKEN, GIVEN)


def test_what_a_report_allots_is_taken_to_the_wh(tmp_path):
    found = report(tmp_path, ROWS)
    assert found.used_wh.tolist() == [[500, 300, 0], [300, 0, 0]]
    assert found.given_wh.tolist() == [[0, 0, 800], [0, 50, 250]]


@pytest.mark.parametrize(
    ("row", "instead", "said"),
    [
        (0, "one;600;601;;", "one at 2024-03-30T23:00Z used 601 Wh of what was shared, and its meter took 600 Wh"),
        (3, "plant;;;1000;199", "members used 800 Wh of what was shared, and 801 Wh were given to it"),
        (7, "plant;;;500;501", "plant at 2024-03-31T00:00Z had 501 Wh left over, and its meter gave 500 Wh"),
        (4, "one;301;300;;", "one at 2024-03-31T00:00Z has 301 Wh of import in the report, and 300 Wh in the readings"),
        (4, "one;300;;;", "one at 2024-03-31T00:00Z has no allotted energy (0) although it took 300 Wh"),
    ],
)
def test_a_report_that_does_not_add_up_is_refused_by_name(tmp_path, row, instead, said):
    rows = [*ROWS]
    rows[row] = instead
    with pytest.raises(DataError) as raised:
        report(tmp_path, rows)
    assert said in str(raised.value)


def test_a_report_need_not_have_the_days_before_a_run(tmp_path):
    found = report(tmp_path, ROWS[:4])
    assert found.used_wh.tolist() == [[500, 300, 0], [-1, -1, -1]]


def test_rounding_each_meter_may_not_cost_a_report_its_use(tmp_path):
    """Parts of a Wh: each meter is rounded by itself, and what is used is given, to the Wh."""
    rows = [row.replace(";200;;", ";200.4;;").replace(";100;;", ";100.4;;").replace(";200", ";199.2") for row in ROWS]
    rows = [row.replace(";199.2.4", ";200.4") for row in rows]
    found = report(tmp_path, rows)
    assert (found.used_wh.sum(axis=1) == found.given_wh.sum(axis=1)).all()
    assert abs(int(found.used_wh[0].sum()) - 800) <= 2
