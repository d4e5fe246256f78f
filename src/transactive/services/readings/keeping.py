"""Writes accepted readings to where every command finds them: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from transactive.core.errors import StateError
from transactive.metering.accepted import PROFILE, READINGS, accepted_files, accepted_folder


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


def after_accepted(community: Path, now: int) -> int:
    """A time for what is accepted now, after all that was before [Unix s], also within a second or by a clock set back.

    What is accepted later goes before, and that order is the one of these times.
    """
    times = [path.name.partition("-")[0] for path in accepted_files(community)]
    return max([now, *(int(time) + 1 for time in times if time.isdecimal())])


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
