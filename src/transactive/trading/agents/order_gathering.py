"""Order gathering: asks every member's agent for its orders, checks them, and keeps them within the member's limits.

Whatever an agent asks for, no order exceeds the limits of its member.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from transactive.core.community.limits import Limits
from transactive.core.errors import InputError
from transactive.core.tables import Clearing, Orders, stacked
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.trading.agents import registry
from transactive.trading.agents.concession import CURVES
from transactive.trading.agents.protocol import Agent, Heard, MarketSight, Sight, Steps, Together
from transactive.trading.escrow import lock_price

MOST_PRICES = 96
"""Clearings whose prices agents see."""
BEGIN, ORDER, LEARN = range(3)
"""What a draw is for."""


class OrderGatherer:
    """Agents of all members. names: the agent of each. memories: of the agents that have one, by member."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        agents = {name: registry.load(name) for name in sorted(set(names))}
        self._together = [
            (agent, np.array([known == name for known in names])) for name, agent in agents.items()
            if isinstance(agent, Together)
        ]  # fmt: skip
        self._each: dict[int, Agent] = {}
        for member, name in enumerate(names):
            agent = agents[name]
            if not isinstance(agent, Together):
                self._each[member] = agent
        random = np.random.default_rng((BEGIN,))
        self.memories = {member: agent.begin(random) for member, agent in self._each.items()}
        self.prices = np.zeros(0, np.int64)

    def orders(self, gate: MarketSight) -> Orders:
        """Orders of all members for one slot, member by member, each with what it locks.

        Raises InputError for an agent that asks for what no market takes, naming the member's number.
        """
        parts = [checked(agent, agent.orders(gate), gate) for agent, _ in self._together]
        if len(parts) + len(self._each) > 1:
            parts = [part.only(own[part.member]) for part, (_, own) in zip(parts, self._together, strict=True)]
        random = _random(ORDER, gate)
        for member, agent in self._each.items():
            sight = gate.of(member)
            steps = agent.orders(sight, self.memories[member], random)
            check_steps(steps, sight, f"agent {self._names[member]!r} of member {member}")
            parts.append(_of_member(gate.wish.slot, member, steps))
        orders = parts[0] if len(parts) == 1 else _in_turn(parts, gate.tariff)
        return within(orders, gate.limits, gate.grid, gate.tariff)

    def learn(self, gate: MarketSight, orders: Orders, clearing: Clearing) -> None:
        """Tell the agents what became of the orders that entered, and keep the price."""
        price = clearing.price if clearing.traded_wh else None
        if self._each:
            self._tell(gate, orders, clearing, price)
        if price is not None:
            self.prices = np.append(self.prices, price)[-MOST_PRICES:]

    def _tell(self, gate: MarketSight, orders: Orders, clearing: Clearing, price: int | None) -> None:
        """Tell each agent that remembers."""
        order = np.argsort(orders.member, kind="stable")
        bounds = np.searchsorted(orders.member[order], np.arange(len(gate.held_wh) + 1)).tolist()
        random = _random(LEARN, gate)
        for member, agent in self._each.items():
            own = order[bounds[member] : bounds[member + 1]]
            asked = Steps(orders.is_buy[own], orders.price[own], orders.energy_wh[own])
            heard = Heard(gate.of(member), price, asked, clearing.allocated_wh[own])
            self.memories[member] = agent.learn(heard, self.memories[member], random)


def checked(agent: Together, orders: Orders, gate: MarketSight) -> Orders:
    """Orders of an agent for everybody, each member's as `check_steps` wants them; those of the default are."""
    if agent is not CURVES:
        for member in np.unique(orders.member).tolist():
            own = orders.member == member
            steps = Steps(orders.is_buy[own], orders.price[own], orders.energy_wh[own])
            check_steps(steps, gate.of(member), f"agent of member {member}")
    return orders


def check_steps(steps: Steps, sight: Sight, who: str) -> None:
    """Refuse steps that no market takes: off the grid, without energy, crossing each other, or more than can be given.

    Raises InputError naming `who` asked for them.
    """
    grid = sight.grid
    if not len(steps.is_buy) == len(steps.price) == len(steps.energy_wh):
        raise InputError(f"{who}: columns of its orders differ in length; give one price and energy each")
    off = (steps.price < grid.floor) | (steps.price > grid.cap) | ((steps.price - grid.floor) % grid.tick != 0)
    if off.any():
        raise InputError(
            f"{who}: price {int(steps.price[off.argmax()])} is not on the grid from {grid.floor} to {grid.cap}"
        )
    if (steps.energy_wh <= 0).any():
        raise InputError(f"{who}: an order has no positive energy; leave it out")
    buys, sells = steps.price[steps.is_buy], steps.price[~steps.is_buy]
    if len(buys) and len(sells) and buys.max() >= sells.min():
        raise InputError(f"{who}: buys at {int(buys.max())} and sells at {int(sells.min())}; its orders must not meet")
    offered = sum(steps.energy_wh[~steps.is_buy].tolist())
    if offered > sight.most_export_wh:
        raise InputError(f"{who}: sells {offered} Wh, but can give {sight.most_export_wh}; offer less")


def within(orders: Orders, limits: Limits, grid: PriceGrid, tariff: Tariff) -> Orders:
    """Orders that keep to the limits: a buy above `highest_buy` bids that, a sell below `lowest_sell` asks that.

    An order for which the grid has no such price is left out, as are those of members that do not trade.
    """
    if not limits.bind:
        return orders
    most = np.minimum(orders.price, _on_grid(limits.highest_buy[orders.member], grid, up=False))
    least = np.maximum(orders.price, _on_grid(limits.lowest_sell[orders.member], grid, up=True))
    price = np.where(orders.is_buy, most, least)
    kept = limits.trades[orders.member] & (price >= grid.floor) & (price <= grid.cap)
    locks = orders.energy_wh * lock_price(orders.is_buy, price, tariff)
    return replace(orders, price=price, lock_n=locks).only(kept)


def _on_grid(price: IntArray, grid: PriceGrid, *, up: bool) -> IntArray:
    """The next price of the grid, continued beyond its ends."""
    ahead = price - grid.floor
    ticks = -(-ahead // grid.tick) if up else ahead // grid.tick
    return grid.floor + ticks * grid.tick


def _of_member(slot: int, member: int, steps: Steps) -> Orders:
    """Steps as orders of a member; what they lock is filled in later."""
    nothing = np.zeros(len(steps), np.int64)
    return Orders(slot, np.full(len(steps), member), steps.is_buy, steps.price, steps.energy_wh, nothing)


def _in_turn(parts: Sequence[Orders], tariff: Tariff) -> Orders:
    """Parts as one table, member by member, with what they lock."""
    orders = reduce(stacked, parts)
    rows = np.argsort(orders.member, kind="stable")
    is_buy, price, energy = orders.is_buy[rows], orders.price[rows], orders.energy_wh[rows]
    return Orders(orders.slot, orders.member[rows], is_buy, price, energy, energy * lock_price(is_buy, price, tariff))


def _random(purpose: int, gate: MarketSight) -> np.random.Generator:
    """Draws that depend on slot, session and purpose alone, so an interrupted run draws the same."""
    return np.random.default_rng((purpose, gate.wish.slot, gate.session))
