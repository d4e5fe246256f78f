"""A pool through a back-test: it weighs what each forecaster would have said, issue by issue, as it would have then."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from transactive.core.units import BoolArray
from transactive.forecasting.evaluation.backtest import Forecasts, truth
from transactive.forecasting.evaluation.conformal import Tracker
from transactive.forecasting.evaluation.issue_plan import IssuePlan
from transactive.forecasting.models.pooled import with_pool
from transactive.forecasting.pool.weights import Came, PoolWeights, columns_of, forecast_of, parts_of_day, sizes
from transactive.forecasting.series import History, lowest_of

POOL = "pool"
"""Name of the pool among forecasters."""
STEP = 0.1
"""Of the calibration: a pool is nearly calibrated, and larger steps cost it up to half a per cent of its score."""


def pooled(
    history: History, candidates: Mapping[str, Forecasts], plan: IssuePlan, present: BoolArray | None = None
) -> Forecasts:
    """What the pool of all candidates forecasts at each issue, calibrated member by member.

    present: who takes part in an issue, (origins, candidates); without it all do. Where nobody does, the first one is
    asked.
    """
    came, members = truth(history, plan), history.values.shape[1]
    before = history.until(plan.origins[0], 0)
    size, lowest, days = sizes(before.values), lowest_of(before), plan.horizon / history.per_day
    there = np.ones((len(plan.origins), len(candidates)), np.bool_) if present is None else present
    weights, tracker = PoolWeights.of(len(candidates), members), Tracker.of(members, STEP)
    told = []
    for position, origin in enumerate(plan.origins):
        known = history.until(origin, plan.horizon)
        said = np.stack([columns_of(forecasts.at(position)) for forecasts in candidates.values()])
        parts = parts_of_day(known, plan.horizon)
        made = weights.mixed(said, there[position], parts)
        moved = tracker.moved(with_pool(forecast_of(made, lowest), known), lowest)
        told.append(moved)
        weights.learn(said, made, Came(came[position], parts, size, days), there[position])
        tracker.learn(moved, came[position])
    return Forecasts(np.stack([f.values for f in told]), np.stack([f.mean for f in told]))
