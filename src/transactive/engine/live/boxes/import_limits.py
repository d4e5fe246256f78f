"""What the grid's operator allows homes to take: said by a command, kept in a live market's folder, told to boxes."""

from __future__ import annotations

import time
from pathlib import Path

import filelock
import msgspec

from transactive.core.errors import InputError, UnreadableState
from transactive.store.folder import OWNER_FILE, write_private

LIMITS_FILE, LOCK_FILE = "import-limits.json", "import-limits.lock"


class SaidLimit(msgspec.Struct, frozen=True):
    """What a member may take from the grid [W] from `start` to before `end` [Unix s]. said: when that was said [ns]."""

    member: int
    start: int
    end: int
    most_w: int
    said: int


def limits_in(folder: Path) -> list[SaidLimit]:
    """The limits that were said, oldest first. Raises UnreadableState."""
    path = folder / LIMITS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[SaidLimit])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; say the limits that hold again") from None


def add_limit(folder: Path, member: int, span: tuple[int, int], most_w: int, now: int) -> SaidLimit:
    """Limit what a member takes from the grid, in a span [Unix s]; a later limit goes before an earlier one.

    Raises InputError for a span that is over, and for less than nothing.
    """
    if most_w < 0 or span[1] <= max(span[0], now):
        raise InputError(f"a limit of {most_w} W for {span[1] - span[0]} s: give 0 W or more, and an end to come")
    made = SaidLimit(member, *span, most_w, time.time_ns())
    with filelock.FileLock(folder / LOCK_FILE, mode=OWNER_FILE):  # two that say one at once both stand
        kept = [one for one in limits_in(folder) if one.end > now]
        write_private(folder / LIMITS_FILE, msgspec.json.encode([*kept, made]))
    return made
