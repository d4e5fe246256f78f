"""How good the forecasts are: seventeen real houses, day-ahead, the last 73 days as test, 42 before them to calibrate.

Issued at the file's midnight for the 24 hours after it. Each figure stands beside the best trivial forecast of the same
hours, the one with the least error on the test itself. Three of the houses are faulty on purpose and stay in. Nothing
was tuned on these 73 days; docs/papers/forecasting.md says what was tried on the days before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from time import process_time

import numpy as np

from transactive.bench.intelligence.plans import WEEKS
from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.errors import require
from transactive.core.slots import parse_time
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.models.run_forecasts import RunForecasts
from transactive.engine.recorded import daily_cost, forecaster_of
from transactive.engine.replay import slots_of
from transactive.forecasting import registry
from transactive.forecasting.evaluation.backtest import Candidates, replay
from transactive.forecasting.evaluation.issue_plan import PlanWish, plan_of
from transactive.forecasting.evaluation.scorecard import ModelScores, TargetScores, judge, judge_sum
from transactive.forecasting.series import FloatArray, History
from transactive.store import Store

WISH = PlanWish(test_days=73, calibration_days=42)
FIRST = "2016-08-01T07:00Z"
MODELS = (*registry.TRIVIAL, "boosted", "boosted-shallow")
"""Candidates of the champion."""
PV_KW = np.array([4, 4, 4, 5, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5], np.float64)
"""Installed power of the houses in the order of their names [kW]."""
MEMBERS = 1_000


@bench("intelligence", summary="day-ahead forecasts of seventeen houses beside the best trivial ones")
def intelligence(meter: BenchTimer) -> Iterator[Row]:  # noqa: ARG001 - CPU time is what counts here
    """Compare errors, and measure how long learning and serving take."""
    consumption = history_of("consumption_wh")
    houses = candidates_of(consumption)
    plan = plan_of(consumption, 24, WISH)
    each, _ = judge(consumption, houses, plan)
    yield from errors("household", each, unit="Wh")
    yield from covered("household", each)
    total = judge_sum(consumption, houses, plan, (*MODELS, "linear"))
    if total is not None:
        yield from errors("sum of the houses", total, unit="Wh")
    generation = history_of("generation_wh")
    per_kw = History(generation.first_slot, generation.length, generation.values / PV_KW)
    pv, _ = judge(per_kw, candidates_of(per_kw), plan)
    yield from errors("PV", pv, unit="Wh/kW")
    yield from covered("PV by day", pv)
    yield Row(name="training, all models of the houses", value=sum(houses.train_s.values()), unit="CPU s")
    yield serving(consumption)
    yield upkept()
    yield paid()


def history_of(column: str) -> History:
    """One column of the demo's readings, all houses."""
    import polars as pl

    frame = pl.read_parquet(DEMO.parent / "readings.parquet").sort("slot_start", "member")
    values: FloatArray = frame[column].to_numpy().astype(np.float64).reshape(-1, len(PV_KW))
    return History(parse_time(FIRST), 3600, values)


def candidates_of(history: History) -> Candidates:
    """What every forecaster says of a history."""
    recipes = {name: registry.load(name) for name in MODELS}
    return replay(history, recipes, plan_of(history, 24, WISH), seed=1)


def errors(title: str, target: TargetScores, unit: str) -> Iterator[Row]:
    """Errors of the champion beside those of the best trivial forecast."""
    trivial: Mapping[str, ModelScores] = {n: s for n, s in target.candidates.items() if n in registry.TRIVIAL}
    for title_of, name in (("MAE", "mae"), ("pinball", "pinball")):
        losses = {known: float(getattr(scores, name)) for known, scores in trivial.items()}
        best = min(losses, key=lambda known: losses[known])
        own, other = float(getattr(target.champion, name)), losses[best]
        yield Row(
            name=f"{title}, {title_of}", value=own, unit=unit, reference=best, reference_value=other, ratio=own / other
        )


def covered(title: str, target: TargetScores) -> Iterator[Row]:
    """How often the 90 % interval held: on average, and of the houses the least and the most."""
    inside = target.champion.coverage
    for name, value in (("mean", inside.mean), ("least", inside.min), ("most", inside.max)):
        yield Row(name=f"{title}, coverage of 90 %, {name}", value=value, unit="of the hours")


def paid() -> Row:
    """What the demo's members pay in three weeks under the boosted forecasts, and under empirical quantiles."""
    setting = load_setting(DEMO)
    weeks = [slots_of(setting, parse_time(f"{start}T00:00Z"), 7) for start in WEEKS[1::3]]  # October, February, June
    own, other = (
        sum(float(daily_cost(setting, week, name).sum()) for week in weeks) for name in ("boosted", "empirical")
    )
    return Row(
        name="paid in three weeks, boosted forecasts",
        value=own,
        unit="USD",
        reference="empirical",
        reference_value=other,
        ratio=own / other,
    )


def upkept() -> Row:
    """CPU time of a week's maintenance in the demo: every candidate of every target trained, stored and tested."""
    setting = load_setting(DEMO)
    slots = slots_of(setting, parse_time("2017-06-05T00:00Z"), 7)
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder))) as store:
        past = RecordedHistory.of(setting, ReplayClock(slots[0]))
        forecasts = RunForecasts(setting, slots, past, forecaster_of(setting, slots), store)
        began = process_time()
        require(len(forecasts.maintenance.models) > 0, "a week of maintenance trains models")
        taken = process_time() - began
    return Row(name="a week of maintenance: six models of the demo trained and tested", value=taken, unit="CPU s")


def serving(history: History) -> Row:
    """CPU time to forecast the next day of a thousand members with the boosted model, at best of three."""
    copies = np.tile(history.values[-60 * 24 :], (1, -(-MEMBERS // len(PV_KW))))[:, :MEMBERS]
    many = History(history.first_slot, history.length, copies)
    model = registry.load("boosted").train(history.last(90), 24, np.random.default_rng(1))
    taken = []
    for _ in range(3):
        began = process_time()
        model.predict(many, 24)
        taken.append(process_time() - began)
    return Row(name=f"day-ahead of {MEMBERS:,} members", value=min(taken), unit="CPU s")
