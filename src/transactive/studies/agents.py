"""Markets of agents with induced values: the same agents, round after round, through the door of a mechanism.

n buyers and n sellers have a unit each. In a round of the uniform price everybody orders once, as at a gate. A round of
the continuous book has several passes: in each, everybody who still wants to trade sends a new order, in drawn order,
and what did not trade is taken back; that is how such markets are run in experiments, where traders shout again and
again. After the last round before it, values and costs shift without a word (`SHIFT`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.community.limits import Limits
from transactive.core.errors import ConfigError, InputError
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.insight.studies.agent_scores import AgentFigures, Equilibrium, Round, figures, smiths_alpha
from transactive.market import mechanisms, registry
from transactive.market.incentives import surplus_n, with_limit
from transactive.market.registry import AnyMechanism, ByNode
from transactive.trading.agents import registry as agents
from transactive.trading.agents.order_gathering import OrderGatherer
from transactive.trading.agents.protocol import MarketSight

UNIT = 1_000
"""Energy of a unit [Wh]."""
TARIFF = Tariff(500_000, 0, 0)
GRID = PriceGrid(0, 500_000, 100)
VALUES, COSTS = (100_000, 400_000), (50_000, 300_000)
"""Values and costs are drawn evenly between these [µ¤/kWh]."""
SHIFT = 100_000
"""By so much values and costs are higher after the shock, drawn anew [µ¤/kWh]."""
PASSES = {"continuous": 10}
"""Orders that a member can send in a round, one after the other; one under mechanisms that are not named."""
LOOKED_AT, TRIED = 20, 20
"""Members whose regret is looked for, and other limits that are tried for each."""
FIRST_SEED = 100
"""Draws with lower numbers were used to design agents."""
REGRET_ROUNDS = 3
"""Rounds before the shock in which regret is looked for."""


@dataclass(frozen=True, slots=True)
class Design:
    """How long and how often each market is run. seeds: draws of values, fewer where members are many."""

    sizes: tuple[int, ...] = (5, 20, 200)
    rounds: int = 100
    after: int = 20
    seeds: int = 5

    def __post_init__(self) -> None:
        for name, number in (("rounds", self.rounds), ("after", self.after), ("seeds", self.seeds)):
            if number < 1:
                raise InputError(f"--{name} {number}: give at least 1")
        if not self.sizes or min(self.sizes) < 1:
            raise InputError(f"--size {min(self.sizes, default=0)}: give at least 1")

    def seeds_of(self, size: int) -> int:
        """Seeds for so many members a side: fewer than asked for beyond fifty."""
        return self.seeds if size <= 50 else max(self.seeds * 2 // 5, 1)


def compare_agents(
    names: Sequence[str],
    under: Sequence[str],
    design: Design,
    done: Callable[[int], None] = lambda _: None,
) -> list[AgentFigures]:
    """Run every agent under every mechanism in every size. Raises ConfigError for unknown names, before any runs.

    done: is told how many markets are through.
    """
    loaded = {name: registry.load(name) for name in under}
    for name, mechanism in loaded.items():
        if isinstance(mechanism, ByNode):
            raise ConfigError(f"--mechanisms {name}: needs a network, and the experiment has none; leave it out")
    for name in names:
        agents.load(name)
    found, through = [], 0
    for name, mechanism in loaded.items():
        for size in design.sizes:
            for agent in names:
                before, after = [], []
                for seed in range(design.seeds_of(size)):
                    market = AgentMarket(agent, mechanism, PASSES.get(name, 1), size, seed)
                    before.append(market.run(design.rounds, regret=True))
                    market.shock()
                    after.append(market.run(design.after, regret=False))
                    through += 1
                    done(through)
                found.append(figures(agent, name, size, before, after))
    return found


class AgentMarket:
    """One market: members 0 to size − 1 buy, the others sell."""

    def __init__(self, agent: str, mechanism: AnyMechanism, passes: int, size: int, seed: int) -> None:
        self.mechanism, self.passes, self.size = mechanism, passes, size
        self.random = np.random.default_rng((FIRST_SEED + seed, size))
        self.agents = OrderGatherer([agent] * 2 * size)
        self.number = 0
        self._draw(0)

    def shock(self) -> None:
        """Shift values and costs; nobody is told."""
        self._draw(SHIFT)

    def _draw(self, shift: int) -> None:
        """Draw what a unit is worth to each buyer and costs each seller [µ¤/kWh]."""
        values, costs = (
            shift + GRID.tick * self.random.integers(low // GRID.tick, high // GRID.tick, self.size, endpoint=True)
            for low, high in (VALUES, COSTS)
        )
        self.true_price = np.concatenate((values, costs))
        self.is_buy = np.arange(2 * self.size) < self.size
        self.ideal = Equilibrium.of(values, costs)

    def run(self, rounds: int, *, regret: bool) -> list[Round]:
        """Some rounds; in the last of them what each could have gained is looked for, if asked."""
        return [self._round(look=regret and number >= rounds - REGRET_ROUNDS) for number in range(rounds)]

    def _round(self, *, look: bool) -> Round:
        """One round of so many passes."""
        left = np.full(2 * self.size, UNIT)
        gained = 0
        prices, energies = [], []
        regret = None
        self.number += 1
        for session in range(self.passes):
            gate = self._gate(left, session)
            orders = self._in_drawn_order(self.agents.orders(gate))
            cleared = mechanisms.clear(self.mechanism, orders, GRID, 2 * self.size)
            given, bought = cleared.clearing.allocated_wh, orders.is_buy & (cleared.clearing.allocated_wh > 0)
            gained += (
                int(surplus_n(orders, cleared, self.true_price[orders.member]).sum()) + cleared.positions.surplus_n
            )
            prices.append(-cleared.money_n[bought] // given[bought])
            energies.append(given[bought])
            if look and session == 0:
                regret = self._regret(orders, cleared)
            self.agents.learn(gate, orders, cleared.clearing)
            np.subtract.at(left, orders.member, given)
            if not left[self.is_buy].any() or not left[~self.is_buy].any():
                break
        best = self.ideal.surplus * UNIT
        alpha = smiths_alpha(np.concatenate(prices), np.concatenate(energies), self.ideal)
        return Round(gained / best if best else 1.0, alpha, regret)

    def _gate(self, left: IntArray, session: int) -> MarketSight:
        """What everybody sees: its own unit, or what is left of it."""
        member = np.flatnonzero(left)
        energy, nothing = left[member], np.zeros(2 * self.size, np.int64)
        wish = Orders(self.number, member, self.is_buy[member], self.true_price[member], energy, np.zeros_like(energy))
        return MarketSight(
            session=session,
            chances=self.passes - 1 - session,
            wish=wish,
            expected_wh=np.where(self.is_buy, left, -left)[None],
            held_wh=nothing,
            most_export_wh=np.where(self.is_buy, 0, left),
            plan_wh=np.zeros((4, 2 * self.size), np.int64),
            charged_wh=nothing,
            tariff=TARIFF,
            grid=GRID,
            limits=Limits.none(2 * self.size),
            prices=self.agents.prices,
        )

    def _in_drawn_order(self, orders: Orders) -> Orders:
        """The same orders as they happen to arrive."""
        rows = self.random.permutation(len(orders))
        member, price, energy, lock = (c[rows] for c in (orders.member, orders.price, orders.energy_wh, orders.lock_n))
        return Orders(orders.slot, member, orders.is_buy[rows], price, energy, lock)

    def _regret(self, orders: Orders, cleared: mechanisms.Cleared) -> float:
        """What the best other limit would have brought members, of their mean share of the best surplus [%].

        One member's limit at a time is altered, all others stay, the book is cleared anew. Source: ex-post regret as in
        Lubin and Parkes, Approximate Strategyproofness (2012), Current Science 103(9).
        """
        truth = self.true_price[orders.member]
        own = surplus_n(orders, cleared, truth)
        rows = np.linspace(0, len(orders) - 1, min(LOOKED_AT, len(orders))).astype(np.int64)
        missed = [max(self._other(orders, row, truth) - int(own[row]), 0) for row in rows.tolist()]
        share = self.ideal.surplus * UNIT / (2 * self.size)
        return 100 * sum(missed) / len(missed) / share if missed and share else 0.0

    def _other(self, orders: Orders, row: int, truth: IntArray) -> int:
        """Most surplus of one order at limits that do not lose [n¤]."""
        edge = GRID.floor if orders.is_buy[row] else GRID.cap
        limits = np.linspace(int(truth[row]), edge, TRIED).astype(np.int64) // GRID.tick * GRID.tick
        tried = (with_limit(orders, row, limit) for limit in limits.tolist())
        cleared = ((book, mechanisms.clear(self.mechanism, book, GRID, 2 * self.size)) for book in tried)
        return max(int(surplus_n(book, found, truth)[row]) for book, found in cleared)
