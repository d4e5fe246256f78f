"""How many homes what a grid token sees covers at least: the operator's choice, each change kept with its time."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import InputError, StateError
from transactive.store.folder import write_private

FILE = "grid-privacy.json"
LEAST_HOMES = 5
"""Without a choice of the operator."""


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice of the operator. homes: k; at: when it was made [Unix s]."""

    homes: int
    at: int


def choices(folder: Path) -> list[Choice]:
    """All choices of a state's operator, oldest first. Raises StateError if their file cannot be understood."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Choice])
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); choose anew with transactive grid privacy") from None


def least_homes(folder: Path) -> int:
    """Homes that each figure of a grid token covers at least."""
    made = choices(folder)
    return made[-1].homes if made else LEAST_HOMES


def choose(folder: Path, homes: int, now: int) -> None:
    """Choose how many homes, and keep the choice behind those before. Raises InputError below 1, StateError."""
    if homes < 1:
        raise InputError(f"--homes {homes}: give at least 1, which hides nothing; without a choice it is {LEAST_HOMES}")
    write_private(
        folder / FILE, msgspec.json.format(msgspec.json.encode([*choices(folder), Choice(homes, now)])) + b"\n"
    )
