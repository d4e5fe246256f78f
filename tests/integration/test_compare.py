"""`transactive compare`: the same days under every mechanism, on a community of three homes."""

from __future__ import annotations

import dataclasses
import io
import json
import time
from contextlib import closing, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.chain.gas import settlement_gas, snapshot
from transactive.cli.compare.mechanisms import show_comparison, telling_page
from transactive.config.setting import load_setting
from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.core.errors import StateError
from transactive.core.slot_book import SlotBook
from transactive.engine.observer import Observer
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_from
from transactive.insight.studies.comparison import Comparison
from transactive.insight.studies.measures import MEASURES
from transactive.market.mechanisms import Cleared
from transactive.market.network.line_flows import line_flows
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.studies.compare import compare, mechanisms_for, variants
from transactive.studies.mechanism_run import congested
from transactive.texts.formatting import Words

GOLDEN = Path(__file__).parent / "golden" / "compare.txt"
OURS = ["uniform", "pay_as_bid", "continuous"]


def written(folder: Path) -> Path:
    """A community whose batteries follow their own homes, so that all mechanisms get the same orders."""
    path = write_community(folder)
    path.write_text(path.read_text() + '\n[trading]\nplans = "alone"\n')
    return path


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    return load_setting(written(tmp_path_factory.mktemp("three")))


@pytest.fixture(scope="module")
def found(setting) -> Comparison:
    """Two days under three mechanisms, with a clock that stands still."""
    return compare(setting, slots_from(setting), variants(OURS), workers=1, timer=lambda: 0.0)


