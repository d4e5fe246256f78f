"""Curves of net demand: from a member's orders, within its allowance, and what a position is worth by them.

A buy is wanted at prices up to its limit; a sell is given back at prices below its limit. So both are steps down the
same curve: at the highest price all sells are sold and nothing is bought, and each order adds its energy to the
position from its limit down.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from transactive.core.proofs.deals.quotes import DemandCurve
from transactive.core.proofs.signed_orders import Step


def steps_of_orders(buys: Iterable[Step], sells: Iterable[Step]) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Top [Wh], prices [µ¤/kWh, falling] and energies [Wh] of the curve that orders amount to."""
    given = tuple(sells)
    steps = sorted((*buys, *given), reverse=True)
    joined = [(price, sum(wh for _, wh in same)) for price, same in groupby(steps, key=lambda step: step[0])]
    return -sum(wh for _, wh in given), tuple(price for price, _ in joined), tuple(wh for _, wh in joined)


def bounded(curve: DemandCurve, most_bought_wh: int, most_sold_wh: int) -> tuple[int, list[Step]]:
    """Top [Wh] and steps of a curve that never leaves its bounds."""

    def within(position: int) -> int:
        return min(max(position, -most_sold_wh), most_bought_wh)

    level, top, steps = curve.top, within(curve.top), []
    for price, wh in zip(curve.prices, curve.energies, strict=True):
        gained = within(level + wh) - within(level)
        level += wh
        if gained:
            steps.append((price, gained))
    return top, steps


def value_n(curve: DemandCurve, position: int, cap: int, floor: int) -> int:
    """What a position [Wh] is worth to who has the curve, against none [n¤].

    Each Wh is worth the price of the step that it stands on; above all steps the market's highest, below all its
    lowest.
    """
    levels = [curve.top]
    for wh in curve.energies:
        levels.append(levels[-1] + wh)
    low, high = min(position, 0), max(position, 0)
    worth = max(min(high, levels[0]) - low, 0) * cap + max(high - max(low, levels[-1]), 0) * floor
    for start, end, price in zip(levels, levels[1:], curve.prices, strict=False):
        worth += max(min(high, end) - max(low, start), 0) * price
    return worth if position >= 0 else -worth
