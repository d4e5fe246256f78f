"""A battery of the options on the days of a file, and the report printed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.cli.progress import tell
from transactive.studies.recordings.days import ScheduleColumns
from transactive.studies.scores.schedule import Battery, backtest
from transactive.studies.scores.schedule_report import in_words


def run_backtest(
    path: Path, named: ScheduleColumns, battery: Battery, test_days: int | None, model: str, *, json: bool
) -> None:
    """Backtest a file and print the report. Raises DataError naming file, row and column, InputError for options."""
    report = backtest(path, named, battery, test_days, model, tell)
    tell("")
    print(msgspec.json.encode(report).decode() if json else in_words(report))
