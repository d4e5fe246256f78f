"""What a home's energy is worth in a street: a cost with two kinks, one where its meter turns and one where all do.

    cost of x = x at the home's own tariff − room x what of x meets neighbours
    met       = min(x, what they have to spare)  of what the home takes,  min(−x, what they lack)  of what it gives

So a Wh that the home gives brings spare + room up to what the others lack, and spare beyond; one that it takes costs
need − room up to what they have to spare, and need beyond. Both kinks together are convex, as need − spare >= room; the
best action is that of two rules of four levels, one at each kink, of which the larger holds.
"""

from __future__ import annotations

import numpy as np

from transactive.core.units import Whole
from transactive.trading.devices.follow import Reach


def street_act(
    high: Reach, low: Reach, net_load_wh: Whole, most_import_wh: Whole, beside_wh: Whole
) -> tuple[Whole, Whole]:
    """Drawn and given at the meter [Wh] for a net load with others beside it.

    high, low: how far the rule goes at the upper and at the lower kink. beside_wh: net load of the others.
    """
    upper, lower = np.maximum(-beside_wh, 0), np.minimum(-beside_wh, 0)
    draw, give = at_kink(high, net_load_wh - upper, most_import_wh - upper)
    draw_below, give_below = at_kink(low, net_load_wh - lower, most_import_wh - lower)
    return np.maximum(draw, draw_below), np.maximum(give, give_below)


def at_kink(wh: Reach, net_load_wh: Whole, most_import_wh: Whole) -> tuple[Whole, Whole]:
    """As `follow.act` of a device that may have every trait: what it has not, its reach has not either."""
    surplus, over = np.maximum(-net_load_wh, 0), np.maximum(net_load_wh - most_import_wh, 0)
    draw = np.minimum(np.maximum(np.minimum(surplus, wh.from_surplus), wh.from_grid), wh.most_draw)
    give = np.maximum(np.minimum(np.maximum(net_load_wh, 0), wh.serve), wh.export)
    within = np.minimum(draw, np.maximum(most_import_wh - net_load_wh, 0))
    return within, np.minimum(np.maximum(give, np.minimum(over, wh.all_held)), wh.most_give)


def met_wh(grid_wh: Whole, beside_wh: Whole) -> Whole:
    """What of a home's import, or export below 0, meets others whose net load is `beside_wh` [Wh]."""
    taken = np.minimum(np.maximum(grid_wh, 0), np.maximum(-beside_wh, 0))
    return taken + np.minimum(np.maximum(-grid_wh, 0), np.maximum(beside_wh, 0))
