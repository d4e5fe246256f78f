"""The default agent: everything that a Wh is worth, said as it is, or step by step where one may order again.

Where a slot clears once, at one price, nothing is gained by saying anything but the truth: hardly any member moves the
price. In a continuous book an order trades at its own price or at that of whom it meets, so who says everything at once
pays for it, and early trades bring together who should not trade at all. There the agent begins at the usual price and
concedes, order by order, with the square of its place among the chances, until the last order says the truth. Who has
no reason to trade near the usual price then finds nobody to trade with before those who have.

Source: our own; the square and the ten prices were the best of those tried on other draws than are reported
(docs/concepts/agents.md). That traders open near the last prices and concede with time is the pattern that Easley and
Ledyard describe, Theories of Price Formation and Exchange in Double Oral Auctions (1993), in The Double Auction Market.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transactive.core.tables import Orders
from transactive.trading.agents.protocol import MarketSight, Together

USUAL = 10
"""So many of the latest prices make the usual one."""


def said(gate: MarketSight) -> Orders:
    """The wish, held near the usual price while there are more chances to order."""
    wish, grid = gate.wish, gate.grid
    if not gate.chances or not len(gate.prices):
        return wish
    latest = gate.prices[-USUAL:]
    usual = (int(latest.sum()) // len(latest) - grid.floor) // grid.tick
    reach = grid.size * gate.session**2 // (2 * (gate.session + gate.chances) ** 2)
    ticks = np.clip(np.where(wish.is_buy, usual + reach, usual - reach), 0, grid.size - 1)
    held = grid.floor + grid.tick * ticks
    price = np.where(wish.is_buy, np.minimum(wish.price, held), np.maximum(wish.price, held))
    return replace(wish, price=price)


CURVES = Together(said)
