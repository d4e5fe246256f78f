"""For which slots nobody knew what members had decided on: their chain did not answer, and recorded rules went on.

Noted beside the run, from the first slot that was open as the chain fell silent until the first one that was open as it
answered again. Statements of these slots say so.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import StateError
from transactive.store.folder import write_private

FILE = "governor-silent.json"
Silences = list[tuple[int, int | None]]
"""Slots [Unix s] from and until which a chain was silent, oldest first; None: it still is."""


def silences(folder: Path) -> Silences:
    """What a state folder has noted. Raises StateError for a damaged note."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=Silences)
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"{path}: cannot be read ({error}); restore it from a backup") from None


def note_silence(folder: Path, open_from: int) -> None:
    """Note that the chain does not answer. open_from: first slot of which nothing is settled or traded [Unix s]."""
    known = silences(folder)
    if not known or known[-1][1] is not None:
        _write(folder, [*known, (open_from, None)])


def note_answer(folder: Path, open_from: int) -> None:
    """Note that the chain answers; a silence in which no slot began is forgotten. open_from: as in `note_silence`."""
    known = silences(folder)
    if known and known[-1][1] is None:
        since = known[-1][0]
        _write(folder, [*known[:-1], *([(since, open_from)] if since < open_from else [])])


def silent_in(folder: Path, begin: int, end: int) -> tuple[tuple[int, int], ...]:
    """Spans of a silence within slots from `begin` until `end` [Unix s]."""
    spans = ((max(since, begin), end if until is None else min(until, end)) for since, until in silences(folder))
    return tuple(span for span in spans if span[0] < span[1])


def _write(folder: Path, known: Silences) -> None:
    write_private(folder / FILE, msgspec.json.encode(known) + b"\n")
