"""Which members were erased, and when: what a restore reads, so that an older backup brings no name back.

An append-only file in the state folder, a JSON object a line, without a name: a member's number in the community.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.core.errors import InputError
from transactive.store.folder import add_line, whole_lines, write_private

FILE = "erased.jsonl"


class Erased(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """An erasure. at: when [Unix s]; member: number; keep_years: how long papers stay after theirs."""

    at: Annotated[int, Meta(ge=0)]
    member: Annotated[int, Meta(ge=0)]
    keep_years: Annotated[int, Meta(ge=0)]


def read_erased(path: Path) -> list[Erased]:
    """Erasures that a record holds; none without a file. Raises InputError naming the line that is none."""
    found = []
    try:
        lines = whole_lines(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a record of erasures") from None
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=Erased))
        except msgspec.MsgspecError as error:
            raise InputError(
                f"{path} line {number}: is no erasure ({error}); take the record of a later backup, or remove the line"
                " if you know whom it is about"
            ) from None
    return found


def note_erased(folder: Path, erased: Erased) -> None:
    """Add an erasure to the record of a state folder, on the disk before this returns. Raises StateError."""
    add_line(folder / FILE, msgspec.json.encode(erased))


def write_erased(folder: Path, erased: Iterable[Erased]) -> None:
    """Put a record in the place of that of a state folder; oldest first. Raises StateError."""
    lines = [msgspec.json.encode(each) + b"\n" for each in sorted(set(erased))]
    if lines:
        write_private(folder / FILE, b"".join(lines))
