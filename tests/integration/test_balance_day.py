"""A few slots of the demo wholly on the balance market contract; the command's wrong input."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from tests.integration.conftest import call
from transactive.cli.run.actions import demo_setting
from transactive.core.errors import StateError
from transactive.core.slots import parse_time
from transactive.studies.day_on_chain.day import WINDOW, run_day, steps
from transactive.studies.day_on_chain.figures import SlotOnChain
from transactive.studies.day_on_chain.plan import curve_of, gate_plans

START = parse_time("2017-06-05T14:00Z")


@pytest.fixture(scope="module")
def setting():
    return demo_setting("balance")


@pytest.fixture(scope="module")
def done(setting, tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    settled: list[SlotOnChain] = []
    day = run_day(setting, range(START, START + 3 * 3600, 3600), folder, seed="test", after_slot=settled.append)
    return folder, day, settled


def test_slots_are_traded_delivered_and_paid_on_chain(done):
    _, day, settled = done
    assert settled == day.by_slot
    assert [slot.slot for slot in day.by_slot] == [f"2017-06-05T{hour}:00Z" for hour in (14, 15, 16)]
    assert day.orders == sum(slot.orders for slot in day.by_slot) > 20
    assert day.produced_wh > 0 < day.consumed_wh
    assert all(slot.certified_wh <= slot.produced_wh and slot.used_wh <= slot.consumed_wh for slot in day.by_slot)
    assert int(day.paid_n) > 0 < int(day.earned_n)


def test_money_is_conserved_and_the_contract_is_empty_in_the_end(done):
    _, day, _ = done
    assert (day.money_residual_n, day.left_in_contract_n, day.twin_equals_chain) == ("0", "0", True)


def test_orders_are_as_cheap_as_promised(done):
    _, day, _ = done
    assert 40_000 < day.gas_per_order <= 95_000
    assert 40_000 < day.gas_per_reading <= 90_000


def test_the_same_again_gives_the_same_chain(done, setting, tmp_path):
    _, day, _ = done
    again = run_day(setting, range(START, START + 3 * 3600, 3600), tmp_path, seed="test")
    assert again.head_hash == day.head_hash
    assert msgspec.structs.replace(again, url=day.url, seconds=day.seconds) == day


def test_a_folder_with_a_chain_is_left_alone(done, setting):
    folder, _, _ = done
    before = (folder / "chain.db").read_bytes()
    with pytest.raises(StateError, match="there is a chain already"):
        run_day(setting, range(START, START + 3600, 3600), folder, seed="test")
    assert (folder / "chain.db").read_bytes() == before


def test_the_network_never_loses_more_than_the_curve_says(done, setting):
    _, day, _ = done
    plans = gate_plans(setting, range(START, START + 3 * 3600, 3600))
    for slot, plan in zip(day.by_slot, plans.values(), strict=True):
        curve = curve_of(plan)
        assert slot.base == curve.base_n
        assert plan.tariff.feed_in <= slot.production_price <= slot.consumption_price <= plan.tariff.grid_cost
        assert int(slot.network_n) >= -curve.worst_loss()


def test_time_never_goes_back():
    due = [when for when, _, _ in steps(range(0, 36_000, 3_600), 3_600)]
    assert all(earlier < later for earlier, later in pairwise(due))
    assert WINDOW < 3_600


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--market", "uniform", "--on-chain"], "--market uniform has no contract to trade on; give --market balance"),
        (["--market", "nothing", "--no-serve"], "market.mechanism 'nothing' is not installed"),
        (["--market", "balance", "--on-chain", "--days", "0"], "--days 0: give at least 1"),
        (["--market", "balance", "--on-chain", "--node", "http://127.0.0.1:1"], "leave --node out"),
    ],
)
def test_wrong_input_is_named(options, message):
    outcome = call("demo", *options)
    assert outcome.code != 0
    assert message in outcome.err


@pytest.mark.long
def test_the_normal_demo_clears_with_any_mechanism(tmp_path):
    outcome = call("demo", "--market", "balance", "--days", "1", "--no-serve", "--json", "--state", str(tmp_path))
    assert outcome.code == 0, outcome.err
    summary = msgspec.json.decode(outcome.out)
    assert (summary["mechanism"], summary["ledger_equals_chain"]) == ("balance", True)
