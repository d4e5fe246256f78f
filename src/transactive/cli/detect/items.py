"""Items of a run: list them, and move them on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from transactive.core.errors import InputError, StateError
from transactive.services.finding_notes import FindingNote, say
from transactive.store import Store, holds_state
from transactive.store.read.items import read_items
from transactive.store.read.runs import Reader, Run, RunProgress
from transactive.web.api.item_shapes import STATES, ItemRecord, State, item_record, require_reason, seen_by, step
from transactive.web.viewers import OWNER


def show_items(state: Path, steps: Mapping[State, int | None], reason: str, *, json: bool) -> None:
    """Take the steps that are asked for, then print all items.

    Raises StateError, InputError for an unknown item and for one that holds back income without a reason.
    """
    if not holds_state(state):
        raise StateError(f"{state}: holds no run; give the --state folder of one")
    with closing(Store(state)) as store:
        reader = Reader(store)
        run = reader.run()
        if run is None:
            raise StateError(f"{state}: its run has not begun; ask again in a moment")
        for outcome, number in steps.items():
            if number is not None:
                _move_on(store, run, reader.position(), number, outcome, reason)
        records = [item_record(item, run) for item in seen_by(store, run, OWNER)]
    print(msgspec.json.encode({"items": records}).decode() if json else "\n".join(map(_words, records)) or "no items")


def _move_on(store: Store, run: Run, position: RunProgress, number: int, outcome: State, reason: str) -> None:
    """Take one step, and keep its reason. Raises InputError."""
    if all(item.number != number for item in read_items(store)):
        raise InputError(f"item {number}: there is none of that number")
    if reason:
        say(store.path.parent, FindingNote(number, "note", "operator", int(time.time()), text=reason))
    if outcome == "acknowledged":
        require_reason(store, run, number)
    step(store, run, position, number, STATES[outcome])


def _words(item: ItemRecord) -> str:
    """An item for people."""
    return (
        f"{item.number} {item.state}: {item.kind}, {item.member or 'the feeder'}, {item.since} to {item.until},"
        f" {item.energy_wh / 1000:,.1f} kWh at stake, confidence {item.confidence_ppm / 1e6:.2f}\n  {item.evidence}"
    )
