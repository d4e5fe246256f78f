"""Why an order was filled or not: sentences worked by hand, and true of every order of random slots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.property.test_settlement_mechanisms import Traffic, traffic
from tests.strategies import orders_table
from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.core.tables import Orders, stacked
from transactive.core.tariff import PriceGrid
from transactive.market import mechanisms, registry
from transactive.market.auction import uniform
from transactive.market.mechanisms import Cleared, Site
from transactive.texts.formatting import Words
from transactive.web.charts.network import cables as cables_of
from transactive.web.network_slot import NetworkSlot
from transactive.web.order_reasons import Fate, books, paid_price

GRID = PriceGrid(0, 400_000, 10_000)
WORDS = Words("USD")
CT = 10_000
"""µ¤/kWh of one cent a kWh."""


def rows_of(orders: Orders, cleared: Cleared) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A slot and its orders as the database gives them."""
    columns = {**orders.columns(), "allocated_wh": cleared.clearing.allocated_wh, "money_n": cleared.money_n}
    names = [name for name in columns if name not in ("slot", "lock_n")]
    rows = [{name: columns[name][row].item() for name in names} for row in range(len(orders))]
    return {"price": cleared.clearing.price, "traded_wh": cleared.clearing.traded_wh}, rows


def network_of_slot(site: Site | None, cleared: Cleared) -> NetworkSlot | None:
    """What the page knows of the network."""
    if site is None or cleared.nodal is None:
        return None
    nodal = cleared.nodal
    cables = cables_of(site.network, nodal.flow_wh, nodal.lost_wh)
    return NetworkSlot(site, nodal.price, site.network.net_wh(nodal.flow_wh), nodal.flow_wh, cables)


def told(mechanism: str, *orders: tuple[int, bool, int, int], site: Site | None = None) -> list[str]:
    """State and reason of each order (member, is it a buy, limit [ct], Wh), in the order of the book."""
    member, is_buy, price, energy = map(list, zip(*orders, strict=True))
    table = orders_table(member, is_buy, [CT * limit for limit in price], energy)
    cleared = mechanisms.clear(registry.load(mechanism), table, GRID, 4, site)
    slot, rows = rows_of(table, cleared)
    network = network_of_slot(site, cleared)
    fates = [(book.member, fate) for book in books(mechanism, slot, rows, [], WORDS, network) for fate in book.fates]
    found = []
    for row in orders:
        at = next(
            k
            for k, (m, f) in enumerate(fates)
            if (m, f.is_buy, f.price, f.energy_wh) == (row[0], row[1], CT * row[2], row[3])
        )
        fate = fates.pop(at)[1]
        found.append(f"{fate.state}: {fate.reason}")
    return found


SELL, BUY = False, True


def test_two_sessions_have_a_price_each():
    ahead = orders_table([0, 1], [SELL, BUY], [8 * CT, 10 * CT], [100, 100])
    later = orders_table([0, 1, 2], [SELL, BUY, BUY], [20 * CT, 20 * CT, 9 * CT], [300, 300, 100])
    first, second = (mechanisms.clear(uniform.clear, orders, GRID, 3) for orders in (ahead, later))
    slot, rows = rows_of(stacked(ahead, later), mechanisms.join(first, second))
    reasons = [fate.reason for book in books("uniform", slot, rows, [], WORDS) for fate in book.fates]
    assert reasons == [
        "traded at 9.00",
        "traded at 20.00",
        "traded at 20.00",
        "traded at 9.00",
        "no offer within its limit was left for it",
    ]


def test_one_price():
    assert told("uniform", (0, SELL, 8, 100), (1, SELL, 12, 100), (1, SELL, 20, 100), (2, BUY, 25, 150)) == [
        "filled: limit below the price 12.00",
        "partly: marginal, shared pro rata: 0.050 of 0.100 kWh",
        "not filled: limit above the price 12.00",
        "filled: limit above the price 12.00",
    ]


def test_pay_as_bid():
    assert told("pay_as_bid", (0, SELL, 8, 100), (1, SELL, 20, 100), (2, BUY, 25, 60), (3, BUY, 15, 90)) == [
        "filled: its buyers pay 21.00",
        "not filled: limit above that of the last sell served, 8.00",
        "filled: pays its limit",
        "partly: marginal, shared pro rata: 0.040 of 0.090 kWh, pays its limit",
    ]


def test_continuous_book():
    assert told(
        "continuous", (0, SELL, 8, 100), (2, BUY, 25, 150), (3, BUY, 15, 90), (1, SELL, 20, 30), (1, SELL, 30, 5)
    ) == [
        "filled: met bids at 8.00",
        "partly: met offers at 11.92 for 0.130 of 0.150 kWh, then none within its limit was left",
        "not filled: offers within its limit met earlier orders, or better ones",
        "filled: met bids at 25.00",
        "not filled: no bid within its limit: the best is 25.00",
    ]


def test_listings():
    assert told(
        "listings", (0, SELL, 8, 100), (1, SELL, 20, 100), (2, BUY, 25, 150), (3, BUY, 10, 90), (1, SELL, 30, 9)
    ) == [
        "filled: sold at its price",
        "partly: sold at its price: 0.050 of 0.100 kWh, nobody took the rest",
        "filled: took listings at 12.00",
        "not filled: listings of others within its limit were taken",
        "not filled: no bid within its limit: the best is 25.00",
    ]
    assert (
        told("listings", (0, SELL, 8, 100), (0, BUY, 25, 150))
        == ["not filled: only listings of its own member were within its limit"] * 2
    )


