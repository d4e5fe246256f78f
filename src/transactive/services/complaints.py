"""Complaints: a home writes, the operator answers with a reason, both see number, state and deadline.

An append-only file in the state folder, a JSON object a line. A complaint changes no money by itself: what an answer
promises is done with the means that there are, such as corrected readings or a bill's correction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import filelock
import msgspec
from msgspec import Meta

from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.store.folder import add_line, whole_lines, write_private

FILE, LOCK = "complaints.jsonl", "complaints.lock"
LONGEST, MOST_OPEN = 4_000, 20
"""Letters of a text, and complaints of one home that wait for an answer."""
ERASED = "(erased)"
Outcome = Literal["upheld", "rejected", "withdrawn"]
State = Literal["open", "overdue", "upheld", "rejected", "withdrawn"]


class ComplaintLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line. member: index. outcome: empty as it is opened. about: number of a finding, 0 for none. due: [Unix s]."""

    number: Annotated[int, Meta(ge=1)]
    member: Annotated[int, Meta(ge=0)]
    at: Annotated[int, Meta(ge=0)]
    text: str
    by: str = ""
    outcome: Outcome | None = None
    about: int = 0
    due: int = 0


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint, and its end once there is one."""

    opened: ComplaintLine
    ended: ComplaintLine | None

    def state(self, now: int) -> State:
        """How it stands at a time [Unix s]."""
        if self.ended is not None and self.ended.outcome is not None:
            return self.ended.outcome
        return "overdue" if now > self.opened.due else "open"


def complaints(folder: Path) -> list[Complaint]:
    """All complaints, newest first. Raises StateError for a file that is damaged."""
    lines = _read(folder)
    ends = {each.number: each for each in lines if each.outcome is not None}
    return [Complaint(each, ends.get(each.number)) for each in reversed(lines) if each.outcome is None]


def complain(folder: Path, member: int, text: str, by: str, now: int, days: int, about: int = 0) -> ComplaintLine:
    """Open a complaint of a home, to be answered within `days`. Raises InputError."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        known = complaints(folder)
        if sum(each.ended is None and each.opened.member == member for each in known) >= MOST_OPEN:
            raise InputError(f"complaint: {MOST_OPEN} of yours wait for an answer, the most; withdraw one, or wait")
        number = max((each.opened.number for each in known), default=0) + 1
        line = ComplaintLine(number, member, now, _text(text), by, None, about, now + days * DAY)
        add_line(folder / FILE, msgspec.json.encode(line))
    return line


def end_complaint(folder: Path, number: int, outcome: Outcome, text: str, by: str, now: int) -> ComplaintLine:
    """Answer a complaint with a reason, or take it back. Raises InputError for one that is not open."""
    with filelock.FileLock(folder / LOCK, mode=0o600):
        found = next((each for each in complaints(folder) if each.opened.number == number), None)
        if found is None or found.ended is not None:
            raise InputError(f"complaint {number}: is not open; look at the list")
        line = ComplaintLine(number, found.opened.member, now, _text(text), by, outcome)
        add_line(folder / FILE, msgspec.json.encode(line))
    return line


def blank_complaints(folder: Path, member: int, accounts: Collection[str]) -> int:
    """Blank the texts of a member's complaints and who wrote; numbers, states and dates stay. Returns how many."""

    def blank(line: ComplaintLine) -> ComplaintLine:
        if line.member == member:
            return msgspec.structs.replace(line, text=ERASED, by="")
        return msgspec.structs.replace(line, by="") if line.by in accounts else line

    with filelock.FileLock(folder / LOCK, mode=0o600):
        lines = _read(folder)
        blanked = [blank(each) for each in lines]
        if blanked != lines:
            _write(folder, blanked)
    return sum(before != after for before, after in zip(lines, blanked, strict=True))


def drop_complaints(folder: Path, before: int, *, do: bool) -> int:
    """Drop complaints that ended before a time [Unix s], or only count them; returns how many.

    The newest stays, so that no number is given twice.
    """
    with filelock.FileLock(folder / LOCK, mode=0o600):
        lines = _read(folder)
        gone = {each.number for each in lines if each.outcome is not None and each.at < before}
        gone -= {max((each.number for each in lines), default=0)}
        if gone and do:
            _write(folder, [each for each in lines if each.number not in gone])
    return len(gone)


def _text(text: str) -> str:
    """What was written. Raises InputError for nothing, or too much."""
    text = text.strip()
    if not 0 < len(text) <= LONGEST:
        raise InputError(f"complaint: takes 1 to {LONGEST:,} letters")
    return text


def _write(folder: Path, lines: list[ComplaintLine]) -> None:
    write_private(folder / FILE, b"".join(msgspec.json.encode(each) + b"\n" for each in lines))


def _read(folder: Path) -> list[ComplaintLine]:
    path = folder / FILE
    try:
        return [msgspec.json.decode(line, type=ComplaintLine) for line in whole_lines(path)]
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); take it from a backup, or move it away") from None
