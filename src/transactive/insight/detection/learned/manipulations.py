"""How meters are falsified: the six standard false-data attacks, and other manipulations and faults.

Labelled theft is not public, so detectors are taught and tested with attacks on real readings. The six are those of
Jokar, Arianpoo, Leung, IEEE Trans. Smart Grid 7(1), 2016. The others are ours: they teach what an attack that nobody
has described yet may do to a meter. Each takes an honest window (days, 24), the history before it and a generator, and
gives what the meter reports; nobody reports more than was used, but for the clocks that are shifted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transactive.insight.detection.meters import HOURS, FloatArray

Trick = Callable[[FloatArray, FloatArray, np.random.Generator], FloatArray]


def _scaled(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    scaled: FloatArray = window * rng.uniform(0.1, 0.8)
    return scaled


def _off_hours(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    false = window.copy()
    for day in false:
        begin = rng.integers(0, 20)
        day[begin : min(HOURS, begin + rng.integers(4, HOURS))] = 0.0
    return false


def _scrambled(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    return window * rng.uniform(0.1, 0.8, window.shape)


def _made_up(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    mean: FloatArray = window.mean() * rng.uniform(0.1, 0.8, window.shape)
    return mean


def _flattened(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    return np.full(window.shape, window.mean())


def _reversed(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    return window[:, ::-1].copy()


def _clock(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    hours = int(rng.integers(2, 12)) * (1 if rng.random() < 0.5 else -1)
    turned: FloatArray = np.roll(window.ravel(), hours).reshape(window.shape)
    return turned


def _capped(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    return np.minimum(window, np.quantile(window, rng.uniform(0.2, 0.7)))


def _deducted(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    deducted: FloatArray = np.maximum(window - rng.uniform(0.3, 1.0) * window.mean(), 0.0)
    return deducted


def _cheap_hours(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    false, begin, hours = window.copy(), rng.integers(0, HOURS), rng.integers(4, 14)
    false[:, (begin + np.arange(hours)) % HOURS] *= rng.uniform(0.0, 0.4)
    return false


def _replayed(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:
    lowest = history[np.argsort(history.sum(axis=1), kind="stable")[:5]]
    replayed: FloatArray = lowest[rng.integers(0, len(lowest), len(window))]
    return replayed


def _dead(window: FloatArray, history: FloatArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG001
    false, begin = window.copy(), rng.integers(0, len(window) - 4)
    false[begin : begin + rng.integers(2, len(window))] = 0.0
    return false


STANDARD: dict[str, Trick] = {
    "scale": _scaled,
    "off-hours": _off_hours,
    "random scale": _scrambled,
    "random mean": _made_up,
    "flat mean": _flattened,
    "reversed day": _reversed,
}
"""All times one factor 0.1 … 0.8; zero for a stretch of each day; a factor for each hour; the mean times a factor for
each hour; the mean at all times; true energy at the other end of the day."""
OTHER: dict[str, Trick] = {
    "clock": _clock,
    "capped": _capped,
    "deducted": _deducted,
    "cheap hours": _cheap_hours,
    "replayed": _replayed,
    "dead": _dead,
}
"""A clock 2 … 11 hours off; a ceiling; a deduction; certain hours scaled down; the lowest days again; no pulse for
days."""
