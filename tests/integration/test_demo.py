"""The demo's week: every slot exact, nothing from the future, the same on any machine."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.integration.conftest import START, call
from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time
from transactive.core.tables import Measured
from transactive.engine import information
from transactive.engine.books.signed_run import Gateway
from transactive.engine.devices import fleet
from transactive.engine.devices.fleet import compiled_work
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.settlement.netted import tariff_alone_n
from transactive.trading.devices import compiled

FIELDS = [
    *("slots", "members", "mechanism", "orders", "traded_wh", "energy_residual_wh", "money_residual_n"),
    *("ledger_equals_chain", "state_hash", "members_worse_off", "chain", "bills", "local_share"),
    *("self_sufficiency", "carbon", "grid", "detection", "forecasts", "seconds", "gain_share"),
]
GATEWAY = Gateway(b"\1" * 32, "0x1a642f0e3c3af545e7acbd38b07251b3990914f1")


def test_summary_says_that_the_books_balance(demo_run):
    summary = demo_run.outcome.summary
    assert (summary.slots, summary.members, summary.mechanism) == (168, 14, "uniform")
    assert (summary.energy_residual_wh, summary.money_residual_n) == (0, "0")
    assert summary.ledger_equals_chain is True
    assert (summary.chain.slot_commits, summary.chain.nettings) == (168, 7)
    assert summary.traded_wh == sum(record.clearing.traded_wh for record in demo_run.records) > 100_000
    assert int(summary.bills.with_market_n) < int(summary.bills.without_market_n)
    assert summary.members_worse_off == sum(bill.saved_n < 0 for bill in demo_run.outcome.bills) <= 1


def test_summary_says_who_forecasts_and_how_often_the_interval_held(demo_run):
    forecasts = demo_run.outcome.summary.forecasts
    assert (forecasts.trained, forecasts.promoted, forecasts.drifts) == (6, 1, 0)
    assert forecasts.targets["consumption"].by == "regression no. 1"
    assert 880_000 < forecasts.targets["consumption"].covered_ppm < 950_000
    assert forecasts.targets.keys() == {"consumption", "generation", "community", "price", "orders"}


def test_community_never_pays_more_than_without_a_market_on_the_same_readings(demo_run):
    chart = demo_run.setting.community.chart
    for record in demo_run.records:
        rows = ~np.isin(record.postings.kind, (PostingKind.DIVIDEND, PostingKind.ADVANCE, PostingKind.OFFSET))
        net = np.zeros(chart.total, np.int64)
        np.add.at(net, record.postings.payee[rows], record.postings.amount_n[rows])
        np.subtract.at(net, record.postings.payer[rows], record.postings.amount_n[rows])
        alone = tariff_alone_n(record.readings, record.tariff)
        assert int(net[: chart.members].sum() + net[chart.community]) >= int(alone.sum())


def test_member_that_keeps_its_word_never_loses(demo_run):
    chart = demo_run.setting.community.chart
    kept_words = 0
    for record in demo_run.records:
        keeps = (record.readings.import_wh >= record.clearing.bought_wh) & (
            record.readings.export_wh >= record.clearing.sold_wh
        )
        net = record.postings.other_than(PostingKind.OFFSET).net_n(chart.total)[: chart.members]
        alone = tariff_alone_n(record.readings, record.tariff)
        assert (net[keeps] >= alone[keeps]).all()
        kept_words += int((keeps & (record.clearing.bought_wh + record.clearing.sold_wh > 0)).sum())
    assert kept_words > 100


def test_every_slot_clears_within_orders_and_prices(demo_run):
    for record in demo_run.records:
        orders, clearing = record.orders, record.clearing
        assert int(clearing.bought_wh.sum()) == int(clearing.sold_wh.sum()) == clearing.traded_wh
        assert (clearing.allocated_wh <= orders.energy_wh).all()
        served = clearing.allocated_wh > 0
        assert (orders.price[served & orders.is_buy] >= clearing.price).all()
        assert (orders.price[served & ~orders.is_buy] <= clearing.price).all()


def test_dividend_is_paid_in_the_last_slot_of_each_day(demo_run):
    clock = demo_run.setting.community.clock
    paid = {record.readings.slot for record in demo_run.records if (record.postings.kind == PostingKind.DIVIDEND).any()}
    assert paid == {slot for slot in demo_run.slots if clock.ends_period(slot)}


def test_bills_equal_the_sum_of_the_postings(demo_run):
    chart = demo_run.setting.community.chart
    net = sum(record.postings.net_n(chart.total) for record in demo_run.records)
    for i, bill in enumerate(demo_run.outcome.bills):
        assert bill.with_market_n + bill.offset_n == -int(net[i])


def _walk(setting, slots, poison_from=None):
    """Orders and clearings of a run without chain, with the readings from a row on replaced by nonsense."""
    measured = setting.measured
    if poison_from is not None:
        consumption, generation = measured.consumption_wh.copy(), measured.generation_wh.copy()
        consumption[poison_from:] = 77_777
        generation[poison_from:] = 11
        setting = replace(setting, measured=Measured(measured.first_slot, consumption, generation))
    return recorded_run(setting, slots, GATEWAY)


@pytest.mark.parametrize("hours", [0, 1, 7, 23, 24])
def test_orders_see_nothing_after_gate_closure(demo_setting, hours):
    """Poison every reading that has not ended at the gate: the orders of the slot must not change."""
    slots = slots_of(demo_setting, parse_time(START), 2)
    slot = slots[hours]
    length = demo_setting.community.clock.length
    unknown = (demo_setting.community.clock.gate(slot) - demo_setting.measured.first_slot) // length

    def orders_at(poison_from):
        seen = {}
        _walk(demo_setting, slots, poison_from).run(lambda record: seen.update({record.readings.slot: record}))
        return seen[slot].orders, seen[slot].clearing

    clean, poisoned = orders_at(None), orders_at(unknown)
    assert clean[0].digest() == poisoned[0].digest()
    assert clean[1].digest() == poisoned[1].digest()
    informed = orders_at(unknown - 24)
    assert informed[0].digest() != clean[0].digest(), "what was known at the gate does count"


@pytest.mark.long
def test_a_compiled_run_in_small_groups_on_all_processors_is_the_same_run(demo_setting, monkeypatch):
    slots = slots_of(demo_setting, parse_time(START), 1)
    plain = recorded_run(demo_setting, slots, GATEWAY)
    plain.run()
    monkeypatch.setattr(information, "HOMES_AT_ONCE", 5)
    monkeypatch.setattr(fleet, "GROUP", 4)
    with compiled_work() as work:
        other = recorded_run(demo_setting, slots, GATEWAY, work=work)
        other.run()
    assert other.state_hash == plain.state_hash


def test_what_cannot_be_compiled_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    assert call("init", tmp_path / "own").code == 0
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(compiled, "backward", compiled.backward.__wrapped__)  # as in a fresh process
    called = call("run", tmp_path / "own" / "community.toml", "--compiled", "--no-page")
    assert (called.code, called.out) == (3, "")
    assert "transactive-core[compiled]" in called.err
    assert not (tmp_path / "own" / "community.state").exists()


def test_json_has_exactly_the_promised_fields_and_another_seed_changes_no_figure(tmp_path):
    """That the same seed gives the same hash is seen where the README is typed, and in `test_hashes.py`."""
    called = call("demo", "--no-serve", "--json", "--days", 1, "--state", tmp_path / "a")
    assert called.code == 0
    printed = json.loads(called.out)
    assert list(printed) == FIELDS
    assert list(printed["chain"]) == [
        *("url", "height", "slot_commits", "nettings", "gas_per_slot_commit", "gas_per_member_netting")
    ]
    assert called.out.count("\n") == 1
    assert printed["money_residual_n"] == "0"
    two = json.loads(call("demo", "--no-serve", "--json", "--days", 1, "--seed", "x", "--state", tmp_path / "b").out)
    assert printed["state_hash"] != two["state_hash"]
    assert printed["bills"] == two["bills"]


@pytest.mark.long
def test_run_that_ends_inside_a_day_leaves_that_day_open(demo_setting, tmp_path):
    called = call(
        "demo", "--no-serve", "--json", "--start", "2017-03-10T05:00Z", "--days", 1, "--state", tmp_path / "s"
    )
    printed = json.loads(called.out)
    assert (called.code, printed["slots"]) == (0, 24)
    assert printed["chain"]["nettings"] == 1
    assert printed["ledger_equals_chain"] is True


def test_people_see_tables_with_exact_totals(demo_run, tmp_path):
    called = call("demo", "--no-serve", "--state", demo_run.folder)
    assert called.code == 0
    assert "finished already" in called.err
    assert demo_run.outcome.summary.state_hash in called.out
    for word in (
        "house-17",
        "dividend of the community account",
        "credit for energy left in batteries",
        "ledger = chain",
    ):
        assert word in called.out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--days", "0"), "--days 0"),
        (("--start", "2017-06-05"), "no zone"),
        (("--start", "yesterday"), "RFC 3339"),
        (("--start", "2017-06-05T00:30Z"), "does not begin a slot"),
        (("--start", "2030-01-01T00:00Z"), "not in the data"),
        (("--start", "2016-08-01T07:00Z", "--days", "1"), "a day of history in"),
        (("--days", "400"), "not in the data"),
    ],
)
def test_wrong_options_are_one_line_and_no_state(arguments, word, tmp_path):
    called = call("demo", "--no-serve", "--state", tmp_path / "s", *arguments)
    assert called.code == 3
    assert called.out == ""
    assert word in called.err
    assert called.err.count("\n") == 1
    assert not (tmp_path / "s").exists()
