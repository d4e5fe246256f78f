"""Where demand meets supply: price and volume from a tick histogram.

Rules: the largest volume; among those ticks the least imbalance; among those, excess demand takes the highest tick,
excess supply the lowest, balance the lower middle. The middle is not for all: with excess demand a lower tick
would leave more Wh strictly above the price than can be served, and "better than the price" would no longer mean
"served in full".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True)
class Crossing:
    """What the pass that hands out the energy must know of the whole book.

    tick: of the price; None when nothing trades. volume: traded [Wh]. Keys outside `closed` are served in full, keys
    inside (first, past last) get nothing, except that orders at the key `rationed` share `given` of the `offered` Wh.
    Only the longer side can be rationed, and only at the price.
    """

    tick: int | None
    volume: int
    closed: tuple[int, int]
    rationed: int | None = None
    offered: int = 0
    given: int = 0


def find_crossing(histogram: IntArray) -> Crossing:
    """Find price and volume of a histogram [Wh], shape (2 x ticks,), or of the sum of many."""
    ticks = len(histogram) // 2
    sells, buys = histogram[:ticks], histogram[ticks:]
    demand, supply = np.cumsum(buys[::-1])[::-1], np.cumsum(sells)
    tick = choose_tick(demand, supply)
    if tick is None:
        return Crossing(None, 0, (0, 2 * ticks))
    bid, ask = int(demand[tick]), int(supply[tick])
    if bid > ask:
        offered = int(buys[tick])
        return Crossing(tick, ask, (tick + 1, ticks + tick + 1), ticks + tick, offered, offered - (bid - ask))
    if ask > bid:
        offered = int(sells[tick])
        return Crossing(tick, bid, (tick, ticks + tick), tick, offered, offered - (ask - bid))
    return Crossing(tick, bid, (tick + 1, ticks + tick))


def choose_tick(demand: IntArray, supply: IntArray) -> int | None:
    """Choose the clearing tick of two cumulative curves [Wh], shape (ticks,); None for no trade.

    demand[k]: buys with a limit at or above k. supply[k]: sells with a limit at or below k.
    """
    traded = np.minimum(demand, supply)
    volume = traded.max()
    if volume == 0:
        return None
    best = np.flatnonzero(traded == volume)
    imbalance = demand[best] - supply[best]
    size = np.abs(imbalance)
    tied = size == size.min()
    best, imbalance = best[tied], imbalance[tied]
    if imbalance[0] == 0:
        return int(best[(len(best) - 1) // 2])
    # Equal imbalances of both signs are neighbours and serve the same orders; the lower tick is taken.
    excess_demand = best[imbalance > 0]
    return int(excess_demand[-1] if len(excess_demand) else best[0])
