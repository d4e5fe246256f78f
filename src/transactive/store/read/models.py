"""What a run kept of its forecasts: models, what happened to them, which model was active, what was said."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from transactive.store.database import Database
from transactive.store.model_records import ActiveModelRecord, ModelEvent, ModelRecord, ToldForecast
from transactive.store.schema import CHARGES, CLEARINGS, FORECASTS, MODEL_EVENTS, MODELS
from transactive.store.slot_blocks import unpack_figures


def models(store: Database, target: str | None = None) -> list[ModelRecord]:
    """Models of a state by number, all or those of one target."""
    statement = sa.select(MODELS.c.record).order_by(MODELS.c.number)
    if target is not None:
        statement = statement.where(MODELS.c.target == target)
    return [msgspec.json.decode(row["record"], type=ModelRecord) for row in store.rows(statement)]


def events(store: Database, target: str | None = None) -> list[ModelEvent]:
    """What happened to the forecasts of a state, oldest first."""
    statement = sa.select(MODEL_EVENTS.c.record).order_by(MODEL_EVENTS.c.number)
    if target is not None:
        statement = statement.where(MODEL_EVENTS.c.target == target)
    return [msgspec.json.decode(row["record"], type=ModelEvent) for row in store.rows(statement)]


def active_records(store: Database, target: str | None = None) -> list[ActiveModelRecord]:
    """Active model of each target, day by day."""
    statement = sa.select(CHARGES.c.record).order_by(CHARGES.c.target, CHARGES.c.since)
    if target is not None:
        statement = statement.where(CHARGES.c.target == target)
    return [msgspec.json.decode(row["record"], type=ActiveModelRecord) for row in store.rows(statement)]


def said(store: Database, first: int, last: int) -> list[ToldForecast]:
    """What was forecast of the slots from `first` to `last`, inclusive."""
    statement = (
        sa.select(FORECASTS)
        .where(FORECASTS.c.slot.between(first, last))
        .order_by(FORECASTS.c.slot, FORECASTS.c.target, FORECASTS.c.ahead)
    )
    return [
        ToldForecast(figures=unpack_figures(row.pop("data"), f"{store.path}: forecasts of {row['target']}"), **row)
        for row in map(dict, store.rows(statement))
    ]


def prices(store: Database) -> dict[int, int | None]:
    """Price of each slot that is cleared, by slot; None without a trade."""
    rows = store.rows(sa.select(CLEARINGS.c.slot, CLEARINGS.c.price, CLEARINGS.c.traded_wh))
    return {row["slot"]: row["price"] if row["traded_wh"] else None for row in rows}
