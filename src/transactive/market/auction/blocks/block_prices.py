"""Prices at which no block that is served loses, where the plain orders bound the price of each slot.

A block asks something of the sum of consecutive prices. In the prices' running sums P[0] … P[slots] all that is asked
is a difference of two of them, so that prices exist exactly if a graph with an arc for each such bound has no negative
cycle, and then there are whole ones (Bellman 1958; Cormen et al., Introduction to Algorithms, difference constraints).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from transactive.market.auction.blocks.order_kinds import BlockOrder
from transactive.market.auction.blocks.stack import Interval


class Bound(NamedTuple):
    """P[target] <= P[origin] + most: asked by a slot's plain orders, or by a served block, each by its number."""

    origin: int
    target: int
    most: int
    slot: int | None = None
    block: int | None = None


def conflict(served: Sequence[BlockOrder], intervals: Sequence[Interval]) -> list[Bound]:
    """Bounds that contradict each other, so that no prices in these intervals suit all served blocks; else none.

    Where `slot` is set and target > origin, the bound is the slot's highest price, else its lowest.
    """
    bounds, size = bounds_of(served, intervals), len(intervals) + 1
    distance, into, last = [0] * size, list[Bound | None]([None] * size), -1
    for _ in range(size + 1):
        last = -1
        for bound in bounds:
            way = distance[bound.origin] + bound.most
            if way < distance[bound.target]:
                distance[bound.target], into[bound.target], last = way, bound, bound.target
        if last < 0:
            return []
    return _cycle(last, into)


def suiting_prices(
    served: Sequence[BlockOrder], intervals: Sequence[Interval], wished: Sequence[int]
) -> list[int] | None:
    """Prices [µ¤/kWh] that suit all served blocks, slot by slot as near to the wished ones as is left; None without."""
    prices, within = list(wished), list(intervals)
    if all(block.surplus(prices) >= 0 for block in served):
        return prices
    if conflict(served, intervals):
        return None
    for slot in sorted({slot for block in served for slot in block.window}):
        bounds = bounds_of(served, within)
        most, least = _shortest(bounds, slot, slot + 1), _shortest(bounds, slot + 1, slot)
        price = wished[slot] if most is None else min(wished[slot], most)
        price = price if least is None else max(price, -least)
        prices[slot], within[slot] = price, (price, price)
    return prices


def bounds_of(served: Sequence[BlockOrder], intervals: Sequence[Interval]) -> list[Bound]:
    """All bounds on differences of running sums: upwards, downwards, and those of the blocks."""
    ends = list(enumerate(intervals))
    bounds = [Bound(slot, slot + 1, high, slot=slot) for slot, (_, high) in ends if high is not None]
    bounds += [Bound(slot + 1, slot, -low, slot=slot) for slot, (low, _) in reversed(ends) if low is not None]
    for number, block in enumerate(served):
        (first, last), total = (block.window.start, block.window.stop), block.price * block.slots
        if block.is_buy:
            bounds.append(Bound(first, last, total, block=number))
        else:
            bounds.append(Bound(last, first, -total, block=number))
    return bounds


def _cycle(node: int, into: list[Bound | None]) -> list[Bound]:
    """The cycle that the shortest ways to a node come from."""
    seen: dict[int, int] = {}
    way: list[Bound] = []
    while node not in seen:
        seen[node] = len(way)
        bound = into[node]
        if bound is None:
            return []
        way.append(bound)
        node = bound.origin
    return way[seen[node] :]


def _shortest(bounds: Sequence[Bound], start: int, end: int) -> int | None:
    """Shortest way between two running sums, where no cycle is negative; None without a way."""
    distance = {start: 0}
    changed = True
    while changed:
        changed = False
        for bound in bounds:
            if bound.origin in distance:
                way = distance[bound.origin] + bound.most
                if bound.target not in distance or way < distance[bound.target]:
                    distance[bound.target], changed = way, True
    return distance.get(end)
