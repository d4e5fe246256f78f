"""The journal of a community's feeds: every arrival in one append-only file of lines, on disk before it counts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from transactive.core.errors import StateError, UnreadableState
from transactive.environment.feeds.decode import FeedSeries


class FeedStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="start", tag_field="what"):
    """The first line: columns of the file as its first feed came, length of a slot [s], end of its last row then."""

    columns: tuple[str, ...]
    length: int
    end: int | None


class FeedArrival(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="arrival", tag_field="what"):
    """What a feed told. heard: when [Unix s]. sha256: of the bytes it said. starts, values, step: of `FeedSeries`."""

    feed: str
    heard: int
    sha256: str
    column: str
    step: int
    starts: tuple[int, ...]
    values: tuple[int, ...]

    @property
    def series(self) -> FeedSeries:
        """What was told."""
        return FeedSeries(self.column, self.starts, self.values, self.step)


def journal_of(file: Path) -> Path:
    """Journal of the feeds of a file of prices, beside it."""
    return file.with_name(f"{file.name}.feeds")


def read_feeds(journal: Path) -> tuple[FeedStart, list[FeedArrival]] | None:
    """All that came, None where no feed ever did; a line that a crash cut off never counted.

    Raises UnreadableState for a line that is damaged.
    """
    try:
        lines = journal.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return None
    if not lines:
        return None
    try:
        start = msgspec.json.decode(lines[0], type=FeedStart)
        return start, [msgspec.json.decode(line, type=FeedArrival) for line in lines[1:]]
    except msgspec.DecodeError as error:
        raise UnreadableState(f"{journal}: {error}; restore it from a backup") from None


def append_to(journal: Path, entries: Sequence[FeedStart | FeedArrival]) -> None:
    """Add entries; they are on disk when this returns. Raises StateError where they cannot be written."""
    try:
        with journal.open("ab+") as file:
            file.seek(0)
            whole = file.read().rpartition(b"\n")
            file.truncate(len(whole[0]) + len(whole[1]))  # what a crash cut off
            file.write(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StateError(f"{journal}: cannot be written ({error.strerror}); free space or permissions") from error
