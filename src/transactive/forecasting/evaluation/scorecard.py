"""How good forecasts were: scores of champion and candidates on the test days, beside the best trivial forecast."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.forecasting import registry
from transactive.forecasting.evaluation.backtest import (
    Candidates,
    Champion,
    Forecasts,
    Progress,
    best_trivial,
    bottom_up,
    champion,
    days_of,
    replay,
    truth,
)
from transactive.forecasting.evaluation.champion import Mix
from transactive.forecasting.evaluation.entrants import Entrants
from transactive.forecasting.evaluation.issue_plan import IssuePlan
from transactive.forecasting.evaluation.pool_along import POOL, pooled
from transactive.forecasting.evaluation.scores import (
    MEDIAN,
    absolute,
    coverage,
    daily,
    diebold_mariano,
    mean,
    naive_scale,
    pinball,
)
from transactive.forecasting.series import FloatArray, History, lowest_of

SUM_OF = ("boosted", "boosted-shallow")
"""Forecasters of members whose means are added up, to be a candidate for the sum."""


class Coverage(msgspec.Struct, frozen=True):
    """Share of readings inside the 90 % interval: mean over the members, and of the members the least and the most."""

    mean: float
    min: float
    max: float


class ModelScores(msgspec.Struct, frozen=True):
    """Scores on the test days, in the unit of the target. mae: of the median; mae_of_mean: of the mean."""

    mae: float
    mae_of_mean: float
    mase: float
    pinball: float
    coverage: Coverage


class Paired(msgspec.Struct, frozen=True):
    """Diebold-Mariano test of daily losses: below 0 the champion is better than the best trivial forecast."""

    against: str
    loss: str
    days: int
    statistic: float
    p_value: float


class Chosen(msgspec.Struct, frozen=True):
    """Who is champion from when, and how often each forecaster counts in it."""

    since: str
    mix: Mix


class TargetScores(msgspec.Struct, frozen=True):
    """Scores of the champion and of every candidate for one target."""

    champion: ModelScores
    candidates: dict[str, ModelScores]
    best_trivial: str
    paired: list[Paired]
    chosen: list[Chosen]
    absent: dict[str, str]
    train_cpu_s: dict[str, float]
    predict_cpu_s_per_issue: dict[str, float]


def judge(
    history: History, candidates: Candidates, plan: IssuePlan, *, pool: bool = False
) -> tuple[TargetScores, Champion]:
    """Choose and calibrate champions, or with `pool` let the pool of all be in charge, and score everybody.

    Raises DataError where nothing was measured in the test days, or in those before them.
    """
    if not _measured(history, plan):
        raise DataError("no reading in the days that choose and calibrate, or none in the test days; choose others")
    lowest = lowest_of(history.until(plan.origins[0], 0))
    if pool:
        tested = range(plan.calibration, len(plan.origins))
        winner = Champion(pooled(history, candidates.forecasts, plan).part(tested), ((plan.calibration, {POOL: 1}),))
    else:
        winner = champion(history, candidates.forecasts, plan, lowest)
    came = truth(history, plan)[plan.calibration :]
    scale = naive_scale(history.values[: plan.origins[plan.calibration]], history.per_day)
    tested = range(plan.calibration, len(plan.origins))
    parts = {name: forecast.part(tested) for name, forecast in candidates.forecasts.items()}
    chosen = [
        Chosen(time_text(history.first_slot + plan.origins[position] * history.length), mix)
        for position, mix in winner.mixes
    ]
    trivial = best_trivial(parts, registry.TRIVIAL, came) or next(iter(parts))
    target = TargetScores(
        scores(winner.forecasts, came, scale),
        {name: scores(forecast, came, scale) for name, forecast in parts.items()},
        trivial,
        paired(winner.forecasts, trivial, parts[trivial], came, days_of(history, plan)[plan.calibration :]),
        chosen,
        candidates.absent,
        candidates.train_s,
        candidates.predict_s,
    )
    return target, winner


def judge_sum(
    history: History,
    members: Candidates,
    plan: IssuePlan,
    asked: Sequence[str] = (),
    seed: int = 1,
    progress: Progress = lambda _: None,
) -> TargetScores | None:
    """Scores of the sum of all members: forecast as a series of its own, and from the members' means.

    None where the sum is not known: in a slot it is when every member that has begun was measured.
    """
    total = sum_of(history)
    if not _measured(total, plan):
        return None
    entrants = Entrants.of(asked, total, plan.horizon)
    candidates = replay(total, entrants.recipes(), plan, seed, lambda text: progress(f"sum, {text}" if text else ""))
    lowest = lowest_of(total.until(plan.origins[0], 0))
    for name in SUM_OF:
        if name in members.forecasts:
            added = bottom_up(members.forecasts[name], truth(total, plan), plan.horizon / history.per_day, lowest)
            candidates.forecasts[f"members, {name}"] = added
    return judge(total, candidates, plan, pool=entrants.pool)[0]


def _measured(history: History, plan: IssuePlan) -> bool:
    """Whether there are readings in the days that choose and in those that test."""
    there = np.isfinite(truth(history, plan))
    return bool(there[: plan.calibration].any()) and bool(there[plan.calibration :].any())


def sum_of(history: History) -> History:
    """The sum of all members that have begun; a slot where one of them has a gap is a gap."""
    begun = np.maximum.accumulate(np.isfinite(history.values), axis=0)
    known = np.isfinite(history.values) | ~begun
    total = np.where(np.isfinite(history.values), history.values, 0.0).sum(axis=1)
    values = np.where(known.all(axis=1) & begun.any(axis=1), total, np.nan)[:, None]
    return History(history.first_slot, history.length, values, history.ahead, history.calendar)


def scores(forecasts: Forecasts, came: FloatArray, scale: FloatArray) -> ModelScores:
    """Scores against what came, (origins, horizon, members)."""
    error = absolute(forecasts.values[..., MEDIAN], came)
    by_member = np.nanmean(np.where(np.isfinite(came).any(axis=(0, 1)), error, 0.0), axis=(0, 1))
    covered = coverage(forecasts.values, came)
    covered = covered[np.isfinite(covered)]
    inside = (covered.mean(), covered.min(), covered.max()) if len(covered) else (1.0, 1.0, 1.0)
    return ModelScores(
        mae=mean(error),
        mae_of_mean=mean(absolute(forecasts.mean, came)),
        mase=float((by_member[scale > 0] / scale[scale > 0]).mean()) if (scale > 0).any() else 0.0,
        pinball=mean(pinball(forecasts.values, came)),
        coverage=Coverage(*map(float, inside)),
    )


def paired(winner: Forecasts, name: str, trivial: Forecasts, came: FloatArray, days: IntArray) -> list[Paired]:
    """Paired tests of both losses, day by day."""
    tests = []
    for loss in ("absolute error", "pinball"):
        losses = [
            daily(pinball(f.values, came) if loss == "pinball" else absolute(f.values[..., MEDIAN], came), days)
            for f in (winner, trivial)
        ]
        tests.append(Paired(name, loss, len(losses[0]), *diebold_mariano(*losses)))
    return tests
