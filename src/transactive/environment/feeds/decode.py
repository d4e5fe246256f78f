"""What a feed told: whole values from time to time, exactly; nothing is guessed where it has a gap."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

from transactive.core.errors import DataError
from transactive.core.slots import HOUR, parse_time, time_text
from transactive.environment.feeds.entsoe import read_entsoe
from transactive.environment.feeds.numbers import exact_number, nearest_whole
from transactive.environment.feeds.profile import ColumnsProfile, EntsoeProfile, FeedProfile, RowsProfile

NO_WORDS: Mapping[str, str] = {}
MOST_BYTES = 4 * 1024 * 1024
TIMES = range(parse_time("2000-01-01T00:00Z"), parse_time("2100-01-01T00:00Z"))
"""Times that a feed may tell a value for [Unix s]: one in milliseconds that is taken for seconds is none."""


@dataclass(frozen=True, slots=True)
class FeedSeries:
    """What a feed told of one column: a value from each of `starts` [Unix s] on, `step` long [s], in rising order.

    values: whole units of the column, µ¤/kWh or g/kWh; of a temperature tenths of a degree.
    """

    column: str
    starts: tuple[int, ...]
    values: tuple[int, ...]
    step: int

    @property
    def end(self) -> int:
        """When the last value ends [Unix s]."""
        return self.starts[-1] + self.step

    def by_slot(self, length: int) -> dict[int, int]:
        """Value of each slot, `length` long [s]. Raises DataError where the feed changes within a slot."""
        if self.step % length:
            raise DataError(
                f"{self.column} is told every {self.step // 60} minutes and a slot takes {length // 60}; choose"
                f" market.slot_minutes = {self.step // 60}, or a feed of whole slots"
            )
        return {
            slot: value
            for start, value in zip(self.starts, self.values, strict=True)
            for slot in range(start, start + self.step, length)
        }


def decode_feed(profile: FeedProfile, raw: bytes, words: Mapping[str, str] = NO_WORDS) -> FeedSeries:
    """What a feed said. words: that the user gave for its address, such as the zone, which a feed may tell again.

    Raises DataError naming what is missing, no number, twice there, between the steps, in another unit or of another
    zone.
    """
    if len(raw) > MOST_BYTES:
        raise DataError(f"the feed says {len(raw):,} bytes, more than {MOST_BYTES:,}; is this the feed of the profile?")
    if isinstance(profile, EntsoeProfile):
        told, step = read_entsoe(raw, profile.unit, words.get("zone", ""))
    else:
        said = _json(raw)
        _require_said(said, profile.says, words)
        rows = list(_rows(profile, said) if isinstance(profile, RowsProfile) else _columns(profile, said))
        told = [(start, _number(value, start)) for start, value in rows if value is not None]  # null: not known yet
        step = profile.step_minutes * 60 if isinstance(profile, RowsProfile) else _step([start for start, _ in rows])
    if not told:
        raise DataError("the feed tells no value; ask again later, or for other days")
    told = sorted(set(told))  # hours that two series tell alike are told once
    starts = [start for start, _ in told]
    _require_times(starts, step)
    return FeedSeries(profile.column, tuple(starts), tuple(_whole(profile, *each) for each in told), step)


def _require_said(said: object, wanted: Mapping[str, str], words: Mapping[str, str]) -> None:
    """Require what has to stand beside the prices, such as their unit; case and spaces do not count.

    A `{NAME}` in it is a word that the user gave; without it nothing is required. Raises DataError.
    """
    for way, text in wanted.items():
        expected = words.get(text[1:-1], "") if text.startswith("{") else text
        told = str(_at(said, way))
        if expected and _plain(told) != _plain(expected):
            raise DataError(f"{way}: the feed tells {told[:40]!r}, and {expected} was expected; is it the right feed?")


def _plain(text: str) -> str:
    """A text without its spaces, in one case."""
    return "".join(text.split()).casefold()


def _require_times(starts: Sequence[int], step: int) -> None:
    """Require steps of our time, each told once. Raises DataError."""
    if far := next((start for start in starts if start not in TIMES), None):
        raise DataError(f"the feed tells a value for {far} s after 1970, which is not of our time; is its clock right?")
    if step > HOUR:
        raise DataError(f"the feed tells a value every {step // 60} minutes; no hour that it leaves out is made up")
    for before, start in pairwise(starts):
        if start - before < step:
            raise DataError(f"the feed tells {time_text(start)} twice; which value holds?")
    if off := next((start for start in starts if start % step), None):
        raise DataError(f"the feed tells a value for {time_text(off)}, which is no step of {step // 60} minutes")


def _whole(profile: FeedProfile, start: int, said: Fraction) -> int:
    """A value in whole units of its column. Raises DataError for one that cannot be."""
    value = nearest_whole(said * profile.factor)
    if value not in profile.possible:
        raise DataError(f"the feed tells {float(said):g} {profile.unit} for {time_text(start)}; nothing is like that")
    return value


def _rows(profile: RowsProfile, said: object) -> Iterator[tuple[int, object]]:
    """Time and value of each row."""
    rows = _at(said, profile.rows)
    if not isinstance(rows, list):
        raise DataError(f"{profile.rows}: is no list; is this the feed of the profile?")
    for row in rows:
        _require_said(row, profile.row_says, {})
        yield _seconds(_at(row, profile.time), profile.clock), _at(row, profile.value)


def _columns(profile: ColumnsProfile, said: object) -> Iterator[tuple[int, object]]:
    """Time and value of two lists of equal length."""
    times, values = _at(said, profile.time), _at(said, profile.value)
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
        raise DataError(f"{profile.time} and {profile.value} are no lists of equal length; is this the right feed?")
    return ((_seconds(time, profile.clock), value) for time, value in zip(times, values, strict=True))


def _step(starts: Sequence[int]) -> int:
    """Shortest distance of times [s]; an hour where there is only one."""
    return min((b - a for a, b in pairwise(sorted(starts)) if b > a), default=3_600)


def _at(value: Any, way: str) -> Any:  # noqa: ANN401 - whatever a feed says
    """The value at keys and positions from the outside in, `a.0.b`. Raises DataError where they lead nowhere."""
    for step in way.split(".") if way else ():
        if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            raise DataError(f"{way}: there is no {step!r}; is this the feed of the profile?")
    return value


def _json(raw: bytes) -> object:
    """JSON whose numbers stay text. Raises DataError."""
    try:
        return json.loads(raw, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise DataError(f"the feed says no JSON but {raw[:60]!r}; is the address right?") from None


def _number(value: object, start: int) -> Fraction:
    """A number, exactly. Raises DataError."""
    found = exact_number(value)
    if found is None:
        raise DataError(f"the feed tells {str(value)[:40]!r} for {time_text(start)}, which is no number")
    return found


def _seconds(value: object, clock: str) -> int:
    """A time [Unix s]; one of ISO 8601 without a zone is UTC, as the feeds of our profiles say. Raises DataError."""
    try:
        if clock == "iso":
            moment = datetime.fromisoformat(str(value))
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        return int(str(value)) // (1_000 if clock == "unix_ms" else 1)
    except (ValueError, OverflowError):
        raise DataError(f"the feed tells a value for {value!r}, which is no time") from None
