"""`transactive clear --mechanism preferences`: green, local and a named partner first, at a premium up to a limit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.test_clear import HEADER, clear, table, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders" / "preferences.csv"
COLUMNS = f"{HEADER},prefer,partner,premium_micro_per_kwh,green,zone"


def test_the_example_meets_wishes_at_premiums(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "orders.csv")
    called = clear(tmp_path, "preferences", trades=tmp_path / "trades.csv", json=True)
    assert called.err == ""
    found = json.loads(called.out)
    assert (found["traded_wh"], found["wished_wh"], found["met_wh"]) == (5500, 3500, 3000)
    assert [tuple(row.values())[:4] for row in table(tmp_path / "trades.csv")] == [
        ("aunt", "roof", "800", "120000"),
        ("school", "roof", "1200", "127000"),
        ("cafe", "farm", "700", "135000"),
        ("school", "farm", "300", "127000"),
        ("cafe", "gas", "500", "120000"),
        ("shop", "gas", "2000", "120000"),
    ]
    assert sum(int(row["money_n"]) for row in table(tmp_path / "allocation.csv")) == 0


def test_green_and_zone_alone_are_for_every_mechanism_and_without_wishes_all_is_uniform(tmp_path: Path) -> None:
    rows = ("a,sell,80000,2000,A,yes,n", "b,sell,120000,1500,B,,", "c,buy,250000,3500,C,,s")
    write(tmp_path, *rows, header=f"{HEADER},green,zone")
    allocations = []
    for mechanism in ("uniform", "preferences"):
        assert clear(tmp_path, mechanism).err == ""
        allocations.append((tmp_path / "allocation.csv").read_bytes())
    assert allocations[0] == allocations[1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("e,buy,1,5,E,solar,,,,", "prefer = 'solar': known are green, local, partner"),
        ("e,buy,1,5,E,local,,,,", "zone = None: who prefers local energy needs one"),
        ("e,buy,1,5,E,partner,,,,", "partner = None: prefer = partner and the partner's name go together"),
        ("e,buy,1,5,E,green,A,,,", "partner = 'A': prefer = partner and"),
        ("e,buy,1,5,E,partner,X,,,", "partner = 'X': is no member of this file"),
        ("e,buy,1,5,E,partner,E,,,", "partner = 'E': is the buyer itself"),
        ("e,buy,1,5,E,green,,-1,,", "premium_micro_per_kwh = -1: give 0 or more"),
        ("e,buy,1,5,E,,,7,,", "premium_micro_per_kwh = 7: give 0 or more, and what it is for"),
        ("e,buy,1,5,E,green,,0.5,,", "premium_micro_per_kwh = '0.5': not a whole number"),
        ("e,sell,1,5,E,green,,,,", "prefer = 'green': only a buy wishes"),
        ("e,sell,1,5,E,,,,true,", "green = 'true': give yes or no"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(tmp_path: Path, row: str, message: str) -> None:
    write(tmp_path, "a,sell,10,8,A,,,,yes,north", row, header=COLUMNS)
    called = clear(tmp_path, "preferences")
    assert (called.code, called.out) == (3, "")
    assert f"orders.csv: row 3: {message}" in called.err
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_no_other_mechanism_passes_over_a_wish(tmp_path: Path) -> None:
    write(tmp_path, "a,sell,10,8,A,,,,yes,north", header=COLUMNS)
    assert "column prefer: only --mechanism preferences knows it" in clear(tmp_path, "uniform").err
