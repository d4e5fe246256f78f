"""Agents by example: what each asks for, what ZIP learns, and that a broken agent is named."""

from dataclasses import replace

import numpy as np
import pytest

from transactive.core.community.limits import Limits
from transactive.core.errors import ConfigError, InputError, RuleBroken
from transactive.core.tariff import PriceGrid, Tariff
from transactive.trading.agents import registry
from transactive.trading.agents.concession import CURVES
from transactive.trading.agents.conformance import check_agent, random_gate
from transactive.trading.agents.order_gathering import OrderGatherer
from transactive.trading.agents.protocol import Forgetful, Heard, MarketSight, Sight, Steps, Together
from transactive.trading.agents.zip import MARGIN, SELL, Zip
from transactive.trading.curves import remaining_orders

TARIFF = Tariff(280_000, 80_000, 30_000)
GRID = PriceGrid.of(TARIFF, 100)
EXPECTED = np.array([[1_000, -600], [1_200, -500], [1_400, -400]])


def gate(expected=EXPECTED, limits=None):
    most, held = np.array([0, 5_000]), np.zeros(2, np.int64)
    wish = remaining_orders(0, expected, most, held, TARIFF, GRID)
    plan, charged = np.zeros((4, 2), np.int64), np.zeros(2, np.int64)
    limits = limits or Limits.none(2)
    return MarketSight(0, 0, wish, expected, held, most, plan, charged, TARIFF, GRID, limits, np.zeros(0, np.int64))


def rows(orders):
    columns = (orders.member, orders.is_buy, orders.price, orders.energy_wh)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("name", ["curves", "truthful", "zic", "zip", "zip-call"])
def test_our_agents_conform(name):
    check_agent(registry.load(name), np.random.default_rng(3))


def test_the_default_says_the_wish_as_it_is():
    seen = gate()
    assert OrderGatherer(["curves", "curves"]).orders(seen) is seen.wish
    assert registry.load("curves") is CURVES


def test_a_truthful_point_is_the_mean_position_at_the_worth_of_its_last_wh():
    # the first 1,000 Wh are worth n, the step to 1,200 Wh a third of the way from n to g less: 207,500 - 85,000 / 3
    assert rows(OrderGatherer(["truthful", "truthful"]).orders(gate())) == [
        (0, True, 179_100, 1_200),
        (1, False, 150_900, 500),
    ]


def test_zic_never_draws_a_price_that_loses():
    seen = gate()
    drawn = OrderGatherer(["zic", "curves"]).orders(seen)
    buys, wishes = drawn.only(drawn.member == 0), seen.wish.only(seen.wish.member == 0)
    assert (buys.price <= wishes.price).all()
    assert (buys.price < wishes.price).any()
    assert rows(drawn.only(drawn.member == 1)) == rows(seen.wish.only(seen.wish.member == 1))


def test_a_zip_seller_raises_its_margin_after_a_better_price_and_lowers_it_when_it_missed_one():
    agent, sight = Zip(), gate().of(1)
    memory = agent.begin(np.random.default_rng(1))
    steps = agent.orders(sight, memory, np.random.default_rng(1))
    assert (steps.price > sight.wish.price).all()
    served, missed = steps.energy_wh, np.zeros_like(steps.energy_wh)
    dear, cheap = GRID.cap, GRID.floor
    up = agent.learn(Heard(sight, dear, steps, served), memory, np.random.default_rng(1))
    down = agent.learn(Heard(sight, cheap, steps, missed), memory, np.random.default_rng(1))
    none = agent.learn(Heard(sight, None, steps, missed), memory, np.random.default_rng(1))
    place = MARGIN + SELL
    assert up[place] > memory[place] > none[place]
    assert down[place] < memory[place]


def test_a_zip_trader_that_was_served_at_a_worse_price_than_its_shout_keeps_its_margin():
    agent, sight = Zip(), gate().of(1)
    memory = agent.begin(np.random.default_rng(1))
    steps = agent.orders(sight, memory, np.random.default_rng(1))
    after = agent.learn(Heard(sight, GRID.floor, steps, steps.energy_wh), memory, np.random.default_rng(1))
    assert np.array_equal(after, memory)


class Wrong(Forgetful):
    """Alters its wish in one way."""

    def __init__(self, alter):
        self.alter = alter

    def orders(self, sight: Sight, memory, random) -> Steps:
        steps: Steps = self.alter(sight)
        return steps


@pytest.mark.parametrize(
    ("alter", "words"),
    [
        (lambda s: s.wish.at(s.wish.price + 1), "not on the grid"),
        (lambda s: Steps(s.wish.is_buy, s.wish.price, s.wish.energy_wh * 0), "no positive energy"),
        (lambda s: Steps(s.wish.is_buy & False, s.wish.price, s.wish.energy_wh + 9_999), "can give"),
        (lambda s: Steps(np.array([True, False]), np.full(2, s.grid.floor), np.full(2, 1)), "must not meet"),
        (lambda s: Steps(s.wish.is_buy, s.wish.price[:0], s.wish.energy_wh), "differ in length"),
    ],
)
def test_an_agent_that_asks_for_the_impossible_is_refused(alter, words):
    with pytest.raises(InputError, match=words):
        check_agent(Wrong(alter), np.random.default_rng(1))


def test_an_agent_that_changes_what_it_sees_does_not_conform():
    def spoil(sight):
        sight.wish.price[:] = sight.grid.floor
        return sight.wish.only(sight.wish.is_buy)

    with pytest.raises(RuleBroken, match="changes nothing"):
        check_agent(Wrong(spoil), np.random.default_rng(1))


def test_an_agent_for_everybody_is_checked_member_by_member():
    bad = Together(lambda seen: replace(seen.wish, price=seen.wish.price + 1))
    with pytest.raises(InputError, match="not on the grid"):
        check_agent(bad, np.random.default_rng(1))


def test_an_unknown_agent_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'zippy' is not installed; known: curves, truthful, zic, zip, zip-call"):
        registry.load("zippy")


def test_random_gates_hold_buys_and_sells():
    wishes = [random_gate(np.random.default_rng(seed)).wish for seed in range(20)]
    assert any(wish.is_buy.any() for wish in wishes)
    assert any((~wish.is_buy).any() for wish in wishes)
