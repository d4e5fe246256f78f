"""Pages of what a run wrote: rows of one kind after a key, of all or of one slot and member."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice

import sqlalchemy as sa

from transactive.core.units import BoolArray
from transactive.store import schema
from transactive.store.database import Database
from transactive.store.read.advice import advice_texts
from transactive.store.read.runs import Row
from transactive.store.read.slot_columns import Chosen, Columns, rows_from, rows_of

Condition = Callable[[int], sa.ColumnElement[bool]]
Unpacked = Callable[[Database, int | None, int | None, int | None], Iterable[Row]]
"""Rows in the order of their key, from its first part on, of one slot and member or all."""


def _own(table: sa.Table) -> Condition:
    """Rows that carry the member."""
    return lambda member: table.c.member == member


def _entered(columns: Columns, member: int) -> BoolArray:
    """Orders of a member."""
    mine: BoolArray = columns["member"] == member
    return mine


def _party(columns: Columns, member: int) -> BoolArray:
    """Postings that a member pays or receives."""
    mine: BoolArray = (columns["payer"] == member) | (columns["payee"] == member)
    return mine


def _made_or_owned(columns: Columns, member: int) -> BoolArray:
    """Bundles that a member's devices made or that it owns."""
    mine: BoolArray = (columns["owner"] == member) | (columns["device"] // 2 == member)
    return mine


def _packed(table: sa.Table, of_member: Callable[[Columns, int], BoolArray]) -> Unpacked:
    """Rows out of the packed blocks of their slots."""

    def unpacked(store: Database, start: int | None, slot: int | None, member: int | None) -> Iterable[Row]:
        chosen: Chosen | None = None if member is None else lambda columns: of_member(columns, member)
        return rows_from(store, table, start or 0, chosen) if slot is None else rows_of(store, table, slot, chosen)

    return unpacked


def _advice(store: Database, start: int | None, slot: int | None, member: int | None) -> Iterable[Row]:  # noqa: ARG001
    """What each member was told, out of the packed block of all."""
    told = advice_texts(store)
    if told is None:
        return []
    chosen = range(len(told[1])) if member is None else [member]
    return [{"member": one, "at": told[0], "insights": told[1][one]} for one in chosen]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A table, and which of its rows are one member's; or where rows come out of packed blocks, how, and their key."""

    table: sa.Table
    of_member: Condition | None = None
    unpacked: Unpacked | None = None
    key: tuple[str, ...] = ()


class Pageable(Enum):
    """What can be listed page by page."""

    CLEARINGS = _Listed(schema.CLEARINGS)
    ORDERS = _Listed(schema.ORDERS, None, _packed(schema.ORDERS, _entered), ("slot", "row"))
    REFUSALS = _Listed(schema.REFUSALS, _own(schema.REFUSALS))
    ADVICE = _Listed(schema.ADVICE, None, _advice, ("member",))
    POSTINGS = _Listed(schema.POSTINGS, None, _packed(schema.POSTINGS, _party), ("slot", "row"))
    CERTIFICATES = _Listed(
        schema.CERTIFICATES, None, _packed(schema.CERTIFICATES, _made_or_owned), ("slot", "device", "first_wh")
    )
    BLOCKS = _Listed(schema.BLOCKS)
    ACTS = _Listed(schema.ACTS, _own(schema.ACTS))
    ITEMS = _Listed(schema.ITEMS, _own(schema.ITEMS))
    CONGESTION = _Listed(schema.CONGESTION)
    LINE_LOADS = _Listed(schema.LINE_LOADS)
    INTERVENTIONS = _Listed(schema.INTERVENTIONS)
    MODELS = _Listed(schema.MODELS)
    MODEL_EVENTS = _Listed(schema.MODEL_EVENTS)

    @property
    def title(self) -> str:
        """Name of its table."""
        return str(self.value.table.name)

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that its rows are ordered by, all whole numbers."""
        listed: _Listed = self.value
        return listed.key or tuple(column.name for column in listed.table.primary_key.columns)


def page(
    store: Database,
    listing: Pageable,
    most: int,
    *,
    after: Sequence[int] | None = None,
    slot: int | None = None,
    member: int | None = None,
) -> list[Row]:
    """Rows in the order of their key, at most so many, after a key; of one slot [Unix s] or member, or all."""
    listed: _Listed = listing.value
    if listed.unpacked is not None:
        rows = listed.unpacked(store, after[0] if after else None, slot, member)
        later = (row for row in rows if after is None or tuple(row[part] for part in listed.key) > tuple(after))
        return list(islice(later, most))
    key = list(listed.table.primary_key.columns)
    statement = sa.select(listed.table).order_by(*key).limit(most)
    if after is not None:
        statement = statement.where(sa.tuple_(*key) > sa.tuple_(*after))
    if slot is not None:
        statement = statement.where(listed.table.c.slot == slot)
    if member is not None and listed.of_member is not None:
        statement = statement.where(listed.of_member(member))
    return store.rows(statement)
