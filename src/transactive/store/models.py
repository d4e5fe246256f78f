"""What a run keeps of its forecasts: models, what happened to them, how each target fared day by day, what was said.

Rows of a slot or a day are written in the transaction of the stage that they belong to, as `Puts`, so an interrupted
run finds them exactly as far as it had come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.core.units import IntArray
from transactive.forecasting.evaluation.contest import Contest
from transactive.forecasting.evaluation.monitor import TargetDay
from transactive.forecasting.models.model_file import Learnt
from transactive.store.schema import CLEARINGS, METADATA

if TYPE_CHECKING:
    from transactive.store.database import Store

MODELS = sa.Table(
    "models",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("target", "status", "record")),
)
MODEL_EVENTS = sa.Table(
    "model_events",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
)
CHARGES = sa.Table(
    "model_charges",
    METADATA,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("since", sa.BigInteger, primary_key=True),
    sa.Column("record", sa.Text, nullable=False),
)
FORECASTS = sa.Table(
    "forecasts",
    METADATA,
    sa.Column("slot", sa.BigInteger, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("ahead", sa.Text, primary_key=True),
    sa.Column("issued", sa.BigInteger, nullable=False),
    sa.Column("model", sa.Integer),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

Status: TypeAlias = Literal["candidate", "champion", "retired"]
Kind: TypeAlias = Literal["not trained", "trained", "promoted", "drift", "fell back", "recovered", "rolled back"]
By: TypeAlias = Literal["run", "person"]
Ahead: TypeAlias = Literal["day", "slot"]
"""A forecast of the day before, or the one that orders were made of."""
LARGEST = (-(2**31), 2**31 - 1)
FIGURES = 6
"""Whole numbers of one series in one slot: five quantiles and the mean."""


class ModelRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the registry. hash: SHA-256 of its file. contest: its last test, if there was one."""

    number: int
    target: str
    status: Status
    made_at: int
    hash: str
    program: str
    features: int
    learnt: Learnt
    contest: Contest | None = None

    @property
    def file(self) -> str:
        """Name of its file, which says what is in it."""
        return f"{self.target}-{self.number:04d}-{self.hash[:12]}.json"

    def put(self) -> tuple[sa.Table, Mapping[str, Any]]:
        """The model's row."""
        return MODELS, {
            "number": self.number,
            "target": self.target,
            "status": self.status,
            "record": msgspec.json.encode(self).decode(),
        }


class ModelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a target's forecasts. at: when [Unix s] in the run's time; by: who did it."""

    number: int
    at: int
    target: str
    kind: Kind
    text: str
    model: int | None = None
    by: By = "run"

    def put(self) -> tuple[sa.Table, Mapping[str, Any]]:
        """The event's row."""
        return MODEL_EVENTS, {
            "number": self.number,
            "target": self.target,
            "record": msgspec.json.encode(self).decode(),
        }


class ChargeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Who forecasts a target from a time on, and the day that ended then.

    model: its number, None for empirical quantiles. day: how the forecasts of the day before fared, if it was one.
    state: shifts of the calibration and what the monitors remember; gone from days that nothing goes on from.
    """

    target: str
    since: int
    model: int | None
    day: TargetDay | None = None
    state: str = ""

    def put(self) -> tuple[sa.Table, Mapping[str, Any]]:
        """The row."""
        return CHARGES, {
            "target": self.target,
            "since": self.since,
            "record": msgspec.json.encode(self).decode(),
        }


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ToldForecast:
    """What was forecast of a slot. figures: (series, 6), five quantiles and the mean, in the unit of the target.

    issued: newest time that was known to it [Unix s]. model: None for empirical quantiles.
    """

    slot: int
    target: str
    ahead: Ahead
    issued: int
    model: int | None
    figures: IntArray

    def put(self) -> tuple[sa.Table, Mapping[str, Any]]:
        """The row: whole numbers as little-endian int32; beyond its range their nearest."""
        return FORECASTS, {
            "slot": self.slot,
            "target": self.target,
            "ahead": self.ahead,
            "issued": self.issued,
            "model": self.model,
            "data": np.clip(self.figures, *LARGEST).astype("<i4").tobytes(),
        }


def models(store: Store, target: str | None = None) -> list[ModelRecord]:
    """Models of a state by number, all or those of one target."""
    statement = sa.select(MODELS.c.record).order_by(MODELS.c.number)
    if target is not None:
        statement = statement.where(MODELS.c.target == target)
    return [msgspec.json.decode(row["record"], type=ModelRecord) for row in store.rows(statement)]


def events(store: Store, target: str | None = None) -> list[ModelEvent]:
    """What happened to the forecasts of a state, oldest first."""
    statement = sa.select(MODEL_EVENTS.c.record).order_by(MODEL_EVENTS.c.number)
    if target is not None:
        statement = statement.where(MODEL_EVENTS.c.target == target)
    return [msgspec.json.decode(row["record"], type=ModelEvent) for row in store.rows(statement)]


def charges(store: Store, target: str | None = None) -> list[ChargeRecord]:
    """Who was in charge of each target, day by day."""
    statement = sa.select(CHARGES.c.record).order_by(CHARGES.c.target, CHARGES.c.since)
    if target is not None:
        statement = statement.where(CHARGES.c.target == target)
    return [msgspec.json.decode(row["record"], type=ChargeRecord) for row in store.rows(statement)]


def said(store: Store, first: int, last: int) -> list[ToldForecast]:
    """What was forecast of the slots from `first` to `last`, inclusive."""
    statement = (
        sa.select(FORECASTS)
        .where(FORECASTS.c.slot.between(first, last))
        .order_by(FORECASTS.c.slot, FORECASTS.c.target, FORECASTS.c.ahead)
    )
    return [
        ToldForecast(figures=np.frombuffer(row.pop("data"), "<i4").reshape(-1, FIGURES).astype(np.int64), **row)
        for row in map(dict, store.rows(statement))
    ]


def prices(store: Store) -> dict[int, int | None]:
    """Price of each slot that is cleared, by slot; None without a trade."""
    rows = store.rows(sa.select(CLEARINGS.c.slot, CLEARINGS.c.price, CLEARINGS.c.traded_wh))
    return {row["slot"]: row["price"] if row["traded_wh"] else None for row in rows}
