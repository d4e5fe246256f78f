"""The public face on real data: tables in and out, exact numbers, equal when asked again, errors of the tree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import transactive as ta
from tests.integration.conftest import call
from transactive.core.errors import ConfigError, DataError, InputError, StateError
from transactive.face.frames import giving, taken, timed
from transactive.tabular.source import FrameSource

TABLES = ("prices", "orders", "positions", "postings", "readings", "certificates", "footprints", "bills")
ORDERS = pl.DataFrame(
    {
        "id": ["1", "2", "3", "4"],
        "side": ["sell", "sell", "buy", "buy"],
        "price_micro_per_kwh": [80_000, 120_000, 250_000, 200_000],
        "energy_wh": [2_000, 1_500, 1_800, 1_000],
        "member": ["A", "B", "C", "D"],
    }
)
"""The worked slot's."""


@pytest.fixture(scope="module")
def day() -> Any:
    """A day of the demo community."""
    return ta.simulate("demo", days=1)


def test_a_book_clears_in_three_lines():
    orders = pd.DataFrame(ORDERS.to_dict(as_series=False))
    result = ta.clear(orders)
    assert result.allocation["money_n"].tolist() == [240_000_000, 96_000_000, -216_000_000, -120_000_000]
    assert (result.price_micro_per_kwh, result.traded_wh, result.welfare_n) == (120_000, 2_800, 394_000_000)
    assert repr(result).startswith("uniform: 2.800 kWh at 0.12 ¤/kWh")
    assert result.svg().startswith("<svg")


@pytest.mark.parametrize("mechanism", ["uniform", "pay_as_bid", "continuous", "listings", "preferences", "balance"])
def test_the_face_clears_as_the_command_does(mechanism, tmp_path):
    ORDERS.write_csv(tmp_path / "orders.csv")
    files = [tmp_path / name for name in ("orders.csv", "allocation.csv", "trades.csv")]
    assert call("clear", files[0], "--mechanism", mechanism, "-o", files[1]).code == 0
    written = pl.read_csv(files[1], schema_overrides={"id": pl.String})
    assert ta.clear(ORDERS, mechanism).allocation.equals(written)


def test_orders_in_slots_and_on_a_network_have_tables_of_their_own(tmp_path):
    kinds = ta.clear(Path(__file__).parents[2] / "examples" / "orders" / "kinds.csv")
    assert kinds.slots is not None
    assert kinds.slots.columns == ["slot", "price_micro_per_kwh", "traded_wh"]
    assert kinds.slots["traded_wh"].sum() == kinds.traded_wh
    assert {"slot", "side"} < set(kinds.allocation.columns)
    network = tmp_path / "network.toml"
    network.write_text('nodes = ["grid", "end"]\n[[lines]]\nfrom = "grid"\nto = "end"\nlimit_wh = 1000\n')
    located = ta.clear(
        ORDERS.with_columns(node=pl.Series(["grid", "grid", "end", "end"])), "locational", network=network
    )
    assert located.trades is None
    assert located.nodes is not None
    assert located.lines is not None
    assert located.nodes["node"].to_list() == ["grid", "end"]
    assert located.lines["flow_wh"].to_list() == [1_000]
    assert located.traded_wh == 1_000


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"side": ["sell", "by", "buy", "buy"]}, DataError, r"^orders: row 1: side = 'by': a side is buy or sell$"),
        ({"energy_wh": [1.5, 1, 1, 1]}, DataError, r"^orders: energy_wh holds .*; give whole numbers, energy in Wh$"),
        ({"member": ["A", None, "C", "D"]}, DataError, r"^orders: row 1: member = None: a value is missing"),
        ({"listing": ["1", None, None, None]}, DataError, r"column listing: only mechanism listings knows it"),
    ],
)
@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_fault_is_named_by_column_and_row_as_the_table_counts(change, error, words, library):
    columns = ORDERS.to_dict(as_series=False) | change
    orders = pl.DataFrame(columns, strict=False) if library == "polars" else pd.DataFrame(columns)
    with pytest.raises(error, match=words):
        ta.clear(orders)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: ta.clear(ORDERS, "nothing"), "^mechanism nothing is not installed; known: balance, "),
        (lambda: ta.clear(ORDERS, "locational"), "^mechanism locational needs a network$"),
        (lambda: ta.clear([1, 2]), "^orders: is no table; give one of Polars or pandas"),
        (lambda: ta.clear(ORDERS, frames=cast("Any", "arrow")), "^frames arrow: is polars or pandas$"),
        (lambda: ta.load("demo", zone="Vienna"), "^zone Vienna: is no time zone"),
        (lambda: ta.simulate("demo", days=0), "^days 0: give at least 1$"),
        (lambda: ta.simulate("demo", days=1, mechanism="nothing"), "mechanisms nothing is not installed"),
        (
            lambda: ta.forecast(ORDERS, "energy_wh"),
            "^series: has no column slot_start, .*; name the column of times with time$",
        ),
        (lambda: ta.verify("statement.json"), "^give either node URL or state DIR"),
    ],
)
def test_a_wrong_argument_is_named_as_it_is_written_here(ask, words):
    with pytest.raises(InputError, match=words):
        ask()


