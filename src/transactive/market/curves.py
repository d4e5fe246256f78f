"""Net-demand curves of nodes and of whole branches: falling steps, merged and clipped exactly.

A position is twice the tick, plus one for a buy: so a buy and a sell at one price still trade, and what is optimal has
the largest volume too. At position p a curve is everything from `after(p + 1)` to `after(p)`: orders on the position
itself may be served in part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Net demand [Wh] that is `top` below the first step and falls by `wh` at each of `places`, rising, (steps,).

    fallen: running sum of `wh`.
    """

    top: int
    places: IntArray
    wh: IntArray
    fallen: IntArray

    def after(self, position: int) -> int:
        """Net demand [Wh] once all steps before `position` are taken."""
        steps = int(self.places.searchsorted(position))
        return self.top - int(self.fallen[steps - 1]) if steps else self.top

    def clipped(self, limit: int) -> Curve:
        """Cut to what a line of `limit` Wh can carry, either way."""
        top = max(-limit, min(limit, self.top))
        value = np.clip(self.top - self.fallen, -limit, limit)
        wh = np.diff(value, prepend=top)
        np.negative(wh, out=wh)
        kept = np.flatnonzero(wh)
        return curve(top, self.places[kept], wh[kept])

    def interval(self, wanted: int, last: int) -> tuple[int, int]:
        """First and last position at which net demand can be `wanted` [Wh]; the last one of all is `last`."""
        fall = self.top - wanted
        reached, passed = (int(self.fallen.searchsorted(fall, side)) for side in ("left", "right"))
        first = 0 if fall <= 0 else int(self.places[reached])
        return first, int(self.places[passed]) if passed < len(self.places) else last


def curve(top: int, places: IntArray, wh: IntArray) -> Curve:
    """Curve with the running sum of its steps."""
    return Curve(top, places, wh, np.cumsum(wh))


def merged(parts: Sequence[Curve], positions: int) -> Curve:
    """Sum of curves: by sorting few steps, by adding up on all positions where steps are many."""
    filled = [part for part in parts if len(part.places)]
    top = sum(part.top for part in parts)
    if len(filled) == 1:
        return curve(top, filled[0].places, filled[0].wh)
    if sum(len(part.places) for part in filled) > positions // 4:
        total = np.zeros(positions, np.int64)
        for part in filled:
            np.add.at(total, part.places, part.wh)
        places = np.flatnonzero(total)
        return curve(top, places, total[places])
    if not filled:
        return curve(top, np.empty(0, np.int64), np.empty(0, np.int64))
    places, wh = (np.concatenate([getattr(part, name) for part in filled]) for name in ("places", "wh"))
    order = np.argsort(places, kind="stable")
    return curve(top, places[order], wh[order])


def node_curves(node: IntArray, position: IntArray, energy: IntArray, is_buy: IntArray, nodes: int) -> list[Curve]:
    """Curve of each node's own orders: position, energy [Wh] and side (1 for a buy) of each, (orders,)."""
    order = np.argsort(node * (int(position.max(initial=0)) + 1) + position, kind="stable")
    places, wh = position[order], energy[order]
    ends = np.cumsum(np.bincount(node, minlength=nodes))
    tops = np.zeros(nodes, np.int64)
    np.add.at(tops, node, energy * is_buy)
    starts = [0, *ends[:-1].tolist()]
    return [
        curve(top, places[start:end], wh[start:end])
        for top, start, end in zip(tops.tolist(), starts, ends.tolist(), strict=True)
    ]
