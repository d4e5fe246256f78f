"""Series on the axis of the local clock, without gaps: what features and baselines are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.forecasting.series import FloatArray, History


@dataclass(frozen=True, slots=True, eq=False)
class ClockSeries:
    """A history by local clock.

    values: (known, members), gaps filled. measured: the same with gaps as NaN. first: number of the first slot, counted
    on the local clock from 1970. begins: index of each member's first reading, (members,).
    """

    values: FloatArray
    measured: FloatArray
    first: int
    begins: IntArray
    per_day: int

    def days(self, end: int, most: int) -> FloatArray:
        """The last whole days before index `end`, oldest first, at most `most`: (days, per_day, members).

        A "day" ends at `end`, wherever that is on the clock: row k of a day is k slots after the time of issue.
        """
        days = min(end // self.per_day, most)
        return self.values[end - days * self.per_day : end].reshape(days, self.per_day, -1)


def on_clock(history: History) -> ClockSeries:
    """Lay a history out by local clock. Raises DataError when less than a day is known.

    The hour that daylight saving time skips is filled like a gap, the one that comes twice counts as its mean. A gap
    takes the value of the same time on the day before; before a member's first reading its mean stands.
    """
    known = len(history.values)
    if known < history.per_day:
        raise DataError(f"{known} slots of history; a forecast needs a day, {history.per_day} slots, at least")
    index = _clock_index(history, 0, known)
    first = int(index[0])
    measured = _laid_out(history.values, index - first)
    there = np.isfinite(measured)
    begins = np.where(there.any(axis=0), there.argmax(axis=0), len(measured))
    return ClockSeries(_filled(measured, history.per_day), measured, first, begins, history.per_day)


def steps_on_clock(history: History, horizon: int) -> IntArray:
    """Distance of the coming slots from the time of issue by local clock [slots], (horizon,), 0 for the next one."""
    known = len(history.values)
    index = _clock_index(history, known - 1, known + horizon)
    steps: IntArray = np.maximum(index[1:] - index[0] - 1, 0)
    return steps


def _clock_index(history: History, begin: int, end: int) -> IntArray:
    """Number on the local clock of the slots from `begin` to before `end`."""
    starts = history.first_slot + history.length * np.arange(begin, end, dtype=np.int64)
    number: IntArray = history.calendar.local(starts) // history.length
    return number


def _laid_out(values: FloatArray, index: IntArray) -> FloatArray:
    """Values at their places on the clock, piece by piece between two of its jumps."""
    jumps = np.flatnonzero(np.diff(index) != 1) + 1
    if not len(jumps):
        return values
    measured = np.full((int(index.max()) + 1, values.shape[1]), np.nan)
    for piece, start in zip(np.split(values, jumps), index[np.concatenate(([0], jumps))], strict=True):
        place = measured[start : start + len(piece)]
        twice = np.isfinite(place) & np.isfinite(piece)
        np.copyto(place, np.where(twice, (place + piece) / 2, piece), where=np.isfinite(piece))
    return measured


def _filled(measured: FloatArray, per_day: int) -> FloatArray:
    """Gaps filled from the day before; what has no day before it by the member's mean, or 0 for a silent member."""
    if not np.isnan(measured).any():
        return measured
    values = measured.copy()
    for start in range(per_day, len(values), per_day):
        day = values[start : start + per_day]
        before = values[start - per_day : start - per_day + len(day)]
        np.copyto(day, before, where=np.isnan(day))
    there = np.isfinite(values)
    mean = np.where(there, values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(there, values, mean)