def test_numbers_beyond_64_bits_are_refused_and_never_rounded():
    dear = ORDERS.with_columns(price_micro_per_kwh=pl.lit(2**62), energy_wh=pl.lit(2**40))
    with pytest.raises(DataError, match="money_n: a number does not fit 64 bits"):
        ta.clear(dear)


def test_a_simulation_gives_every_table_with_local_time_beside_utc(day):
    for name in TABLES[:-1]:
        frame = getattr(day, name)
        assert frame.columns[:2] == ["slot_start", "slot_start_local"]
        assert frame.schema["slot_start"] == pl.Datetime("ms", "UTC")
        assert frame.schema["slot_start_local"] == pl.Datetime("ms", "America/Los_Angeles")
        assert (frame["slot_start"].dt.epoch("s") == frame["slot_start_local"].dt.epoch("s")).all()
        assert frame["slot_start"].n_unique() <= 24
        assert not any(dtype.is_float() for dtype in frame.schema.values())
    assert len(day.prices) == 24
    assert len(day.readings) == 24 * 14
    assert day.state_hash is None


def test_the_tables_of_a_simulation_balance(day):
    sums = day.positions.group_by("slot_start", "side").agg(pl.col("energy_wh").sum()).sort("slot_start")
    bought, sold = (sums.filter(side=side)["energy_wh"].to_list() for side in ("buy", "sell"))
    assert bought == sold
    assert sum(bought) == day.prices["traded_wh"].sum() > 0
    money = pl.concat(
        [day.postings.select(a="payer", n=-pl.col("amount_n")), day.postings.select(a="payee", n="amount_n")]
    )
    nets = dict(money.group_by("a").agg(pl.col("n").sum()).iter_rows())
    assert sum(nets.values()) == 0
    assert nets["escrow"] == nets["pool"] == 0
    meters = day.readings.select((pl.col("import_wh") + pl.col("generation_wh") + pl.col("discharge_wh")).sum()).item()
    assert (
        meters
        == day.readings.select((pl.col("export_wh") + pl.col("charge_wh") + pl.col("consumption_wh")).sum()).item()
    )
    assert (
        day.certificates["energy_wh"].sum()
        <= day.readings.select(pl.col("generation_wh", "discharge_wh").sum()).sum_horizontal().item()
    )


def test_the_same_call_gives_equal_tables(day):
    again = ta.simulate(ta.load("demo"), days=1)
    assert repr(again) == repr(day)
    assert all(getattr(day, name).equals(getattr(again, name)) for name in TABLES)
    first, second = (ta.compare("demo", ["uniform"], days=1) for _ in range(2))
    assert all(getattr(first, name).equals(getattr(second, name)) for name in ("figures", "prices", "savings"))
    assert first.prices.filter(mechanism="uniform")["price_micro_per_kwh"].equals(day.prices["price_micro_per_kwh"])


def test_pandas_has_the_same_numbers_in_nullable_columns(day):
    frames = ta.simulate("demo", days=1, frames="pandas", floats=True)
    for name in TABLES:
        ours, theirs = getattr(day, name), getattr(frames, name)
        whole = [column for column, dtype in ours.schema.items() if dtype.is_integer()]
        assert all(str(theirs[column].dtype) == "Int64" for column in whole)
        assert all([None if v is pd.NA else v for v in theirs[c]] == ours[c].to_list() for c in whole)
    prices = frames.prices
    assert str(prices["slot_start_local"].dt.tz) == "America/Los_Angeles"
    assert (prices["traded_kwh"] == prices["traded_wh"].astype(float) / 1_000).all()
    assert {"amount_n", "amount"} < set(frames.postings.columns)


