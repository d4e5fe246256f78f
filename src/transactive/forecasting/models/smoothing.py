"""Exponential smoothing with a daily and a weekly season: for series with weeks of history rather than months.

    error   = value − (level + daily[time of day] + weekly[time of week])
    level += α error, daily += δ error, weekly += ω error;   after h slots also φ^h of the last error remains

Some rates are tried; each forecasts the past from several times of issue as it would have then, and the best few of
them, by absolute error of all slots ahead, are averaged for each member. The errors of that mean at about the same
distance are its quantiles. Where two weeks are not there the weekly season stays out.

Sources: Taylor, Short-term electricity demand forecasting using double seasonal exponential smoothing, J. Operational
Research Society 54(8), 2003; mean of models, Timmermann, Handbook of Economic Forecasting 1, 2006, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from transactive.core.errors import DataError
from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

WINDOW = 84
"""Days learnt from."""
LEAST_DAYS = 4
WARM_DAYS = 14
"""Days that seasons begin from, or half of what is known where fewer than three days would be left to try rates on."""
LEAST_TRIED = 3
MOST_ISSUES = 28
"""Times of issue at which rates are tried, newest last."""
RATES = tuple(product((0.0, 0.02, 0.1), (0.03, 0.1, 0.25), (0.05, 0.2, 0.4)))
"""Of level, daily and weekly season."""
LASTING = (0.0, 0.7, 0.9, 0.97)
"""What remains of the last error after an hour."""
BEST = 5
"""Sets of rates that are averaged."""
NEAR = 1
"""Slots to each side whose errors count too."""
BLOCK = 64
"""Members at once, as all rates and issues of each are in memory."""


@dataclass(frozen=True, slots=True)
class SeasonalSmoothing:
    """The recipe; rates are found when it forecasts, in the last weeks of what is known."""

    def train(self, history: History, horizon: int, random: np.random.Generator) -> SeasonalSmoothing:  # noqa: ARG002 - nothing to learn
        """There is nothing to learn."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots. Raises DataError when less than four days and a horizon are known."""
        series = on_clock(history.last(WINDOW))
        steps = steps_on_clock(history, horizon)
        longest, known = int(steps.max()) + 1, len(series.values)
        if known < LEAST_DAYS * series.per_day + longest:
            raise DataError(f"{known} slots of history; smoothing needs {LEAST_DAYS} days more than a forecast is long")
        blocks = [
            _smoothed(series.values[:, begin : begin + BLOCK], series.per_day, longest)
            for begin in range(0, series.values.shape[1], BLOCK)
        ]
        point, spread = (np.concatenate(parts, axis=1)[steps] for parts in zip(*blocks, strict=True))
        return in_order(point[..., None] + spread, point, lowest_of(history))


def _smoothed(values: FloatArray, per_day: int, longest: int) -> tuple[FloatArray, FloatArray]:
    """Point forecast, (longest, members), and the quantiles of its errors, (longest, members, levels)."""
    known = len(values)
    days = (known - longest) // per_day
    warm = (WARM_DAYS if days >= WARM_DAYS + LEAST_TRIED else max(days // 2, 1)) * per_day
    seasons = Seasons.begin(values[:warm], per_day)
    apart = max(per_day // 4, 1) if longest <= per_day // 4 else per_day
    issues = np.arange(known - longest, warm - 1, -apart)[:MOST_ISSUES][::-1]
    told, last = [], []
    for slot in range(warm, known):
        if slot in issues:
            told.append(seasons.ahead(slot, longest))
            last.append(seasons.error)
        seasons.learn(slot, values[slot])
    truth = values[issues[:, None] + np.arange(longest)]
    fading = np.array(LASTING)[:, None] ** (np.arange(1, longest + 1) * 24 / per_day)
    past, errors = np.stack(told, axis=1), np.stack(last, axis=1)  # (rates, issues, …)
    lost = np.stack(
        [np.abs(past + errors[:, :, None] * fade[:, None] - truth).mean(axis=(1, 2)) for fade in fading]
    )  # (lasting, rates, members)
    return _averaged(lost, past, errors, fading, truth, seasons.ahead(known, longest), seasons.error)


def _averaged(
    lost: FloatArray,
    past: FloatArray,
    errors: FloatArray,
    fading: FloatArray,
    truth: FloatArray,
    ahead: FloatArray,
    error: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Mean of each member's best rates, and the quantiles of what that mean missed at about the same distance."""
    best = np.argsort(lost.reshape(-1, lost.shape[2]), axis=0, kind="stable")[:BEST]  # (best, members)
    fade, rate = np.divmod(best, lost.shape[1])
    member = np.arange(lost.shape[2])
    point = (ahead[rate, :, member] + error[rate, member][..., None] * fading[fade]).mean(axis=0).T
    said = past[rate, :, :, member].mean(axis=0)  # (members, issues, longest)
    rest = (errors[rate, :, member][..., None] * fading[fade][:, :, None]).mean(axis=0)
    missed = np.moveaxis(truth, 2, 0) - said - rest
    place = np.arange(missed.shape[2])
    beside = [np.clip(place + shift, 0, place[-1]) for shift in range(-NEAR, NEAR + 1)]
    near = np.concatenate([missed[:, :, steps] for steps in beside], axis=1)
    return point, np.moveaxis(np.quantile(near, LEVELS, axis=1), (0, 1, 2), (2, 1, 0))


@dataclass(slots=True, eq=False)
class Seasons:
    """Level (rates, members), seasons (rates, slots, members) and last errors (rates, members), of all rates."""

    level: FloatArray
    daily: FloatArray
    weekly: FloatArray
    error: FloatArray

    @classmethod
    def begin(cls, values: FloatArray, per_day: int) -> Seasons:
        """Seasons as the means of the first days; weekly ones from two weeks on."""
        rates, members = len(RATES), values.shape[1]
        days = values.reshape(-1, per_day, members)
        level = values.mean(axis=0)
        daily = days.mean(axis=0) - level
        weekly = np.zeros((7 * per_day, members))
        if len(days) >= WARM_DAYS:
            weeks = days[: len(days) // 7 * 7].reshape(-1, 7, per_day, members).mean(axis=0)
            weekly = (weeks - level - daily).reshape(-1, members)
        return cls(*(np.repeat(part[None], rates, axis=0) for part in (level, daily, weekly, np.zeros(members))))

    def ahead(self, slot: int, count: int) -> FloatArray:
        """What comes without the last error, (rates, count, members)."""
        coming = slot + np.arange(count)
        daily, weekly = (part[:, coming % part.shape[1]] for part in (self.daily, self.weekly))
        said: FloatArray = self.level[:, None] + daily + weekly
        return said

    def learn(self, slot: int, value: FloatArray) -> None:
        """Follow a slot's values, (members,)."""
        day, week = slot % self.daily.shape[1], slot % self.weekly.shape[1]
        self.error = value - self.level - self.daily[:, day] - self.weekly[:, week]
        level, daily, weekly = np.array(RATES).T[:, :, None] * self.error
        self.level = self.level + level
        self.daily[:, day] += daily
        self.weekly[:, week] += weekly
