"""Readings that somebody accepted for a community, file by file, beside those that its own file names.

They stand in a folder beside the community file, named after it: for `community.toml` it is `community.accepted`. Each
is a Parquet in the form that every command reads, beside the profile by which it was read. A later one goes before an
earlier one, and all of them before the community's own file: that is how a reading is corrected.
"""

from __future__ import annotations

import os
from pathlib import Path

from transactive.core.errors import StateError

ENDING = ".accepted"
READINGS, PROFILE = ".parquet", ".profile.toml"


def accepted_folder(community: Path) -> Path:
    """Where readings are that were accepted for a community file."""
    return community.with_suffix(ENDING)


def accepted_files(community: Path) -> list[Path]:
    """Readings that were accepted for a community file, in the order in which they were."""
    return sorted(accepted_folder(community).glob(f"*{READINGS}"))


def keep_accepted(community: Path, name: str, readings: Path, profile: str) -> Path:
    """Move readings, and write their profile, to where they count from now on; whole or not at all.

    The readings come last, in one step, so that a folder that was cut off holds a profile too many at most. Raises
    StateError where they cannot be written.
    """
    folder = accepted_folder(community)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _replace(folder / f"{name}{PROFILE}", profile.encode())
        _replace(folder / f"{name}{READINGS}", readings.read_bytes())
        _sync(folder)
    except OSError as error:
        raise StateError(f"{folder}: cannot be written ({error.strerror}); free space or permissions") from error
    return folder / f"{name}{READINGS}"


def _replace(path: Path, data: bytes) -> None:
    """Write a file at once, and to the disk."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
