"""What a bill adds to prices by the kWh."""

from __future__ import annotations

from typing import get_args

import pytest

from tests.unit.test_tariff_prices import NUMBERS, community
from transactive.core.community.charges.vat import ITEM_OF, vat_ppm
from transactive.core.community.tariff_rules import BillItem
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind

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


def test_energy_fees_and_levies_have_an_item_and_mere_transfers_none():
    moves_money_only = {
        PostingKind.SPREAD, PostingKind.FEE_FOLLOWS, PostingKind.ADVANCE, PostingKind.DIVIDEND,
        PostingKind.CONGESTION_RENT, PostingKind.LOSSES, PostingKind.HOLD, PostingKind.RELEASE, PostingKind.OWNERSHIP,
        PostingKind.INCENTIVE,
    }  # fmt: skip
    assert set(PostingKind) - ITEM_OF.keys() == moves_money_only
