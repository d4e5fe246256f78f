"""From quantiles to the equally likely samples in whole Wh that orders and plans are made of.

Quantiles say nothing of how slots and members go together; the days of the past do. Each sample is therefore a day of
the past with its ranks kept and its values taken from the forecast: the sample that was the k-th smallest of its slot
gets the forecast's value at level (k + ½) / samples, linear between the levels and on beyond them at the slope of the
outer pair.

Source: Schaake shuffle, Clark et al., J. Hydrometeorology 5(1), 2004; Schefzik, Thorarinsdottir, Gneiting, Statistical
Science 28(4), 2013.
"""

from __future__ import annotations

import numpy as np

from transactive.core.tables import Forecast
from transactive.core.units import IntArray
from transactive.forecasting.series import LEVELS, FloatArray, Quantiles


def shuffled(quantiles: Quantiles, template: Forecast) -> Forecast:
    """The template's samples moved to the quantiles of its slots and members [Wh].

    quantiles: (slots, members, levels), of the same slots and members as the template, which gives the ranks.
    """
    count = template.net_load_wh.shape[1]
    order = np.argsort(template.net_load_wh, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    values = np.rint(_at((np.arange(count) + 0.5) / count, quantiles.values)).astype(np.int64)
    return Forecast(template.slots, template.known_until, np.take_along_axis(values, rank, axis=1))


def moved_together(net_load_wh: IntArray, own: IntArray, made: IntArray) -> IntArray:
    """Samples of members [Wh], (samples, members), moved so that their sum follows another forecast of it.

    own, made: quantiles of the sum that the samples have, and that they are to have [Wh], (levels,). Each sample's sum
    moves by what the two differ at its rank. Members share that pro rata to the variance of their samples, as if their
    errors went their own ways; sums stay exact.

    Source: Wickramasuriya, Athanasopoulos, Hyndman, Optimal forecast reconciliation, JASA 114(526), 2019, with
    variances alone and the sum known for certain.
    """
    total, count = net_load_wh.sum(axis=1), len(net_load_wh)
    rank = np.argsort(np.argsort(total, kind="stable"), kind="stable")
    levels = (rank + 0.5) / count
    apart = (made - own).astype(np.float64)
    differs = np.rint(_at(levels, apart[None, None])[0, :, 0])
    variance = net_load_wh.var(axis=0)
    parts = variance if variance.any() else np.ones_like(variance)
    upto = np.rint(differs[:, None] * (np.cumsum(parts) / parts.sum()))
    steps = np.diff(upto, axis=1, prepend=0.0)
    moved: IntArray = net_load_wh + steps.astype(np.int64)
    return moved


def _at(levels: FloatArray, values: FloatArray) -> FloatArray:
    """Values at other levels, (slots, samples, members)."""
    place = np.clip(np.searchsorted(LEVELS, levels) - 1, 0, len(LEVELS) - 2)
    known = np.array(LEVELS)
    part = (levels - known[place]) / (known[place + 1] - known[place])
    low, high = values[:, :, place], values[:, :, place + 1]
    return np.moveaxis(low + (high - low) * part, 2, 1)
