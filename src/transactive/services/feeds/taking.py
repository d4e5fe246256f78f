"""Takes what a feed tells into the file that `data.environment` names, and says how old each column of it is."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from transactive.core.errors import ConfigError, DataError, StateError
from transactive.core.slots import HOUR, parse_time, time_text
from transactive.environment.feeds.decode import FeedSeries
from transactive.environment.feeds.profile import FeedProfile
from transactive.environment.feeds.rows import FedRows
from transactive.services.feeds.journal import FeedArrival, FeedStart, append_to, journal_of, read_feeds

SLOT, TENTHS = "slot_start", ("temperature_c",)


@dataclass(frozen=True, slots=True)
class FeedAge:
    """How old a column is. told_until: end of its last slot; heard: when a feed told it last, both [Unix s]."""

    column: str
    feed: str
    heard: int
    told_until: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What an arrival did. added: rows; end: of the last row [Unix s]. waiting: slots told beyond it, by column."""

    added: int
    end: int | None
    waiting: dict[str, int]


def require_fresh(profile: FeedProfile, told: FeedSeries, heard: int, now: int) -> None:
    """Require that what a feed told is not stale at `now`. Raises DataError with its age."""
    if heard > now + HOUR:
        raise DataError(
            f"{profile.title}: was told at {time_text(heard)}, which is to come; correct the clock, or the file's time"
        )
    if now - heard > profile.fresh_hours * HOUR:
        raise DataError(
            f"{profile.title}: was told {(now - heard) // HOUR} h ago and is stale after {profile.fresh_hours} h;"
            " fetch it anew"
        )
    if told.end <= now:
        raise DataError(
            f"{profile.title}: is stale: its last value ended at {time_text(told.end)}; ask again when there are newer"
            " ones"
        )


def take_feed(file: Path, length: int, arrival: FeedArrival) -> Taken:
    """Take in what a feed told: into the journal first, then every slot that is told in full as a row of the file.

    length: of a slot [s]. Rows that are there never change. Raises ConfigError for a file without a head or without
    the column, DataError for a feed that does not fit its slots, StateError where nothing can be written or the file
    is not what its journal says.
    """
    with FileLock(file.with_name(f".{file.name}.lock")):
        head, lines = _read(file)
        if arrival.column not in head[1:]:
            raise ConfigError(
                f"{file.name}: has no column {arrival.column}; its first line is {','.join(head)}; add the column, or"
                " leave the feed out"
            )
        journal = journal_of(file)
        known = read_feeds(journal)
        start = known[0] if known else FeedStart(tuple(head[1:]), length, _end(lines, file, length))
        if (start.columns, start.length) != (tuple(head[1:]), length):
            raise ConfigError(
                f"{file.name}: its first feed came for slots of {start.length // 60} minutes and the columns"
                f" {', '.join(start.columns)}; put them back, or move {journal.name} away to begin anew"
            )
        rows = _replayed(file, start, known[1] if known else [], lines)
        arrival.series.by_slot(length)
        append_to(journal, [arrival] if known else [start, arrival])
        added = rows.take(arrival.series)
        _write(file, head, [*_before(lines, start, length), *(_line(start.columns, row) for row in rows.rows)])
        return Taken(added, rows.end, dict(rows.waiting()))


def columns_of_feeds(file: Path) -> list[str]:
    """Columns of a file that feeds fill. Raises ConfigError."""
    return _read(file)[0][1:]


def feed_ages(file: Path) -> list[FeedAge]:
    """How old the columns that feeds fill are. Raises StateError if the file is not what its journal says."""
    if not journal_of(file).exists():
        return []
    lines = _read(file)[1]  # before its journal, which is ahead of it while a feed comes
    known = read_feeds(journal_of(file))
    if known is None:
        return []
    start, arrivals = known
    _replayed(file, start, arrivals, lines)
    newest = {arrival.column: arrival for arrival in arrivals}
    return [
        FeedAge(column, one.feed, one.heard, max(a.series.end for a in arrivals if a.column == column))
        for column, one in newest.items()
    ]


def arrival_of(name: str, raw: bytes, heard: int, told: FeedSeries) -> FeedArrival:
    """An arrival as the journal keeps it."""
    digest = hashlib.sha256(raw).hexdigest()
    return FeedArrival(name, heard, digest, told.column, told.step, told.starts, told.values)


def _replayed(file: Path, start: FeedStart, arrivals: Sequence[FeedArrival], lines: list[list[str]]) -> FedRows:
    """Rows that the arrivals make. Raises StateError where the file has others; rows that a crash left out may miss."""
    rows = FedRows(start.columns, start.length, start.end)
    for arrival in arrivals:
        rows.take(arrival.series)
    made = [_line(start.columns, row) for row in rows.rows]
    there = lines[len(_before(lines, start, start.length)) :]
    if there != made[: len(there)]:
        raise StateError(
            f"{file.name}: its rows after the first feed came are not those of {journal_of(file).name}; put them back,"
            " or move the journal away to begin anew"
        )
    return rows


def _before(lines: list[list[str]], start: FeedStart, length: int) -> list[list[str]]:
    """Rows that were there before the first feed came."""
    if start.end is None:
        return []
    return [line for line in lines if parse_time(line[0]) + length <= start.end]


def _read(file: Path) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the file. Raises ConfigError."""
    try:
        head, *lines = csv.reader(io.StringIO(file.read_text("utf-8-sig")))
    except (OSError, UnicodeDecodeError, ValueError):
        raise ConfigError(
            f"{file}: feeds fill a CSV that has at least its first line; write it, such as"
            " slot_start,spot_price_micro_per_kwh,grid_carbon_g_per_kwh"
        ) from None
    if not head or head[0] != SLOT:
        raise ConfigError(f"{file.name}: the first column is {SLOT} where feeds fill a file; put it there")
    return head, [line for line in lines if line]


def _end(lines: list[list[str]], file: Path, length: int) -> int | None:
    """End of the last row [Unix s], None without one. Raises ConfigError for rows out of order."""
    times = [parse_time(line[0]) for line in lines]
    if times != sorted(times):
        raise ConfigError(f"{file.name}: rows are not in the order of their slots; sort them before feeds fill it")
    return times[-1] + length if times else None


def _line(columns: Sequence[str], row: tuple[int, tuple[int, ...]]) -> list[str]:
    """A row as the file has it."""
    slot, values = row
    return [time_text(slot), *(_text(column, value) for column, value in zip(columns, values, strict=True))]


def _text(column: str, value: int) -> str:
    """A value as the file has it: temperatures with one decimal."""
    return f"{'-' if value < 0 else ''}{abs(value) // 10}.{abs(value) % 10}" if column in TENTHS else str(value)


def _write(file: Path, head: list[str], lines: list[list[str]]) -> None:
    """Write the file at once, and to the disk. Raises StateError."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *lines])
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as out:
            out.write(text.getvalue())
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        raise StateError(f"{file}: cannot be written ({error.strerror}); free space or permissions") from error
