"""An item: a finding that somebody should look at, and how far that has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ItemState(IntEnum):
    """How far an item has come. Every step can be undone."""

    OPEN = 0
    ACKNOWLEDGED = 1
    CLOSED = 2


@dataclass(frozen=True, slots=True)
class Item:
    """A finding as it is kept. member: index, or None for the whole feeder; first, end: span [Unix s].

    energy_wh: at stake. opened, seen: when it was found first and last; changed: when somebody set its state [Unix s].
    """

    number: int
    kind: str
    member: int | None
    first: int
    end: int
    energy_wh: int
    evidence: str
    confidence_ppm: int
    opened: int
    seen: int
    state: ItemState = ItemState.OPEN
    changed: int = 0
