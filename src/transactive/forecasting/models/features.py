"""The one feature function, for training and for serving: what was known at the time of issue, and the calendar.

Everything that has a unit is divided by the member's own mean absolute value over the window, so that one model learns
from all members, and a member that it never saw is no stranger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.clock import ClockSeries
from transactive.forecasting.series import LEVELS, FloatArray, History

WINDOW = 28
"""Days that the features look back."""
VERSION = 1
"""Counts up whenever a column changes its meaning: a model is served only the features that it was taught."""

NAMES = (
    *("step", "clock", "weekday", "day off"),
    *(f"{k} days ago" for k in range(1, 8)),
    *("14 days ago", "slot before, a day ago", "slot after, a day ago"),
    *("mean 7", "mean 28", "deviation 28", *(f"quantile {level} 28" for level in LEVELS), "median 7", "weekday mean"),
    *("mean 28 around", "mean 7 around", "days of a slot above 0"),
    *("last day", "last 3 days", "last week", "least", "low", "deviation of the week"),
    *("last slot", "last 3 hours", "last 6 hours", "last 3 hours against a week"),
    *("all, a day ago", "all, week against 28", "all, last day against week", "all, last hours against week"),
)
"""Columns of the features; what is known in advance follows."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of one time of issue: table (steps, members, columns), and the scale of each member (members,)."""

    table: FloatArray
    scale: FloatArray


def features(
    history: History, series: ClockSeries, end: int, steps: IntArray, chosen: IntArray | None = None
) -> Features:
    """Features of slots `steps` after index `end` of the series, from what lies before `end` and the calendar.

    series: `on_clock(history)`. steps: (steps,), 0 is the slot at `end`. chosen: members to make them for, by index;
    without it all. Less than 28 days before `end` make do with the days there are.
    """
    raw = series.days(end, WINDOW)
    scale = np.abs(raw).mean(axis=(0, 1))
    scale = np.where(scale > 0, scale, 1.0)
    days = raw / scale
    slot = steps % series.per_day
    every = _of_all(days)[slot]
    if chosen is not None:
        days, scale = days[:, :, chosen], scale[chosen]
    by_slot = _of_slot(days)[slot]  # (steps, members, columns)
    members = days.shape[2]
    by_member = np.broadcast_to(_of_member(days, series.per_day), (len(steps), members, 10))
    shared = np.concatenate((_of_time(history, series.first + end + steps, steps), every), axis=1)
    by_step = np.broadcast_to(shared[:, None, :], (len(steps), members, shared.shape[1]))
    table = np.concatenate((by_step[:, :, :4], by_slot, by_member, by_step[:, :, 4:]), axis=2)
    return Features(table, scale)


def _of_time(history: History, index: IntArray, steps: IntArray) -> FloatArray:
    """Distance and calendar, (steps, 4); a day off is a Saturday, a Sunday or a holiday."""
    local = index * history.length
    weekday = history.calendar.weekday(local)
    off = (weekday >= 5) | history.calendar.is_holiday(local)
    return np.stack((steps, local % DAY, weekday, off), axis=1).astype(np.float64)


def _of_slot(days: FloatArray) -> FloatArray:
    """What the same time of day brought before, (per_day, members, columns)."""
    count = len(days)
    ago = [days[-min(k, count)] for k in (*range(1, 8), 14)]
    flat = days.reshape(-1, days.shape[2])
    yesterday = flat[-days.shape[1] :]
    before, after = np.roll(yesterday, 1, axis=0), np.roll(yesterday, -1, axis=0)
    week, mean = days[-7:].mean(axis=0), days.mean(axis=0)
    weekday = days[-7::-7].mean(axis=0) if count >= 7 else week
    around = [(np.roll(part, 1, axis=0) + part + np.roll(part, -1, axis=0)) / 3 for part in (mean, week)]
    columns = [
        *ago, before, after, week, mean, days.std(axis=0), *np.quantile(days, LEVELS, axis=0),
        np.median(days[-7:], axis=0), weekday, *around, (days > 0).mean(axis=0),
    ]  # fmt: skip
    return np.stack(columns, axis=-1)


def _of_member(days: FloatArray, per_day: int) -> FloatArray:
    """How the member lives, and what it did just before the time of issue, (members, columns)."""
    flat = days.reshape(-1, days.shape[2])
    hours = [max(per_day * h // 24, 1) for h in (3, 6)]
    last = [flat[-h:].mean(axis=0) for h in hours]
    usual = days[-7:].mean(axis=0)[-hours[0] :].mean(axis=0)
    columns = [
        *(days[-k:].mean(axis=(0, 1)) for k in (1, 3, 7)), flat.min(axis=0), np.quantile(flat, 0.1, axis=0),
        days[-7:].std(axis=(0, 1)), flat[-1], *last, last[0] - usual,
    ]  # fmt: skip
    return np.stack(columns, axis=-1)


def _of_all(days: FloatArray) -> FloatArray:
    """What all members do together, (per_day, 4): weather and holidays show in it."""
    every = days.mean(axis=2)
    week = every[-7:].mean(axis=0)
    hours = max(len(week) // 8, 1)
    last_hours = every[-1, -hours:].mean() - week[-hours:].mean()
    day = every[-1].mean() - every[-7:].mean()
    return np.stack(
        (every[-1], week - every.mean(axis=0), np.full_like(week, day), np.full_like(week, last_hours)), axis=-1
    )


def known_ahead(history: History, rows: IntArray) -> FloatArray:
    """What is known in advance of the slots in `rows` of the history and after it, (rows, columns)."""
    return history.ahead[rows] if history.ahead.size else np.empty((len(rows), 0))
