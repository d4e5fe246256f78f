"""How much of a stranger's file is read: its bytes, and what they come to once they are unpacked."""

from __future__ import annotations

import io
import zipfile

from transactive.core.errors import InputError

MOST_BYTES = 64 * 2**20
"""Largest upload [bytes]: more than a year of quarter hours of fifty homes as text."""
MOST_UNPACKED = 10 * MOST_BYTES
MOST_VALUES = 2 * 10**8
"""Most bytes of a workbook, and most values of a Parquet, once unpacked."""
MOST_FILES = 500


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
    """Bytes in a workbook, 0 for anything else."""
    if not data.startswith(b"PK"):
        return 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            return sum(part.file_size for part in book.infolist())
    except zipfile.BadZipFile:
        return 0


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
