"""What forecasts of a total are judged by, out of the slots of a run: what was metered, and what was paid for them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transactive.core.postings import PostingKind
from transactive.core.tables import ReadingQuality
from transactive.core.units import IntArray
from transactive.store.read.runs import REGISTERS, Reader, Run, consumption_wh
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import POSTINGS, READINGS


def metered(reader: Reader, first: int, last: int) -> Iterator[tuple[int, IntArray | None]]:
    """Net load of each member [Wh] in delivered slots, (members,); None where a meter was silent."""
    for slot, columns in each_slot(reader.store, READINGS, READINGS.c.slot.between(first, last), names=REGISTERS):
        net_load = consumption_wh(columns) - columns["generation_wh"]
        estimated = reader.store.quality(slot, len(net_load)) >= ReadingQuality.SUBSTITUTED
        yield slot, None if estimated.any() else net_load


def lane_totals(reader: Reader, first: int, last: int) -> Iterator[tuple[int, dict[str, int]]]:
    """What all members took, gave and made [Wh] in delivered slots, as a settlement commits it, and their net load."""
    for slot, columns in each_slot(reader.store, READINGS, READINGS.c.slot.between(first, last), names=REGISTERS):
        produced = columns["generation_wh"] + columns["discharge_wh"]
        net_load = consumption_wh(columns) - columns["generation_wh"]
        yield (
            slot,
            {
                "imported": int(columns["import_wh"].sum()),
                "exported": int(columns["export_wh"].sum()),
                "produced": int(produced.sum()),
                "net_load": int(net_load.sum()),
            },
        )


def bonuses_n(reader: Reader, run: Run, last: int) -> IntArray:
    """What each account got for forecasts up to a slot [n¤], (accounts,)."""
    paid = np.zeros(run.community.chart.total, np.int64)
    where = POSTINGS.c.slot <= last, has(POSTINGS.c.kinds, PostingKind.BONUS)
    for _, columns in each_slot(reader.store, POSTINGS, *where, names=("kind", "payee", "amount_n")):
        own = columns["kind"] == PostingKind.BONUS
        np.add.at(paid, columns["payee"][own], columns["amount_n"][own])
    return paid
