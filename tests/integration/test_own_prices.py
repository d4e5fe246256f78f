"""Members and groups with prices of their own: what they pay, what they trade, and what is refused."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from tests.integration.test_membership import START, TEXT, Ran, ran, setting
from transactive.core.errors import ConfigError
from transactive.core.postings import PostingKind
from transactive.core.slot_book import SlotBook
from transactive.core.slots import HOUR
from transactive.engine.books.slot_book import read_slot
from transactive.engine.recorded import recorded_run
from transactive.store import Store

ROOF, BERT = (
    ('id = "roof"', 'id = "roof"\nfeed_in = "20 ct/kWh"'),
    ('id = "bert"', 'id = "bert"\ntariff_group = "shop"'),
)
SHOP = """network_fee = "3 ct/kWh"
standing_charge_n_per_day = "0.12 EUR/day"
standing_charge_n_per_month = "2 EUR/month"
time_zone = "Europe/Vienna"
[tariff.groups.shop]
supply = [[0, "22 ct/kWh"], [12, "40 ct/kWh"]]
network_fee = "1 ct/kWh"
"""
GROUP = ('network_fee = "3 ct/kWh"\n', SHOP)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with closing(Store(tmp_path_factory.mktemp("state"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def own(tmp_path_factory, store):
    """The roof has a feed-in of 20 ct, bert is a shop."""
    of, books = setting(tmp_path_factory.mktemp("own"), ROOF, BERT, GROUP), list[SlotBook]()
    kernel = recorded_run(of, range(START, of.measured_end, HOUR), store=store)
    kernel.run(books.append)
    return Ran(books, kernel)


def test_a_state_tells_the_same_deliveries_again(own, store):
    for book in own.books[::5]:
        again = read_slot(store, own.kernel.community, book.slot)
        assert again.tariff.own is not None
        assert again.tariff.own.supply.tolist() == book.tariff.own.supply.tolist()
        for name, column in book.delivery.columns().items():
            assert np.array_equal(column, getattr(again.delivery, name)), (name, book.slot)


def prices(of, kind: PostingKind, payer: int | None = None, payee: int | None = None) -> set[int]:
    found: set[int] = set()
    for book in of.books:
        p = book.postings
        rows = (p.kind == kind) & (p.energy_wh > 0)
        rows &= (p.payer == payer) if payer is not None else (p.payee == payee)
        found |= set(p.price[rows].tolist())
    return found


def test_each_pays_and_gets_its_own_prices(own):
    assert prices(own, PostingKind.EXTRA_SUPPLIER, payer=1) == {220_000, 400_000}
    assert prices(own, PostingKind.EXTRA_SUPPLIER, payer=2) == {280_000}
    assert prices(own, PostingKind.GIVE_SUPPLIER, payee=0) == {200_000}
    assert prices(own, PostingKind.NETWORK_FEE, payer=1) == {10_000}
    assert prices(own, PostingKind.NETWORK_FEE, payer=2) == {30_000}


def test_nobody_trades_at_a_worse_price_than_its_own(own):
    assert min(prices(own, PostingKind.CERTIFIED, payee=0)) >= 200_000
    for book in own.books:
        dearest = 210_000 if book.tariff.own.supply[1] == 220_000 else 390_000
        bought = book.positions.price[book.positions.is_buy & (book.positions.member == 1)]
        assert (bought <= dearest).all()


def test_a_bill_without_a_market_is_at_ones_own_prices(own):
    tally = own.kernel.tally
    alone = sum(
        book.baseline.import_wh * book.tariff.supply_of - book.baseline.export_wh * book.tariff.feed_in_of
        for book in own.books
    )
    days, months = 2, 0  # local days that begin from 2024-06-03T00:00Z on: on the 3rd and 4th at 22:00Z
    standing = days * 120_000_000 + months * 2_000_000_000
    assert tally.without_market_n.tolist() == [bill + standing for bill in alone.tolist()]
    assert int(tally.money_residual_n) == 0


def test_a_battery_plans_at_the_prices_of_its_owner(tmp_path):
    battery = 'id = "bert"\nbattery_wh = "4 kWh"\nbattery_w = "2 kW"'
    supply = [[0, "10 ct/kWh"], [12, "45 ct/kWh"]]
    text = ", ".join(f'[{hour}, "{price}"]' for hour, price in supply)
    with_own = ran(setting(tmp_path, ('id = "bert"', f"{battery}\nsupply = [{text}]")))
    charged = [int(book.baseline.import_wh[1]) for book in with_own.books]
    plain = ran(setting(tmp_path, ('id = "bert"', battery)))
    before = [int(book.baseline.import_wh[1]) for book in plain.books]
    noon = [place for place, book in enumerate(with_own.books) if book.slot % 86_400 >= 43_200]
    assert np.array(charged)[noon].sum() < np.array(before)[noon].sum()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('id = "roof"', 'id = "roof"\ntariff_group = "shop"', r"roof\.tariff_group = 'shop' is no group .*known: none"),
        (*GROUP, r"tariff\.groups\.shop: no member has this tariff_group"),
        ('id = "roof"', 'id = "roof"\nsupply = { column = "spot" }', r"roof\.supply_micro_per_kwh is a series"),
        ('id = "roof"', 'id = "roof"\nnetwork_fee = "-1 ct/kWh"', r"roof\.network_fee_micro_per_kwh is below 0"),
        ('id = "roof"', 'id = "roof"\nfeed_in = 8', "without a unit"),
        ('id = "roof"', 'id = "roof"\nneighbourhood = "hill"', r"roof\.neighbourhood is for tariff\.near_fee"),
        ('network_fee = "3', 'near_fee = "1 ct/kWh"\nnetwork_fee = "3', r"near_fee_micro_per_kwh: no member has"),
        ('id = "roof"', 'id = "roof"\nsupply = []', r"roof\.supply_micro_per_kwh: prices by hour name an hour twice"),
    ],
)  # fmt: skip
def test_prices_that_cannot_be_are_refused_by_name(tmp_path, old, new, said):
    assert old in TEXT
    with pytest.raises(ConfigError, match=said):
        setting(tmp_path, (old, new))
