"""Wishes for green and local energy on the seeded book: what they cost in welfare, how many are met, and the time.

Of the seeded book's kinds of energy, a sell of `local_green` is green, a buy of it wishes green, one of `local` local
energy; its nodes are the zones; premiums go from 0 to 20,000 µ¤/kWh by rows. The reference of the wishes that are met
is the uniform market, where they are met by chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from transactive.bench.markets.clearing import SEEDED_GRID, seeded_book, seeded_columns
from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.tables import Orders
from transactive.market.auction import uniform
from transactive.market.auction.preferences import NOBODY, Wish, Wishes, clear
from transactive.market.result import welfare
from transactive.market.trades import Trades, trades_of

POWER = 5
WISH_OF = {"local_green": Wish.GREEN, "local": Wish.LOCAL, "na": Wish.NONE}


@bench("preferences", summary="wishes for green and local energy against the uniform market")
def preferences(meter: BenchTimer) -> Iterator[Row]:
    """Measure welfare and wishes on three seeded books of 1,000 orders and a large one, and the time of the latter."""
    for count, seed in ((1000, 1), (1000, 2), (1000, 3), (10**POWER, 1)):
        orders, wishes = seeded_wishes(count, seed)
        trades = clear(orders, SEEDED_GRID, count, wishes)
        base = trades_of(orders, uniform.clear(orders, SEEDED_GRID, count))
        reached, best = (welfare(orders, each.allocated_wh(count).tolist()) for each in (trades, base))
        book = f"{count:,} orders, seed {seed}"
        yield Row(name=f"welfare of {book}", value=reached, unit="n¤", reference="uniform", ratio=reached / best)
        met, by_chance = (_met(orders, wishes, each) for each in (trades, base))
        yield Row(
            name=f"wishes met, {book}",
            value=100 * met,
            unit="%",
            reference="uniform",
            reference_value=100 * by_chance,
            ratio=met / by_chance,
        )
    yield meter.time(
        f"10^{POWER} orders with wishes",
        partial(clear, orders, SEEDED_GRID, count, wishes),
        Reference("uniform", partial(uniform.clear, orders, SEEDED_GRID, count)),
        repeats=9,
    )


def seeded_wishes(count: int, seed: int) -> tuple[Orders, Wishes]:
    """The seeded book with wishes from the columns that it leaves unused."""
    orders = seeded_book(count, seed)
    *_, node, kind = seeded_columns(count, seed)
    rows = np.arange(count)
    return orders, Wishes(
        prefer=np.where(orders.is_buy, [int(WISH_OF[name]) for name in kind], 0),
        partner=np.full(count, NOBODY),
        premium=rows % 5 * 5000,
        green=np.array([name == "local_green" for name in kind]),
        zone=np.array(node, np.int64),
    )


def _met(orders: Orders, wishes: Wishes, trades: Trades) -> float:
    """Share of the energy bought with a wish that meets it."""
    wished = wishes.prefer[trades.buy] != Wish.NONE
    met = wishes.met(orders, trades)
    return float(trades.energy_wh[met].sum() / trades.energy_wh[wished].sum())
