"""Files that commands write: whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import InputError

if TYPE_CHECKING:
    import polars as pl


def write_parquet(path: Path, frame: pl.DataFrame) -> None:
    """Write a table. Raises InputError where that is not possible; what stood there before then stays."""
    partial = path.with_name(f".{path.name}.part")
    try:
        frame.write_parquet(partial)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from None
    finally:
        partial.unlink(missing_ok=True)
