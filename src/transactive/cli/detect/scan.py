"""Scan a file of readings and report."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.cli.output import write_parquet
from transactive.cli.progress import tell
from transactive.core.errors import InputError
from transactive.studies.recordings.meters import MeterColumns
from transactive.studies.scores.detection import in_words, scan_meters, score_frame


def scan_file(
    path: Path, named: MeterColumns, *, unit: str, zone: str | None, judge: Path | None, output: Path | None, json: bool
) -> None:
    """Scan a file and print the report. Raises DataError naming file, row and column, InputError for options."""
    if output and (output.suffix != ".parquet" or not output.parent.is_dir()):
        raise InputError(f"-o {output}: scores are written as .parquet into a folder that is there")
    scanned = scan_meters(path, named, unit=unit, zone=zone, judge=judge, told=tell)
    if output:
        write_parquet(output, score_frame(scanned))
    tell("")
    print(msgspec.json.encode(scanned.report).decode() if json else in_words(scanned.report))
