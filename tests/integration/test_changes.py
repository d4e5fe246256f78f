"""Rules change from a slot on in a run that goes on: at their slot, never backwards, and as one run would have it."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.integration.conftest import call
from tests.integration.test_going_on import COMMUNITY, run, statement_holds, write_readings
from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time
from transactive.insight.statements.statement import decode
from transactive.services.statements.checks.rules import check_rules
from transactive.services.statements.checks.words import Contradiction
from transactive.store import Store

CHANGE = "2024-06-05T00:00Z"
"""Where the readings of the first run end."""
BLOCK = f"""
[[from]]
slot = "{CHANGE}"
[from.tariff]
supply = "31 ct/kWh"
feed_in = "9 ct/kWh"
[from.carbon.levy]
mode = "fixed"
price = "100 EUR/t"
[[from.members]]
id = "cara"
never_pay_above = "1 ct/kWh"
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory) -> Path:
    """A run over two days, then a day appended under other rules."""
    folder: Path = tmp_path_factory.mktemp("changed")
    (folder / "community.toml").write_text(COMMUNITY)
    write_readings(folder, 96)
    first = run(folder)
    assert first.code == 0, first.err
    shutil.copytree(folder / "state", folder / "before")
    (folder / "community.toml").write_text(COMMUNITY + BLOCK)
    write_readings(folder, 120)
    second = run(folder)
    assert second.code == 0, second.err
    summary = json.loads(second.out)
    assert summary["ledger_equals_chain"]
    assert int(summary["money_residual_n"]) == 0
    return folder


def prices_of(folder: Path, state: str, kind: PostingKind) -> dict[int, set[int]]:
    """Prices of a kind of postings by slot."""
    with closing(Store(folder / state)) as store:
        found = {}
        for slot in store.delivered(0, 2**62):
            postings = store.postings(slot)
            found[slot] = set(postings.price[postings.kind == kind].tolist())
    return {slot: prices for slot, prices in found.items() if prices}


def test_each_slot_has_the_prices_of_its_version(changed):
    change = parse_time(CHANGE)
    bought = prices_of(changed, "state", PostingKind.EXTRA_SUPPLIER)
    assert {price for slot, prices in bought.items() if slot < change for price in prices} == {280_000}
    assert {price for slot, prices in bought.items() if slot >= change for price in prices} == {310_000}


def test_a_levy_and_a_limit_begin_with_their_slot(changed):
    change = parse_time(CHANGE)
    with closing(Store(changed / "state")) as store:
        slots = store.delivered(0, 2**62)
        levied = {slot for slot in slots if (store.postings(slot).kind == PostingKind.LEVY).any()}
        trades = {slot for slot in slots if (store.postings(slot).kind == PostingKind.BOUGHT).any()}
    assert min(levied) >= change
    assert trades
    assert max(trades) < change


def test_what_was_settled_before_stays(changed):
    with closing(Store(changed / "state")) as now, closing(Store(changed / "before")) as then:
        for slot in then.delivered(0, 2**62):
            for name, column in then.postings(slot).columns().items():
                assert np.array_equal(column, getattr(now.postings(slot), name)), (name, slot)


@pytest.mark.long
def test_one_run_over_both_decides_the_same(changed):
    whole = run(changed, "whole")
    assert whole.code == 0, whole.err
    with closing(Store(changed / "state")) as grown, closing(Store(changed / "whole")) as once:
        for slot in once.delivered(0, 2**62):
            for name, column in once.postings(slot).columns().items():
                assert np.array_equal(column, getattr(grown.postings(slot), name)), (name, slot)


def test_a_statement_over_the_change_names_both_versions_and_verifies(changed):
    assert statement_holds(changed)
    statement = decode((changed / "cara.json").read_bytes(), "cara.json")
    assert [(rules.version, rules.supply) for rules in statement.rules] == [(0, 280_000), (1, 310_000)]
    assert statement.rules[1].since == parse_time(CHANGE)
    assert check_rules(statement).text == "2 versions, each slot by its own"


@pytest.mark.parametrize(
    ("altered", "said"),
    [
        ({"supply": 300_000}, "extra_supplier at 280000 µ¤/kWh, version 0 of the rules says 300000"),
        ({"version": 5}, "a version is missing or twice there"),
        ({"since": 0}, "does not begin with the first slot"),
    ],
)
def test_a_statement_that_names_other_rules_is_found_out(changed, altered, said):
    statement_holds(changed)
    statement = decode((changed / "cara.json").read_bytes(), "cara.json")
    first, second = statement.rules
    with pytest.raises(Contradiction, match=said):
        check_rules(replace(statement, rules=(replace(first, **altered), second)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (COMMUNITY + BLOCK.replace("06-05T", "06-04T"), "slot = 2024-06-04T00:00Z reaches into what is settled"),
        (COMMUNITY + BLOCK.replace("31 ct", "32 ct"), "slot = 2024-06-05T00:00Z reaches into what is settled"),
        (COMMUNITY, "was made with"),
        (
            COMMUNITY.replace("280_000", "290_000") + BLOCK,
            "put what is new into a [[from]] block with slot = 2024-06-06T00:00Z or later",
        ),
    ],
)  # fmt: skip
def test_rules_of_what_is_settled_cannot_change(changed, text, said):
    (changed / "community.toml").write_text(text)
    refused = run(changed)
    (changed / "community.toml").write_text(COMMUNITY + BLOCK)
    assert refused.code == 4
    assert said in refused.err


def test_a_change_can_be_announced_and_taken_back_before_its_slot(changed):
    later = BLOCK.replace("06-05T", "06-20T")
    for text in (COMMUNITY + BLOCK + later, COMMUNITY + BLOCK):
        (changed / "community.toml").write_text(text)
        again = run(changed)
        assert again.code == 0, again.err
        shown = call("chain", "status", "--node", f"embedded:{changed / 'state'}", "--json")
        assert shown.code == 0
    with closing(Store(changed / "state")) as store:
        assert "2024-06-20" not in (store.setting("community") or "")


def test_a_zone_that_no_price_asks_for_may_change(changed):
    """It decides what people see, and no slot: an older folder goes on under a community that names its zone now."""
    named = COMMUNITY.replace("[tariff]\n", '[tariff]\ntime_zone = "Europe/Vienna"\n')
    assert named != COMMUNITY
    (changed / "community.toml").write_text(named + BLOCK)
    again = run(changed)
    (changed / "community.toml").write_text(COMMUNITY + BLOCK)
    assert again.code == 0, again.err
