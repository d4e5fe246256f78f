"""What an agent must do to be one; for the tests of those who write them, ours included."""

from __future__ import annotations

import numpy as np

from transactive.core.community.limits import Limits
from transactive.core.errors import require
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.trading.agents.order_gathering import check_steps, checked
from transactive.trading.agents.protocol import Agent, AnyAgent, Heard, MarketSight, Sight, Steps, Together
from transactive.trading.curves import remaining_orders

SLOT = 1_496_620_800
MEMBERS, SAMPLES = 3, 7
NEGATIVE = Tariff(40_000, -120_000, 10_000)


def check_agent(agent: AnyAgent, random: np.random.Generator, gates: int = 200) -> None:
    """Ask an agent at random gates and tell it random clearings; raise RuleBroken for the first broken rule.

    Rules: its orders are on the grid, with energy, do not meet each other and offer no more than can be given (an
    InputError names which is broken); the same sight, memory and draws give the same orders and the same memory; what
    it is given stays as it is; its memory is int64 and keeps its shape.
    """
    if isinstance(agent, Together):
        for _ in range(gates):
            gate = random_gate(random)
            orders = checked(agent, agent.orders(gate), gate)
            require(orders.digest() == agent.orders(gate).digest(), "equal gates give equal orders")
        return
    memory = agent.begin(np.random.default_rng(int(random.integers(1 << 30))))
    for _ in range(gates):
        memory = _one_slot(agent, random_gate(random).of(0), memory, random)


def _one_slot(agent: Agent, sight: Sight, memory: IntArray, random: np.random.Generator) -> IntArray:
    """Trade one slot; returns the memory after it."""
    seed = int(random.integers(1 << 30))
    before, seen = memory.copy(), sight.wish.price.copy()
    steps, again = (agent.orders(sight, memory, np.random.default_rng(seed)) for _ in range(2))
    check_steps(steps, sight, "agent")
    require(_equal(steps, again), "the same sight, memory and draws give the same orders")
    heard = Heard(sight, *_random_clearing(random, sight, steps))
    after, other = (agent.learn(heard, memory, np.random.default_rng(seed)) for _ in range(2))
    require(np.array_equal(after, other), "the same clearing and draws give the same memory")
    require(after.dtype == np.int64 and after.shape == before.shape, "a memory is int64 and keeps its shape")
    same = np.array_equal(memory, before) and np.array_equal(sight.wish.price, seen)
    require(same, "an agent changes nothing that it is given")
    return after


def random_gate(random: np.random.Generator) -> MarketSight:
    """Draw what agents see: homes that buy, sell or do either, at positive and negative prices, some with nothing."""
    tariff = NEGATIVE if random.random() * 4 < 1 else Tariff(int(random.integers(150_000, 400_000)), 80_000, 30_000)
    grid = PriceGrid.of(tariff, int(random.choice((100, 1_000, 7_000))))
    centre = random.choice((-2_000, -100, 0, 100, 2_000), MEMBERS)
    expected = centre + random.integers(-300, 300, (SAMPLES, MEMBERS)) * (random.integers(0, 2, MEMBERS))
    most, held = random.integers(0, 4_000, MEMBERS), random.integers(0, 2, MEMBERS) * 50
    wish: Orders = remaining_orders(SLOT, expected, most, held, tariff, grid)
    return MarketSight(
        session=int(random.integers(2)),
        chances=0,
        wish=wish,
        expected_wh=expected - held,
        held_wh=held,
        most_export_wh=most + held,
        plan_wh=np.zeros((4, MEMBERS), np.int64),
        charged_wh=np.zeros(MEMBERS, np.int64),
        tariff=tariff,
        grid=grid,
        limits=Limits.none(MEMBERS),
        prices=grid.floor + grid.tick * random.integers(0, grid.size, int(random.integers(5))),
    )


def _random_clearing(random: np.random.Generator, sight: Sight, steps: Steps) -> tuple[int | None, Steps, IntArray]:
    """A price or none, the orders, and what each got of what it asked for."""
    if random.integers(3) == 0:
        return None, steps, np.zeros(len(steps), np.int64)
    price = sight.grid.price(int(random.integers(sight.grid.size)))
    good = np.where(steps.is_buy, steps.price >= price, steps.price <= price)
    return price, steps, np.where(good, random.integers(0, steps.energy_wh + 1), 0)


def _equal(one: Steps, other: Steps) -> bool:
    """Whether two tables of steps are the same."""
    columns = ((one.is_buy, other.is_buy), (one.price, other.price), (one.energy_wh, other.energy_wh))
    return all(np.array_equal(a, b) for a, b in columns)
