"""Items of detection as the API answers with them, and who sees which."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from transactive.core.errors import InputError
from transactive.core.items import Item, ItemState
from transactive.services.finding_notes import all_notes, is_operator
from transactive.services.privacy.consents import shown_items
from transactive.store.database import Database
from transactive.store.read.items import FEEDER, read_items
from transactive.store.read.runs import Run, RunProgress
from transactive.store.write.items import set_state
from transactive.texts.formatting import stamp
from transactive.web.api.records import Next, Time, View, Wh
from transactive.web.viewers import Viewer

State: TypeAlias = Literal["open", "acknowledged", "closed"]
STATES: dict[State, ItemState] = {
    "open": ItemState.OPEN,
    "acknowledged": ItemState.ACKNOWLEDGED,
    "closed": ItemState.CLOSED,
}


class ItemRecord(View, frozen=True, kw_only=True):
    """A finding that somebody should look at, and how far that has come."""

    number: int
    kind: str
    member: Annotated[str | None, Meta(description="Null where it concerns the whole feeder")]
    state: State
    since: Time
    until: Time
    energy_wh: Annotated[Wh, Meta(description="Energy at stake [Wh]")]
    evidence: str
    confidence_ppm: Annotated[int, Meta(description="How sure it is, in millionths")]
    opened: Time
    seen: Annotated[Time, Meta(description="When it was found last")]
    changed: Annotated[Time | None, Meta(description="Until when the run had come as somebody set its state")]


class ItemPage(View, frozen=True, kw_only=True):
    """A page of items."""

    items: list[ItemRecord]
    next: Next


def visible(run: Run, viewer: Viewer) -> int | None:
    """Whose items a viewer sees: all (None), a member its own, the grid's operator those of the feeder."""
    if viewer.sees_all:
        return None
    return FEEDER if viewer.member is None else run.community.ids.index(viewer.member)


def seen_by(store: Database, run: Run, viewer: Viewer) -> list[Item]:
    """All items that a viewer sees, oldest first: of other homes what they agreed to, and faults of the meter."""
    return shown(store, run, viewer, read_items(store, visible(run, viewer)))


def shown(store: Database, run: Run, viewer: Viewer, items: Sequence[Item]) -> list[Item]:
    """Those of some items that homes agreed to show to a viewer."""
    own = None if viewer.member is None else run.community.ids.index(viewer.member)
    return shown_items(store.path.parent, run.community, items, own, int(time.time()))


def require_reason(store: Database, run: Run, number: int) -> None:
    """Require an operator's note on a finding that holds back money once it is acknowledged. Raises InputError."""
    rules = run.community.detection
    item = next((each for each in read_items(store) if each.number == number), None)
    if item is None or item.kind not in rules.hold or item.confidence_ppm < rules.hold_confidence_ppm:
        return
    notes = all_notes(store.path.parent).get(number)
    if notes is None or not any(each.kind == "note" and is_operator(each.by) for each in notes.said):
        raise InputError(
            f"item {number}: to acknowledge it holds back what the home earns; write your reason as a note on its page"
            " first, or give --reason; the home reads it"
        )


def step(store: Database, run: Run, position: RunProgress, number: int, state: ItemState) -> Item:
    """Set the state of an item as of how far the run has come. Raises InputError for an unknown one."""
    at = run.first_slot if position.delivered is None else position.delivered + run.clock.length
    return set_state(store, number, state, at)


def item_record(item: Item, run: Run) -> ItemRecord:
    """An item with its member's name."""
    return ItemRecord(
        number=item.number,
        kind=item.kind,
        member=None if item.member is None else run.names[item.member],
        state=next(name for name, state in STATES.items() if state == item.state),
        since=stamp(item.first),
        until=stamp(item.end),
        energy_wh=item.energy_wh,
        evidence=item.evidence,
        confidence_ppm=item.confidence_ppm,
        opened=stamp(item.opened),
        seen=stamp(item.seen),
        changed=stamp(item.changed) if item.changed else None,
    )
