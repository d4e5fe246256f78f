"""A table as it stands in a file, every cell as text: CSV in any dress, Parquet, or a spreadsheet.

What a file is, its first bytes tell; its name decides nothing. Rows are numbered as an editor or a spreadsheet numbers
them, and empty rows are left out.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.tabular.source import ROW, FrameSource, Source
from transactive.tabular.text_files import as_utf8, find_head, head_row, unique_names

if TYPE_CHECKING:
    import polars as pl

LARGEST_CSV = 2 * 2**30
"""A larger CSV is refused before it is read [bytes]; the same data as Parquet take a tenth."""
SPILL = "\0spill"
"""Columns for values beyond the head's last name."""
PARQUET, ZIP, OLD_OFFICE = b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
BINARY = {".parquet": "Parquet", ".xlsx": "a spreadsheet", ".xls": "a spreadsheet", ".ods": "a spreadsheet"}


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Columns of a file with the number of each row. decimal_comma: a comma can only be a decimal sign.

    above: cells of the rows over the head, such as a title or a metering point.
    """

    frame: pl.DataFrame
    name: str
    decimal_comma: bool = False
    above: tuple[tuple[str, ...], ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns, without the row number."""
        return [name for name in self.frame.columns if name != ROW]


def read_sheet(source: Source, table: str | None = None) -> Sheet:
    """Read a table. table: name of a sheet of a workbook, otherwise the first with data.

    Raises DataError naming the file for whatever is no table.
    """
    if isinstance(source, FrameSource):
        frame = source.frame if ROW in source.frame.columns else source.frame.with_row_index(ROW)
        return Sheet(frame, source.name)
    return _read(_bytes(source), source, table)


def file_start(source: Path) -> bytes:
    """First bytes of a file, in UTF-8 if they are text. Raises DataError if it cannot be read."""
    try:
        with source.open("rb") as file:
            data = file.read(2**16)
    except OSError as error:
        raise DataError(f"{source}: cannot be read ({error.strerror or 'not found'}); correct the path") from None
    return data if data.startswith((PARQUET, ZIP, OLD_OFFICE)) else as_utf8(data)


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_CSV:
            with path.open("rb") as file:
                if file.read(4) != PARQUET:
                    raise DataError(f"{path.name}: has {size / 2**30:.1f} GiB; convert it to Parquet or split it")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or 'not found'}); correct the path") from None
    if not data or data.isspace():
        raise DataError(f"{path.name}: is empty; its first line names the columns")
    return data


def _read(data: bytes, path: Path, table: str | None) -> Sheet:
    import polars as pl

    try:
        if data.startswith(PARQUET):
            return Sheet(pl.read_parquet(io.BytesIO(data)).with_row_index(ROW, offset=1), path.name)
        if data.startswith((ZIP, OLD_OFFICE)):
            return _workbook(data, path, table)
        if path.suffix.lower() in BINARY:
            raise DataError(f"{path.name}: is not readable as {BINARY[path.suffix.lower()]}; export it anew")
        return _text(as_utf8(data), path)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path.name}: is not readable as a table: {reason}") from None


def _text(data: bytes, path: Path) -> Sheet:
    import polars as pl

    head = find_head(data)
    spill = [f"{SPILL}{k}" for k in range(max(head.widest - len(head.names), 0) + 1)]
    names = [*head.names, *spill]
    frame = pl.read_csv(
        io.BytesIO(data), separator=head.separator, has_header=False, skip_lines=head.line,
        schema=dict.fromkeys(names, pl.String), truncate_ragged_lines=True, raise_if_empty=False,
        missing_columns="insert", row_index_name=ROW, row_index_offset=head.line + 1,
    )  # fmt: skip
    if all(frame[name].null_count() == len(frame) for name in spill):
        for name in spill:
            frame.drop_in_place(name)
        return Sheet(_without_empty_rows(frame), path.name, head.separator != ",", head.above)
    spilt = frame.filter(pl.any_horizontal(pl.col(spill).fill_null("").str.strip_chars() != ""))
    if len(spilt):
        raise DataError(
            f"{path.name}: row {spilt[ROW][0]}: has more values than the head names columns; if the comma is a decimal"
            " sign too, write semicolons between the columns"
        )
    return Sheet(_without_empty_rows(frame.drop(spill)), path.name, head.separator != ",", head.above)


def _workbook(data: bytes, path: Path, table: str | None) -> Sheet:
    import fastexcel
    import polars as pl

    try:
        book = fastexcel.read_excel(data)
        found = [table] if table in book.sheet_names else book.sheet_names if table is None else []
        for name in found:
            cells = book.load_sheet(name, header_row=None, dtypes="string").to_polars()
            if len(cells) > 1 and cells.width > 1:
                break
        else:
            raise DataError(
                f"{path.name}: has no sheet {table or 'with a table'}; it has {', '.join(book.sheet_names)}"
            )
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path.name}: is not readable as a spreadsheet: {reason}") from None
    rows = [[cell or "" for cell in row] for row in cells.head(80).rows()]
    at = head_row(rows)
    frame = cells.rename(dict(zip(cells.columns, unique_names(rows[at]), strict=True)))
    frame = frame.with_row_index(ROW, offset=1).slice(at + 1)
    above = tuple(tuple(row) for row in rows[:at] if any(row))
    return Sheet(_without_empty_rows(frame.with_columns(pl.exclude(ROW).cast(pl.String))), path.name, above=above)


def _without_empty_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that say anything at all."""
    import polars as pl

    first = frame.columns[1]
    if not frame[first].null_count():  # the usual file, at the cost of one column
        return frame
    return frame.filter(~pl.all_horizontal(pl.exclude(ROW).fill_null("").str.strip_chars() == ""))
