"""Files of a box: whole or not there, and for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from transactive.core.errors import StateError
from transactive.metering.record_file import OWNER_FILE


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; it is on disk when this returns. Raises StateError where it cannot be."""
    new = path.with_name(f"{path.name}.new")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_FILE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}; free space or permissions") from error
