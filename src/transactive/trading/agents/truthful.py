"""One point for a whole forecast: the expected position at what its next Wh is worth, said as it is."""

from __future__ import annotations

import numpy as np

from transactive.core.units import IntArray
from transactive.trading.agents.protocol import Forgetful, Sight, Steps


class Truthful(Forgetful):
    """Offer the mean position, as one order at the worth of its marginal Wh.

    In a uniform-price auction with many members that is nearly the best a member can do, as hardly any one of them
    moves the price. Source: Vickrey, Counterspeculation, Auctions, and Competitive Sealed Tenders (1961), Journal of
    Finance 16(1); for large double auctions Rustichini, Satterthwaite, Williams (1994), Econometrica 62(5).
    """

    def orders(self, sight: Sight, memory: IntArray, random: np.random.Generator) -> Steps:  # noqa: ARG002
        """At most one order: the wish up to the mean position, at the worth of the last Wh in it."""
        mean_wh = int(sight.expected_wh.sum()) // len(sight.expected_wh)
        position_wh = max(mean_wh, -sight.most_export_wh)
        side = sight.wish.only(sight.wish.is_buy == (position_wh > 0))
        reach = np.cumsum(side.energy_wh)
        if position_wh == 0 or not len(side):
            return side.only(np.zeros(len(side), np.bool_))
        energy = min(abs(position_wh), int(reach[-1]))
        marginal = int(np.searchsorted(reach, energy))
        return Steps(side.is_buy[:1], side.price[marginal : marginal + 1], np.array([energy], np.int64))
