"""Cut the days of meters into samples: each window of two weeks with the four weeks before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray
from transactive.insight.detection.learned.features import HISTORY, WINDOW, Samples
from transactive.insight.detection.meters import HOURS, FloatArray
from transactive.insight.detection.neighbours import medians_of_others

STRIDE = 7
"""Days from one window to the next."""
NEIGHBOURS = 3
"""Fewest meters of which each has neighbours to be compared with."""
LARGEST_GAP = 0.1
"""Part of a sample's hours that may be filled."""


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Samples, and whose they are: member and first day of the window, each (samples,)."""

    samples: Samples
    member: IntArray
    day: IntArray


def filled(days: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Days of meters (members, days, 24) without NaN, and the part of each day that was filled, (members, days).

    A gap becomes the median of the same hour of the meter.
    """
    gaps = np.isnan(days)
    if not gaps.any():
        return days, np.zeros(days.shape[:2])
    known = np.where(np.isnan(days).all(axis=1, keepdims=True), 0.0, days)
    usual = np.nanmedian(known, axis=1)
    return np.where(gaps, np.broadcast_to(usual[:, None, :], days.shape), days), gaps.mean(axis=2)


def beside(days: FloatArray) -> FloatArray:
    """The neighbours of each meter, (members, days, 24): their mean log load in units of each one's mean; or zeros."""
    if len(days) < NEIGHBOURS:
        return np.zeros_like(days)
    load = np.log1p(20.0 * days / (days.mean(axis=(1, 2), keepdims=True) + 1.0))
    others: FloatArray = (load.sum(axis=0)[None] - load) / (len(days) - 1)
    return others


def moves(days: FloatArray, starts: IntArray) -> FloatArray:
    """Log of what the median neighbour used in the window over its history, (members, starts); or zeros."""
    totals = np.cumsum(np.pad(days.sum(axis=2), ((0, 0), (1, 0))), axis=1)
    window = (totals[:, starts + WINDOW] - totals[:, starts]) / WINDOW
    history = (totals[:, starts] - totals[:, starts - HISTORY]) / HISTORY
    ratio = np.log((window + 5.0 * HOURS) / (history + 5.0 * HOURS))
    if len(days) < NEIGHBOURS:
        return np.zeros_like(ratio)
    return medians_of_others(ratio) if len(days) <= MANY else np.broadcast_to(np.median(ratio, axis=0), ratio.shape)


MANY = 200
"""Among more meters than this one of them does not move the median."""


def cut(whole: FloatArray, stride: int = STRIDE, first: int = HISTORY, missing: FloatArray | None = None) -> Cuts:
    """All samples of meters (members, days, 24) with windows every `stride` days from day `first` on.

    missing: part of each day that was filled, (members, days); samples with too many gaps are left out.
    """
    missing = np.zeros(whole.shape[:2]) if missing is None else missing
    starts = np.arange(max(first, HISTORY), whole.shape[1] - WINDOW + 1, stride)
    neighbours, moved = beside(whole), moves(whole, starts)
    empty = np.cumsum(np.pad(missing, ((0, 0), (1, 0))), axis=1)
    gap = (empty[:, starts + WINDOW] - empty[:, starts - HISTORY]) / (HISTORY + WINDOW)
    member, place = np.nonzero(gap <= LARGEST_GAP)
    day = starts[place]
    before, now = (day[:, None] + np.arange(-HISTORY, 0)), (day[:, None] + np.arange(WINDOW))
    pick = member[:, None]
    samples = Samples(
        whole[pick, before], whole[pick, now], moved[member, place], neighbours[pick, before], neighbours[pick, now]
    )
    return Cuts(samples, member, day)
