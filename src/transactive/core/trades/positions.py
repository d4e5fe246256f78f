"""Positions: what members bought and sold of a slot, and at which prices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transactive.core.tables import Table
from transactive.core.units import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Positions(Table):
    """What members bought and sold of one slot, in all its clearings, and at which prices: what settlement settles.

    bought_wh, sold_wh: (members,); netted, they are what a member shall take or give. The columns beside them have one
    row for each price at which a member bought or sold, (rows,), Wh > 0: buys before sells, then by member, then by
    rising price [µ¤/kWh]. lost_wh: what the network bought for the losses of its lines, lost_n [n¤]: what it pays for
    it; sold = bought + lost.
    """

    slot: int
    bought_wh: IntArray
    sold_wh: IntArray
    member: IntArray
    is_buy: BoolArray
    energy_wh: IntArray
    price: IntArray
    lost_wh: int = 0
    lost_n: int = 0

    @property
    def held_wh(self) -> IntArray:
        """Bought − sold [Wh], (members,)."""
        return self.bought_wh - self.sold_wh

    @classmethod
    def at_one_price(cls, slot: int, price: int, bought_wh: IntArray, sold_wh: IntArray) -> Positions:
        """Positions of members, (members,), that all traded at one price."""
        buyers, sellers = np.flatnonzero(bought_wh), np.flatnonzero(sold_wh)
        return cls(
            slot,
            bought_wh,
            sold_wh,
            member=np.concatenate((buyers, sellers)),
            is_buy=np.arange(len(buyers) + len(sellers)) < len(buyers),
            energy_wh=np.concatenate((bought_wh[buyers], sold_wh[sellers])),
            price=np.full(len(buyers) + len(sellers), price, np.int64),
        )

    @classmethod
    def of(
        cls, slot: int, members: int, member: IntArray, is_buy: BoolArray, energy_wh: IntArray, price: IntArray
    ) -> Positions:
        """Positions from trades in any order, (trades,): those of one member, side and price are added up."""
        order = np.lexsort((price, member, ~is_buy))
        member, is_buy, energy_wh, price = member[order], is_buy[order], energy_wh[order], price[order]
        sums = np.zeros((2, members), np.int64)
        np.add.at(sums, (is_buy.astype(np.int64), member), energy_wh)
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(member) != 0) | (np.diff(price) != 0) | (is_buy[1:] != is_buy[:-1])
        starts = np.flatnonzero(first)
        energy = np.add.reduceat(energy_wh, starts) if len(starts) else energy_wh
        return cls(slot, sums[1], sums[0], member[starts], is_buy[starts], energy, price[starts])

    def and_then(self, more: Positions) -> Positions:
        """These positions with those of a later clearing of the same slot."""
        names = ("member", "is_buy", "energy_wh", "price")
        rows = (np.concatenate((getattr(self, name), getattr(more, name))) for name in names)
        return Positions.of(self.slot, len(self.bought_wh), *rows).losing(
            self.lost_wh + more.lost_wh, self.lost_n + more.lost_n
        )

    def losing(self, lost_wh: int, lost_n: int) -> Positions:
        """The same positions, with what the network bought for losses and pays for it."""
        return replace(self, lost_wh=lost_wh, lost_n=lost_n)

    def netted(self) -> Positions:
        """The same trades, with what a member bought as well as sold taken off both: nobody delivers it."""
        both = np.minimum(self.bought_wh, self.sold_wh)
        return replace(self, bought_wh=self.bought_wh - both, sold_wh=self.sold_wh - both)

    @property
    def surplus_n(self) -> int:
        """What buyers pay less what sellers receive [n¤]: nothing, or congestion rent less what losses cost."""
        return int((np.where(self.is_buy, self.price, -self.price) * self.energy_wh).sum())
