"""Limits that members set for whoever trades for them, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.tariff import OwnPrices
from transactive.core.units import BoolArray, IntArray

NO_HIGHEST, NO_LOWEST = 2**62, -(2**62)
"""Prices that limit nothing [µ¤/kWh]."""
NO_MOST = 2**62
"""A debit that limits nothing [n¤]: no account ever holds so much."""


@dataclass(frozen=True, slots=True, eq=False)
class DebitLimits:
    """Most that the period of a slot may debit each member [n¤], (members,), as the chain said at `block`."""

    block: int
    most_n: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What members allow in one slot, each (members,).

    highest_buy: never pay above [µ¤/kWh], the network fee apart. lowest_sell: sell only above [µ¤/kWh]. trades: whether
    there may be orders at all.
    """

    highest_buy: IntArray
    lowest_sell: IntArray
    trades: BoolArray

    @classmethod
    def none(cls, members: int) -> Limits:
        """Nobody limits anything."""
        return cls(np.full(members, NO_HIGHEST), np.full(members, NO_LOWEST), np.ones(members, np.bool_))

    @property
    def bind(self) -> bool:
        """Whether anybody limits anything."""
        free = (self.highest_buy == NO_HIGHEST) & (self.lowest_sell == NO_LOWEST) & self.trades
        return not bool(free.all())

    def suiting(self, own: OwnPrices | None) -> Limits:
        """The same, and nobody trades at a worse price than its own supplier's."""
        if own is None:
            return self
        most = np.minimum(self.highest_buy, own.supply - own.fee)
        return Limits(most, np.maximum(self.lowest_sell, own.feed_in), self.trades)
