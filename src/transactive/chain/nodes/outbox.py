"""What was signed for a node elsewhere, on disk before it is sent: a step that was interrupted is never signed twice.

A step is all that one `block` sends, known by its time. Whoever repeats an unfinished step gets the same nonces, and
so the same transactions: those that were signed are sent again as they are, the rest follows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from transactive.chain.embedded.store import private
from transactive.core.errors import StateError

KEPT_STEPS = 64
"""Finished steps whose transactions stay at hand, to be sent again after a reorganisation."""
TABLES = """
create table if not exists step (time integer primary key, nonces text, number integer, hash blob, timestamp integer);
create table if not exists signed (time integer, position integer, version integer, raw blob,
    primary key (time, position, version)) without rowid;
"""


@dataclass(frozen=True, slots=True)
class FinishedStep:
    """A finished step: the block that holds its end, and that block's own time [Unix s]."""

    number: int
    hash: bytes
    timestamp: int


class Outbox:
    """One SQLite file, or memory for what need not outlive the program."""

    def __init__(self, path: str | Path = ":memory:") -> None:
        """Open or create `path`. Raises StateError if it cannot be used."""
        self._path = path
        try:
            self._sql = sqlite3.connect(private(path), isolation_level=None, check_same_thread=False)
        except (sqlite3.DatabaseError, OSError) as error:
            raise StateError(f"outbox {path}: {error}; give another state folder") from error
        try:
            self._sql.execute("pragma synchronous = full")
            self._sql.executescript(TABLES)
        except sqlite3.DatabaseError as error:
            self._sql.close()
            raise StateError(f"outbox {path}: {error}; give another state folder") from error

    def close(self) -> None:
        """Close the file."""
        self._sql.close()

    def unfinished(self) -> int | None:
        """Time of the step that was begun and not finished."""
        row = self._do("select time from step where number is null").fetchone()
        return row[0] if row else None

    def first_nonces(self, time: int) -> dict[str, int]:
        """First nonce of each sender in a step."""
        row = self._do("select nonces from step where time = ?", (time,)).fetchone()
        return json.loads(row[0]) if row else {}

    def begin(self, time: int, nonces: Mapping[str, int]) -> None:
        """Begin a step, or go on with it. A finished one of the same time makes room."""
        if time != self.unfinished():
            self.drop(time)
            self._do("insert into step values (?, ?, null, null, null)", (time, json.dumps(dict(nonces))))

    def keep(self, time: int, position: int, raw: bytes) -> None:
        """Keep a signed transaction; on disk when this returns."""
        version = len(self.signed(time, position))
        self._do("insert into signed values (?, ?, ?, ?)", (time, position, version, raw))

    def signed(self, time: int, position: int) -> list[bytes]:
        """Versions of a transaction of a step, oldest first; they differ in fees only."""
        rows = self._do("select raw from signed where time = ? and position = ? order by version", (time, position))
        return [raw for (raw,) in rows]

    def holds(self, time: int) -> bool:
        """Whether anything of a step was signed."""
        return bool(self._do("select 1 from signed where time = ? limit 1", (time,)).fetchone())

    def finish(self, time: int, step: FinishedStep) -> None:
        """Note that all of a step is on chain; transactions of long ago need not be kept."""
        self.move(time, step)
        self._do(
            "delete from signed where time in (select time from step where number is not null"
            " order by time desc limit -1 offset ?)",
            (KEPT_STEPS,),
        )

    def move(self, time: int, step: FinishedStep) -> None:
        """Note that a finished step is in another block now."""
        self._do(
            "update step set number = ?, hash = ?, timestamp = ? where time = ?",
            (step.number, step.hash, step.timestamp, time),
        )

    def drop(self, time: int) -> None:
        """Forget a step."""
        self._do("delete from step where time = ?", (time,))
        self._do("delete from signed where time = ?", (time,))

    def finished(self, time: int) -> FinishedStep | None:
        """What became of a step; None if it is not finished."""
        row = self._do(
            "select number, hash, timestamp from step where time = ? and number is not null", (time,)
        ).fetchone()
        return FinishedStep(*row) if row else None

    def oldest(self) -> FinishedStep | None:
        """The first step that was finished here."""
        row = self._do(
            "select number, hash, timestamp from step where number is not null order by time limit 1"
        ).fetchone()
        return FinishedStep(*row) if row else None

    def kept(self) -> list[bytes]:
        """The versions that were sent last of all transactions of finished steps that are still at hand, in order."""
        rows = self._do(
            "select raw, max(version) from signed where time in (select time from step where number is not null)"
            " group by time, position order by time, position"
        )
        return [raw for raw, _ in rows]

    def finished_times(self) -> list[int]:
        """Times of all finished steps, oldest first."""
        return [time for (time,) in self._do("select time from step where number is not null order by time")]

    def kept_of(self, time: int) -> list[bytes]:
        """The versions that were sent last of all transactions of a step, in order."""
        rows = self._do(
            "select raw, max(version) from signed where time = ? group by position order by position", (time,)
        )
        return [raw for raw, _ in rows]

    def positions(self, time: int) -> int:
        """Transactions of a step that were signed."""
        (count,) = self._do("select count(distinct position) from signed where time = ?", (time,)).fetchone()
        return int(count)

    def newest(self) -> int | None:
        """Time of the newest finished step."""
        (time,) = self._do("select max(time) from step where number is not null").fetchone()
        return time if time is None else int(time)

    def _do(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Run a statement. Raises StateError where the disk refuses."""
        try:
            return self._sql.execute(sql, values)
        except sqlite3.OperationalError as error:
            raise StateError(
                f"outbox {self._path}: {error}; free space or permissions, then run the same again"
            ) from error
