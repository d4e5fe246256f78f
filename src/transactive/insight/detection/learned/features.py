"""What two weeks of a meter look like beside its own four weeks before, and beside what its neighbours did.

Everything is a ratio or a difference to the meter's own history, so that a small home is not suspicious for being small
and a model learned elsewhere applies. Pure array code, the same in training and in service. After the idea of
consumption-pattern features in Jokar, Arianpoo, Leung, "Electricity Theft Detection in AMI Using Customers' Consumption
Patterns", IEEE Trans. Smart Grid 7(1), 2016; the list is our own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from transactive.insight.detection.meters import HOURS, FloatArray

HISTORY, WINDOW = 28, 14
"""Days of a meter's own past, and of what is judged beside it."""
SHIFTS = [0, 1, 2, -1, -2]
"""Hours by which a habit may move without being another one: the summer-time clock, a new shift at work."""
CHUNK = 1_000
"""Samples described at a time, so that the arrays stay in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Histories (samples, 28, 24) and windows (samples, 14, 24) of meters [Wh], and what their neighbours did.

    moved: log of the neighbours' window over their history, (samples,). beside_history, beside_window: the neighbours'
    mean log load in units of each one's mean, shaped like history and window. All zero where there is no neighbour.
    """

    history: FloatArray
    window: FloatArray
    moved: FloatArray
    beside_history: FloatArray
    beside_window: FloatArray

    def __len__(self) -> int:
        return len(self.history)

    def rows(self, chosen: slice) -> Samples:
        """Some of the samples."""
        return Samples(
            self.history[chosen], self.window[chosen], self.moved[chosen], self.beside_history[chosen],
            self.beside_window[chosen],
        )  # fmt: skip

    def alone(self) -> Samples:
        """The same meters without neighbours."""
        return Samples(
            self.history, self.window, np.zeros_like(self.moved), np.zeros_like(self.beside_history),
            np.zeros_like(self.beside_window),
        )  # fmt: skip


Columns = dict[str, FloatArray]


def describe(samples: Samples) -> FloatArray:
    """Features, (samples, features), in chunks."""
    parts = [_chunk(samples.rows(slice(at, at + CHUNK))) for at in range(0, len(samples), CHUNK)]
    return np.concatenate(parts) if parts else np.empty((0, len(names())))


def _columns(samples: Samples) -> Columns:
    columns: Columns = {}
    for group in GROUPS:
        columns |= group(samples)
    return columns


def _chunk(samples: Samples) -> FloatArray:
    return np.stack(list(_columns(samples).values()), axis=1)


def _log_ratio(above: FloatArray, below: FloatArray, small: FloatArray | float) -> FloatArray:
    """Log of a ratio whose parts are kept from nothing: a home that was away must not divide by 0."""
    ratio: FloatArray = np.log((above + small) / (below + small))
    return ratio


def _floor(samples: Samples) -> FloatArray:
    """What counts as next to nothing for a meter [Wh], (samples,)."""
    floor: FloatArray = 0.02 * samples.history.mean(axis=(1, 2)) + 5.0
    return floor


def _flat(days: FloatArray) -> FloatArray:
    return days.reshape(len(days), -1)


def _centred(rows: FloatArray) -> FloatArray:
    centred: FloatArray = rows - rows.mean(axis=1, keepdims=True)
    return centred


def _correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Correlation of rows that are centred, 0 where one of them is flat."""
    both: FloatArray = (a * b).sum(axis=1) / (np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1)) + 1e-9)
    return both


def turned(before: FloatArray, now: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlations of centred profiles (samples, 24): `now` turned by 0 … 23 hours, and `now` reversed and turned."""
    spectrum, other = np.fft.rfft(before), np.fft.rfft(now)
    size = (np.sqrt((before**2).sum(axis=1) * (now**2).sum(axis=1)) + 1e-9)[:, None]
    forward = np.fft.irfft(np.conj(spectrum) * other, HOURS) / size
    backward = np.fft.irfft(np.conj(spectrum) * np.conj(other), HOURS) / size
    return forward, backward


