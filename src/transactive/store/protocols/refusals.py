"""Numbers of hand-overs that were refused, each for ever: a line in a file of the state folder, on the disk at once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import UnreadableState
from transactive.store.folder import add_line, make_private, whole_lines

REFUSALS_FILE = "hand-overs.jsonl"


class RefusedOffer(msgspec.Struct, frozen=True):
    """A number of a register, and why its bundle was not taken."""

    register: str
    number: str
    reason: str


def refused_offers(folder: Path) -> dict[tuple[str, str], str]:
    """Why each was refused, by register and number. Raises UnreadableState."""
    path = folder / REFUSALS_FILE
    try:
        said = [msgspec.json.decode(line, type=RefusedOffer) for line in whole_lines(path)]
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; restore it from a backup, as what is in it was promised") from None
    return {(one.register, one.number): one.reason for one in said}


def refuse_offer(folder: Path, refused: RefusedOffer) -> None:
    """Refuse one from now on. Whoever else may do so is kept out by the caller. Raises StateError."""
    make_private(folder)
    add_line(folder / REFUSALS_FILE, msgspec.json.encode(refused))
