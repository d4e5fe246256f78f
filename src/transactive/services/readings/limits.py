"""How much of a stranger's file is read: its bytes, and what they come to once they are unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from transactive.core.errors import InputError

MOST_BYTES = 64 * 2**20
"""Largest upload [bytes]: more than a year of quarter hours of fifty homes as text."""
MOST_UNPACKED = 10 * MOST_BYTES
MOST_VALUES = 2 * 10**8
"""Most bytes of a workbook, and most values of a Parquet, once unpacked."""
MOST_FILES = 500
LOCAL_HEADER, NAME_LENGTH = 30, 26
"""Bytes of the fixed head of a part of a zip file, and where in it the lengths of name and extra field stand."""
STEP = 2**20
"""Bytes that are unpacked at once, to be counted."""


def check_size(files: dict[str, bytes]) -> None:
    """Refuse what is too large to be read here. Raises InputError naming the file and another way."""
    if not files or len(files) > MOST_FILES:
        raise InputError(f"{len(files)} files: bring at least one, and at most {MOST_FILES} at once")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise InputError(f"more than {MOST_BYTES // 2**20} MB: read it with `transactive import` at the machine")
    for name, data in files.items():
        if _unpacked(data) > MOST_UNPACKED or _values(data, name) > MOST_VALUES:
            raise InputError(f"{name}: unpacks to too much; read it with `transactive import` at the machine")


def _unpacked(data: bytes) -> int:
    """Bytes in a workbook, counted as they come until there are too many; 0 for anything else.

    What a workbook says of its sizes is not believed: its reader does not keep to it either.
    """
    if not data.startswith(b"PK"):
        return 0
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            for part in book.infolist():
                total += _inflated(data, part, MOST_UNPACKED + 1 - total)
    except (zipfile.BadZipFile, zlib.error, struct.error):
        return 0  # its reader says what is wrong
    return total


def _inflated(data: bytes, part: zipfile.ZipInfo, most: int) -> int:
    """Bytes that a part of a zip file comes to, at most `most`."""
    name, extra = struct.unpack_from("<HH", data, part.header_offset + NAME_LENGTH)
    begin = part.header_offset + LOCAL_HEADER + name + extra
    rest, found = data[begin : begin + part.compress_size], 0
    if part.compress_type != zipfile.ZIP_DEFLATED:
        return max(len(rest), part.file_size)
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)
    while rest and not inflating.eof and found < most:
        found += len(inflating.decompress(rest, STEP))
        rest = inflating.unconsumed_tail
    return min(found, most)


def _values(data: bytes, name: str) -> int:
    """Values in a Parquet, 0 for anything else. Raises InputError for a broken one."""
    import polars as pl

    if not data.startswith(b"PAR1"):
        return 0
    try:
        scan = pl.scan_parquet(io.BytesIO(data))
        return int(scan.select(pl.len()).collect().item()) * len(scan.collect_schema())
    except (pl.exceptions.PolarsError, OSError):
        raise InputError(f"{name}: is not readable as Parquet; export it anew") from None
