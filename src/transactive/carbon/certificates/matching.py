"""Matching of loads with generators that several loads compete for, in whole Wh.

Each generator is spread evenly over the loads that may use it; a load that is full leaves its part to the others. The
Wh that do not divide go to the loads in their order. Rounds go on until nothing moves, so that nothing is left on both
sides of an allowed pair.
"""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import BoolArray, IntArray, share_capped


def spread(load_wh: IntArray, generation_wh: IntArray, allowed: BoolArray | None = None) -> IntArray:
    """Spread each generator evenly over the loads, (loads, generators) Wh.

    load_wh (loads,), generation_wh (generators,); `allowed` (loads, generators), all by default. In a round every load
    offers each generator with something left an even part of its own room. Raises DataError for negative Wh.
    """
    if int(min(load_wh.min(initial=0), generation_wh.min(initial=0))) < 0:
        raise DataError("loads and generators cannot be below 0 Wh; correct the registers")
    pairs = np.ones((len(load_wh), len(generation_wh)), bool) if allowed is None else allowed
    matched = np.zeros(pairs.shape, np.int64)
    while True:
        room, left = load_wh - matched.sum(axis=1), generation_wh - matched.sum(axis=0)
        open_pairs = pairs & (room > 0)[:, None] & (left > 0)[None, :]
        if not open_pairs.any():
            return matched
        matched += _round(room, left, open_pairs)


def _round(room: IntArray, left: IntArray, open_pairs: BoolArray) -> IntArray:
    """One round: what every generator can give, evenly over its loads, and every load take, pro rata to the offers."""
    offers = np.zeros(open_pairs.shape, np.int64)
    for generator in np.flatnonzero(open_pairs.any(axis=0)):
        caps = np.where(open_pairs[:, generator], room, 0)
        most = min(int(left[generator]), int(caps.sum()))
        offers[:, generator] = share_capped(most, (caps > 0).astype(np.int64), caps)
    taken = np.zeros_like(offers)
    for load in np.flatnonzero(offers.any(axis=1)):
        wanted = offers[load]
        taken[load] = share_capped(min(int(room[load]), int(wanted.sum())), wanted, wanted)
    return taken
