"""Delivered slots in which somebody's meter was silent: what is held for them, and what stays locked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from transactive.core.proofs.leaves import LeafMark
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.units import BoolArray, IntArray


def silent(readings: Readings) -> BoolArray:
    """Whose meter was silent, so that it was settled as traded, (members,)."""
    found: BoolArray = readings.quality == ReadingQuality.AS_TRADED
    return found


def marks_of(readings: Readings, *, is_void: bool) -> IntArray:
    """`LeafMark` of each member's leaf, (members,); empty where nobody has one. is_void: of the slot's session."""
    marks = np.where(silent(readings), int(LeafMark.SUBSTITUTED), 0) + (int(LeafMark.VOID) if is_void else 0)
    return marks if marks.any() else np.zeros(0, np.int64)


@dataclass(slots=True)
class UnmeteredSlots:
    """Slots [Unix s] that wait for a reading, each with what is held and locked of every member [n¤], (members,)."""

    members: int
    held: dict[int, IntArray] = field(default_factory=dict)
    locked: dict[int, IntArray] = field(default_factory=dict)
    waiting: dict[int, BoolArray] = field(default_factory=dict)

    def keep(self, slot: int, whose: BoolArray, held_n: IntArray, locked_n: IntArray) -> None:
        """Keep a slot open for those whose meter was silent, (members,)."""
        if whose.any():
            self.waiting[slot] = whose.copy()
            self.held[slot], self.locked[slot] = np.where(whose, held_n, 0), np.where(whose, locked_n, 0)

    def held_n(self) -> IntArray:
        """What is held of each member for all its open slots [n¤], (members,)."""
        return sum(self.held.values(), np.zeros(self.members, np.int64))

    def locked_n(self) -> IntArray:
        """What each member's open slots can still cost it beyond what is held [n¤], (members,)."""
        return sum(self.locked.values(), np.zeros(self.members, np.int64))

    def waits(self, slot: int, member: int) -> bool:
        """Whether a slot waits for a member's reading."""
        return slot in self.waiting and bool(self.waiting[slot][member])

    def release(self, places: Iterable[tuple[int, int]]) -> IntArray:
        """Let slots of members, given as (slot, member), wait no longer; returns what was held [n¤], (members,)."""
        held_n = np.zeros(self.members, np.int64)
        for slot, member in places:
            if not self.waits(slot, member):
                continue
            held_n[member] += self.held[slot][member]
            self.waiting[slot][member] = False
            self.held[slot][member] = self.locked[slot][member] = 0
            if not self.waiting[slot].any():
                del self.waiting[slot], self.held[slot], self.locked[slot]
        return held_n

    def before(self, slot: int) -> list[tuple[int, int]]:
        """Slots before one that still wait, each with its member, oldest first."""
        return [(at, int(who)) for at in sorted(self.waiting) if at < slot for who in np.flatnonzero(self.waiting[at])]
