"""What members did about decisions from this program: signed ballots and sent transactions, in an append-only file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import filelock
import msgspec

from transactive.core.errors import StateError
from transactive.store.folder import add_line, whole_lines, write_private

FILE, LOCK = "decisions.jsonl", "decisions.lock"


class DecidingAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act. member: index; asked: the request in canonical JSON; by: account that signed in; key: of the request.

    at: by the clock on the wall [Unix s]. proposal: its number, -1 for none. ballot: signed content and signature in
    hexadecimal, empty for a transaction, whose hash is in `transaction`.
    """

    member: int
    proposal: int
    asked: str
    at: int
    by: str = ""
    key: str = ""
    support: int = 0
    turn: int = 0
    content: str = ""
    signature: str = ""
    transaction: str = ""


def acts(folder: Path) -> list[DecidingAct]:
    """All acts of a state folder, oldest first. Raises StateError for a file that is damaged."""
    path = folder / FILE
    try:
        return [msgspec.json.decode(line, type=DecidingAct) for line in whole_lines(path)]
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or move it away") from None


def blank_deciders(folder: Path, member: int, accounts: Sequence[str]) -> int:
    """Blank who had signed in for a member's acts, and some accounts in all; signatures stay. Returns how many."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        done = acts(folder)
        mine = [bool(each.by) and (each.member == member or each.by in accounts) for each in done]
        if any(mine):
            kept = (msgspec.structs.replace(each, by="") if own else each for each, own in zip(done, mine, strict=True))
            write_private(folder / FILE, b"".join(msgspec.json.encode(each) + b"\n" for each in kept))
    return sum(mine)


def add(folder: Path, act: DecidingAct) -> None:
    """Add an act, on the disk before this returns."""
    add_line(folder / FILE, msgspec.json.encode(act))
