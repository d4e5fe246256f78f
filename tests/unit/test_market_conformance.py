"""The conformance check passes our mechanism and finds those that break a rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from transactive.core.errors import RuleBroken
from transactive.core.tables import Clearing
from transactive.market import registry
from transactive.market.auction.uniform import clear
from transactive.market.conformance import check_mechanism


def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.mark.parametrize("name", ["continuous", "listings", "pay_as_bid", "preferences", "uniform"])
def test_our_mechanisms_conform(name) -> None:
    check_mechanism(registry.load(name), random())


def over_allocating(orders, grid, members) -> Clearing:
    """Serves the first order with one Wh too many."""
    result = clear(orders, grid, members)
    return replace(result, allocated_wh=result.allocated_wh + (np.arange(len(orders)) == 0))


def one_slot_late(orders, grid, members) -> Clearing:
    return replace(clear(orders, grid, members), slot=orders.slot + 1)


def without_the_last_member(orders, grid, members) -> Clearing:
    result = clear(orders, grid, members)
    return replace(result, bought_wh=np.append(result.bought_wh[:-2], result.bought_wh[-2:].sum()))


def moving_prices_onto_the_grid(orders, grid, members) -> Clearing:
    return clear(replace(orders, price=orders.price.clip(grid.floor, grid.cap) // grid.tick * grid.tick), grid, members)


class Forgetful:
    """Gives another price each time where nothing trades."""

    calls = 0

    def __call__(self, orders, grid, members) -> Clearing:
        self.calls += 1
        result = clear(orders, grid, members)
        return result if result.traded_wh else replace(result, price=self.calls)


@pytest.mark.parametrize(
    ("mechanism", "rule"),
    [
        (over_allocating, "bought = Wh sold"),
        (one_slot_late, "the slot of its orders"),
        (without_the_last_member, "one row per member"),
        (moving_prices_onto_the_grid, "50 µ¤/kWh, 1 Wh, member 0 is refused"),
        (Forgetful(), "clear equally"),
    ],
)
def test_a_mechanism_that_breaks_a_rule_is_found(mechanism, rule) -> None:
    with pytest.raises(RuleBroken, match=rule):
        check_mechanism(mechanism, random())
