"""What explains one hour in the sparse linear models: blocks of past days, and what is known in advance of its day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray
from transactive.forecasting.clock import ClockSeries
from transactive.forecasting.models.training_rows import rows_on_clock
from transactive.forecasting.series import FloatArray, History

AGO = (1, 2, 3, 7)
"""Days whose hours explain."""
AHEAD_AGO = (0, 1, 7)
"""Days before the one that is forecast, of which what was known in advance explains."""
BLOCKS = 24
"""Parts of a day whose means explain; hourly series have so many slots."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """Series by local clock, and what is known in advance, which reaches `horizon` slots farther.

    values: (known, members). ahead: (known + horizon, columns), without gaps. first: number of the first slot.
    """

    history: History
    values: FloatArray
    ahead: FloatArray
    first: int
    per_day: int

    def past(self, ends: IntArray, tamed: FloatArray) -> FloatArray:
        """Blocks of some days before each end, the last value and the week's mean, (ends, columns, members)."""
        parts = [self._blocks(tamed, ends - ago * self.per_day, self.per_day) for ago in AGO]
        last = tamed[ends - 1][:, None]
        week = np.stack([tamed[max(end - 7 * self.per_day, 0) : end].mean(axis=0) for end in ends.tolist()])[:, None]
        return np.concatenate((*parts, last, week), axis=1)

    def when(self, ends: IntArray, step: int, horizon: int, tamed: FloatArray) -> FloatArray:
        """Weekday as seven columns of 0 and 1, holiday, and what is known in advance, (ends, columns).

        tamed: what is known in advance, as the models take it.
        """
        calendar = self.history.calendar
        local = (self.first + ends + step) * self.history.length
        weekday = calendar.weekday(local)[:, None] == np.arange(7)
        known = [weekday, calendar.is_holiday(local)[:, None]]
        if self.ahead.size:
            begin = step // self.per_day * self.per_day
            count = min(self.per_day, horizon - begin)
            for ago in AHEAD_AGO:
                blocks = self._blocks(tamed, ends + begin - ago * self.per_day, count)
                known.append(blocks.reshape(len(ends), -1))
            if self.per_day > BLOCKS:
                known.append(tamed[ends + step])
        return np.concatenate(known, axis=1).astype(np.float64)

    def _blocks(self, rows: FloatArray, begins: IntArray, count: int) -> FloatArray:
        """Means of the blocks of `count` slots from each row on, (begins, blocks, columns)."""
        size = max(self.per_day // BLOCKS, 1)
        at = np.maximum(begins[:, None] + np.arange(max(count // size, 1) * size)[:count], 0)
        found = rows[np.minimum(at, len(rows) - 1)]
        blocks: FloatArray = found.reshape(len(begins), -1, min(size, count), rows.shape[1]).mean(axis=2)
        return blocks


def explained(history: History, series: ClockSeries, horizon: int) -> Explained:
    """Lay out a series and what is known in advance of it and of the coming `horizon` slots; a gap there is usual."""
    if not history.ahead.size:
        return Explained(history, series.values, history.ahead, series.first, series.per_day)
    coming = len(history.values) + np.arange(horizon)
    rows = np.concatenate((rows_on_clock(history, series), coming))[: len(series.values) + horizon]
    ahead = history.ahead[np.minimum(rows, len(history.ahead) - 1)]
    usual = np.nanmedian(ahead, axis=0)
    filled = np.where(np.isfinite(ahead), ahead, np.where(np.isfinite(usual), usual, 0.0))
    return Explained(history, series.values, filled, series.first, series.per_day)
