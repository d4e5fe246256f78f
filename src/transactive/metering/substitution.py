"""Substitutes for readings that are missing: like days, as validation, estimation and editing (VEE) does.

A missing slot becomes the mean of the same time on the three nearest earlier days on which the meter was read, so
that a substitute knows nothing of what came later; at the beginning of a record, where there is none, of the three
next days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, time_text
from transactive.core.tables import Measured, ReadingQuality
from transactive.core.units import BoolArray, IntArray

LIKE_DAYS = 3


def substituted(
    tables: Sequence[IntArray], known: BoolArray, length: int, members: Sequence[str], first: int, name: str
) -> list[IntArray]:
    """Tables [Wh], (slots, members), with a substitute wherever `known` is false, rounded down.

    Raises DataError naming a member and slot that no other day tells anything of.
    """
    per_day = DAY // length
    filled = [table.copy() for table in tables]
    for slot, member in np.argwhere(~known).tolist():
        like = _like(known[:, member], slot, per_day)
        if not like:
            at = time_text(first + slot * length)
            raise DataError(
                f"{name}: no reading of {members[member]} at {at}, and none at that time of any other day; add it"
            )
        for table, whole in zip(filled, tables, strict=True):
            table[slot, member] = whole[like, member].sum() // len(like)
    return filled


def continued(measured: Measured, until: int, length: int) -> Measured:
    """Readings to a later end [Unix s]: each slot the mean of its time on the last three days, rounded down.

    Raises DataError for less than a day of readings.
    """
    per_day, rows = DAY // length, len(measured.consumption_wh)
    missing = (until - measured.first_slot) // length - rows
    if missing <= 0:
        return measured
    days = min(rows // per_day, LIKE_DAYS)
    if not days:
        raise DataError(f"the readings hold {rows} slots, less than a day; a live market needs a day to begin with")
    like = (np.arange(rows, rows + missing) - rows) % per_day + rows - per_day
    columns = dict(measured.columns())
    for name in ("consumption_wh", "generation_wh", "both_ways_wh"):
        table = columns[name]
        if len(table):
            more = sum(table[like - day * per_day] for day in range(days)) // days
            columns[name] = np.concatenate((table, more))
    if len(measured.quality):
        more = np.full((missing, measured.quality.shape[1]), ReadingQuality.SUBSTITUTED, np.int64)
        columns["quality"] = np.concatenate((measured.quality, more))
    return replace(measured, **columns)


def _like(known: BoolArray, slot: int, per_day: int) -> list[int]:
    """Slots of the same time on the nearest days that were read: earlier ones, or else later ones."""
    earlier = [k for k in range(slot - per_day, -1, -per_day) if known[k]][:LIKE_DAYS]
    return earlier or [k for k in range(slot + per_day, len(known), per_day) if known[k]][:LIKE_DAYS]
