"""`transactive forecast backtest`: how well anyone's series can be forecast, beside the trivial ways to do it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import numpy as np

from transactive.cli.forecast_input import Columns, SeriesFile, parse_horizon, read_series
from transactive.cli.forecast_report import Chosen, Coverage, Paired, Report, Scores, Target, in_words
from transactive.core.errors import DataError, InputError
from transactive.core.slots import time_text
from transactive.forecasting import registry
from transactive.forecasting.backtest import (
    Candidates,
    Champion,
    Forecasts,
    Plan,
    best_trivial,
    bottom_up,
    champion,
    days_of,
    replay,
    truth,
)
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.scores import (
    MEDIAN,
    absolute,
    coverage,
    daily,
    diebold_mariano,
    mean,
    naive_scale,
    pinball,
)
from transactive.forecasting.series import LEVELS, FloatArray, History, lowest_of

MODELS = (*registry.TRIVIAL, "boosted", "boosted-shallow")
"""Candidates for the members."""
SINGLE = "linear"
"""A candidate where there is one series."""
SUM_OF = ("boosted", "boosted-shallow")
"""Forecasters of members whose means are added up, to be a candidate for the sum."""
SCHEDULE = (28, 7)
"""Days between two trainings, and between two choices of the champion."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; days count from the end of the file."""

    horizon: str
    test_days: int | None
    calibration_days: int
    models: tuple[str, ...]
    zone: str
    holidays: str | None
    output: Path | None
    seed: int
    json: bool


def run_backtest(path: Path, columns: Columns, options: Options) -> None:
    """Backtest a file and print the report. Raises DataError naming file, row and column, InputError for options."""
    began = process_time()
    recipes = {name: registry.load(name) for name in options.models or MODELS}
    if options.output and options.output.suffix != ".parquet":
        raise InputError(f"-o {options.output.name}: forecasts are written as .parquet")
    read = read_series(path, columns, Calendar(options.zone, options.holidays))
    plan = plan_of(read.history, path, options)
    single = read.history.values.shape[1] == 1
    if single and not options.models:
        recipes[SINGLE] = registry.load(SINGLE)
    candidates = replay(read.history, recipes, plan, options.seed, progress)
    each, winner = judge(read.history, candidates, plan)
    total = None if single else judge_sum(read.history, candidates, plan, options)
    if options.output:
        write_forecasts(options.output, read, plan, winner)
    report = Report(
        path.name, columns.target, read.members, read.history.length // 60, len(read.history.values), read.gaps,
        plan.horizon, options.calibration_days, days_tested(read.history, plan), *span(read.history, plan), each, total,
        process_time() - began,
    )  # fmt: skip
    progress("")
    print(msgspec.json.encode(report).decode() if options.json else in_words(report))


