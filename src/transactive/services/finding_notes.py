"""What people say about findings: notes, to whom one was handed over, until when the list leaves it out.

An append-only file in the state folder, a JSON object a line. Nothing here changes money, rights or the finding itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import filelock
import msgspec
from msgspec import Meta

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.store.folder import add_line, whole_lines, write_private

FILE, LOCK = "finding-notes.jsonl", "finding-notes.lock"
LONGEST, MOST = 2_000, 200
"""Letters of a note, and what can be said about one finding."""
MUTE_DAYS = (7, 30, 90)
ERASED = "(erased)"
"""In place of a note of or about somebody who is erased."""
SayKind = Literal["note", "hand-over", "mute", "unmute"]


class FindingNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody said. by: account, or the scope of who has none. to: account it is handed to.

    at: when, until: to when it is muted [Unix s].
    """

    finding: Annotated[int, Meta(ge=1)]
    kind: SayKind
    by: str
    at: int
    text: str = ""
    to: str = ""
    until: int = 0


class FindingNotes(msgspec.Struct, frozen=True):
    """All that was said about a finding, oldest first."""

    said: Sequence[FindingNote] = ()

    @property
    def handed_to(self) -> str:
        """Account that has it in hand; empty before the first hand-over."""
        return next((each.to for each in reversed(self.said) if each.kind == "hand-over"), "")

    def muted_until(self, now: int) -> int:
        """To when the list leaves it out [Unix s]; 0 where it does not at `now`."""
        newest = next((each for each in reversed(self.said) if each.kind in ("mute", "unmute")), None)
        return newest.until if newest is not None and now < newest.until else 0


def all_notes(folder: Path) -> dict[int, FindingNotes]:
    """Notes of a state folder by the findings' numbers. Raises StateError for a file that is damaged."""
    found: dict[int, list[FindingNote]] = {}
    for each in _read(folder):
        found.setdefault(each.finding, []).append(each)
    return {number: FindingNotes(said) for number, said in found.items()}


def muted(folder: Path, now: int) -> set[int]:
    """Numbers of the findings that the list leaves out at a time [Unix s]."""
    return {number for number, notes in all_notes(folder).items() if notes.muted_until(now)}


def say(folder: Path, note: FindingNote) -> None:
    """Keep what somebody says, on the disk before this returns. Raises InputError for an empty or too long note."""
    text = note.text.strip()
    if note.kind == "note" and not 0 < len(text) <= LONGEST:
        raise InputError(f"note: takes 1 to {LONGEST:,} letters")
    if note.kind == "hand-over" and not note.to:
        raise InputError("hand-over: choose whom it goes to")
    if note.kind == "mute" and note.until - note.at not in [days * DAY for days in MUTE_DAYS]:
        raise InputError(f"mute: takes {', '.join(map(str, MUTE_DAYS))} days")
    with filelock.FileLock(folder / LOCK, mode=0o600):
        if sum(each.finding == note.finding for each in _read(folder)) >= MOST:
            raise InputError(f"finding {note.finding}: has {MOST} notes, the most; close it, or write elsewhere")
        add_line(folder / FILE, msgspec.json.encode(msgspec.structs.replace(note, text=text)))


def is_operator(by: str) -> bool:
    """Whether a note is of who operates."""
    return by == "operator" or by.endswith(" (operator)")


def drop_notes(folder: Path, before: int, *, do: bool) -> int:
    """Drop notes that were made before a time [Unix s], or only count them; returns how many."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        said = _read(folder)
        left = [each for each in said if each.at >= before]
        if do and len(left) < len(said):
            write_private(folder / FILE, b"".join(msgspec.json.encode(each) + b"\n" for each in left))
    return len(said) - len(left)


def blank_notes(folder: Path, findings: set[int], people: set[str]) -> int:
    """Blank what was said about some findings, and some people in all others; returns how many notes changed."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        said = _read(folder)
        blanked = [_blank(each, findings, people) for each in said]
        changed = sum(before != after for before, after in zip(said, blanked, strict=True))
        if changed:
            write_private(folder / FILE, b"".join(msgspec.json.encode(each) + b"\n" for each in blanked))
    return changed


def _blank(note: FindingNote, findings: set[int], people: set[str]) -> FindingNote:
    """A note without a person in it."""
    by, to = ("" if name in people else name for name in (note.by, note.to))
    text = ERASED if note.text and (note.finding in findings or note.by in people) else note.text
    return msgspec.structs.replace(note, by=by, to=to, text=text)


def _read(folder: Path) -> list[FindingNote]:
    """Whole lines of the file."""
    path = folder / FILE
    try:
        return [msgspec.json.decode(line, type=FindingNote) for line in whole_lines(path)]
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or move it away") from None
