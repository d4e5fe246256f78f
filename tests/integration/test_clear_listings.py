"""`transactive clear --mechanism listings`: named and cheapest listings, expiry, requests that are answered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.test_clear import HEADER, clear, table, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders" / "listings.csv"
COLUMNS = f"{HEADER},listing,at_s,expires_s"


def test_the_example_trades_at_listed_prices(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "orders.csv")
    called = clear(tmp_path, "listings", trades=tmp_path / "trades.csv", json=True)
    assert called.err == ""
    assert [tuple(row.values()) for row in table(tmp_path / "trades.csv")] == [
        ("fridge", "barn", "1000", "130000", "130000000"),
        ("flat", "roof", "2500", "110000", "275000000"),
        ("lamp", "roof", "500", "110000", "55000000"),
        ("lamp", "shed", "400", "125000", "50000000"),
    ]
    allocation = {row["id"]: row["allocated_wh"] for row in table(tmp_path / "allocation.csv")}
    assert allocation["late"] == "0"
    found = json.loads(called.out)
    assert (found["traded_wh"], found["filled"], found["partly_filled"]) == (4400, 4, 2)
    assert sum(int(row["money_n"]) for row in table(tmp_path / "allocation.csv")) == 0


def test_without_columns_of_their_own_sales_are_listed_before_anybody_buys(tmp_path: Path) -> None:
    write(tmp_path, "c,buy,250000,1800,C", "a,sell,120000,2000,A", "b,sell,80000,1500,B", "d,buy,250000,99,B")
    clear(tmp_path, "listings", trades=tmp_path / "trades.csv")
    trades = [tuple(row.values())[:4] for row in table(tmp_path / "trades.csv")]
    assert trades == [("c", "b", "1500", "80000"), ("c", "a", "300", "120000"), ("d", "a", "99", "120000")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("e,buy,1,5,E,x,0,", "listing = 'x': no order has this id"),
        ("e,buy,1,5,E,c,0,", "listing = 'c': is of the same side"),
        ("e,buy,1,5,E,,9,9", "expires_s = 9: not after at_s = 9"),
        ("e,buy,1,5,E,a,0,9", "expires_s = 9: an order that names a listing"),
        ("e,buy,1,5,E,,soon,", "at_s = 'soon': not a whole number"),
        ("e,buy,1,5,E,,0,0.5", "expires_s = '0.5': not a whole number"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(tmp_path: Path, row: str, message: str) -> None:
    write(tmp_path, "a,sell,10,8,A,,,", "c,buy,40,5,C,a,,", row, header=COLUMNS)
    called = clear(tmp_path, "listings")
    assert (called.code, called.out) == (3, "")
    assert f"orders.csv: row 4: {message}" in called.err
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_no_other_mechanism_passes_over_a_named_listing(tmp_path: Path) -> None:
    write(tmp_path, "a,sell,10,8,A,,,", "c,buy,40,5,C,a,,", header=COLUMNS)
    assert "column listing: only --mechanism listings knows it" in clear(tmp_path, "uniform").err
