"""`transactive forecast backtest`: how well anyone's series can be forecast, beside the trivial ways to do it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.cli.output import write_parquet
from transactive.cli.progress import tell
from transactive.core.errors import InputError
from transactive.studies.recordings.series import SeriesColumns
from transactive.studies.scores.forecast import BacktestOptions, backtest, forecast_frame
from transactive.studies.scores.forecast_report import in_words


def run_backtest(
    path: Path, columns: SeriesColumns, options: BacktestOptions, output: Path | None, *, json: bool
) -> None:
    """Backtest a file and print the report. Raises DataError naming file, row and column, InputError for options."""
    if output and output.suffix != ".parquet":
        raise InputError(f"-o {output.name}: forecasts are written as .parquet")
    if output and not output.parent.is_dir():
        raise InputError(f"-o {output}: its folder is not there; make it or choose another place")
    tested = backtest(path, columns, options, tell)
    if output:
        write_parquet(output, forecast_frame(tested))
    tell("")
    print(msgspec.json.encode(tested.report).decode() if json else in_words(tested.report))
