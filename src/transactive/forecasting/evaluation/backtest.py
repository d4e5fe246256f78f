"""Rolling origin: what each forecaster would have said, issue by issue, with what was known then.

Every model gets a history cut at the time of issue, so that it cannot see what comes after; it is trained anew after so
many days, on what was known by then. The champion of a stretch is chosen on the days before it, and its calibration
has seen only earlier issues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import process_time
from typing import TypeAlias

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.forecasting.evaluation.champion import Mix, choose, mixed
from transactive.forecasting.evaluation.conformal import Tracker
from transactive.forecasting.evaluation.issue_plan import IssuePlan
from transactive.forecasting.evaluation.scores import MEDIAN, absolute
from transactive.forecasting.models.pooled import with_pool
from transactive.forecasting.registry import Forecaster
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order

Progress: TypeAlias = Callable[[str], None]

ERROR_DAYS = 28
"""Days whose errors give a sum its quantiles."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """Forecasts of all issues: values (origins, horizon, members, levels), mean (origins, horizon, members)."""

    values: FloatArray
    mean: FloatArray

    def part(self, positions: range) -> Forecasts:
        """Those of some issues."""
        return Forecasts(self.values[positions.start : positions.stop], self.mean[positions.start : positions.stop])

    def at(self, position: int) -> Quantiles:
        """That of one issue."""
        return Quantiles(self.values[position], self.mean[position])


@dataclass(slots=True)
class Candidates:
    """What every forecaster said, which could not take part and why, and CPU time [s]."""

    forecasts: dict[str, Forecasts] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    train_s: dict[str, float] = field(default_factory=dict)
    predict_s: dict[str, float] = field(default_factory=dict)


def truth(history: History, plan: IssuePlan) -> FloatArray:
    """What came, (origins, horizon, members)."""
    rows = np.array(plan.origins, np.int64)[:, None] + np.arange(plan.horizon)
    came: FloatArray = history.values[rows]
    return came


def replay(
    history: History, recipes: Mapping[str, Forecaster], plan: IssuePlan, seed: int, progress: Progress = lambda _: None
) -> Candidates:
    """Let each recipe train and forecast along the plan; one that lacks history for it is noted as absent."""
    found = Candidates()
    for number, (name, recipe) in enumerate(recipes.items(), start=1):
        try:
            stretches = list(_stretches(history, recipe, plan, np.random.default_rng([seed, number]), name, progress))
        except DataError as error:
            found.absent[name] = str(error)
            continue
        parts = [forecast for part, _, _ in stretches for forecast in part]
        found.forecasts[name] = Forecasts(np.stack([f.values for f in parts]), np.stack([f.mean for f in parts]))
        found.train_s[name] = max(train for _, train, _ in stretches)
        found.predict_s[name] = sum(predict for _, _, predict in stretches) / len(parts)
    if not found.forecasts:
        raise DataError(next(iter(found.absent.values()), "no forecaster was named"))
    return found


def _stretches(
    history: History, recipe: Forecaster, plan: IssuePlan, random: np.random.Generator, name: str, progress: Progress
) -> Iterator[tuple[list[Quantiles], float, float]]:
    """Forecasts of each stretch, with the CPU time of its training and of its forecasts [s]."""
    members = history.values.shape[1]
    for stretch in plan.stretches:
        progress(f"{name}: issue {stretch.start + 1} of {len(plan.origins)}")
        began = process_time()
        model = recipe.train(history.until(plan.origins[stretch.start], plan.horizon), plan.horizon, random)
        trained = process_time()
        part = [
            model.predict(history.until(plan.origins[k], plan.horizon), plan.horizon).checked(plan.horizon, members)
            for k in stretch
        ]
        yield part, trained - began, process_time() - trained


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """What the champions forecast after the calibration days, and who they were: (position of the first issue, mix)."""

    forecasts: Forecasts
    mixes: tuple[tuple[int, Mix], ...]


def champion(history: History, candidates: Mapping[str, Forecasts], plan: IssuePlan, lowest: float) -> Champion:
    """Choose along the plan, on the `calibration` issues before each choice, and calibrate member by member."""
    came = truth(history, plan)
    tracker = Tracker.of(came.shape[2])
    mix = dict.fromkeys(candidates, 1)
    mixes, said = [], []
    for position in range(len(plan.origins)):
        after = position - plan.calibration
        if after >= 0 and after % plan.rechoose == 0:
            before = range(position - plan.calibration, position)
            mix = choose({n: f.part(before).values for n, f in candidates.items()}, came[before.start : before.stop])
            mixes.append((position, mix))
            if not after:
                tracker = _warmed(mix, candidates, came[: plan.calibration], lowest)
        if after < 0:
            continue
        raw = mixed(mix, {name: candidates[name].at(position) for name in mix})
        moved = tracker.moved(with_pool(raw, history.until(plan.origins[position], 0)), lowest)
        said.append(moved)
        tracker.learn(moved, came[position])
    return Champion(Forecasts(np.stack([f.values for f in said]), np.stack([f.mean for f in said])), tuple(mixes))


def _warmed(mix: Mix, candidates: Mapping[str, Forecasts], came: FloatArray, lowest: float) -> Tracker:
    """A tracker that followed the mix through the calibration days."""
    tracker = Tracker.of(came.shape[2])
    for position, truth_then in enumerate(came):
        moved = tracker.moved(mixed(mix, {name: candidates[name].at(position) for name in mix}), lowest)
        tracker.learn(moved, truth_then)
    return tracker


def bottom_up(members: Forecasts, came: FloatArray, per_issue_days: float, lowest: float) -> Forecasts:
    """The sum of members' means, with the quantiles of its own errors on the issues before: quantiles do not add.

    members: forecasts of all members; came: the sum as it came, (origins, horizon, 1). An error counts at its own step
    and the two beside it; the first issue knows of none.
    """
    point = members.mean.sum(axis=2, keepdims=True)
    errors = came - point
    window = max(round(ERROR_DAYS / per_issue_days), 2)
    values = np.repeat(point[..., None], len(LEVELS), axis=3)
    for position in range(1, len(point)):
        past = errors[max(position - window, 0) : position]
        beside = np.concatenate((past, np.roll(past, 1, axis=1), np.roll(past, -1, axis=1)))
        known = np.where(np.isfinite(beside), beside, 0.0)
        values[position] += np.moveaxis(np.quantile(known, LEVELS, axis=0), 0, -1)
    ordered = in_order(values, point, lowest)
    return Forecasts(ordered.values, ordered.mean)


def days_of(history: History, plan: IssuePlan) -> IntArray:
    """Number of the day of each issue, counted from the first."""
    return (np.array(plan.origins, np.int64) - plan.origins[0]) // history.per_day


def best_trivial(candidates: Mapping[str, Forecasts], names: tuple[str, ...], came: FloatArray) -> str | None:
    """The trivial forecast with the least absolute error of its median on the days that are judged, if there is one."""
    errors = {
        name: float(np.nanmean(absolute(candidates[name].values[..., MEDIAN], came)))
        for name in names
        if name in candidates
    }
    return min(errors, key=lambda name: errors[name]) if errors else None
