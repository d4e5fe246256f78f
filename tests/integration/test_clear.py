"""`transactive clear`: an order file in, exact allocation and picture out; anything wrong is one line and no file."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from transactive.cli.clear.actions import run_clear
from transactive.core.errors import TransactiveError

HEADER = "id,side,price_micro_per_kwh,energy_wh,member"
WORKED = ("a,sell,80000,2000,A", "b,sell,120000,1500,B", "c,buy,250000,1800,C", "d,buy,200000,1000,D")


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


@dataclass(frozen=True)
class Called:
    code: int
    out: str
    err: str


def clear(
    folder: Path,
    mechanism: str = "uniform",
    network: Path | None = None,
    trades: Path | None = None,
    svg: Path | None = None,
    json: bool = False,
) -> Called:
    """Clear orders.csv into allocation.csv, as the command does."""
    out, err, code = io.StringIO(), "", 0
    with redirect_stdout(out):
        try:
            run_clear(
                folder / "orders.csv",
                mechanism=mechanism,
                network=network,
                allocation=folder / "allocation.csv",
                trades=trades,
                svg=svg,
                json=json,
            )
        except TransactiveError as error:
            code, err = error.exit_code, str(error)
    return Called(code, out.getvalue(), err)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_worked_slot_at_one_price(tmp_path: Path) -> None:
    write(tmp_path, *WORKED)
    called = clear(tmp_path, trades=tmp_path / "trades.csv", svg=tmp_path / "picture.svg", json=True)
    assert (called.code, called.err) == (0, "")
    assert json.loads(called.out) == {
        "mechanism": "uniform",
        "price_micro_per_kwh": 120_000,
        "traded_wh": 2800,
        "welfare_n": 1800 * 250_000 + 1000 * 200_000 - 2000 * 80_000 - 800 * 120_000,
        "orders": 4,
        "filled": 3,
        "partly_filled": 1,
    }
    rows = table(tmp_path / "allocation.csv")
    assert list(rows[0]) == ["id", "allocated_wh", "price_micro_per_kwh", "money_n"]
    assert [(row["id"], row["allocated_wh"], row["money_n"]) for row in rows] == [
        ("a", "2000", "240000000"),
        ("b", "800", "96000000"),
        ("c", "1800", "-216000000"),
        ("d", "1000", "-120000000"),
    ]
    assert {row["price_micro_per_kwh"] for row in rows} == {"120000"}
    assert sum(int(row["energy_wh"]) for row in table(tmp_path / "trades.csv")) == 2800
    assert ET.parse(tmp_path / "picture.svg").getroot().get("aria-label") == "2.8 kWh at 0.12 ¤/kWh"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "allocation.csv",
        "orders.csv",
        "picture.svg",
        "trades.csv",
    ]


def test_pay_as_bid_books_every_trade_at_the_buyers_limit(tmp_path: Path) -> None:
    write(tmp_path, *WORKED)
    called = clear(tmp_path, "pay_as_bid", trades=tmp_path / "trades.csv", json=True)
    assert json.loads(called.out)["traded_wh"] == 2800
    trades = table(tmp_path / "trades.csv")
    assert [(row["buy_id"], row["sell_id"], row["energy_wh"], row["price_micro_per_kwh"]) for row in trades] == [
        ("c", "a", "1800", "250000"),
        ("d", "a", "200", "200000"),
        ("d", "b", "800", "200000"),
    ]
    money = [int(row["money_n"]) for row in table(tmp_path / "allocation.csv")]
    assert money == [1800 * 250_000 + 200 * 200_000, 800 * 200_000, -1800 * 250_000, -1000 * 200_000]
    assert sum(money) == 0


STREET = Path(__file__).parents[1] / "unit" / "street.json"
NETWORK = """
nodes = ["station", "north", "south"]

[[lines]]
from = "north"
to = "station"
limit_wh = 700

