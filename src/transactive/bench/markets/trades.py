"""Explicit trades behind a cleared book against sorting its input into merit order, by side and price.

At one price the trades need no sorting: they are cut from two tapes in the order of the book. Pay as bid wants merit
order; its row has clearing, sorting 16 bits at a time and pairing in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transactive.bench.markets.clearing import MEMBERS, TICKS, orders_of, random_book
from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.tariff import PriceGrid
from transactive.market.auction import pay_as_bid
from transactive.market.auction.uniform import clear
from transactive.market.trades import trades_of

POWER = 6


@bench("trades", summary="explicit trades against sorting the input")
def trades(meter: BenchTimer) -> Iterator[Row]:
    """Measure pairing at one price, and pay as bid from the orders to the trades."""
    orders, grid = orders_of(*random_book(10**POWER, seed=POWER)), PriceGrid(0, TICKS - 1, 1)
    clearing = clear(orders, grid, MEMBERS)
    sort = Reference("sort the input", lambda: np.lexsort((orders.price, orders.is_buy)))
    yield meter.time(f"trades of 10^{POWER} orders", lambda: trades_of(orders, clearing), sort, repeats=9)
    yield meter.time(f"pay as bid, 10^{POWER} orders", lambda: pay_as_bid.clear(orders, grid, MEMBERS), sort, repeats=5)
