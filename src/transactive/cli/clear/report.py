"""What `transactive clear` writes: files of allocation, trades and picture, all or none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from transactive.core.errors import InputError
from transactive.studies.order_books.figures import ClearedBook, Columns
from transactive.tabular.spreadsheet import csv_text

Files: TypeAlias = dict[Path, str]
"""Texts of the files to write."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """Files that were asked for."""

    allocation: Path
    trades: Path | None
    svg: Path | None

    @property
    def paths(self) -> list[Path]:
        """Those that are to be written."""
        return [path for path in (self.allocation, self.trades, self.svg) if path]


def files_of(book: ClearedBook, outputs: Outputs) -> Files:
    """The files that were asked for. Raises InputError for trades or a picture that the book does not have."""
    files = {outputs.allocation: _table(book.allocation)}
    if outputs.trades:
        trades = book.trades()
        if trades is None:
            raise InputError("on a network there are no trades in pairs; leave -t out")
        files[outputs.trades] = _table(trades)
    if outputs.svg:
        files[outputs.svg] = book.picture()
    return files


def _table(columns: Columns) -> str:
    """Text of a CSV file."""
    return csv_text(tuple(columns), zip(*columns.values(), strict=True))


def write_all(files: Files) -> None:
    """Write all files beside their places, then move them there. Raises InputError for the first that cannot be."""
    partial = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, text in files.items():
            if path.is_dir():
                raise InputError(f"{path}: is a folder; name a file")
            partial[path].write_text(text, encoding="utf-8", newline="")
        for path, written in partial.items():
            written.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        for left_over in partial.values():
            left_over.unlink(missing_ok=True)
