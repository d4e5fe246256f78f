"""Slots of a run as they were written, as the tables that crossed between rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep
from transactive.core.certificates import Certificates, Footprints
from transactive.core.credit_notes import Note
from transactive.core.errors import StateError
from transactive.core.postings import Postings
from transactive.core.proofs.accepted_orders import Accepted, books_of
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder
from transactive.core.tables import Baseline, Clearing, Orders, Positions, ReadingQuality, Readings, Refusals
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared
from transactive.store.database import Database
from transactive.store.read import credits as credits_in
from transactive.store.schema import (
    CERTIFICATES,
    CLEARINGS,
    FOOTPRINTS,
    ORDERS,
    ORDERS_AHEAD,
    POSITIONS,
    POSITIONS_AHEAD,
    POSTINGS,
    QUALITIES,
    READINGS,
    REFUSALS_AHEAD,
    SIGNATURES,
    SNAPSHOT,
)


class SlotReader(Database):
    """What slots hold."""

    def snapshot(self) -> bytes | None:
        """State after the last delivered slot, or None before the first."""
        with self.connection() as connection:
            data: bytes | None = connection.scalar(sa.select(SNAPSHOT.c.data))
        return data

    def trading(self, slot: int, members: int) -> tuple[Orders, Clearing, Positions] | None:
        """Orders, clearing and positions of a slot as they were saved, or None."""
        cleared = self.rows(sa.select(CLEARINGS).where(CLEARINGS.c.slot == slot))
        if not cleared:
            return None
        orders, given, _ = self._orders(ORDERS, slot)
        positions = self._positions(POSITIONS, slot, members).losing(cleared[0]["lost_wh"], cleared[0]["lost_n"])
        price, traded = cleared[0]["price"], cleared[0]["traded_wh"]
        if traded < int(positions.bought_wh.sum()):  # several sessions: some was traded again
            positions = positions.netted()
        return orders, Clearing(slot, price, traded, given, positions.bought_wh, positions.sold_wh), positions

    def trading_ahead(self, slot: int, members: int) -> tuple[Orders, Refusals, Cleared]:
        """What the day-ahead session of a slot did, as it was saved; its price is not kept."""
        orders, given, money = self._orders(ORDERS_AHEAD, slot)
        statement = sa.select(REFUSALS_AHEAD).where(REFUSALS_AHEAD.c.slot == slot).order_by(REFUSALS_AHEAD.c.row)
        refused = _columns(self.rows(statement), REFUSALS_AHEAD)
        names = ("member", "price", "energy_wh", "missing_n")
        refusals = Refusals(slot=slot, is_buy=refused["is_buy"].astype(bool), **{name: refused[name] for name in names})
        positions = self._positions(POSITIONS_AHEAD, slot, members)
        traded = int(positions.bought_wh.sum())
        clearing = Clearing(slot, 0, traded, given, positions.bought_wh, positions.sold_wh)
        return orders, refusals, Cleared(clearing, positions, money)

    def _orders(self, table: sa.Table, slot: int) -> tuple[Orders, IntArray, IntArray]:
        """Orders of a slot, what each was given [Wh], and what it received − paid [n¤]."""
        columns = _columns(self.rows(sa.select(table).where(table.c.slot == slot).order_by(table.c.row)), table)
        names = ("member", "price", "energy_wh", "lock_n")
        is_buy = columns["is_buy"].astype(bool)
        orders = Orders(slot=slot, is_buy=is_buy, **{name: columns[name] for name in names})
        return orders, columns["allocated_wh"], columns["money_n"]

    def _positions(self, table: sa.Table, slot: int, members: int) -> Positions:
        """Positions of a slot."""
        held = _columns(self.rows(sa.select(table).where(table.c.slot == slot)), table)
        rows = (held["member"], held["is_buy"].astype(bool), held["energy_wh"], held["price"])
        return Positions.of(slot, members, *rows)

    def delivered(self, first: int, last: int) -> list[int]:
        """Slots from `first` to `last` that were delivered, in order."""
        slots = sa.select(FOOTPRINTS.c.slot).where(FOOTPRINTS.c.slot.between(first, last)).order_by(FOOTPRINTS.c.slot)
        return [int(row["slot"]) for row in self.rows(slots)]

    def readings(self, slot: int, members: int) -> Readings:
        """Registers of a slot. Raises StateError if a member is missing."""
        rows = self.rows(sa.select(READINGS).where(READINGS.c.slot == slot).order_by(READINGS.c.member))
        if len(rows) != members:
            raise StateError(f"{self.path}: {len(rows)} readings of {members} members in slot {slot}")
        names = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")
        columns = _columns(rows, READINGS)
        return Readings(slot, **{name: columns[name] for name in names}, quality=self.quality(slot, members))

    def quality(self, slot: int, members: int) -> IntArray:
        """Quality of a slot's readings, (members,)."""
        quality = np.full(members, ReadingQuality.METERED, np.int64)
        for row in self.rows(sa.select(QUALITIES).where(QUALITIES.c.slot == slot)):
            quality[row["member"]] = row["quality"]
        return quality

    def postings(self, slot: int) -> Postings:
        """Postings of a slot."""
        rows = self.rows(sa.select(POSTINGS).where(POSTINGS.c.slot == slot).order_by(POSTINGS.c.row))
        columns = _columns(rows, POSTINGS)
        return Postings(slot, **{n: columns[n] for n in ("kind", "payer", "payee", "energy_wh", "price", "amount_n")})

    def certificates(self, slot: int) -> Certificates:
        """Bundles of a slot."""
        key = CERTIFICATES.primary_key.columns
        rows = self.rows(sa.select(CERTIFICATES).where(CERTIFICATES.c.slot == slot).order_by(*key))
        columns = _columns(rows, CERTIFICATES)
        names = ("device", "first_wh", "energy_wh", "owner", "state", "market_mg")
        return Certificates(slot, **{name: columns[name] for name in names})

    def footprints(self, slot: int) -> Footprints:
        """Footprints of a slot and its balance."""
        whole = _columns(self.rows(sa.select(FOOTPRINTS).where(FOOTPRINTS.c.slot == slot)), FOOTPRINTS)
        mine = self._members_columns(slot)
        balance = {name: int(column[0]) for name, column in whole.items() if name != "slot"}
        names = ("location_mg", "market_mg", "mix_mg_per_kwh", "drawn_mg", "stored_mg")
        columns: dict[str, Any] = {name: mine[name] for name in names} | balance
        return Footprints(slot, **columns)

    def levied(self, slot: int) -> tuple[IntArray, IntArray]:
        """Unmatched carbon [mg] and levy [n¤] of each member in a slot."""
        mine = self._members_columns(slot)
        return mine["unmatched_mg"], mine["levy_n"]

    def tariff(self, slot: int) -> Tariff:
        """Tariff of a slot whose gate has closed, without what a levy can be."""
        row = self.rows(sa.select(CLEARINGS).where(CLEARINGS.c.slot == slot))[0]
        return Tariff(row["supply_price"], row["feed_in"], row["fee"])

    def baseline(self, slot: int) -> Baseline:
        """What the same homes would have taken and given without a market."""
        mine = self._members_columns(slot)
        return Baseline(slot, mine["baseline_import_wh"], mine["baseline_export_wh"])

    def _members_columns(self, slot: int) -> dict[str, IntArray]:
        """Columns of a slot's meters, in the order of the members."""
        rows = self.rows(sa.select(READINGS).where(READINGS.c.slot == slot).order_by(READINGS.c.member))
        return _columns(rows, READINGS)

    def accepted(self, slot: int, orders: Orders, number: int) -> list[Accepted]:
        """The orders of a slot, which has this number, as they were signed and receipted."""
        found = self.rows(sa.select(SIGNATURES).where(SIGNATURES.c.slot == slot))
        if not found:
            return []
        by_member = {row["member"]: row for row in found}
        return [_accepted(book, by_member[book.account]) for book in books_of(orders, number, found[0]["serial"])]

    def credit_steps(self) -> list[AnyStep]:
        """All steps that the register of carbon credits took, in order."""
        with self.connection() as connection:
            return credits_in.read_steps(connection)

    def credit_notes(self, slot: int) -> tuple[Note, ...]:
        """What a slot says of carbon credits."""
        with self.connection() as connection:
            return credits_in.read_notes(connection, slot)


def _accepted(book: Order, row: Mapping[str, Any]) -> Accepted:
    """A signed order from its row."""
    signature, receipt = bytes.fromhex(row["signature"]), bytes.fromhex(row["receipt"])
    if not row["agent"]:
        return Accepted(SignedOrder(book, signature), receipt)
    grant, granted = msgspec.json.decode(row["agent"], type=tuple[Grant, str])
    return Accepted(SignedOrder(book, signature, grant, bytes.fromhex(granted)), receipt)


def _columns(rows: Sequence[Mapping[str, Any]], table: sa.Table) -> dict[str, IntArray]:
    """Rows as columns of whole numbers."""
    return {column.name: np.array([row[column.name] for row in rows], np.int64) for column in table.columns}
