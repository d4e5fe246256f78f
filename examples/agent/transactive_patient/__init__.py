"""An agent that does not pay much more, nor take much less, than was usual lately."""

from __future__ import annotations

import numpy as np

from transactive.core.units import IntArray
from transactive.trading.agents.protocol import Forgetful, Sight, Steps

WITHIN = 10
"""It goes so many ticks beyond the mean of the latest prices."""


class Patient(Forgetful):
    """Say what a Wh is worth, but no further from the mean of the latest prices than some ticks."""

    def orders(self, sight: Sight, memory: IntArray, random: np.random.Generator) -> Steps:  # noqa: ARG002
        """The wish with its limits held near the usual price; all of it while no price is known."""
        wish, grid = sight.wish, sight.grid
        if not len(sight.prices):
            return wish
        usual = (int(sight.prices.mean()) - grid.floor) // grid.tick * grid.tick + grid.floor
        reach = WITHIN * grid.tick
        near = np.where(wish.is_buy, np.minimum(wish.price, usual + reach), np.maximum(wish.price, usual - reach))
        return wish.at(np.clip(near, grid.floor, grid.cap))
