"""`transactive forecast …`: its options and help; what it does is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

forecast = App(name="forecast", help="Measure forecasts of a series, and submit forecasts of a community's total.")


@forecast.command
def leaderboard(*, state: Path, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Show who submits forecasts of a community's total, and how much better than the market's own they are.

    Parameters
    ----------
    state
        Folder of the run.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.forecast.leaderboard import show_leaderboard

    show_leaderboard(state, json=json)


Flag = Annotated[bool, Parameter(negative="")]


@forecast.command
def submit(
    file: Path,
    *,
    name: str,
    token_file: Path,
    keep: Path,
    url: str = "http://127.0.0.1:8080",
    json: Flag = False,
) -> None:
    """Seal forecasts of what a community will use, at a live market; until a quarter of an hour before each gate.

    Parameters
    ----------
    file
        CSV or Parquet with `slot_start` and five quantiles in Wh, `q05_wh`, `q25_wh`, `q50_wh`, `q75_wh`, `q95_wh`.
    name
        Your name among the community's forecasters.
    token_file
        File with your token, one line.
    keep
        Where the forecasts and their salts are written, for you alone; `forecast open` shows them from there.
    url
        Where the market's page is served.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.forecast.submitting import submit as seal

    seal(file, name, url, token_file, keep, json=json)


@forecast.command
def open(  # noqa: A001 - the word for it
    kept: Path,
    *,
    token_file: Path,
    url: str = "http://127.0.0.1:8080",
    gate: int = 60,
    window: int = 15,
    json: Flag = False,
) -> None:
    """Show sealed forecasts whose gate is near; those that were not shown in time count as the worst.

    Parameters
    ----------
    kept
        What `forecast submit` wrote.
    token_file
        File with your token, one line.
    url
        Where the market's page is served.
    gate
        Minutes from a slot's gate to the slot, as in market.gate_closure_minutes.
    window
        Minutes before a gate in which forecasts are shown: a quarter of an hour, or a slot where slots are shorter.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.forecast.submitting import open_

    open_(kept, url, token_file, gate, window, json=json)


@forecast.command
def odds(number: int, *, state: Path, output: Annotated[Path, Parameter(alias="-o")], json: Flag = False) -> None:
    """Write the odds of a question as forecasts of its slots, to be submitted with `forecast submit` like any others.

    Parameters
    ----------
    number
        Of the question, as `predict show` lists it.
    state
        Folder of the run, beside whose deployment the question is asked.
    output
        CSV that is written.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.forecast.odds import write_odds

    write_odds(number, state, output, json=json)


@forecast.command
def backtest(
    file: Path,
    *,
    target: str,
    group: str | None = None,
    time: str | None = None,
    known: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    horizon: str = "24h",
    issue: str | None = None,
    test_days: int | None = None,
    calibration_days: int | None = None,
    trainings: int | None = None,
    model: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    zone: str = "UTC",
    profile: str | None = None,
    holidays: str | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    seed: int = 1,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Backtest forecasts of any series, with trivial forecasts beside them.

    Parameters
    ----------
    file
        Any export with slots of 5, 15, 30 or 60 minutes, or a community file; a missing row or empty value is a gap.
    target
        Column to forecast.
    group
        Column with the member; without it the file is one series.
    time
        Column of the slot's start; times without a zone are of --zone, or UTC. Without it the usual names are tried.
    known
        Column known in advance, such as a weather forecast; again for each one more.
    horizon
        How far a forecast reaches, and the time from one to the next, like 24h, 15min or 30d; 45 days at most.
    issue
        Local clock time of the first issue, like 00:00; without it that of the first row.
    test_days
        Days at the end that are tested; without it a fifth of the file, 91 or twelve horizons at most.
    calibration_days
        Days before those, on which forecasters are weighed and calibrated; without it 42 or six horizons, a third of
        the file at most.
    trainings
        Times that each model is trained along the test at most; without it every two weeks, 9 at most.
    model
        Forecaster to try, again for each one more: the best become champion, or with `pool` their pool is in charge.
        Without it, and with `pool` or `auto` alone, it is the pool of those that suit the series.
    zone
        Local time zone, such as Europe/Vienna; days then follow daylight saving time.
    profile
        How to read the file: the name of a profile that ships, or a TOML file; without it it is found.
    holidays
        Country whose public holidays count, like AT; needs the extra `holidays`.
    output
        Parquet of the forecasts: issued, slot_start, member, quantiles, mean, measured.
    seed
        Seed of the models' random numbers.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.forecast.backtest import run_backtest
    from transactive.studies.recordings.series import SeriesColumns
    from transactive.studies.scores.forecast import BacktestOptions

    options = BacktestOptions(horizon, test_days, calibration_days, model, zone, holidays, seed, issue, trainings)
    run_backtest(file, SeriesColumns(target, group, time, known, profile=profile), options, output, json=json)