@given(
    whole=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=6),
    text=st.text(max_size=4),
    second=st.integers(0, 4 * 10**9),
)
def test_a_table_comes_back_from_pandas_as_it_was(whole, text, second):
    ours = pl.DataFrame(
        {
            "energy_wh": whole,
            "member": [text] * len(whole),
            "slot_start": [second] * len(whole),
            "known": [True] * len(whole),
        },
        schema_overrides={"energy_wh": pl.Int64},
    )
    ours = timed(ours, "slot_start", "Europe/Vienna").drop("slot_start_local")
    source, library = taken(giving("pandas")(ours), "table")
    assert library == "pandas"
    assert isinstance(source, FrameSource)
    assert source.frame.with_columns(pl.col("slot_start").cast(pl.Datetime("ms", "UTC"))).equals(ours)


def test_readings_of_ones_own_take_the_place_of_the_files(day):
    readings = ta.load("demo").readings.drop("slot_start_local")
    mine = pd.DataFrame(readings.to_dict(as_series=False))
    run = ta.simulate(ta.load("demo", readings=mine), days=1)
    assert isinstance(run.prices, pd.DataFrame)
    assert run.prices["traded_wh"].tolist() == day.prices["traded_wh"].to_list()
    with pytest.raises(DataError, match=r"^readings: row 7: consumption_wh = -1 at .*Z: energy is not negative"):
        ta.load(
            "demo",
            readings=readings.with_columns(
                consumption_wh=pl.when(pl.int_range(pl.len()) == 7).then(-1).otherwise("consumption_wh")
            ),
        )


def test_columns_keep_their_types_where_nothing_stands_in_them():
    demo = ta.load("demo")
    sound = ta.detect(demo.readings.filter(pl.col("member") == "house-01").head(24 * 14), zone="Europe/Vienna")
    assert sound.findings.is_empty()
    assert sound.findings.schema["until_local"] == pl.Datetime("ms", "Europe/Vienna")
    assert sound.scores.schema["theft_score"] == pl.Float64
    no_trade = ta.clear(ORDERS.filter(side="buy"))
    assert no_trade.price_micro_per_kwh is None
    assert no_trade.trades is not None
    assert no_trade.allocation.schema["price_micro_per_kwh"] == no_trade.trades.schema["money_n"] == pl.Int64
    assert no_trade.trades.schema["buy_id"] == pl.String
    assert ta.compare("demo", ["uniform"], days=1).figures.schema["congested_slots"] == pl.Int64


def test_an_index_of_times_counts_as_the_column_of_times():
    hours = pd.date_range("2024-01-01", periods=24 * 21, freq="h")
    load = pd.DataFrame({"load_wh": [100.0 + hour % 24 for hour in range(len(hours))]}, index=hours)
    tested = ta.forecast(load, "load_wh", models=["last-day"], test_days=2)
    assert isinstance(tested.forecasts, pd.DataFrame)
    assert tested.scores["mae"].max() < 1e-9
    assert "last-day" in repr(tested)


def test_nothing_is_written_unless_asked_and_a_kept_run_can_be_verified(tmp_path, monkeypatch, day):
    monkeypatch.chdir(tmp_path)
    kept = ta.simulate("demo", days=1, state=tmp_path / "state")
    assert re.fullmatch("[0-9a-f]{64}", kept.state_hash or "")
    assert all(getattr(day, name).equals(getattr(kept, name)) for name in TABLES)
    with pytest.raises(StateError, match="holds a run already"):
        ta.simulate("demo", days=1, state=tmp_path / "state")
    statement = tmp_path / "statement.json"
    assert call("statement", "--state", tmp_path / "state", "--member", "house-01", "-o", statement).code == 0
    found = ta.verify(statement, state=tmp_path / "state")
    assert found
    assert {"totals", "chain"} <= set(found.checks["check"])
    statement.write_text(statement.read_text().replace('"member":{', '"member": {', 1))
    assert not ta.verify(statement, state=tmp_path / "state", frames="pandas")


def test_a_community_that_is_not_there_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match=r"community\.toml"):
        ta.load(tmp_path)