[[lines]]
from = "station"
to = "south"
limit_wh = 5000
"""


def test_on_a_network_every_node_has_its_price_and_a_full_line_earns_rent(tmp_path: Path) -> None:
    (tmp_path / "network.toml").write_text(NETWORK)
    rows = ("a,sell,80000,2000,A,north", "b,sell,120000,1500,B,south", "c,buy,250000,1800,C,south")
    write(tmp_path, *rows, header=f"{HEADER},node")
    called = clear(tmp_path, "locational", network=tmp_path / "network.toml", json=True)
    assert called.err == ""
    found = json.loads(called.out)
    assert found["nodes"] == {
        "station": {"price_micro_per_kwh": 120_000, "flow_wh": 0},
        "north": {"price_micro_per_kwh": 80_000, "flow_wh": -700},
        "south": {"price_micro_per_kwh": 120_000, "flow_wh": 700},
    }
    assert found["lines"] == [
        {"from": "station", "to": "north", "flow_wh": -700, "limit_wh": 700, "limit_back_wh": 700, "lost_wh": 0},
        {"from": "station", "to": "south", "flow_wh": 700, "limit_wh": 5000, "limit_back_wh": 5000, "lost_wh": 0},
    ]
    assert found["congestion_rent_n"] == 700 * 40_000
    assert found["lost_wh"] == found["losses_n"] == 0
    assert [row["money_n"] for row in table(tmp_path / "allocation.csv")] == [
        str(700 * 80_000),
        str(1100 * 120_000),
        str(-1800 * 120_000),
    ]


def test_a_network_of_pandapower_serves_as_well(tmp_path: Path) -> None:
    write(tmp_path, "a,sell,80000,20000,A,north", "c,buy,250000,30000,C,bus 4", header=f"{HEADER},node")
    found = json.loads(clear(tmp_path, "locational", network=STREET, json=True).out)
    lost = [line["lost_wh"] for line in found["lines"]]
    assert found["traded_wh"] == 20_000 - sum(lost)
    assert [line["flow_wh"] for line in found["lines"]][:2] == [0, -20_000]


def test_lost_energy_is_sold_not_bought_and_the_network_pays_for_it(tmp_path: Path) -> None:
    lossy = NETWORK.replace("limit_wh = 5000", "limit_wh = 5000\nlimit_back_wh = 0\nloss_ppm = 100_000")
    (tmp_path / "network.toml").write_text(lossy)
    write(tmp_path, "a,sell,80000,2000,A,station", "c,buy,250000,450,C,south", header=f"{HEADER},node")
    found = json.loads(clear(tmp_path, "locational", network=tmp_path / "network.toml", json=True).out)
    assert (found["traded_wh"], found["lost_wh"]) == (450, 49)  # 49.9 rounded down
    assert found["nodes"]["station"] == {"price_micro_per_kwh": 80_000, "flow_wh": -499}
    assert found["nodes"]["south"] == {"price_micro_per_kwh": 88_889, "flow_wh": 450}  # 80,000 / 0.9, rounded up
    assert found["lines"][1]["flow_wh"] == 499
    assert found["losses_n"] == 49 * 80_000
    assert found["congestion_rent_n"] == 450 * (88_889 - 80_000)
    money = [int(row["money_n"]) for row in table(tmp_path / "allocation.csv")]
    assert money == [499 * 80_000, -450 * 88_889]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"south"]', '"west"]', "network.toml: lines[1]: 'south' is not one of the nodes"),
        ("limit_wh = 700", "limit_wh = 700\nloss_ppm = 600000", "lines[0]: loss_ppm = 600000; give 0 to 500000"),
        ("limit_wh = 700", "limit_wh = 700\nreactance = 0", "network.toml: lines[0]: reactance = 0"),
        ("limit_wh = 700", "limit_wh = 700\nreactance = 9", "lines[1]: reactance is missing; give it for all"),
        ("limit_wh = 700", "limit_wh = 700\nlimit_back_wh = -1", "network.toml: lines[0]: limit_back_wh = -1"),
        ('from = "north"', 'from = "station"', "from and to are both 'station'"),
        ("limit_wh = 700", "limit_wh = -1", "network.toml: lines[0]: limit_wh = -1"),
        (
            "limit_wh = 700",
            "limit = 700",
            'network.toml: lines[0].limit is 700, without a unit; write it like "13.5 kWh"',
        ),
        ('to = "station"', 'to = "south"', "none"),
        ('from = "station"\nto = "south"', 'from = "north"\nto = "station"', "no way from 'station' to 'south'"),
        ('"north", "south"]', '"north", "south", "north"]', "'north' stands there twice"),
        ('"north", "south"]', '"north", "south", "west"]', "no way from 'station' to 'west'"),
        ('nodes = ["station", "north", "south"]', "nodes = []", "name at least one"),
    ],
)
def test_a_wrong_network_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in NETWORK
    (tmp_path / "network.toml").write_text(NETWORK.replace(old, new))
    write(tmp_path, "a,sell,80000,2000,A,north", header=f"{HEADER},node")
    called = clear(tmp_path, "locational", network=tmp_path / "network.toml")
    assert called.err == "" if message == "none" else message in called.err


def test_a_ring_divides_energy_by_reactance_and_has_no_losses(tmp_path: Path) -> None:
    ring = NETWORK.replace("700", "300") + '[[lines]]\nfrom = "north"\nto = "south"\nlimit_wh = 9000\n'
    (tmp_path / "network.toml").write_text(ring)
    write(tmp_path, "a,sell,80000,2000,A,north", "c,buy,250000,1800,C,south", header=f"{HEADER},node")
    called = clear(tmp_path, "locational", network=tmp_path / "network.toml", json=True)
    assert called.err == ""
    found = json.loads(called.out)
    assert [line["flow_wh"] for line in found["lines"]] == [300, 300, 600]
    assert found["traded_wh"] == 900
    out = clear(tmp_path, "locational", network=tmp_path / "network.toml").out
    assert out.endswith("; 3 nodes at 0.08 ¤/kWh to 0.25 ¤/kWh, 0.000 kWh lost, congestion rent 0.153000 ¤\n")
    (tmp_path / "network.toml").write_text(ring.replace("limit_wh = 9000", "limit_wh = 9000\nloss_ppm = 5"))
    assert (
        "lines[2]: loss_ppm needs a network without rings"
        in clear(tmp_path, "locational", tmp_path / "network.toml").err
    )


def test_network_and_mechanism_must_fit(tmp_path: Path) -> None:
    (tmp_path / "network.toml").write_text(NETWORK)
    write(tmp_path, "a,sell,80000,2000,A,nowhere", header=f"{HEADER},node")
    network = tmp_path / "network.toml"
    assert "row 2: node = 'nowhere': not in the network" in clear(tmp_path, "locational", network).err
    assert "needs a --network" in clear(tmp_path, "locational").err
    assert "knows no --network" in clear(tmp_path, "uniform", network).err
    assert "leave -t out" in clear(tmp_path, "locational", network, trades=tmp_path / "trades.csv").err
    assert "no.toml: cannot be read" in clear(tmp_path, "locational", tmp_path / "no.toml").err
    write(tmp_path, *WORKED)
    assert "column node is missing" in clear(tmp_path, "locational", network).err


def test_prices_need_no_grid_and_may_be_anything(tmp_path: Path) -> None:
    most = 2**63 - 1
    write(tmp_path, f"a,buy,{most},7,x", f"b,sell,{-(2**63)},9,y", "c,buy,-3,2,z", "d,sell,-17,1,z")
    called = clear(tmp_path, json=True)
    assert json.loads(called.out)["price_micro_per_kwh"] == (-(2**63) - 18) // 2
    assert [row["allocated_wh"] for row in table(tmp_path / "allocation.csv")] == ["7", "9", "2", "0"]
    assert json.loads(called.out)["welfare_n"] == 7 * most + 9 * 2**63 - 6


def test_a_balanced_book_trades_in_the_middle_of_the_open_prices(tmp_path: Path) -> None:
    write(tmp_path, "a,buy,300000,5,x", "b,sell,100001,5,y")
    assert json.loads(clear(tmp_path, json=True).out)["price_micro_per_kwh"] == 200_000


def test_without_a_trade_there_is_no_price(tmp_path: Path) -> None:
    write(tmp_path, "a,buy,1,5,x", "b,sell,2,5,y")
    called = clear(tmp_path, json=True, svg=tmp_path / "picture.svg")
    assert json.loads(called.out)["price_micro_per_kwh"] is None
    assert table(tmp_path / "allocation.csv")[0] == {
        "id": "a",
        "allocated_wh": "0",
        "price_micro_per_kwh": "",
        "money_n": "0",
    }
    assert "no trade" in clear(tmp_path).out


def test_for_people_the_figures_are_one_line(tmp_path: Path) -> None:
    write(tmp_path, *WORKED)
    out = clear(tmp_path).out
    assert out == "uniform: 2.800 kWh at 0.12 ¤/kWh, welfare 0.394000 ¤; 3 of 4 orders filled, 1 in part\n"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("e,buy,1,-5,A", "row 6: energy_wh = -5: below 0"),
        ("e,bid,1,5,A", "row 6: side = 'bid': a side is buy or sell"),
        ("e,buy,1.5,5,A", "row 6: price_micro_per_kwh = '1.5': not a whole number"),
        ("e,buy,9223372036854775808,5,A", "row 6: price_micro_per_kwh = '9223372036854775808'"),
        ("e,buy,1,nan,A", "row 6: energy_wh = 'nan': not a whole number"),
        ("e,buy,1,5,", "row 6: member = None: a value is missing"),
        ("a,buy,1,5,A", "row 2: id = 'a': this id stands there twice"),
        ("e,buy,1,9223372036854775807,A", "orders.csv: the book holds"),
        ("e,buy,1,5,A,7", "orders.csv: row 6: has more values than the head names columns"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_written(tmp_path: Path, row: str, message: str) -> None:
    write(tmp_path, *WORKED, row)
    called = clear(tmp_path, trades=tmp_path / "trades.csv")
    assert called.code == 3
    assert message in called.err
    assert "\n" not in called.err
    assert called.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("id,side,energy_wh,member", ("a,buy,1,A",), "column price_micro_per_kwh is missing"),
        (HEADER, (), "holds no orders"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, header: str, rows: tuple[str, ...], message: str) -> None:
    write(tmp_path, *rows, header=header)
    called = clear(tmp_path)
    assert called.code == 3
    assert message in called.err


def test_other_mistakes_are_told_in_one_line(tmp_path: Path) -> None:
    missing = clear(tmp_path)
    assert (missing.code, "orders.csv: cannot be read (No such file or directory)" in missing.err) == (3, True)
    write(tmp_path, *WORKED)
    assert "--mechanism uniformly is not installed; known: " in clear(tmp_path, "uniformly").err
    assert "one name" in clear(tmp_path, trades=tmp_path / "allocation.csv").err
    assert "one name" in clear(tmp_path, svg=tmp_path / "orders.csv").err
    assert "cannot be written" in clear(tmp_path, trades=tmp_path / "no" / "trades.csv").err
    assert "is a folder" in clear(tmp_path, trades=tmp_path).err
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_an_order_without_energy_is_left_out_and_told(tmp_path):
    write(tmp_path, *WORKED, "e,buy,250000,0,E")
    told = clear(tmp_path, json=True)
    figures = json.loads(told.out)
    assert (told.code, figures["orders"], figures["without_energy_rows"]) == (0, 4, [6])
    assert "left out without energy: row 6" in clear(tmp_path).out
    write(tmp_path, *WORKED)
    assert figures | {"without_energy_rows": None} == json.loads(clear(tmp_path, json=True).out) | {
        "without_energy_rows": None
    }
    write(tmp_path, "e,buy,250000,0,E")
    assert "no order has energy" in clear(tmp_path).err
