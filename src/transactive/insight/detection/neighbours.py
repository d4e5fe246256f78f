"""What all others did, for each of many: in time that grows with the many, not with their square."""

from __future__ import annotations

import numpy as np

from transactive.insight.detection.meters import FloatArray


def medians_of_others(values: FloatArray) -> FloatArray:
    """Median of all rows but one, for every row, shaped as the values, (rows, columns); of two rows or more.

    Without the value at some rank, the values behind it move up by one: all medians follow from one sort.
    """
    order = np.argsort(values, axis=0, kind="stable")
    ranks, places = np.empty_like(order), np.arange(len(values))[:, None]
    np.put_along_axis(ranks, order, np.broadcast_to(places, order.shape), axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    left = len(values) - 1

    def remaining(place: int) -> FloatArray:
        there: FloatArray = np.where(ranks <= place, ordered[place + 1], ordered[place])
        return there

    low, high = remaining((left - 1) // 2), remaining(left // 2)
    return low if left % 2 else (low + high) / 2