def plan_of(history: History, path: Path, options: Options) -> Plan:
    """Times of issue: the first stands at the clock time of the first row, so many days before the end.

    Without a number of test days a fifth of the file is tested; what is less than a day at the end is not. Raises
    DataError when the file is too short.
    """
    horizon = parse_horizon(options.horizon, history.length)
    per_day = history.per_day
    days = len(history.values) // per_day
    test = days // 5 if options.test_days is None else options.test_days
    if test < 1 or options.calibration_days < 1:
        raise InputError("--test-days and --calibration-days are 1 or more")
    count = {days: max(days * per_day // horizon, 1) for days in (test, options.calibration_days, *SCHEDULE)}
    end = days * per_day
    first = end - (count[test] + count[options.calibration_days]) * horizon
    if first < per_day:
        raise DataError(
            f"{path.name}: holds {days} days; {test} to test and {options.calibration_days} to calibrate need a day"
            " more than that: give more, or fewer --test-days or --calibration-days"
        )
    return Plan(range(first, end, horizon), count[options.calibration_days], *(count[days] for days in SCHEDULE))


def judge(history: History, candidates: Candidates, plan: Plan) -> tuple[Target, Champion]:
    """Choose and calibrate champions and score everybody on the test days."""
    lowest = lowest_of(history.until(plan.origins[0], 0))
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
    target = Target(
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


def judge_sum(history: History, members: Candidates, plan: Plan, options: Options) -> Target:
    """Scores of the sum of all members: forecast as a series of its own, and from the members' means."""
    total = sum_of(history)
    recipes = {name: registry.load(name) for name in options.models or (*MODELS, SINGLE)}
    candidates = replay(total, recipes, plan, options.seed, lambda text: progress(f"sum, {text}" if text else ""))
    lowest = lowest_of(total.until(plan.origins[0], 0))
    for name in SUM_OF:
        if name in members.forecasts:
            added = bottom_up(members.forecasts[name], truth(total, plan), plan.horizon / history.per_day, lowest)
            candidates.forecasts[f"members, {name}"] = added
    return judge(total, candidates, plan)[0]


def sum_of(history: History) -> History:
    """The sum of all members that have begun; a slot where one of them has a gap is a gap."""
    begun = np.maximum.accumulate(np.isfinite(history.values), axis=0)
    known = np.isfinite(history.values) | ~begun
    total = np.where(np.isfinite(history.values), history.values, 0.0).sum(axis=1)
    values = np.where(known.all(axis=1) & begun.any(axis=1), total, np.nan)[:, None]
    return History(history.first_slot, history.length, values, history.ahead, history.calendar)


def scores(forecasts: Forecasts, came: FloatArray, scale: FloatArray) -> Scores:
    """Scores against what came, (origins, horizon, members)."""
    error = absolute(forecasts.values[..., MEDIAN], came)
    by_member = np.nanmean(np.where(np.isfinite(came).any(axis=(0, 1)), error, 0.0), axis=(0, 1))
    covered = coverage(forecasts.values, came)
    covered = covered[np.isfinite(covered)]
    inside = (covered.mean(), covered.min(), covered.max()) if len(covered) else (1.0, 1.0, 1.0)
    return Scores(
        mae=mean(error),
        mae_of_mean=mean(absolute(forecasts.mean, came)),
        mase=float((by_member[scale > 0] / scale[scale > 0]).mean()) if (scale > 0).any() else 0.0,
        pinball=mean(pinball(forecasts.values, came)),
        coverage=Coverage(*map(float, inside)),
    )


def paired(winner: Forecasts, name: str, trivial: Forecasts, came: FloatArray, days: Any) -> list[Paired]:  # noqa: ANN401
    """Paired tests of both losses, day by day."""
    tests = []
    for loss in ("absolute error", "pinball"):
        losses = [
            daily(pinball(f.values, came) if loss == "pinball" else absolute(f.values[..., MEDIAN], came), days)
            for f in (winner, trivial)
        ]
        tests.append(Paired(name, loss, len(losses[0]), *diebold_mariano(*losses)))
    return tests


def write_forecasts(path: Path, read: SeriesFile, plan: Plan, winner: Champion) -> None:
    """Write the champion's forecasts of the test days, whole or not at all."""
    import polars as pl

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
    frame = pl.DataFrame(columns).with_columns(times, pl.col("measured").fill_nan(None))
    partial = path.with_name(f".{path.name}.part")
    try:
        frame.write_parquet(partial)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        partial.unlink(missing_ok=True)


def days_tested(history: History, plan: Plan) -> int:
    """Days that were tested."""
    return (len(plan.origins) - plan.calibration) * plan.horizon // history.per_day


def span(history: History, plan: Plan) -> tuple[str, str]:
    """First tested slot, and the end of the last one."""
    first, last = plan.origins[plan.calibration], plan.origins[-1] + plan.horizon
    return time_text(history.first_slot + first * history.length), time_text(history.first_slot + last * history.length)


def progress(text: str) -> None:
    """Say on stderr what goes on, when it is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
