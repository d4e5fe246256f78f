"""What homes agreed to, and took back: an append-only file in the state folder, a JSON object a line.

It holds numbers of members and no names, but the account of who signed in, which erasure blanks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Literal

import filelock
import msgspec
from msgspec import Meta

from transactive.core.errors import StateError
from transactive.store.folder import add_line, whole_lines, write_private

FILE, LOCK = "consents.jsonl", "consents.lock"
Purpose = Literal["forecasts", "detection"]


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word of a home. at: when [Unix s]; given: or withdrawn; by: account that signed in, empty for a paper."""

    member: Annotated[int, Meta(ge=0)]
    purpose: Purpose
    given: bool
    at: Annotated[int, Meta(ge=0)]
    by: str = ""


def read_consents(folder: Path) -> list[Consent]:
    """All words, oldest first. Raises StateError for a file that is damaged."""
    path = folder / FILE
    try:
        return [msgspec.json.decode(line, type=Consent) for line in whole_lines(path)]
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or move it away") from None


def add_consent(folder: Path, consent: Consent) -> None:
    """Keep a word, on the disk before this returns."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        add_line(folder / FILE, msgspec.json.encode(consent))


def agreed(said: Iterable[Consent], purpose: Purpose, at: int) -> set[int]:
    """Members that agreed to a purpose, by their last word up to a time [Unix s]."""
    last = {each.member: each.given for each in said if each.purpose == purpose and each.at <= at}
    return {member for member, given in last.items() if given}


def blank_consents(folder: Path, member: int, accounts: Collection[str]) -> int:
    """Blank who had signed in for a member's words, and some accounts in all; returns how many changed."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        said = read_consents(folder)
        blank = [
            msgspec.structs.replace(each, by="") if each.member == member or each.by in accounts else each
            for each in said
        ]
        changed = sum(before != after for before, after in zip(said, blank, strict=True))
        if changed:
            write_private(folder / FILE, b"".join(msgspec.json.encode(each) + b"\n" for each in blank))
    return changed
