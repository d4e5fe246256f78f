"""Zero intelligence with a budget: any price that does not lose, drawn anew for every step. The baseline of agents."""

from __future__ import annotations

import numpy as np

from transactive.core.units import IntArray
from transactive.trading.agents.protocol import Forgetful, Sight, Steps


class ZeroIntelligence(Forgetful):
    """Bid evenly between the lowest price and what a Wh is worth, ask evenly between that and the highest price.

    What such traders reach is the mechanism's doing, not theirs. Source: ZI-C of Gode and Sunder, Allocative Efficiency
    of Markets with Zero-Intelligence Traders (1993), Journal of Political Economy 101(1).
    """

    def orders(self, sight: Sight, memory: IntArray, random: np.random.Generator) -> Steps:  # noqa: ARG002
        """The wish with a drawn price for each of its steps."""
        wish, grid = sight.wish, sight.grid
        lowest = np.where(wish.is_buy, grid.floor, wish.price)
        highest = np.where(wish.is_buy, wish.price, grid.cap)
        ticks = (highest - lowest) // grid.tick
        return wish.at(lowest + grid.tick * random.integers(0, ticks + 1))
