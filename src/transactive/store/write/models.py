"""What a run keeps of its forecasts, written in the transaction of the stage that it belongs to.

So an interrupted run finds it exactly as far as it had come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from transactive.store.databases import dialect
from transactive.store.model_records import ActiveModelRecord, ModelEvent, ModelLog, ModelRecord, ToldForecast
from transactive.store.schema import CHARGES, FORECASTS, MODEL_EVENTS, MODELS
from transactive.store.sealing import NO_SLOT, seal
from transactive.store.slot_blocks import pack_figures


def put_records(connection: sa.Connection, records: ModelLog) -> None:
    """Write records, each in place of one with the same key."""
    written: dict[sa.Table, set[int]] = {}
    for record in records:
        table, row = _row(record)
        dialect.upsert(connection, table, [row])
        written.setdefault(table, set()).add(row.get("slot", NO_SLOT))
    for table, slots in written.items():
        seal(connection, table, slots)


def _row(record: ModelRecord | ModelEvent | ActiveModelRecord | ToldForecast) -> tuple[sa.Table, Mapping[str, Any]]:
    """Table and row of a record."""
    if isinstance(record, ToldForecast):
        names = ("slot", "target", "ahead", "issued", "model")
        return FORECASTS, {**{name: getattr(record, name) for name in names}, "data": pack_figures(record.figures)}
    text = msgspec.json.encode(record).decode()
    if isinstance(record, ModelRecord):
        return MODELS, {"number": record.number, "target": record.target, "status": record.status, "record": text}
    if isinstance(record, ModelEvent):
        return MODEL_EVENTS, {"number": record.number, "target": record.target, "record": text}
    return CHARGES, {"target": record.target, "since": record.since, "record": text}
