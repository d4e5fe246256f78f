"""Substitutes for readings that are missing: like days, as validation, estimation and editing (VEE) does.

A missing slot becomes the mean of the same time on the three nearest earlier days on which the meter was read, so
that a substitute knows nothing of what came later; at the beginning of a record, where there is none, of the three
next days.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, time_text
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


def _like(known: BoolArray, slot: int, per_day: int) -> list[int]:
    """Slots of the same time on the nearest days that were read: earlier ones, or else later ones."""
    earlier = [k for k in range(slot - per_day, -1, -per_day) if known[k]][:LIKE_DAYS]
    return earlier or [k for k in range(slot + per_day, len(known), per_day) if known[k]][:LIKE_DAYS]
