"""What every clearing must satisfy, whatever the mechanism."""

from __future__ import annotations

from transactive.core.errors import require
from transactive.core.tables import Clearing, Orders


def check_clearing(orders: Orders, clearing: Clearing) -> None:
    """Raise RuleBroken unless Wh bought = Wh sold and nobody trades beyond quantity or limit."""
    given, is_buy = clearing.allocated_wh, orders.is_buy
    bought = int((given * is_buy).sum())
    require(bought == int(given.sum()) - bought == clearing.traded_wh, "Wh bought = Wh sold = Wh traded")
    require(
        bought == int(clearing.bought_wh.sum()) == int(clearing.sold_wh.sum()),
        "what members bought and sold is what their orders got",
    )
    require(bool(((given >= 0) & (given <= orders.energy_wh)).all()), "no order gets more than its quantity")
    # Masks joined by logic, not used as an index: some ten times faster on large books.
    beyond = (is_buy & (orders.price < clearing.price)) | (~is_buy & (orders.price > clearing.price))
    require(not (beyond & (given != 0)).any(), "no order trades beyond its limit")