def _levels(samples: Samples) -> Columns:
    """How much, at which quantiles, and at which hours."""
    small, history, window = _floor(samples), _flat(samples.history), _flat(samples.window)
    mean = _log_ratio(window.mean(axis=1), history.mean(axis=1), small)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    before, now = np.quantile(history, levels, axis=1), np.quantile(window, levels, axis=1)
    moved = [_log_ratio(now[i], before[i], small) for i in range(len(levels))]
    by_hour = np.sort(_log_ratio(samples.window.mean(axis=1), samples.history.mean(axis=1), small[:, None]), axis=1)
    days, days_before = samples.window.sum(axis=2), samples.history.sum(axis=2)
    return {
        "mean": mean,
        "mean beside neighbours": mean - samples.moved,
        **{f"quantile {level}": value for level, value in zip(levels, moved, strict=True)},
        "spread of quantiles": np.std(moved, axis=0),
        "lowest hours": by_hour[:, 2],
        "highest hours": by_hour[:, -3],
        "spread of hours": by_hour.std(axis=1),
        "lowest day": _log_ratio(days.min(axis=1), days_before.min(axis=1), small * HOURS),
    }


def _profiles(samples: Samples) -> Columns:
    """Whether the day has its usual shape, another one, a turned or a reversed one; and how firm that shape was."""
    small = _floor(samples)[:, None]
    before, now = samples.history.mean(axis=1), samples.window.mean(axis=1)
    first, second = samples.history[:, : HISTORY // 2].mean(axis=1), samples.history[:, HISTORY // 2 :].mean(axis=1)
    forward, backward = turned(_centred(before), _centred(now))
    own = _correlation(_centred(first), _centred(second))

    def distance(a: FloatArray, b: FloatArray) -> FloatArray:
        shapes = (x / (x.mean(axis=1, keepdims=True) + small) for x in (a, b))
        apart: FloatArray = np.abs(next(shapes) - next(shapes)).mean(axis=1)
        return apart

    apart = distance(now, before)
    return {
        "shape": forward[:, 0],
        "shape turned": forward.max(axis=1) - forward[:, 0],
        "shape an hour off": np.maximum(forward[:, 1], forward[:, -1]) - forward[:, 0],
        "shape reversed": backward.max(axis=1) - forward[:, SHIFTS].max(axis=1),
        "firmness": own,
        "shape beside firmness": forward[:, 0] - own,
        "distance of shapes": apart,
        "distance beside its own": np.log((apart + 0.02) / (distance(second, first) + 0.02)),
    }


def _ranks(samples: Samples) -> Columns:
    """Where each reading lies among the 28 of its hour, in [0, 1]: residuals of an empirical forecast."""
    past = np.sort(samples.history, axis=1)[:, :, None, :]
    now = samples.window[:, None, :, :]
    below, upto = (past < now).mean(axis=1), (past <= now).mean(axis=1)
    by_hour = ((below + upto) / 2).mean(axis=1)
    ordered = np.sort(by_hour, axis=1)
    return {
        "rank": by_hour.mean(axis=1),
        "spread of ranks": by_hour.std(axis=1),
        "below all": (upto == 0).mean(axis=(1, 2)),
        "above all": (below == 1).mean(axis=(1, 2)),
        "lowest ranks": ordered[:, 2],
        "highest ranks": ordered[:, -3],
    }


def _texture(samples: Samples) -> Columns:
    """How readings follow each other: noise, ramps, memory, direction of time, step at midnight, near-zero hours."""
    small, size = _floor(samples), samples.history.mean(axis=(1, 2))

    def variation(days: FloatArray) -> FloatArray:
        totals = days.sum(axis=2)
        part: FloatArray = totals.std(axis=1) / (totals.mean(axis=1) + small)
        return part

    def noise(days: FloatArray) -> FloatArray:
        part: FloatArray = days.std(axis=1).mean(axis=1) / (days.mean(axis=(1, 2)) + small)
        return part

    def ramp(days: FloatArray) -> FloatArray:
        part: FloatArray = np.abs(np.diff(_flat(days))).mean(axis=1) / (days.mean(axis=(1, 2)) + small)
        return part

    def memory(days: FloatArray) -> FloatArray:
        rows = _centred(_flat(days))
        part: FloatArray = (rows[:, 1:] * rows[:, :-1]).sum(axis=1) / ((rows**2).sum(axis=1) + 1e-9)
        return part

    def direction(days: FloatArray) -> FloatArray:
        steps = np.diff(_flat(days))
        part: FloatArray = (np.sign(steps) * steps**2).mean(axis=1) / ((steps**2).mean(axis=1) + 1e-9)
        return part

    def midnight(days: FloatArray) -> FloatArray:
        steps = np.abs(np.diff(_flat(days)))
        return _log_ratio(steps[:, HOURS - 1 :: HOURS].mean(axis=1), steps.mean(axis=1), small)

    def near_zero(days: FloatArray) -> FloatArray:
        part: FloatArray = (days < 0.05 * size[:, None, None]).mean(axis=(1, 2))
        return part

    history, window = samples.history, samples.window
    columns = {
        name: _log_ratio(of(window), of(history), 0.02)
        for name, of in (("variation of days", variation), ("noise", noise), ("ramps", ramp))
    }
    columns |= {
        name: of(window) - of(history)
        for name, of in (("memory", memory), ("direction", direction), ("midnight", midnight), ("near zero", near_zero))
    }
    return columns


def _logarithms(samples: Samples) -> Columns:
    """The shapes once more in logarithms, where a spike weighs little: against own scatter, and beside neighbours."""
    unit = 0.05 * samples.history.mean(axis=(1, 2)) + 5.0
    past, now = (np.log1p(days / unit[:, None, None]) for days in (samples.history, samples.window))
    before, after = past.mean(axis=1), now.mean(axis=1)
    first, second = past[:, : HISTORY // 2].mean(axis=1), past[:, HISTORY // 2 :].mean(axis=1)
    shape, shape_now = _centred(before), _centred(after)
    forward, backward = turned(shape, shape_now)
    own = _correlation(_centred(first), _centred(second))
    scatter = past.std(axis=1) + 0.15

    def apart(gap: FloatArray) -> FloatArray:
        distance: FloatArray = np.sqrt(((gap / scatter) ** 2).mean(axis=1))
        return distance

    level, form = apart(after - before), apart(shape_now - shape)
    reversals = [apart(np.roll(shape_now[:, ::-1], hours, axis=1) - shape) for hours in range(HOURS)]
    has_neighbours = samples.beside_history.std(axis=(1, 2)) > 0
    with_them, with_them_before = (
        _correlation(_centred(_flat(own_days)), _centred(_flat(theirs)))
        for own_days, theirs in ((now, samples.beside_window), (past, samples.beside_history))
    )
    return {
        "log shape": forward[:, 0],
        "log shape reversed": backward.max(axis=1) - forward[:, SHIFTS].max(axis=1),
        "log shape turned": forward.max(axis=1) - forward[:, 0],
        "log firmness": own,
        "log shape beside firmness": forward[:, 0] - own,
        "level in scatters": level,
        "level beside its own": np.log((level + 0.1) / (apart(second - first) + 0.1)),
        "form in scatters": form,
        "form reversed": np.log((np.min(reversals, axis=0) + 0.1) / (form + 0.1)),
        "with neighbours": np.where(has_neighbours, with_them - with_them_before, 0.0),
    }


def _context(samples: Samples) -> Columns:
    """How restless the history itself was."""
    size = samples.history.mean(axis=(1, 2))
    first, second = samples.history[:, : HISTORY // 2], samples.history[:, HISTORY // 2 :]
    days = samples.history.sum(axis=2)

    def near_zero(block: FloatArray) -> FloatArray:
        part: FloatArray = (block < 0.05 * size[:, None, None]).mean(axis=(1, 2))
        return part

    return {
        "near zero before": near_zero(samples.history),
        "near zero moved before": near_zero(second) - near_zero(first),
        "mean moved before": _log_ratio(second.mean(axis=(1, 2)), first.mean(axis=(1, 2)), _floor(samples)),
        "variation of days before": days.std(axis=1) / (days.mean(axis=1) + _floor(samples)),
        "variation before": samples.history.std(axis=(1, 2)) / (size + 5.0),
    }


GROUPS: tuple[Callable[[Samples], Columns], ...] = (_levels, _profiles, _ranks, _texture, _logarithms, _context)


@cache
def names() -> tuple[str, ...]:
    """Names of all features, in the order of their columns."""
    days = np.ones((1, HISTORY, HOURS)), np.ones((1, WINDOW, HOURS))
    return tuple(_columns(Samples(*days, np.zeros(1), *days)))
