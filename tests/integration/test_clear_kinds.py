"""`transactive clear` with order kinds: curves, ranges, blocks and storages in, energy by slot out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.test_clear import HEADER, Called, clear, table, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders" / "kinds.csv"
KINDS = f"{HEADER},kind,slot,slots,least_wh,capacity_wh,efficiency_ppm"


def test_the_example_clears_every_kind(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path / "orders.csv")
    called = clear(tmp_path, trades=tmp_path / "trades.csv", json=True)
    assert called.err == ""
    found = json.loads(called.out)
    assert found["welfare_n"] == found["welfare_bound_n"] == 986_500_000
    assert found["slots"] == {
        "0": {"price_micro_per_kwh": 150_000, "traded_wh": 6000},
        "1": {"price_micro_per_kwh": 240_000, "traded_wh": 4500},
        "2": {"price_micro_per_kwh": 230_000, "traded_wh": 2300},
    }
    assert (found["orders"], found["filled"], found["partly_filled"]) == (11, 7, 4)
    rows = table(tmp_path / "allocation.csv")
    assert list(rows[0]) == ["id", "slot", "side", "allocated_wh", "price_micro_per_kwh", "money_n"]
    got = {(row["id"], row["slot"]): (row["side"], int(row["allocated_wh"])) for row in rows}
    assert got["flat", "0"] == ("buy", 800)
    assert got["pump", "0"] == ("buy", 900)
    assert [got["bakery", slot] for slot in "012"] == [("buy", 800)] * 3
    assert [got["battery", slot] for slot in "012"] == [("buy", 1500), ("sell", 1350), ("both", 0)]
    assert sum(int(row["money_n"]) for row in rows) == 0
    trades = table(tmp_path / "trades.csv")
    assert sum(int(row["energy_wh"]) for row in trades) == found["traded_wh"]
    first = [path.read_bytes() for path in (tmp_path / "allocation.csv", tmp_path / "trades.csv")]
    clear(tmp_path, trades=tmp_path / "trades.csv")
    assert [path.read_bytes() for path in (tmp_path / "allocation.csv", tmp_path / "trades.csv")] == first


def test_one_slot_of_ranges_looks_like_any_other_allocation(tmp_path: Path) -> None:
    rows = ("a,sell,10,8,A,,", "b,buy,50,9,B,range,9", "c,buy,30,6,C,range,2", "d,buy,20,5,D,all_or_nothing,")
    write(tmp_path, *rows, header=f"{HEADER},kind,least_wh")
    called = clear(tmp_path, svg=tmp_path / "picture.svg", json=True)
    assert called.err == ""
    allocation = table(tmp_path / "allocation.csv")
    assert list(allocation[0]) == ["id", "allocated_wh", "price_micro_per_kwh", "money_n"]
    assert [row["allocated_wh"] for row in allocation] == ["6", "0", "6", "0"]
    assert "slots" not in json.loads(called.out)
    assert (tmp_path / "picture.svg").read_text().startswith("<svg")


def test_plain_rows_with_the_columns_of_kinds_clear_as_without(tmp_path: Path) -> None:
    rows = ("a,sell,80000,2000,A", "b,sell,120000,1500,B", "c,buy,250000,1800,C", "d,buy,200000,1000,D")
    write(tmp_path, *rows)
    expected = clear(tmp_path, json=True), (tmp_path / "allocation.csv").read_text()
    write(tmp_path, *(f"{row},plain" for row in rows), header=f"{HEADER},kind")
    found = clear(tmp_path, json=True), (tmp_path / "allocation.csv").read_text()
    assert found[1] == expected[1]
    figures = json.loads(found[0].out)
    assert figures.pop("welfare_bound_n") == figures["welfare_n"]
    assert figures == json.loads(expected[0].out)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("e,buy,1,5,A,blok,,,,,", "kind = 'blok': known are plain, curve"),
        ("e,both,1,5,A,block,0,1,,,", "side = 'both': a side is buy or sell"),
        ("e,buy,1,5,A,storage,0,2,,9,", "side = 'buy': a storage is both"),
        ("e,buy,1,0,A,block,0,2,,,", "energy_wh = 0: not above 0"),
        ("e,buy,1,5,A,range,,,,,", "least_wh = None: a range needs it"),
        ("e,buy,1,5,A,block,0,,,,", "slots = None: a block needs it"),
        ("e,buy,1,5,A,plain,0,2,,,", "slots = 2: a plain has none"),
        ("e,buy,1,5,A,range,0,,6,,", "least_wh = 6: give 1 to 5"),
        ("e,buy,1,5,A,range,0,,0,,", "least_wh = 0: give 1 to 5"),
        ("e,buy,1,5,A,block,0,1001,,,", "slots = 1001: give 1 to 1000"),
        ("e,buy,1,5,A,plain,2000,,,,", "slot = 2000: further than 1000 slots"),
        ("e,both,1,5,A,storage,0,2,,,", "capacity_wh = None: a storage needs it"),
        ("e,both,1,5,A,storage,0,2,,9,1000001", "efficiency_ppm = 1000001: give 1 to 1000000"),
        ("e,both,-1,5,A,storage,0,2,,9,", "price_micro_per_kwh = -1: the spread"),
        ("e,buy,1,5,A,block,0,x,,,", "slots = 'x': not a whole number"),
        ("c,buy,1,5,C,curve,1,,,,", "slot = 1: the curve 'c' began with 0"),
        ("c,buy,1,5,D,curve,0,,,,", "member = 'D': the curve 'c' began with 'C'"),
        ("c,buy,40,5,C,curve,0,,,,", "price_micro_per_kwh = 40: the curve 'c' has this step already"),
        ("c,sell,40,5,C,curve,0,,,,", "price_micro_per_kwh = 40: the curve 'c' would buy at 40 and sell at 40"),
        ("a,sell,40,5,A,plain,0,,,,", "id = 'a': this id stands there twice"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(tmp_path: Path, row: str, message: str) -> None:
    write(tmp_path, "a,sell,10,8,A,plain,0,,,,", "c,buy,40,5,C,curve,0,,,,", row, header=KINDS)
    called = clear(tmp_path)
    assert (called.code, called.out) == (3, "")
    assert f"orders.csv: row 4: {message}" in called.err
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_the_largest_numbers_clear_and_larger_books_are_refused(tmp_path: Path) -> None:
    most, half = 2**63 - 1, 2**61
    columns = f"{HEADER},kind,slots,least_wh,capacity_wh"
    rows = (f"a,buy,{most},{half},A,block,1,{half},", f"b,sell,{-most},{half},B,plain,,,")
    write(tmp_path, *rows, header=columns)
    called = clear(tmp_path, json=True)
    assert called.err == ""
    assert json.loads(called.out)["welfare_n"] == 2 * most * half
    write(tmp_path, *rows, f"c,both,0,{half},C,storage,1,,1", header=columns)
    assert "orders.csv: the book holds" in clear(tmp_path).err
    write(tmp_path, *rows, f"c,both,0,9,C,storage,1,,{most}", header=columns)
    assert "orders.csv: the book holds" in clear(tmp_path).err


def test_what_kinds_do_not_go_with_is_said(tmp_path: Path) -> None:
    write(tmp_path, "a,sell,10,8,A,block,0,2,,,", header=KINDS)

    def said(called: Called) -> str:
        assert called.code == 3
        return called.err

    assert "column kind: only --mechanism uniform knows it" in said(clear(tmp_path, "pay_as_bid"))
    assert "the merit order is drawn of one slot" in said(clear(tmp_path, svg=tmp_path / "picture.svg"))
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]
