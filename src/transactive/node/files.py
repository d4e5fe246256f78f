"""Files of a box: whole or not there, and for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from transactive.core.errors import StateError
from transactive.metering.record_file import OWNER_FILE

Kept = TypeVar("Kept", bound=msgspec.Struct)


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


def read_kept(path: Path, kind: type[Kept]) -> Kept | None:
    """What is kept in a file, None without one. Raises StateError where it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: {error}; delete it, and the market tells it anew") from None
