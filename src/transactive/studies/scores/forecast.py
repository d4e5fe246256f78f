"""How well anyone's series can be forecast, beside the trivial ways to do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.slots import HOUR, time_text
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.evaluation.backtest import Champion, replay
from transactive.forecasting.evaluation.entrants import Entrants
from transactive.forecasting.evaluation.issue_plan import IssuePlan, PlanWish, plan_of
from transactive.forecasting.evaluation.scorecard import judge, judge_sum
from transactive.forecasting.series import LEVELS, History
from transactive.metering.exports.profile import Told
from transactive.metering.exports.reader import ReadOptions
from transactive.studies.recordings.exports import as_recording
from transactive.studies.recordings.series import SeriesColumns, SeriesFile, parse_horizon, read_series
from transactive.studies.scores.forecast_report import BacktestReport
from transactive.tabular.source import Source

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What is tested; days count from the end of the series, None takes what its length allows.

    horizon: like 24h. models: names of forecasters, none for those that suit the series. zone: IANA name; holidays:
    country, ISO 3166. seed: of what models draw. issue: local clock time like 00:00. trainings: of each model at most.
    """

    horizon: str = "24h"
    test_days: int | None = None
    calibration_days: int | None = None
    models: tuple[str, ...] = ()
    zone: str = "UTC"
    holidays: str | None = None
    seed: int = 1
    issue: str | None = None
    trainings: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ForecastBacktest:
    """The report, and what it is made of: the series, the times of issue, and what the champion said."""

    report: BacktestReport
    read: SeriesFile
    plan: IssuePlan
    winner: Champion


def backtest(
    source: Source, columns: SeriesColumns, options: BacktestOptions, told: Callable[[str], None] = lambda _: None
) -> ForecastBacktest:
    """Forecast a series as it would have been then. Raises DataError naming file, row and column, InputError."""
    began = process_time()
    source = as_recording(source, (columns.target,), ReadOptions(columns.profile, Told(zone=options.zone)))
    columns = replace(columns, zone=options.zone)
    read = read_series(source, columns, Calendar(options.zone, options.holidays))
    plan = plan_for(read.history, source, options)
    entrants = Entrants.of(options.models, read.history, plan.horizon)
    candidates = replay(read.history, entrants.recipes(), plan, options.seed, told)
    each, winner = judge(read.history, candidates, plan, pool=entrants.pool)
    total = None
    if read.history.values.shape[1] > 1:
        total = judge_sum(
            read.history, candidates, plan, options.models, options.seed, lambda text: told(f"sum, {text}")
        )
    report = BacktestReport(
        source.name, columns.target, read.members, read.history.length // 60, len(read.history.values), read.gaps,
        plan.horizon, *days_of_plan(read.history, plan), *span(read.history, plan), each, total,
        process_time() - began,
    )  # fmt: skip
    return ForecastBacktest(report, read, plan, winner)


def plan_for(history: History, source: Source, options: BacktestOptions) -> IssuePlan:
    """Times of issue that the options ask for. Raises DataError naming the file when it is too short."""
    horizon = parse_horizon(options.horizon, history.length)
    wish = PlanWish(options.test_days, options.calibration_days, options.trainings, seconds_of(options.issue))
    if any(number is not None and number < 1 for number in (wish.test_days, wish.calibration_days, wish.trainings)):
        raise InputError("--test-days, --calibration-days and --trainings are 1 or more")
    try:
        return plan_of(history, horizon, wish)
    except DataError as error:
        raise DataError(
            f"{source.name}: {error}: give more, fewer --test-days or --calibration-days, or a shorter --horizon"
        ) from None


def seconds_of(issue: str | None) -> int | None:
    """Seconds of the day of a clock time like 00:00. Raises InputError."""
    if issue is None:
        return None
    hours, colon, minutes = issue.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60):
        raise InputError(f"--issue {issue}: write a clock time like 00:00 or 13:30")
    return int(hours) * HOUR + int(minutes) * 60


def forecast_frame(tested: ForecastBacktest) -> pl.DataFrame:
    """The champion's forecasts of the test days: issued, slot_start, member, quantiles, mean, measured."""
    import polars as pl

    read, plan, winner = tested.read, tested.plan, tested.winner
    origins = np.array(plan.origins[plan.calibration :], np.int64)
    rows = origins[:, None] + np.arange(plan.horizon)
    shape = (*rows.shape, len(read.members))
    issued, slot = (
        (read.history.first_slot + read.history.length * np.broadcast_to(part[..., None], shape)).ravel()
        for part in (np.broadcast_to(origins[:, None], rows.shape), rows)
    )
    columns = {
        "issued": issued,
        "slot_start": slot,
        "member": np.broadcast_to(np.array(read.members), shape).ravel(),
        **{f"q{level:.2f}"[:5]: winner.forecasts.values[..., k].ravel() for k, level in enumerate(LEVELS)},
        "mean": winner.forecasts.mean.ravel(),
        "measured": read.history.values[rows].ravel(),
    }
    times = (pl.col("issued", "slot_start") * 1_000).cast(pl.Datetime("ms", "UTC"))
    return pl.DataFrame(columns).with_columns(times, pl.col("measured").fill_nan(None))


def days_of_plan(history: History, plan: IssuePlan) -> tuple[int, int]:
    """Days that chose and calibrated, and days that were tested."""
    issues = plan.calibration, len(plan.origins) - plan.calibration
    return issues[0] * plan.horizon // history.per_day, issues[1] * plan.horizon // history.per_day


def span(history: History, plan: IssuePlan) -> tuple[str, str]:
    """First tested slot, and the end of the last one."""
    first, last = plan.origins[plan.calibration], plan.origins[-1] + plan.horizon
    return time_text(history.first_slot + first * history.length), time_text(history.first_slot + last * history.length)
