"""Text of a file as a table needs it: its encoding, what stands between the columns, and where the head is.

Nothing is asked that the bytes tell by themselves. The head is the row above the first row that holds numbers; what
stands above it, as utilities put a title or an address there, is kept apart.
"""

from __future__ import annotations

import codecs
import csv
import re
from dataclasses import dataclass
from itertools import islice, pairwise

SEPARATORS = (";", "\t", "|", ",")
"""What can stand between columns; a semicolon before a comma, which may be a decimal sign."""
LOOKED_AT, LOOKED_INTO = 80, 2**17
"""Lines, and bytes, at the beginning that are looked at."""
NUMBER = re.compile(r"^[+\-]?[\d.,' ]*\d$")
WHEN = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b|^\d{1,2}:\d\d|^\d{8}\b|^\d{4}-\d\d-\d\dT")
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True, slots=True)
class Head:
    """Where a table begins. line: of the head, counted from 1; above: cells of the rows before it; widest: of all."""

    separator: str
    line: int
    names: tuple[str, ...]
    above: tuple[tuple[str, ...], ...]
    widest: int


def as_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 without a mark: from UTF-8, UTF-16, or else the code page of Western spreadsheets."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return rest if encoding == "utf-8" else rest.decode(encoding, "replace").encode()
    if b"\0" in data[:200]:
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace").encode()
    return data if data.isascii() or _is_utf8(data) else data.decode("cp1252", "replace").encode()


def _is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8; Polars tells several times as fast as a decoder that makes a text of them."""
    import polars as pl

    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def find_head(data: bytes) -> Head:
    """Separator and head of a table in UTF-8."""
    lines = [line.decode(errors="replace") for line in islice(data[:LOOKED_INTO].splitlines(), LOOKED_AT)]
    separator = _separator(lines)
    rows = [next(csv.reader([line], delimiter=separator, skipinitialspace=True), []) for line in lines]
    at = head_row(rows)
    names = tuple(unique_names(rows[at])) if rows else ()
    above = tuple(tuple(row) for row in rows[:at] if any(row))
    return Head(separator, at + 1, names, above, max((len(row) for row in rows), default=0))


def head_row(rows: list[list[str]]) -> int:
    """Row of the head, counted from 0: the one above the first row with numbers, or the first that is not empty."""
    rows = [_trimmed(row) for row in rows]
    filled = [k for k, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        return 0
    widest = max(len(row) for row in rows)
    first = filled[0]
    if len(rows[first]) >= widest - 1 and not any(_value(cell) for cell in rows[first]):
        return first
    for above, row in pairwise(filled):
        if _is_data(rows[row]) and len(rows[row]) >= widest - 1 and not _is_data(rows[above]):
            return above
    return first


def unique_names(cells: list[str]) -> list[str]:
    """Names of columns, each once: a column without a name gets its number, a second of one name a count."""
    names: dict[str, None] = {}
    counted = False
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.split()) or f"column {number}"
        if counted or name in names:
            count = sum(known == name or known.startswith(f"{name} #") for known in names)
            name = f"{name} #{count + 1}" if count else name
        counted = counted or " #" in name
        names[name] = None
    return list(names)


def _separator(lines: list[str]) -> str:
    """The sign that parts the widest rows alike, the head's included."""
    best, most = ",", 1
    for sign in SEPARATORS:
        if not any(sign in line for line in lines):
            continue
        widths = [len(next(csv.reader([line], delimiter=sign), [])) for line in lines if line.strip()]
        if not widths:
            continue
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        good = usual if usual > 1 and widths.count(usual) * 2 >= len(widths) else 1
        if sign == "," and best == ";":
            good = 1
        if good > most:
            best, most = sign, good
    return best


def _trimmed(row: list[str]) -> list[str]:
    """Cells up to the last that is not empty."""
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _value(cell: str) -> bool:
    text = cell.strip()
    return bool(NUMBER.match(text) or WHEN.match(text))


def _is_data(row: list[str]) -> bool:
    """Whether a row holds a time or a number beside another value."""
    two = list(islice((cell for cell in row if _value(cell)), 2))
    return len(two) == 2 and any(WHEN.match(cell.strip()) for cell in row)
