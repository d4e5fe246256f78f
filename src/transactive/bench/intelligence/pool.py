"""A pool of forecasters beside the best single one in hindsight and the champion: seventeen houses, and their sum.

Issued at the file's midnight for the 24 hours after it; the last 73 days are scored, 42 before them let pool and
champion learn. The score is the CRPS, and of the calibration how often the 90 % interval held. Constants of the pool
were chosen on days before these, on a state's load and on a price; docs/papers/forecasting.md says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import process_time

import numpy as np

from transactive.bench.intelligence.forecasts import WISH, history_of
from transactive.bench.intelligence.submitted import submitted_rows
from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.units import BoolArray
from transactive.forecasting.evaluation.backtest import Forecasts, champion, days_of, replay, truth
from transactive.forecasting.evaluation.entrants import Entrants
from transactive.forecasting.evaluation.issue_plan import IssuePlan, plan_of
from transactive.forecasting.evaluation.pool_along import pooled
from transactive.forecasting.evaluation.scorecard import sum_of
from transactive.forecasting.evaluation.scores import coverage, crps, daily, diebold_mariano, mean
from transactive.forecasting.pool.weights import COLUMNS, PARTS, Came, PoolWeights
from transactive.forecasting.series import FloatArray, History, lowest_of

SEEDS = 20
PRESENT = 0.5
"""Part of the forecasters that take part in an issue, where half of them are absent."""
MEMBERS, FORECASTERS = 1_000, 10


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """Forecasts of one target along a plan, and what came."""

    history: History
    plan: IssuePlan
    candidates: Mapping[str, Forecasts]
    came: FloatArray

    @classmethod
    def of(cls, history: History) -> Tested:
        """Those that suit the history."""
        plan = plan_of(history, 24, WISH)
        found = replay(history, Entrants.of((), history, plan.horizon).recipes(), plan, seed=1)
        return cls(history, plan, found.forecasts, truth(history, plan))

    @property
    def days(self) -> slice:
        """Issues that are scored."""
        return slice(self.plan.calibration, None)

    def losses(self, values: FloatArray) -> FloatArray:
        """CRPS of forecasts of the scored days."""
        return crps(values, self.came[self.days])


@bench("forecasts", summary="a pool of forecasters beside the best single one, and what submissions save")
def forecasts(meter: BenchTimer) -> Iterator[Row]:  # noqa: ARG001 - CPU time is what counts here
    """Compare scores, with all forecasters and with half of them absent, and measure the pool's own work."""
    houses = history_of("consumption_wh")
    for title, history in (("homes", houses), ("sum of the homes", sum_of(houses))):
        tested = Tested.of(history)
        yield from scored(title, tested)
        yield absent(title, tested)
    yield own_work()
    yield from submitted_rows()


def scored(title: str, tested: Tested) -> Iterator[Row]:
    """CRPS of the pool beside the best single forecaster in hindsight and the champion, with paired tests."""
    own = pooled(tested.history, tested.candidates, tested.plan).values[tested.days]
    single = {name: mean(tested.losses(f.values[tested.days])) for name, f in tested.candidates.items()}
    best = min(single, key=lambda name: single[name])
    lowest = lowest_of(tested.history.until(tested.plan.origins[0], 0))
    chosen = champion(tested.history, tested.candidates, tested.plan, lowest).forecasts.values
    others = {f"best single, {best}": tested.candidates[best].values[tested.days], "champion": chosen}
    days = days_of(tested.history, tested.plan)[tested.days]
    for name, values in others.items():
        loss, other = tested.losses(own), tested.losses(values)
        kind = name.split(",")[0]
        statistic, p = diebold_mariano(daily(loss, days), daily(other, days))
        yield Row(
            name=f"{title}, CRPS of the pool against the {kind}", value=mean(loss), unit="Wh",
            reference=f"{name}; DM {statistic:+.1f}, p {p:.1g}", reference_value=mean(other),
            ratio=mean(loss) / mean(other),
        )  # fmt: skip
    inside = coverage(own, tested.came[tested.days])
    for name, value in (("mean", inside.mean()), ("least", inside.min()), ("most", inside.max())):
        yield Row(name=f"{title}, coverage of the pool's 90 %, {name}", value=float(value), unit="of the hours")


def absent(title: str, tested: Tested) -> Row:
    """CRPS with half of the forecasters absent in each issue, beside the best single one in hindsight still present."""
    rank = np.argsort([mean(tested.losses(f.values[tested.days])) for f in tested.candidates.values()])
    every = np.stack([f.values for f in tested.candidates.values()])
    own, other = [], []
    for seed in range(SEEDS):
        present = half(np.random.default_rng(seed), len(tested.plan.origins), len(rank))
        first = rank[present[:, rank].argmax(axis=1)]
        told = pooled(tested.history, tested.candidates, tested.plan, present).values
        own.append(mean(tested.losses(told[tested.days])))
        other.append(mean(tested.losses(every[first, np.arange(len(first))][tested.days])))
    return Row(
        name=f"{title}, CRPS of the pool, half absent", value=float(np.mean(own)), unit="Wh",
        reference=f"best single still present, mean of {SEEDS} seeds", reference_value=float(np.mean(other)),
        ratio=float(np.mean(own) / np.mean(other)),
    )  # fmt: skip


def half(random: np.random.Generator, issues: int, forecasters: int) -> BoolArray:
    """Who takes part in each issue: each with a chance of a half, and one at least."""
    present: BoolArray = random.random((issues, forecasters)) < PRESENT
    present[~present.any(axis=1), 0] = True
    return present


def own_work() -> Row:
    """CPU time to weigh a slot of a thousand meters and to learn from it, the best of five."""
    draw = np.random.default_rng(1)
    said = np.sort(draw.normal(500, 200, (FORECASTERS, 1, MEMBERS, COLUMNS)), axis=-1)
    here, parts = np.ones(FORECASTERS, np.bool_), np.array([PARTS - 1])
    came = Came(draw.normal(500, 200, (1, MEMBERS)), parts, np.full(MEMBERS, 500.0), 1 / 24)
    weights, taken = PoolWeights.of(FORECASTERS, MEMBERS), []
    for _ in range(5):
        began = process_time()
        weights.learn(said, weights.mixed(said, here, parts), came, here)
        taken.append(process_time() - began)
    return Row(name=f"a slot of {MEMBERS:,} meters weighed and learnt from", value=1_000 * min(taken), unit="CPU ms")
