"""What every clearing must satisfy, whatever the mechanism."""

from __future__ import annotations

import numpy as np

from transactive.core.errors import require
from transactive.core.tables import Clearing, Orders


def check_clearing(orders: Orders, clearing: Clearing) -> None:
    """Raise RuleBroken unless Wh bought = Wh sold and nobody trades beyond quantity or limit."""
    given = clearing.allocated_wh
    bought = int(given.sum(where=orders.is_buy, initial=0))
    require(bought == int(given.sum()) - bought == clearing.traded_wh, "Wh bought = Wh sold = Wh traded")
    require(
        bought == int(clearing.bought_wh.sum()) == int(clearing.sold_wh.sum()),
        "what members bought and sold is what their orders got",
    )
    require(bool(((given >= 0) & (given <= orders.energy_wh)).all()), "no order gets more than its quantity")
    beyond = np.where(orders.is_buy, orders.price < clearing.price, orders.price > clearing.price)
    require(not given[beyond].any(), "no order trades beyond its limit")
