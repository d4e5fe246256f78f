"""What happened, one event a stage of a slot, in an order that never changes: so a reader can resume anywhere.

An event's id is the market time at which it happened and its stage, `1496620800.1`. Cleared comes at gate closure,
delivered and committed when the slot is over; the walk writes them in just this order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Literal

import msgspec
from litestar.response import ServerSentEventMessage

from transactive.core.errors import InputError
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.store.read.stages import reached
from transactive.texts.formatting import stamp
from transactive.web.change_feed import ChangeFeed

Key = tuple[int, int]
START: Key = (-1, -1)
STAGES: tuple[Literal["cleared"], Literal["delivered"], Literal["committed"]] = ("cleared", "delivered", "committed")
BATCH = 500
HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it lives."""


class Event(msgspec.Struct, frozen=True):
    """A stage of a slot that was reached; `number` of `slots` counts from 1."""

    slot: str
    stage: Literal["cleared", "delivered", "committed"]
    number: int
    slots: int


def parse_id(text: str | None) -> Key:
    """Key of an event id; no text is the time before all events. Raises InputError for anything else."""
    if not text:
        return START
    if not re.fullmatch(r"\d{1,12}\.[0-2]", text):
        raise InputError(f"event id {text[:40]!r}: give one that this stream has sent, like 1496620800.1")
    time, stage = text.split(".")
    return int(time), int(stage)


def id_text(key: Key) -> str:
    """An event's id, empty before all events."""
    return "" if key == START else f"{key[0]}.{key[1]}"


def newest(run: Run, position: RunProgress) -> Key:
    """Key of the last event at a position."""
    slots = (position.cleared, position.delivered, position.committed)
    return max([_key(run, slot, stage) for stage, slot in enumerate(slots) if slot is not None], default=START)


def events_after(reader: Reader, run: Run, after: Key) -> list[tuple[Key, Event]]:
    """The next events after one, at most a batch."""
    found = []
    for stage in range(len(STAGES)):
        since = after[0] + (run.first_slot - _key(run, run.first_slot, stage)[0])
        found += [(_key(run, slot, stage), slot) for slot in reached(reader.store, stage, since, BATCH)]
    later = sorted(pair for pair in found if pair[0] > after)[:BATCH]
    return [(key, Event(stamp(slot), STAGES[key[1]], run.number(slot), run.slots)) for key, slot in later]


async def stream(
    reader: Reader, feed: ChangeFeed, after: Key, still: Callable[[], bool]
) -> AsyncIterator[ServerSentEventMessage]:
    """Events after one, then whatever follows, until the run is over or the server stops.

    still: whether who listens still may; asked before each batch, so that who was signed out hears no more.
    """
    while not feed.stopping and await asyncio.to_thread(still):
        seen = feed.position
        events = await asyncio.to_thread(_look, reader, after)
        for key, event in events:
            after = key
            yield ServerSentEventMessage(msgspec.json.encode(event).decode(), event.stage, id_text(key))
        if events:
            continue
        if seen.over:
            yield ServerSentEventMessage("the run is finished", "end")
            return
        if await feed.wait(seen, HEARTBEAT) == seen:
            yield ServerSentEventMessage(comment="still here")


def _look(reader: Reader, after: Key) -> list[tuple[Key, Event]]:
    run = reader.run()
    return events_after(reader, run, after) if run else []


def _key(run: Run, slot: int, stage: int) -> Key:
    return (run.clock.gate(slot) if stage == 0 else slot), stage