def test_balance_price():
    found = told("balance", (0, SELL, 8, 100), (1, BUY, 39, 100), (2, BUY, 1, 100))
    assert found[2] == "not filled: in its turns the price was beyond its limit, or nothing was left to balance it"
    assert found[0].startswith("filled: traded in its turn at ")


def test_prices_by_location():
    network = network_of(
        NetworkRules(("root", "left", "right"), (Line("root", "left", 40), Line("root", "right", 999)))
    )
    site = Site(np.array([1, 2, 2, 2]), network)
    assert told("locational", (0, SELL, 8, 100), (1, SELL, 20, 100), (2, BUY, 25, 90), site=site) == [
        "partly: marginal, shared pro rata: 0.040 of 0.100 kWh",
        "partly: marginal, shared pro rata: 0.050 of 0.100 kWh",
        "filled: limit above the price at right 20.00",
    ]
    cut = Site(
        site.node,
        network_of(NetworkRules(("root", "left", "right"), (Line("root", "left", 0), Line("root", "right", 9)))),
    )
    assert (
        told("locational", (0, SELL, 8, 100), (2, BUY, 25, 90), site=cut)
        == ["not filled: limits meet, but no line between them carries anything"] * 2
    )


def test_preferences_without_a_premium_and_strangers_at_one_price_are_read_like_one():
    assert told("preferences", (0, SELL, 8, 100), (1, BUY, 25, 100), (2, BUY, 5, 10))[2] == (
        "not filled: limit below the price 16.00"
    )
    slot = {"price": 10 * CT, "traded_wh": 10}
    common = {"energy_wh": 10, "is_buy": True}
    rows = [
        {**common, "member": 0, "price": 20 * CT, "allocated_wh": 10, "money_n": -100 * CT},
        {**common, "member": 1, "price": 15 * CT, "allocated_wh": 0, "money_n": 0},
    ]
    fates = [book.fates[0].reason for book in books("midpoint", slot, rows, [], WORDS)]
    assert fates == ["limit above the price 10.00", "limit above the price 10.00, but nothing left"]


def test_a_stranger_with_many_prices_says_what_was_traded_at():
    slot = {"price": 10 * CT, "traded_wh": 10}
    common = {"energy_wh": 10, "is_buy": True, "price": 20 * CT}
    rows = [
        {**common, "member": 0, "allocated_wh": 4, "money_n": -48 * CT},
        {**common, "member": 1, "allocated_wh": 0, "money_n": 0},
    ]
    fates = [book.fates[0].reason for book in books("theirs", slot, rows, [], WORDS)]
    assert fates == [
        "traded at 12.00: 0.004 of 0.010 kWh, for the rest nothing within its limit was left",
        "no offer within its limit was left for it",
    ]


def test_nothing_on_the_other_side_or_no_price_for_both():
    for mechanism in registry.names():
        site = Site(np.zeros(4, np.int64), network_of(NetworkRules(("root",), ())))
        assert told(mechanism, (0, BUY, 10, 5), site=site) == ["not filled: nobody offered"]
        assert told(mechanism, (0, BUY, 10, 5), (1, SELL, 11, 5), site=site) == [
            "not filled: no price suits both sides: lowest offer 11.00",
            "not filled: no price suits both sides: highest bid 10.00",
        ]


def within(fate: Fate, limit: int) -> bool:
    """Whether an order of the other side is within the limit."""
    return limit <= fate.price if fate.is_buy else limit >= fate.price


@pytest.mark.parametrize("name", registry.names())
@settings(max_examples=20)
@given(traffic())
def test_what_is_said_is_true(name: str, case: Traffic) -> None:
    cleared = case.cleared(name)
    slot, rows = rows_of(case.orders, cleared)
    network = network_of_slot(case.site, cleared)
    found = [(book.member, fate) for book in books(name, slot, rows, [], WORDS, network) for fate in book.fates]
    assert len(found) == len(rows)
    for member, fate in found:
        others = [row["price"] for row in rows if row["is_buy"] != fate.is_buy]
        price = slot["price"] if network is None else network.of_member(member)[1]
        if "no price suits" in fate.reason or " within its limit: the best is" in fate.reason:
            assert others
            assert not any(within(fate, limit) for limit in others)
        if "nobody" in fate.reason and "took the rest" not in fate.reason:
            assert not others
        if "met earlier" in fate.reason or "listings of others" in fate.reason or "limits meet" in fate.reason:
            assert any(within(fate, limit) for limit in others) or "limits meet" in fate.reason
        if "above the price" in fate.reason:
            assert fate.price > price
            assert fate.is_buy == (fate.allocated_wh > 0)
        if "below the price" in fate.reason:
            assert fate.price < price
            assert fate.is_buy == (fate.allocated_wh == 0)
        if "limit at the price" in fate.reason:
            assert fate.price == price
        assert ("nothing left" in fate.reason or "limits meet" in fate.reason) <= (fate.allocated_wh < fate.energy_wh)
        assert "but nothing left" not in fate.reason  # ours serve every order better than its price


def test_the_mean_price_is_to_the_nearest_whole_one():
    assert paid_price({"allocated_wh": 2, "money_n": -5, "is_buy": True}) == 3
    assert paid_price({"allocated_wh": 2, "money_n": -5, "is_buy": False}) == -2
    assert paid_price({"allocated_wh": 0, "money_n": 0, "is_buy": True}) is None
