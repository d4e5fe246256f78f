"""The balance price as a mechanism: a slot's orders trade one after the other against the price that steers to balance.

The network is everybody's counterpart, as on chain (`market.balance.pricing`), with floor and cap of the slot's grid,
the base in the middle, and an eighth of the energy that could trade at most as scale: known from quantities alone,
before any limit is seen. Members take turns, each with its next order; who begins changes from slot to slot. What an
order could not have at its limit waits and is tried again in the next round, as long as anything trades.

A community's network takes no energy, so a slot ends in balance: what was promised after the last moment of balance is
not traded. So that little is lost, each side's capacity is the largest found, by halving, that both sides fill. The
price is path-independent, so a way from balance to balance costs the network nothing; it keeps the fractions that each
order's money is rounded by, less than 1 n¤ an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market.balance.pricing import Balance, Fill, PriceCurve
from transactive.market.fills import OrderFills, exact_fills
from transactive.market.registry import ByOrder

ROUNDS = 4
HALVINGS = 8
SCALE = 8
"""The curve's scale is the energy that could trade at most, divided by this."""


@dataclass(slots=True)
class FilledInTurn:
    """What was filled in turn, up to the last moment of balance: energy [Wh] and money [n¤] by order."""

    balance: Balance = field(default_factory=Balance)
    energy_wh: dict[int, int] = field(default_factory=dict)
    money_n: dict[int, int] = field(default_factory=dict)
    pending: list[tuple[int, int, int]] = field(default_factory=list)

    @property
    def volume_wh(self) -> int:
        """Wh bought, which is Wh sold."""
        return sum(self.energy_wh.values()) // 2

    def keep(self, order: int, energy_wh: int, money_n: int) -> None:
        """A fill; it counts once the slot is in balance again."""
        self.pending.append((order, energy_wh, money_n))

    def settle(self) -> None:
        """Balance: all that is pending counts."""
        for order, energy, money in self.pending:
            self.energy_wh[order] = self.energy_wh.get(order, 0) + energy
            self.money_n[order] = self.money_n.get(order, 0) + money
        self.pending.clear()


def clear(orders: Orders, grid: PriceGrid, members: int) -> OrderFills:  # noqa: ARG001 - as all mechanisms
    """Trade the orders of one slot in turn. Limits are on `grid` [µ¤/kWh], which may reach below zero."""
    turns = list(in_turn(orders))
    curve, best = curve_for(orders, grid), FilledInTurn()
    low, high = 0, curve.limit_wh
    for number in range(HALVINGS + 1):
        capacity = high if number == 0 else (low + high + 1) // 2
        found = trade(orders, turns, replace(curve, limit_wh=capacity), lifted(grid))
        if found.volume_wh > best.volume_wh:
            best = found
        if found.volume_wh == capacity:
            low = capacity
        else:
            high = capacity - 1
        if low >= high:
            break
    lift = lifted(grid)
    rows = np.array(sorted(best.energy_wh), np.int64)
    energy = np.array([best.energy_wh[row] for row in sorted(best.energy_wh)], np.int64)
    money = np.array([best.money_n[row] for row in sorted(best.energy_wh)], np.int64)
    return exact_fills(orders.slot, rows, energy, money - lift * energy)


def lifted(grid: PriceGrid) -> int:
    """µ¤/kWh by which all prices are raised, so that none is below zero: from balance to balance it cancels out."""
    return max(0, -grid.floor)


def curve_for(orders: Orders, grid: PriceGrid) -> PriceCurve:
    """Curve of a slot. Where the grid has no three prices it is a little wider, as orders have limits anyway."""
    floor = grid.floor + lifted(grid)
    cap = max(grid.cap + lifted(grid), floor + 2)
    load = max(1, min(int(orders.energy_wh[side].sum()) for side in (orders.is_buy, ~orders.is_buy)))
    return PriceCurve((floor + cap) // 2, floor, cap, max(1, load // SCALE), load)


def in_turn(orders: Orders) -> Iterator[int]:
    """Rows of the orders: each member's first, then each member's second, and so on."""
    queues: dict[int, list[int]] = {}
    for row, member in enumerate(orders.member.tolist()):
        queues.setdefault(member, []).append(row)
    names = list(queues)
    first = beginner(orders.slot, len(names))
    for turn in range(max(map(len, queues.values()), default=0)):
        for member in names[first:] + names[:first]:
            if turn < len(queues[member]):
                yield queues[member][turn]


def beginner(slot: int, members: int) -> int:
    """Who begins in a slot: as good as random, and anybody can check it. In an order file, slot 0, the first row's."""
    return int.from_bytes(sha256(str(slot).encode()).digest()[:8]) % members if slot and members else 0


def trade(orders: Orders, turns: Sequence[int], curve: PriceCurve, lift: int) -> FilledInTurn:
    """Let the orders trade in turn, round by round, until nothing more does."""
    run = FilledInTurn()
    rest, price, is_buy = orders.energy_wh.tolist(), (orders.price + lift).tolist(), orders.is_buy.tolist()
    for _ in range(ROUNDS):
        before = run.balance
        for row in turns:
            if rest[row]:
                rest[row] -= fill(run, curve, row, rest[row], price[row], producing=not is_buy[row])
        if run.balance == before:
            break
    return run


def fill(run: FilledInTurn, curve: PriceCurve, row: int, most_wh: int, price: int, *, producing: bool) -> int:
    """Fill an order as far as it goes [Wh]; where it crosses balance, the part up to there counts at once."""
    found = curve.order(run.balance, 1, most_wh, price * most_wh, producing=producing)
    if not isinstance(found, Fill):
        return 0
    q, after = run.balance.surplus_wh, found.after.surplus_wh
    if min(q, after) < 0 < max(q, after):  # through balance: first to it, then on from it
        part = curve.payment(q, 0) if producing else -curve.payment(q, 0)
        run.keep(row, abs(q), part)
        run.settle()
        run.keep(row, abs(after), found.money_n - part)
    else:
        run.keep(row, found.energy_wh, found.money_n)
    run.balance = found.after
    if after == 0:
        run.settle()
    return found.energy_wh


MECHANISM = ByOrder(clear)
