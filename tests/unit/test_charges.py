"""What a bill adds to prices by the kWh."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.unit.test_tariff_prices import NUMBERS, community
from transactive.core.community.charges.vat import ITEM_OF, vat_ppm
from transactive.core.community.tariff_rules import BillItem
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.slots import parse_time, time_text
from transactive.environment.standing_charges import standing_charges_n

PRICES = NUMBERS + 'network_fee = "3 ct/kWh"\n'


def test_each_item_bears_its_own_rate_or_the_general_one(tmp_path):
    rules = community(tmp_path, PRICES + 'vat = "20 %"\nvat_items = { network_fee = "10 %", feed_in = "0 %" }')
    rates = {item: vat_ppm(rules.community.tariff, item) for item in get_args(BillItem)}
    assert rates == dict.fromkeys(get_args(BillItem), 200_000) | {"network_fee": 100_000, "feed_in": 0}


def test_without_a_rate_nothing_bears_tax(tmp_path):
    assert vat_ppm(community(tmp_path, PRICES).community.tariff, "supply") == 0


def test_an_item_that_no_bill_has_is_refused_with_those_it_has(tmp_path):
    with pytest.raises(ConfigError, match=r"tariff\.vat_items_ppm has no .netwrk.; choose supply, .*network_fee"):
        community(tmp_path, PRICES + 'vat_items = { netwrk = "10 %" }')


def test_a_day_and_a_month_are_charged_once_with_their_first_local_slot(tmp_path):
    charges = 'standing_charge_n_per_day = "0.12 EUR/day"\nstanding_charge_n_per_month = 3_000_000_001\n'
    rules = community(tmp_path, PRICES + charges + 'time_zone = "Europe/Vienna"').community
    year = range(parse_time("2023-12-31T23:00Z"), parse_time("2024-12-31T23:00Z"), 3_600)  # both clock changes in it
    owed = [standing_charges_n(rules, slot) for slot in year]
    assert sum(int(due[0]) for due in owed if due.any()) == 366 * 120_000_000 + 12 * 3_000_000_001
    assert [time_text(slot) for slot, due in zip(year, owed, strict=True) if due.any()][89:91] == [
        "2024-03-29T23:00Z", "2024-03-30T23:00Z"
    ]  # fmt: skip


def test_who_is_no_member_owes_no_standing_charge(tmp_path):
    charges = 'standing_charge_n_per_day = "0.12 EUR/day"\n[[from]]\nslot = "2024-06-09T00:00Z"\n[[from.members]]\n'
    rules = community(tmp_path, PRICES + charges + 'id = "adam"\nuntil = "2024-06-10T00:00Z"').community
    at = rules.ids.index("adam")
    last, after = (standing_charges_n(rules, parse_time(f"2024-06-{day}T00:00Z")) for day in ("09", "10"))
    assert (int(last[at]), int(after[at])) == (120_000_000, 0)
    assert int(after[1 - at]) == 120_000_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('standing_charge = "0.12 EUR/day"', 'standing_charge_n_per_day = "0.12 EUR/day"'),
        ("standing_charge_n_per_day = 120_000_000", "standing_charge_n_per_day = 120000000"),
    ],
)
def test_a_second_standing_charge_in_billing_is_refused_with_the_way_to_the_one(tmp_path, old, new):
    with pytest.raises(ConfigError, match=rf"billing\.standing_charge.*; write {new} below \[tariff\]"):
        community(tmp_path, PRICES + f"[billing]\n{old}")


def test_energy_fees_and_levies_have_an_item_and_mere_transfers_none():
    moves_money_only = {
        PostingKind.SPREAD, PostingKind.FEE_FOLLOWS, PostingKind.ADVANCE, PostingKind.DIVIDEND,
        PostingKind.CORRECTION,
        PostingKind.CONGESTION_RENT, PostingKind.LOSSES, PostingKind.HOLD, PostingKind.RELEASE, PostingKind.OWNERSHIP,
        PostingKind.INCENTIVE, PostingKind.BONUS,
    }  # fmt: skip
    assert set(PostingKind) - ITEM_OF.keys() == moves_money_only
