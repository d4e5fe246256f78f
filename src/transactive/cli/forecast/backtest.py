"""`transactive forecast backtest`: how well anyone's series can be forecast, beside the trivial ways to do it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import msgspec
import numpy as np

from transactive.cli.forecast.input import SeriesColumns, SeriesFile, parse_horizon, read_series
from transactive.cli.forecast.report import BacktestReport, in_words
from transactive.core.errors import DataError, InputError
from transactive.core.slots import time_text
from transactive.forecasting import registry
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.evaluation.backtest import Champion, IssuePlan, plan_of, replay
from transactive.forecasting.evaluation.scorecard import MODELS, SINGLE, judge, judge_sum
from transactive.forecasting.series import LEVELS, History


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; days count from the end of the file."""

    horizon: str
    test_days: int | None
    calibration_days: int | None
    models: tuple[str, ...]
    zone: str
    holidays: str | None
    output: Path | None
    seed: int
    json: bool


def run_backtest(path: Path, columns: SeriesColumns, options: Options) -> None:
    """Backtest a file and print the report. Raises DataError naming file, row and column, InputError for options."""
    began = process_time()
    recipes = {name: registry.load(name) for name in options.models or MODELS}
    if options.output and options.output.suffix != ".parquet":
        raise InputError(f"-o {options.output.name}: forecasts are written as .parquet")
    if options.output and not options.output.parent.is_dir():
        raise InputError(f"-o {options.output}: its folder is not there; make it or choose another place")
    read = read_series(path, columns, Calendar(options.zone, options.holidays))
    plan = plan_for(read.history, path, options)
    single = read.history.values.shape[1] == 1
    if single and not options.models:
        recipes[SINGLE] = registry.load(SINGLE)
    candidates = replay(read.history, recipes, plan, options.seed, progress)
    each, winner = judge(read.history, candidates, plan)
    total = None if single else judge_sum(read.history, candidates, plan, options.models, options.seed, of_sum)
    if options.output:
        write_forecasts(options.output, read, plan, winner)
    report = BacktestReport(
        path.name, columns.target, read.members, read.history.length // 60, len(read.history.values), read.gaps,
        plan.horizon, *days_of_plan(read.history, plan), *span(read.history, plan), each, total,
        process_time() - began,
    )  # fmt: skip
    progress("")
    print(msgspec.json.encode(report).decode() if options.json else in_words(report))


def plan_for(history: History, path: Path, options: Options) -> IssuePlan:
    """Times of issue that the options ask for. Raises DataError naming the file when it is too short."""
    horizon = parse_horizon(options.horizon, history.length)
    test, calibration = options.test_days, options.calibration_days
    if any(days is not None and days < 1 for days in (test, calibration)):
        raise InputError("--test-days and --calibration-days are 1 or more")
    try:
        return plan_of(history, horizon, test, calibration)
    except DataError as error:
        raise DataError(f"{path.name}: {error}: give more, or fewer --test-days or --calibration-days") from None


def write_forecasts(path: Path, read: SeriesFile, plan: IssuePlan, winner: Champion) -> None:
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


def days_of_plan(history: History, plan: IssuePlan) -> tuple[int, int]:
    """Days that chose and calibrated, and days that were tested."""
    issues = plan.calibration, len(plan.origins) - plan.calibration
    return issues[0] * plan.horizon // history.per_day, issues[1] * plan.horizon // history.per_day


def span(history: History, plan: IssuePlan) -> tuple[str, str]:
    """First tested slot, and the end of the last one."""
    first, last = plan.origins[plan.calibration], plan.origins[-1] + plan.horizon
    return time_text(history.first_slot + first * history.length), time_text(history.first_slot + last * history.length)


def progress(text: str) -> None:
    """Say on stderr what goes on, when it is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def of_sum(text: str) -> None:
    """Say what goes on with the sum of all members."""
    progress(f"sum, {text}")
