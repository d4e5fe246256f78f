"""Sessions in which members deal: what undoes a deal locks nobody more than its orders did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.strategies import orders_table
from transactive.core.tables import Orders, Refusals
from transactive.core.tariff import PriceGrid, Tariff
from transactive.engine.sessions import Session
from transactive.market import mechanisms
from transactive.market.deals import Deals, Negotiated, Traffic
from transactive.market.registry import ByDeal
from transactive.trading.escrow import lock_price, locked_before_clearing

TARIFF = Tariff(280_000, 80_000, 30_000)
GRID = PriceGrid.of(TARIFF, 100)


def session(orders: Orders, *deals: tuple[int, int, int, int]) -> Session:
    """Orders that come to such deals: buyer, seller, Wh, price."""
    columns = [np.array([deal[k] for deal in deals], np.int64) for k in range(4)]
    made = Negotiated(Deals(orders.slot, *columns), Traffic(1, 3, 3, 0, 0))
    mechanism = ByDeal(lambda *_: made, lambda _: mechanism)
    cleared = mechanisms.clear(mechanism, orders, GRID, 3)
    none = np.empty(0, np.int64)
    return Session(cleared.book(orders), Refusals(0, none, none.astype(np.bool_), none, none, none), cleared)


def test_deals_of_an_earlier_session_lock_no_more_than_its_orders() -> None:
    """Member 0 sells, and buys it back from member 1; a later session of the slot trades nothing."""
    orders = orders_table([0, 1, 2], [False, False, True], [150_000, 120_000, 200_000], [10, 10, 10])
    orders = replace(orders, lock_n=orders.energy_wh * lock_price(orders.is_buy, orders.price, TARIFF))
    before = locked_before_clearing(orders, 3)
    earlier = session(orders, (2, 0, 10, 180_000), (0, 1, 10, 140_000))
    assert earlier.held_wh.tolist() == [0, -10, 10]
    after = earlier.locked_n(TARIFF, before)
    assert (after <= before).all()
    both = earlier.and_then(session(orders_table([], [], [], [])))
    assert both.held_wh.tolist() == [0, -10, 10]
    assert (both.locked_n(TARIFF, after) <= after).all()
