"""Agents: who trades for a member, and what it sees when a market closes.

An agent is asked for a member's orders at gate closure and told afterwards what became of them. What each Wh is worth
to the member is worked out before (`Sight.wish`: the forecast's quantiles after the battery's plan); the agent decides
what of that the market hears. Between two slots it keeps nothing but its memory, whole numbers that are saved with the
run, so an interrupted run goes on exactly. Limits of the member hold whatever an agent asks for
(`trading.agents.order_gathering`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from transactive.core.community.limits import Limits
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import BoolArray, IntArray

NOTHING = np.zeros(0, np.int64)
"""Memory of an agent that keeps none."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Orders of one member, shape (steps,): price [µ¤/kWh] on the grid and energy [Wh], positive."""

    is_buy: BoolArray
    price: IntArray
    energy_wh: IntArray

    def __len__(self) -> int:
        return len(self.price)

    def only(self, rows: BoolArray) -> Steps:
        """Some of the steps."""
        return Steps(self.is_buy[rows], self.price[rows], self.energy_wh[rows])

    def at(self, price: IntArray) -> Steps:
        """The same energy at other prices."""
        return Steps(self.is_buy, price, self.energy_wh)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What an agent sees for its member at gate closure; nothing in it is later than the gate.

    slot: the slot traded [Unix s]; session: number of this order among those for the slot, and chances: orders that may
    follow it there, 0 in a run. wish: what each Wh is worth to the member, as orders that say so: buys from the
    dearest down, then sells from the cheapest up. expected_wh: equally likely net loads after the battery's plan, less
    what is held, (samples,). held_wh: bought − sold in earlier sessions of the slot. most_export_wh: most that may be
    sold now. plan_wh: the battery's four levels in the slot (see `DeviceRules`), (4,), and charged_wh what it holds at
    the gate. highest_buy, lowest_sell: the member's limits [µ¤/kWh]. prices: of the latest clearings that traded,
    oldest first, (clearings,).
    """

    slot: int
    session: int
    chances: int
    wish: Steps
    expected_wh: IntArray
    held_wh: int
    most_export_wh: int
    plan_wh: IntArray
    charged_wh: int
    tariff: Tariff
    grid: PriceGrid
    highest_buy: int
    lowest_sell: int
    prices: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What an agent hears after the clearing.

    price: mean that buyers paid [µ¤/kWh], None where nothing was traded. asked: the member's orders as they entered,
    limits kept; given_wh: what each got, (asked,).
    """

    sight: Sight
    price: int | None
    asked: Steps
    given_wh: IntArray


class Agent(Protocol):
    """Trades for one member. The same sight, memory and draws give the same orders; what it is given stays as it is."""

    def begin(self, random: np.random.Generator) -> IntArray:
        """Memory before the first slot: int64, of a shape that stays."""
        ...

    def orders(self, sight: Sight, memory: IntArray, random: np.random.Generator) -> Steps:
        """Orders of the member, each on the grid; buys below sells, sells of no more than `most_export_wh`."""
        ...

    def learn(self, heard: Heard, memory: IntArray, random: np.random.Generator) -> IntArray:
        """Memory after a clearing."""
        ...


class Forgetful:
    """Base of agents that keep nothing between slots."""

    def begin(self, random: np.random.Generator) -> IntArray:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return NOTHING

    def learn(self, heard: Heard, memory: IntArray, random: np.random.Generator) -> IntArray:  # noqa: ARG002
        """Nothing."""
        return memory


@dataclass(frozen=True, slots=True, eq=False)
class MarketSight:
    """What agents see of all members, as columns: see `Sight`. plan_wh: (4, members)."""

    session: int
    chances: int
    wish: Orders
    expected_wh: IntArray
    held_wh: IntArray
    most_export_wh: IntArray
    plan_wh: IntArray
    charged_wh: IntArray
    tariff: Tariff
    grid: PriceGrid
    limits: Limits
    prices: IntArray

    def of(self, member: int) -> Sight:
        """What one member's agent sees; the wish stands member by member."""
        own = slice(*np.searchsorted(self.wish.member, (member, member + 1)))
        return Sight(
            slot=self.wish.slot,
            session=self.session,
            chances=self.chances,
            wish=Steps(self.wish.is_buy[own], self.wish.price[own], self.wish.energy_wh[own]),
            expected_wh=self.expected_wh[:, member],
            held_wh=int(self.held_wh[member]),
            most_export_wh=int(self.most_export_wh[member]),
            plan_wh=self.plan_wh[:, member],
            charged_wh=int(self.charged_wh[member]),
            tariff=self.tariff,
            grid=self.grid,
            highest_buy=int(self.limits.highest_buy[member]),
            lowest_sell=int(self.limits.lowest_sell[member]),
            prices=self.prices,
        )


@dataclass(frozen=True, slots=True)
class Together:
    """An agent that orders for all its members at once, without memory or draws: for large communities.

    `orders` takes what is seen of everybody and gives everybody's orders; those of members with another agent are left
    out afterwards.
    """

    orders: Callable[[MarketSight], Orders]


AnyAgent: TypeAlias = Agent | Together
