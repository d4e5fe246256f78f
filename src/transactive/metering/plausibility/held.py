"""Held readings as people see them: stretches of one member and one reason, with what was read and what is billed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.tables import Measured
from transactive.metering.plausibility.verdicts import Doubt, Verdicts


@dataclass(frozen=True, slots=True)
class HeldReadings:
    """Readings of one member (its index) from `first` to before `end` [Unix s] that are not believed for one reason.

    read_wh, billed_wh: consumption and generation as they were read, and the substitutes. waits: for an answer.
    """

    member: int
    first: int
    end: int
    doubt: Doubt
    read_wh: tuple[int, int]
    billed_wh: tuple[int, int]
    waits: bool

    @property
    def at_stake_wh(self) -> int:
        """What the substitutes differ by from what was read [Wh]."""
        return sum(abs(read - billed) for read, billed in zip(self.read_wh, self.billed_wh, strict=True))


def held_readings(verdicts: Verdicts, measured: Measured) -> list[HeldReadings]:
    """All that is held, or was until the term was over, by time and member; what cannot be is among it.

    measured: what is billed; verdicts may begin before it.
    """
    skipped = (measured.first_slot - verdicts.first_slot) // verdicts.length
    doubts = verdicts.doubts[skipped:]
    found = []
    for member in np.flatnonzero((doubts != Doubt.NONE).any(axis=0)).tolist():
        column = doubts[:, member]
        edges = np.flatnonzero(np.diff(column, prepend=column[0] + 1, append=column[-1] + 1))
        for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if column[begin] != Doubt.NONE:
                found.append(_stretch(verdicts, measured, slice(begin, end), member))
    return sorted(found, key=lambda one: (one.first, one.member))


def _stretch(verdicts: Verdicts, measured: Measured, rows: slice, member: int) -> HeldReadings:
    skipped = (measured.first_slot - verdicts.first_slot) // verdicts.length
    read = slice(rows.start + skipped, rows.stop + skipped)
    doubt = Doubt(int(verdicts.doubts[read.start, member]))
    return HeldReadings(
        member,
        verdicts.first_slot + read.start * verdicts.length,
        verdicts.first_slot + read.stop * verdicts.length,
        doubt,
        (int(verdicts.consumption_wh[read, member].sum()), int(verdicts.generation_wh[read, member].sum())),
        (int(measured.consumption_wh[rows, member].sum()), int(measured.generation_wh[rows, member].sum())),
        waits=doubt < Doubt.NEGATIVE and not bool(verdicts.closed[read, member].all()),
    )
