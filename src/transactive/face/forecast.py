"""`transactive.forecast`: how well a series can be forecast, with the forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

from transactive.face.frames import Frame, Library, giving, local, table, taken
from transactive.face.spoken import spoken
from transactive.studies.recordings.series import SeriesColumns
from transactive.studies.scores.forecast import BacktestOptions, backtest, forecast_frame
from transactive.studies.scores.forecast_report import BacktestReport, in_words

if TYPE_CHECKING:
    import polars as pl

    from transactive.forecasting.evaluation.scorecard import TargetScores


@dataclass(frozen=True, eq=False, repr=False)
class TestedForecasts:
    """Forecasts as they would have been, and how good; printed, it is the report of `transactive forecast backtest`.

    forecasts: what the champion said of the tested days: issued, slot_start, slot_start_local, member, quantiles q05 …
    q95, mean, measured, in the unit of the target. scores: a row for each forecaster, of each member and of the sum:
    mae, mae_of_mean, mase, pinball, coverage of the 90 % interval. left_out: forecasters that could not take part, why.
    """

    forecasts: Frame
    scores: Frame
    left_out: dict[str, str]
    _summary: str

    def __repr__(self) -> str:
        return self._summary


@spoken
def forecast(
    series: Frame | str | PathLike[str],
    target: str,
    *,
    group: str | None = None,
    time: str | None = None,
    known: Sequence[str] = (),
    horizon: str = "24h",
    test_days: int | None = None,
    calibration_days: int | None = None,
    models: Sequence[str] = (),
    zone: str = "UTC",
    holidays: str | None = None,
    seed: int = 1,
    issue: str | None = None,
    trainings: int | None = None,
    frames: Library | None = None,
) -> TestedForecasts:
    """Forecast a series as it would have been forecast then, beside the trivial ways to do it.

    A forecast sees nothing later than its time of issue; the champion is chosen on the days before those it is tested
    on.

    Examples
    --------
    >>> import polars as pl
    >>> import transactive as ta
    >>> readings = ta.load("demo").readings.filter(pl.col("member") == "house-01").head(24 * 30)
    >>> tested = ta.forecast(readings, "consumption_wh", models=["last-day", "last-week"], test_days=3)
    >>> tested.forecasts.shape
    (72, 11)
    >>> tested.scores["forecaster"].to_list()
    ['champion', 'last-day', 'last-week']

    Parameters
    ----------
    series
        Table of Polars or pandas, or a CSV or Parquet file, with slots of 5, 15, 30 or 60 minutes; a missing row or an
        empty value is a gap.
    target
        Column to forecast.
    group
        Column that tells whose row it is; without it the table is one series.
    time
        Column of the slot's start; times without a zone are of `zone`, or UTC. Without it the usual names are tried.
    known
        Columns known in advance, such as a weather forecast.
    horizon
        How far a forecast reaches, and the time from one to the next, like 24h, 15min or 30d; 45 days at most.
    test_days
        Days at the end that are tested; without it a fifth of the series, 91 or twelve horizons at most.
    calibration_days
        Days before those, on which forecasters are weighed and calibrated; without it 42 or six horizons, a third of
        the series at most.
    models
        Forecasters to try, the best of whom become champion; with `pool` among them their pool. Without them it is the
        pool of those that suit the series.
    zone
        Time zone that people live by; with it days follow daylight saving time.
    holidays
        Country whose public holidays count, like AT.
    seed
        Seed of what the models draw.
    issue
        Local clock time of an issue, like 00:00; without it that of the first row.
    trainings
        Times that each model is trained at most; without it every two weeks, 9 at most.
    frames
        Library of the results, polars or pandas; without it that of the series.

    Returns
    -------
    TestedForecasts
        Forecasts and scores as tables; the same call gives equal tables.

    Raises
    ------
    DataError
        Naming column and row (the first row of a table is 0) of the first fault, or a series that is too short.
    ConfigError
        For a forecaster that is not installed.
    """
    source, library = taken(series, "series")
    give = giving(frames or library)
    options = BacktestOptions(
        horizon, test_days, calibration_days, tuple(models), zone, holidays, seed, issue, trainings
    )
    tested = backtest(source, SeriesColumns(target, group, time, tuple(known)), options)
    return TestedForecasts(
        give(local(forecast_frame(tested), "slot_start", zone)),
        give(_scores(tested.report)),
        {**tested.report.each.absent, **(tested.report.sum.absent if tested.report.sum else {})},
        in_words(tested.report),
    )


def _scores(report: BacktestReport) -> pl.DataFrame:
    """A row for each forecaster, of each member and of all together."""
    found: list[dict[str, str | float]] = []
    targets: dict[str, TargetScores | None] = {"each": report.each, "sum": report.sum}
    for name, target in targets.items():
        for forecaster, scores in ({"champion": target.champion, **target.candidates} if target else {}).items():
            inside = scores.coverage
            found.append(
                {
                    "of": name, "forecaster": forecaster, "mae": scores.mae, "mae_of_mean": scores.mae_of_mean,
                    "mase": scores.mase, "pinball": scores.pinball, "coverage": inside.mean,
                    "least_coverage": inside.min, "most_coverage": inside.max,
                }
            )  # fmt: skip
    return table({name: [row[name] for row in found] for name in found[0]})
