"""Members with agents and limits in whole runs: interrupted and gone on with, signed, and a third party's agent."""

import json
import subprocess
import sys
import tomllib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.conftest import call
from tests.integration.samples import COMMUNITY, write_community
from transactive.config.setting import load_setting
from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST, Limits
from transactive.core.errors import SignatureError
from transactive.core.proofs.signed_orders import Order
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.engine.authorisations import Authorisations
from transactive.engine.replay import replay, slots_from
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.texts.formatting import Words
from transactive.web.pages.parts.agent import agent_words

EXAMPLE = Path(__file__).parents[2] / "examples" / "agent"
NOON_OF_DAY_TWO = 1_496_836_800  # 2017-06-07T12:00Z


class Stopped(Exception):
    """The run was stopped."""


def write(folder: Path) -> Path:
    """Each member with another agent, one with limits, and one that pauses from the second noon on."""
    write_community(folder)
    text = COMMUNITY.replace("[accounts]", '[trading]\nagent = "zip"\n\n[accounts]')
    text = text.replace('id = "b"', 'id = "b"\nagent = "zic"\nnever_pay_above_micro_per_kwh = 150_000')
    limits = 'sell_only_above_micro_per_kwh = 120_050\npause_from = "2017-06-07T12:00Z"'
    (folder / "community.toml").write_text(text.replace('id = "c"', f'id = "c"\n{limits}'))
    return folder / "community.toml"