def test_the_table_reads_as_it_always_did(found, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    fixed = tuple(replace(figures, gas=2_000_000) for figures in found.mechanisms)  # the snapshot has its own test
    out = io.StringIO()
    with redirect_stdout(out):
        show_comparison(replace(found, mechanisms=fixed))
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    assert text == GOLDEN.read_text()


def test_figures_are_those_of_the_walk(found, setting):
    slots, uniform = slots_from(setting), found.mechanisms[0]
    walk = recorded_run(setting, slots)
    records: list[SlotBook] = []
    walk.run(records.append)
    limits = sum(
        int((np.where(r.orders.is_buy, 1, -1) * r.orders.price * r.clearing.allocated_wh).sum()) for r in records
    )
    assert (uniform.name, int(uniform.welfare_n)) == ("uniform", limits)
    assert uniform.traded_wh == walk.tally.traded_wh > 0
    assert uniform.prices == tuple(record.clearing.price if record.clearing.traded_wh else None for record in records)
    assert uniform.saved_n == str(sum(int(part) for part in uniform.saved))
    assert uniform.gas == settlement_gas(setting.community.chart.on_chain, len(slots), 24)


def test_mechanisms_differ_as_their_rules_say(found):
    uniform, bids, book = found.mechanisms
    assert uniform.welfare_n == bids.welfare_n  # who trades is the same, only the money differs
    assert uniform.traded_wh == bids.traded_wh
    assert int(book.welfare_n) <= int(uniform.welfare_n)
    assert bids.buyers_share == 0
    assert 0 < uniform.buyers_share < 1
    assert int(bids.shaded_mean_n) > int(uniform.shaded_mean_n)
    for figures in found.mechanisms:
        assert int(figures.saved_least_n) <= int(figures.saved_median_n) <= int(figures.saved_most_n)
        assert figures.left_over_n == "0"
        assert figures.congested_slots is None  # there is no network
        assert 0 <= int(figures.withheld_mean_n) <= int(figures.withheld_most_n)


def test_two_sessions_for_each_slot_are_counted_one_by_one(setting):
    market = replace(setting.community.market, sessions=("day_ahead", "intraday"), day_ahead_gate_minutes=60)
    twice = dataclasses.replace(setting, community=replace(setting.community, market=market))
    slots = slots_from(setting)[:24]
    figures = compare(twice, slots, variants(["uniform"]), workers=1, timer=lambda: 0.0).mechanisms[0]
    walk, sessions = recorded_run(twice, slots), list[Cleared]()

    class Heard(Observer):
        def cleared(self, orders, grid, cleared):
            sessions.append(cleared)

    walk.observers.append(Heard())
    walk.run()
    assert len(sessions) > len(slots)
    assert figures.orders == sum(len(session.money_n) for session in sessions)
    assert figures.traded_wh == sum(session.clearing.traded_wh for session in sessions) > 0
    assert int(figures.welfare_n) > 0


def test_a_line_is_congested_when_full_whoever_filled_it():
    rules = NetworkRules(("root", "left", "right"), (Line("root", "left", 100, 50), Line("root", "right", 70)))
    network = network_of(rules)
    flow = line_flows(network).of_members(np.array([1, 2, 1]), np.array([-40, 60, -20]))
    assert flow.tolist() == [-60, 60]
    assert congested(network, flow)
    assert not congested(network, np.array([-49, 69]))
    assert not congested(network, np.array([0, 0]))
    assert congested(network, np.array([0, -70]))


def test_best_is_marked_where_it_can_be_read(found):
    rows = {measure.name: measure.winner(found.mechanisms, Words("EUR")) for measure in MEASURES}
    assert rows["Gain by a shaded limit, mean"] == "uniform"
    assert rows["Gain of trade"] is None  # alike to the cent
    assert rows["On chain"] == rows["Traded"] == rows["Clearing a slot"] is None


def test_nothing_is_best_where_two_are_alike_and_a_price_reads_as_elsewhere(found):
    first, second, *others = found.mechanisms
    saved = next(measure for measure in MEASURES if measure.name == "Saved, least")
    most = str(10**12)
    alone = replace(first, saved_least_n=most)
    assert saved.winner((alone, second, *others), Words("EUR")) == first.label
    tied = replace(second, saved_least_n=most)
    assert saved.winner((alone, tied, *others), Words("EUR")) is None
    price = next(measure for measure in MEASURES if measure.name == "Price, mean")
    assert price.unit_text(Words("EUR")) == "ct/kWh"
    assert price.show(replace(first, price=123_456), Words("EUR")) == "12.35"


def test_the_page_says_how_far_a_comparison_is_and_not_for_ever(tmp_path):
    with closing(Store(tmp_path)) as store:
        told = telling_page(tmp_path, 200, lambda _: None)
        told(50)
        told(100)  # at once after: not written again
        now = int(time.time())
        assert Reader(store).comparing(now) == 25
        assert Reader(store).comparing(now + 61) is None


def test_processes_find_the_same_and_the_command_prints_it(setting, found, tmp_path, monkeypatch):
    path = written(tmp_path)
    monkeypatch.setattr("transactive.studies.compare.SHORT", 0)
    called = call("compare", path, "--mechanisms", "uniform,pay_as_bid,uniform", "--json", "--state", tmp_path / "s")
    assert called.code == 0, called.err
    told = json.loads(called.out)
    assert [row["name"] for row in told["mechanisms"]] == OURS[:2]
    for row, known in zip(told["mechanisms"], found.mechanisms, strict=False):
        assert row["welfare_n"] == known.welfare_n
        assert row["saved"] == list(known.saved)
    with closing(Store(tmp_path / "s")) as store:
        stored = Reader(store).comparison()
    assert stored is not None
    assert stored.mechanisms[0].prices == found.mechanisms[0].prices


def test_prices_of_carbon_and_levies_are_compared_in_kg_and_cost(setting):
    """A levy that comes back costs all together nothing but what is still in the treasury; a price moves batteries."""
    slots = slots_from(setting)[:24]
    chosen = variants(["uniform"], [0, 5_000], ["off", "floor"])
    without, levied, priced, both = compare(setting, slots, chosen, workers=1, timer=lambda: 0.0).mechanisms
    assert [(row.carbon_price_per_t, row.levy) for row in (without, both)] == [(0, "off"), (5_000, "floor")]
    assert int(levied.levy_n) > int(without.levy_n) == 0
    assert 0 <= int(levied.bill_n) - int(without.bill_n) < int(levied.levy_n)
    assert levied.location_mg == without.location_mg != priced.location_mg == both.location_mg
    walk = recorded_run(setting, slots)
    walk.run()
    assert (without.location_mg, without.market_mg) == tuple(
        int(column.sum()) for column in (walk.tally.location_mg, walk.tally.market_mg)
    )


def test_progress_counts_the_slots_of_all_mechanisms(setting):
    slots = slots_from(setting)[:3]
    told: list[int] = []
    compare(setting, slots, variants(OURS[:2]), workers=1, timer=lambda: 0.0, done=told.append)
    assert told == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--mechanisms", "unifrom"], ("--mechanisms unifrom is not installed", "continuous", "pay_as_bid", "uniform")),
        (["--mechanisms", "locational"], ("locational", "network")),
        (["--mechanisms", ","], ("--mechanisms", "names none")),
        (["--days", "0"], ("--days 0", "at least 1")),
        (["--carbon-prices", "0,1.5"], ("--carbon-prices 1.5", "whole")),
        (["--carbon-prices", "20000"], ("--carbon-prices 20000", "from 0 to 10,000")),
        (["--levies", "tax"], ("--levies tax", "off, shadow, floor, fixed")),
        (["--days", "99"], ("99 days", "not in the data")),
        (["--start", "yesterday"], ("yesterday",)),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(options, words, tmp_path):
    called = call("compare", written(tmp_path), *options)
    assert called.code == 3
    assert called.out == ""
    assert called.err.count("\n") == 1
    assert all(word in called.err for word in words), called.err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["community.toml", "credits.toml", "readings.csv"]


def test_without_a_choice_every_mechanism_that_needs_no_network_is_taken():
    assert set(OURS) <= set(mechanisms_for(None, network=False))
    assert "locational" not in mechanisms_for(None, network=False)
    assert {"locational", *OURS} <= set(mechanisms_for(None, network=True))


def test_gas_of_a_run_is_a_line_through_the_snapshot():
    gas = snapshot()
    day = settlement_gas(14, 24, 24)
    assert (
        day
        == gas["slot commit, first of a period"]
        + 23 * gas["slot commit, later"]
        + gas["propose and finalise, 14 accounts"]
    )
    assert settlement_gas(100, 24, 24) - day == (
        gas["propose and finalise, 100 accounts"] - gas["propose and finalise, 14 accounts"]
    )
    assert (
        settlement_gas(14, 25, 24)
        == day + gas["slot commit, first of a period"] + (gas["propose and finalise, 14 accounts"])
    )


def test_a_comparison_of_another_version_is_named(tmp_path):
    with closing(Store(tmp_path)) as store:
        assert Reader(store).comparison() is None
        store.set(comparison='{"mechanisms": 1}')
        with pytest.raises(StateError, match=r"comparison: .* compare anew"):
            Reader(store).comparison()
