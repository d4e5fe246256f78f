"""Submitted forecasts in the journal of a live market: sealed, then shown, each at the time when the server had it.

As a gate closes the session notes up to which entry it has heard. So what comes in that moment counts or not, and a
replay of the journal decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

import msgspec

from transactive.core.errors import InputError
from transactive.core.slots import MarketClock
from transactive.forecasting.pool.submissions import Deadlines, Submissions
from transactive.store.live.journal import Arrival, ArrivalKind, Journal, JournalReader

REVEAL_SECONDS = 900
"""Forecasts are shown in the last quarter of an hour before the gate, or the last slot where slots are shorter [s]."""
KINDS = (ArrivalKind.FORECAST, ArrivalKind.HEARD)


class SealedTotal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="seal"):
    """A forecast of a slot [Unix s] as its hash, in hexadecimal."""

    forecaster: str
    slot: int
    digest: str


class ShownTotal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="show"):
    """What was sealed. quantiles: [Wh]; salt: in hexadecimal."""

    forecaster: str
    slot: int
    quantiles: tuple[int, ...]
    salt: str


SubmittedTotal: TypeAlias = SealedTotal | ShownTotal


class HeardUpTo(msgspec.Struct, frozen=True):
    """At the gate of a slot [Unix s] what counts is what came up to an entry, by its number."""

    slot: int
    number: int


def deadlines_of(clock: MarketClock) -> Deadlines:
    """Until when forecasts are sealed, and from then on until the market's gate shown."""
    reveal = min(REVEAL_SECONDS, clock.length)
    return Deadlines(clock.lead * clock.length + reveal, reveal)


def submitted_in(entry: Arrival) -> SubmittedTotal:
    """What was submitted by an entry of a journal."""
    found: SubmittedTotal = msgspec.json.decode(entry.body, type=SealedTotal | ShownTotal)
    return found


def enter(book: Submissions, said: SubmittedTotal, at: int) -> None:
    """Take what was submitted at a time [Unix s] into a book. Raises InputError for what came too early or late."""
    if isinstance(said, SealedTotal):
        book.seal(said.forecaster, said.slot, bytes.fromhex(said.digest), at)
    else:
        book.show(said.forecaster, said.slot, said.quantiles, bytes.fromhex(said.salt), at)


class JournaledForecasts:
    """`SubmittedForecasts` of a session. Whoever reads its journal again finds the same."""

    def __init__(self, journal: JournalReader, clock: MarketClock) -> None:
        self._journal, self._deadlines, self._read = journal, deadlines_of(clock), 0
        self._submitted: dict[int, list[Arrival]] = {}
        self._heard: dict[int, int] = {}

    def of(self, slot: int, gate: int) -> Mapping[str, tuple[int, ...] | None]:  # noqa: ARG002 - as the port is asked
        """Quantiles [Wh] of everybody who sealed a forecast of a slot in time, None where it was not shown in time."""
        self._read_on()
        if slot not in self._heard and isinstance(self._journal, Journal):
            self._hear(self._journal, slot)
        book, until = Submissions(self._deadlines), self._heard.get(slot, 0)
        for entry in self._submitted.get(slot, ()):
            if entry.number <= until:
                with suppress(InputError):
                    enter(book, submitted_in(entry), entry.received)
        self._submitted = {each: entries for each, entries in self._submitted.items() if each >= slot}
        return book.of(slot)

    def _hear(self, journal: Journal, slot: int) -> None:
        """Note what was heard of a slot, before anything follows from it: all that was taken in before the note."""
        journal.append_after_all(
            journal.received, ArrivalKind.HEARD, lambda before: msgspec.json.encode(HeardUpTo(slot, before))
        )
        self._read_on()

    def _read_on(self) -> None:
        """Read what the journal has got since."""
        for entry in self._journal.of_kinds(KINDS, self._read):
            self._read = entry.number
            if entry.kind is ArrivalKind.HEARD:
                mark = msgspec.json.decode(entry.body, type=HeardUpTo)
                self._heard.setdefault(mark.slot, mark.number)
            else:
                self._submitted.setdefault(submitted_in(entry).slot, []).append(entry)
