"""Readings of settled slots that a file states otherwise now, found, named, and kept for the next slots to settle."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transactive.config.setting import Setting
from transactive.core.errors import StateError
from transactive.core.postings import PostingKind
from transactive.core.slots import time_text
from transactive.core.tables import ReadingQuality, Readings
from transactive.core.units import PPM, BoolArray, IntArray
from transactive.metering.registers import measure
from transactive.store import Store
from transactive.store.corrections import WaitingReading, all_settled, waiting

UNASKED_PPM = 10_000
"""How many of the settled readings a file may correct before its operator is asked [ppm]."""
REGISTERS = ("import_wh", "export_wh", "generation_wh")
Told = tuple[int, ...]
"""Registers of `REGISTERS` [Wh], then 1 if they were metered, 0 if estimated."""
TOLD = 5
"""Corrections that a message names."""


@dataclass(frozen=True, slots=True)
class CorrectedReading:
    """A member's reading of a settled slot [Unix s]: as it was settled, and as it is now. late: it had none by then."""

    slot: int
    member: str
    index: int
    settled: Told
    now: Told
    late: bool = False

    def __str__(self) -> str:
        parts = [
            f"{register} {was:,} → {now:,} Wh"
            for register, was, now in zip(REGISTERS, self.settled, self.now, strict=False)
            if was != now
        ]
        return f"{self.member} at {time_text(self.slot)}: {', '.join(parts) or 'estimated → metered'}"


@dataclass(frozen=True, slots=True)
class CorrectionList:
    """All corrections in a file, by slot and member, of so many readings that were compared."""

    found: Sequence[CorrectedReading]
    compared: int

    @property
    def digest(self) -> str:
        """Names the list: 16 hexadecimal digits of SHA-256 over its lines."""
        return hashlib.sha256("\n".join(map(str, self.found)).encode()).hexdigest()[:16]

    def require_word(self, accepted: str | None) -> None:
        """Require the operator's word for a list that is longer than usual. Raises StateError that tells how.

        A reading that came late is no correction of another.
        """
        others = [each for each in self.found if not each.late]
        if len(others) * PPM <= self.compared * UNASKED_PPM or accepted == self.digest:
            return
        more = f"; and {len(others) - TOLD:,} more" if len(others) > TOLD else ""
        raise StateError(
            f"the readings correct {len(others):,} of {self.compared:,} settled ones, more than 1 %:"
            f" {'; '.join(map(str, others[:TOLD]))}{more}; nothing was changed; if that is right, run the same with"
            f" --accept-corrections {self.digest}"
        )


def corrections(store: Store, setting: Setting) -> CorrectionList:
    """Readings of delivered slots that are others now than were settled or accepted last.

    A slot beyond the readings of today is not compared, nor a reading that is still to come.
    """
    measured, members = setting.measured, setting.community.members
    length, known = setting.community.clock.length, _accepted(store)
    settled = store.delivered(measured.first_slot, setting.measured_end - length)
    found: list[CorrectedReading] = []
    for slot in settled:
        readings = store.readings(slot, len(members))
        was, now = _last_accepted(readings, known), _now(store, setting, slot, readings)
        differs = (was[:, :3] != now[:, :3]).any(axis=1) | (was[:, 3] < now[:, 3])
        differs &= ~_missing(setting, slot)
        late = readings.quality == ReadingQuality.AS_TRADED
        found += [
            CorrectedReading(slot, members[index].id, index, _told(was[index]), _told(now[index]), bool(late[index]))
            for index in np.flatnonzero(differs).tolist()
        ]
    return CorrectionList(found, len(settled) * len(members))


def to_settle(listed: CorrectionList) -> list[WaitingReading]:
    """The corrections of a list as they wait for a slot."""
    return [WaitingReading(each.slot, each.index, *each.now) for each in listed.found]


def _told(row: IntArray) -> Told:
    return tuple(row.tolist())


def _missing(setting: Setting, slot: int) -> BoolArray:
    """Whose reading of a slot is still to come, (members,)."""
    measured = setting.measured
    if not measured.quality.size:
        return np.zeros(measured.consumption_wh.shape[1], np.bool_)
    row = (slot - measured.first_slot) // setting.community.clock.length
    missing: BoolArray = measured.quality[row] == ReadingQuality.AS_TRADED
    return missing


def _accepted(store: Store) -> dict[tuple[int, int], Told]:
    """Corrected readings by slot and member: those that wait, before those that were settled."""
    known: dict[tuple[int, int], Told] = {}
    for done in all_settled(store):
        columns = (
            done.origin,
            done.member,
            done.now_import_wh,
            done.now_export_wh,
            done.now_generation_wh,
            done.metered,
        )
        known |= {
            (origin, member): tuple(now) for origin, member, *now in zip(*(c.tolist() for c in columns), strict=True)
        }
    return known | {(row.origin, row.member): tuple(row[2:6]) for row in waiting(store)}


def _last_accepted(settled: Readings, known: dict[tuple[int, int], Told]) -> IntArray:
    """What holds for a slot today, (members, 4)."""
    was = np.stack([*(getattr(settled, name) for name in REGISTERS), ~settled.estimated], axis=1).astype(np.int64)
    for member in range(len(was)) if known else ():
        if (settled.slot, member) in known:
            was[member] = known[settled.slot, member]
    return was


def _now(store: Store, setting: Setting, slot: int, settled: Readings) -> IntArray:
    """A slot by the readings of today, (members, 4): batteries and the network did what they did."""
    measured = setting.measured
    row = (slot - measured.first_slot) // setting.community.clock.length
    generation = measured.generation_wh[row]
    if setting.community.network is not None:  # what was held back of solar energy is in no meter
        held = store.postings(slot).only(PostingKind.CURTAILMENT)
        generation = generation.copy()
        np.subtract.at(generation, held.payee, held.energy_wh)
    both = measured.both_ways_wh[row] if measured.both_ways_wh.size else 0
    moved = settled.charge_wh, settled.discharge_wh
    quality = measured.quality[row] if measured.quality.size else None
    now = measure(slot, measured.consumption_wh[row], generation.clip(min=0), *moved, both, quality)
    return np.stack([*(getattr(now, name) for name in REGISTERS), ~now.estimated], axis=1).astype(np.int64)
