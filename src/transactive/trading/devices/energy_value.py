"""What energy is worth to a battery: the two prices per slot that its plan weighs.

Inside the community a need or a give that was not traded ahead meets others first and the supplier with the rest.
Whether the next Wh meets a neighbour or the supplier depends on which way the community leans in the slot: with it
short, a Wh that a home needs costs the supply price and one to spare brings g; with it long, a Wh that it needs costs
n + fee and one to spare brings the feed-in price. The forecast's samples say how likely each is.

A Wh to spare is nowhere worth more than one that a home needs, also where the feed-in price is above the supply price:
one meter does not take and give in the same moment, so no battery can earn what they are apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray

PricePair = tuple[IntArray, IntArray]
"""Price of a Wh that a home needs and of a Wh that it has to spare [µ¤/kWh], each (slots,)."""


def inside_prices(forecast: Forecast, tariffs: Sequence[Tariff]) -> PricePair:
    """Expected prices of deviations inside the community, by how often its samples are short."""
    samples = forecast.net_load_wh.shape[1]
    short = (forecast.net_load_wh.sum(axis=2) > 0).sum(axis=1)
    prices = np.array([(t.supply, t.needs_pay + t.fee, t.gives_receive, t.feed_in) for t in tariffs], np.int64)
    need_short, need_long, spare_short, spare_long = prices.T
    need = (short * need_short + (samples - short) * need_long) // samples
    spare = (short * spare_short + (samples - short) * spare_long) // samples
    return need, np.minimum(spare, need)


def carbon_value(forecast: Forecast, grid_g: IntArray) -> IntArray:
    """Carbon that a Wh less from the grid or more to neighbours saves, expected [mg/Wh], (slots,).

    With the community short the next Wh comes from the grid, at its expected intensity `grid_g` [g/kWh]; with it long
    it would have left, and saves nothing here.
    """
    samples = forecast.net_load_wh.shape[1]
    short = (forecast.net_load_wh.sum(axis=2) > 0).sum(axis=1)
    worth: IntArray = grid_g * short // samples
    return worth


def tariff_prices(_: Forecast, tariffs: Sequence[Tariff]) -> PricePair:
    """The supplier's two prices: what energy is worth to a home that is alone with its tariff."""
    supply, feed_in = np.array([(tariff.supply, tariff.feed_in) for tariff in tariffs], np.int64).T
    return supply, np.minimum(feed_in, supply)