@pytest.fixture
def community(tmp_path):
    return write(tmp_path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Records, state and slots of a whole run."""
    folder = tmp_path_factory.mktemp("agents")
    setting = load_setting(write(folder))
    records: list[SlotBook] = []
    slots = slots_from(setting)
    outcome, _ = replay(setting, slots, folder / "state", seed="transactive", after_slot=records.append)
    assert outcome.summary.ledger_equals_chain
    assert (outcome.summary.energy_residual_wh, outcome.summary.money_residual_n) == (0, "0")
    return records, folder / "state", slots


def test_limits_hold_in_a_run_whoever_trades(run):
    for record in run[0]:
        orders = record.orders
        assert (orders.price[(orders.member == 1) & orders.is_buy] <= 150_000).all()
        assert (orders.price[(orders.member == 2) & ~orders.is_buy] >= 120_050).all()
        if orders.slot >= NOON_OF_DAY_TWO:
            assert not (orders.member == 2).any()
    assert any((record.orders.member == 2).any() for record in run[0])


def test_an_agent_with_limits_signs_with_a_key_of_its_own_under_a_grant_that_the_judge_reads(run, tmp_path):
    _, state, slots = run
    leaf, limits = tmp_path / "leaf.json", {1: (150_000, NO_LOWEST), 2: (NO_HIGHEST, 120_050)}
    with closing(Store(state)) as store:
        for slot in slots[5::12]:
            orders, _, _ = store.trading(slot, 3) or pytest.fail("nothing was traded")
            for each in store.accepted(slot, orders, slot // 3600):
                grant = each.signed.grant
                granted = None if grant is None else (grant.highest_buy, grant.lowest_sell)
                assert granted == limits.get(each.signed.order.account)
    at = time_text(slots[20])
    proved = call("chain", "prove", "--state", state, "--member", "b", "--slot", at, "--output", leaf)
    assert proved.code == 0, proved.err
    assert '"highest_buy":150000' in leaf.read_text().replace(" ", "")
    found = call("chain", "challenge", leaf, "--node", f"embedded:{state}")
    assert (found.code, "nothing to challenge" in found.out) == (0, True), found.err


def test_order_entry_refuses_what_a_member_does_not_allow(community, tmp_path, monkeypatch):
    setting = load_setting(community)
    monkeypatch.setattr(Authorisations, "limits", lambda self, slot: Limits.none(3))  # limits forgotten
    with pytest.raises(SignatureError, match="is beyond the limits or the time of its grant"):
        replay(setting, slots_from(setting), tmp_path / "state", seed="transactive")
    slots = slots_from(setting)
    authorisations = Authorisations(
        setting.community, slots
    )  # without a chain nothing is granted, and the limits hold alike
    good = Order(1, slots[0] // 3600, 0, ((150_000, 10),), ())
    authorisations.check(good)
    early, dear = replace(good, slot=good.slot - 1), replace(good, buys=((150_001, 10),))
    paused = Order(2, NOON_OF_DAY_TWO // 3600, 0, ((100_000, 1),), ())
    for bad in (early, dear, paused):
        with pytest.raises(SignatureError, match="beyond what the member allows"):
            authorisations.check(bad)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('agent = "zip"', 'agent = "zipp"', "trading.agent = 'zipp' is not installed; known: curves"),
        ('agent = "zic"', 'agent = "zick"', "b: agent = 'zick' is not installed"),
        ("pause_from", "pause_fron", "did you mean pause_from?"),
        ('"2017-06-07T12:00Z"', '"noon"', "c: pause_from: time 'noon'"),
        (
            "never_pay_above_micro_per_kwh = 150_000",
            "never_pay_above_micro_per_kwh = 0.15",
            "never_pay_above_micro_per_kwh is 0.15; give a whole number of µ¤/kWh",
        ),
        ('T12:00Z"', 'T12:00Z"\npause_to = "2017-06-07T12:00Z"', "c: pause_to is not after pause_from"),
    ],
)
def test_wrong_agents_and_limits_are_named(community, old, new, named):
    text = community.read_text()
    assert old in text
    community.write_text(text.replace(old, new, 1))
    called = call("check", community)
    assert called.code == 3
    assert named in called.err


def told(state, slot):
    """What the page tells member a of its agent."""
    with closing(Store(state)) as store:
        reader = Reader(store)
        run = reader.run()
        assert run is not None
        return agent_words(reader, run, 0, slot, Words(run.community.currency))


@pytest.mark.long
def test_a_member_changes_what_it_allows_while_the_run_is_stopped(community, tmp_path):
    setting, state = load_setting(community), tmp_path / "state"
    seen: list[SlotBook] = []

    def stop(record):
        seen.append(record)
        if len(seen) in (10, 20):
            raise Stopped

    def go_on():
        return replay(setting, slots_from(setting), state, seed="transactive", after_slot=stop)

    options = ("--state", state, "--member", "a", "--json")
    assert "holds no run" in call("agent", "show", "--state", state).err
    with pytest.raises(Stopped):
        go_on()
    first = seen[-1].orders.slot + 2 * 3600  # the gate of the next slot has closed
    assert json.loads(call("agent", "show", "--state", state, "--json").out)["b"]["never_pay_above"] == 150_000
    paused = json.loads(call("agent", "pause", *options).out)
    assert (paused["serial"], paused["paused_from"], paused["paused_until"]) == (1, time_text(first), None)
    early = call("agent", "authorise", *options, "--from", time_text(first - 3600))
    assert early.code == 3
    assert "too early" in early.err
    assert "it has a, b, c" in call("agent", "pause", "--state", state, "--member", "z").err
    with pytest.raises(Stopped):
        go_on()
    assert any((record.orders.member == 0).any() for record in seen[:10])
    assert not any((record.orders.member == 0).any() for record in seen if record.orders.slot >= first)
    assert told(state, seen[-1].orders.slot) == [
        "Your agent is “zip”, which follows the market with a margin.",
        "It pauses, as you signed.",
    ]
    assert call("agent", "revoke", *options).code == 0
    assert "revoked" in call("agent", "resume", *options).err
    assert call("agent", "authorise", *options, "--never-pay-above", 123_456, "--sell-only-above", 99_999).code == 0
    outcome, _ = go_on()
    assert outcome.summary.ledger_equals_chain
    last = seen[-1].orders
    orders = [record.orders for record in seen[21:]]
    assert any((each.member == 0).any() for each in orders)
    assert all((each.price[(each.member == 0) & each.is_buy] <= 123_456).all() for each in orders)
    assert last.slot == slots_from(setting)[-1]
    assert told(state, last.slot)[1:] == ["It never pays above 12.35 and sells only above 10.00 ct/kWh, as you signed."]
    assert "this run is finished" in call("agent", "pause", *options).err


@pytest.mark.long
def test_a_run_takes_up_a_pause_while_it_goes_on_and_again_after_an_interruption(community, tmp_path):
    setting = load_setting(community)
    records: list[SlotBook] = []

    def run(state, *, stops):
        seen = 0

        def after(record):
            nonlocal seen
            seen += 1
            records.append(record)
            if seen == 10:
                done = call("agent", "pause", "--state", state, "--member", "a", "--json")
                assert done.code == 0, done.err
                if stops:
                    raise Stopped

        return replay(setting, slots_from(setting), state, seed="transactive", after_slot=after)[0].summary

    whole = run(tmp_path / "whole", stops=False)
    first = records[9].orders.slot + 2 * 3600
    assert not any((record.orders.member == 0).any() for record in records if record.orders.slot >= first)
    assert any((record.orders.member == 0).any() for record in records)
    assert whole.ledger_equals_chain
    with pytest.raises(Stopped):
        run(tmp_path / "halved", stops=True)  # stopped with the offer not taken up
    resumed = replay(setting, slots_from(setting), tmp_path / "halved", seed="transactive")[0].summary
    assert resumed.state_hash == whole.state_hash


CODE = """
import sys
import numpy as np
from transactive.cli import main
from transactive.trading.agents import registry
from transactive.trading.agents.conformance import check_agent
check_agent(registry.load("patient"), np.random.default_rng(1))
main(["run", sys.argv[1], "--no-page", "--json", "--state", sys.argv[2]])
"""


@pytest.mark.long
def test_the_example_agent_is_found_conforms_and_trades(community, tmp_path):
    site = tmp_path / "site"
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    about = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    offers = project["entry-points"]["transactive.agents"]
    lines = "\n".join(f"{name} = {value}" for name, value in offers.items())
    (about / "entry_points.txt").write_text(f"[transactive.agents]\n{lines}\n")
    (site / "transactive_patient").symlink_to(EXAMPLE / "transactive_patient", target_is_directory=True)
    community.write_text(community.read_text().replace('"zic"', '"patient"'))
    start = f"import sys; sys.path.insert(0, {str(site)!r})\n"
    command = [sys.executable, "-B", "-c", start + CODE, str(community), str(tmp_path / "state")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"ledger_equals_chain":true' in done.stdout
