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
from transactive.market.network.losses import arriving, needed, steps_in, steps_out


@dataclass(frozen=True, slots=True, eq=False)
class NetDemandCurve:
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

    def clipped(self, most: int, most_back: int) -> NetDemandCurve:
        """Cut to what a line can carry: `most` Wh towards the branch, `most_back` from it."""
        top = max(-most_back, min(most, self.top))
        value = np.clip(self.top - self.fallen, -most_back, most)
        return _stepping(top, self.places, value)

    def through(self, most: int, most_back: int, keep: int) -> NetDemandCurve:
        """What a parent sees of the branch behind a line that keeps `keep` millionths of what enters it.

        The step at which the branch turns from taking to giving becomes two: between them nothing is worth its losses.
        """
        top = int(_sent(np.array([self.top]), most, most_back, keep)[0])
        value = self.top - self.fallen
        taking, giving = (_sent(side, most, most_back, keep) for side in (np.maximum(value, 0), np.minimum(value, 0)))
        start, end = min(top, 0), int(taking[-1]) if len(taking) else 0
        places = np.concatenate((steps_in(self.places, keep), steps_out(self.places, keep)))
        return _stepping(top, places, np.concatenate((taking + start, giving + end)))

    def interval(self, wanted: int, first: int, last: int) -> tuple[int, int]:
        """First and last position at which net demand can be `wanted` [Wh], from `first` to `last` of all."""
        fall = self.top - wanted
        reached, passed = (int(self.fallen.searchsorted(fall, side)) for side in ("left", "right"))
        begin = first if fall <= 0 else max(first, int(self.places[reached]))
        return begin, min(last, int(self.places[passed])) if passed < len(self.places) else last


def curve(top: int, places: IntArray, wh: IntArray) -> NetDemandCurve:
    """Curve with the running sum of its steps."""
    return NetDemandCurve(top, places, wh, np.cumsum(wh))


def _stepping(top: int, places: IntArray, value: IntArray) -> NetDemandCurve:
    """Curve that has the `value` [Wh] after each of `places`; steps of nothing are left out."""
    wh = -np.diff(value, prepend=top)
    kept = np.flatnonzero(wh)
    return curve(top, places[kept], wh[kept])


def _sent(net: IntArray, most: int, most_back: int, keep: int) -> IntArray:
    """Net demand of a branch [Wh] as its parent sees it: what must enter the line, below 0 what arrives from it."""
    taking = np.minimum(needed(np.maximum(net, 0), keep), most)
    sent: IntArray = np.where(net < 0, -arriving(np.minimum(np.maximum(-net, 0), most_back), keep), taking)
    return sent


def merged(parts: Sequence[NetDemandCurve]) -> NetDemandCurve:
    """Sum of curves: by sorting few steps, by adding up on all positions between them where steps are many."""
    filled = [part for part in parts if len(part.places)]
    top = sum(part.top for part in parts)
    if len(filled) == 1:
        return curve(top, filled[0].places, filled[0].wh)
    if not filled:
        return curve(top, np.empty(0, np.int64), np.empty(0, np.int64))
    low = min(int(part.places[0]) for part in filled)
    positions = max(int(part.places[-1]) for part in filled) - low + 1
    if sum(len(part.places) for part in filled) > positions // 4:
        total = np.zeros(positions, np.int64)
        for part in filled:
            np.add.at(total, part.places - low, part.wh)
        places = np.flatnonzero(total)
        return curve(top, places + low, total[places])
    places, wh = (np.concatenate([getattr(part, name) for part in filled]) for name in ("places", "wh"))
    order = np.argsort(places, kind="stable")
    return curve(top, places[order], wh[order])


def node_curves(
    node: IntArray, position: IntArray, energy: IntArray, is_buy: IntArray, nodes: int
) -> list[NetDemandCurve]:
    """Curve of each node's own orders: position, energy [Wh] and side (1 for a buy) of each, (orders,)."""
    low = int(position.min(initial=0))
    order = np.argsort(node * (int(position.max(initial=0)) - low + 1) + (position - low), kind="stable")
    places, wh = position[order], energy[order]
    ends = np.cumsum(np.bincount(node, minlength=nodes))
    tops = np.zeros(nodes, np.int64)
    np.add.at(tops, node, energy * is_buy)
    starts = [0, *ends[:-1].tolist()]
    return [
        curve(top, places[start:end], wh[start:end])
        for top, start, end in zip(tops.tolist(), starts, ends.tolist(), strict=True)
    ]
