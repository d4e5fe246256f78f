"""Items of a run: list them, and move them on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import msgspec

from transactive.core.errors import StateError
from transactive.store import Store, holds_state
from transactive.store.read.runs import Reader
from transactive.web.api.item_shapes import STATES, ItemRecord, State, item_record, seen_by, step
from transactive.web.viewers import OWNER


def show_items(state: Path, steps: Mapping[State, int | None], *, json: bool) -> None:
    """Take the steps that are asked for, then print all items. Raises StateError, InputError for an unknown item."""
    if not holds_state(state):
        raise StateError(f"{state}: holds no run; give the --state folder of one")
    with closing(Store(state)) as store:
        reader = Reader(store)
        run = reader.run()
        if run is None:
            raise StateError(f"{state}: its run has not begun; ask again in a moment")
        for outcome, number in steps.items():
            if number is not None:
                step(store, run, reader.position(), number, STATES[outcome])
        records = [item_record(item, run) for item in seen_by(store, run, OWNER)]
    print(msgspec.json.encode({"items": records}).decode() if json else "\n".join(map(_words, records)) or "no items")


def _words(item: ItemRecord) -> str:
    """An item for people."""
    return (
        f"{item.number} {item.state}: {item.kind}, {item.member or 'the feeder'}, {item.since} to {item.until},"
        f" {item.energy_wh / 1000:,.1f} kWh at stake, confidence {item.confidence_ppm / 1e6:.2f}\n  {item.evidence}"
    )
