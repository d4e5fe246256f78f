"""Slots of a run as they were written, as the tables that crossed between rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep
from transactive.core.certificates import Certificates, Footprints
from transactive.core.community.limits import NO_MOST, DebitLimits
from transactive.core.credit_notes import Note
from transactive.core.errors import StateError
from transactive.core.postings import Postings
from transactive.core.proofs.accepted_orders import Accepted, books_of
from transactive.core.slots import time_text
from transactive.core.tables import Baseline, Clearing, Orders, ReadingQuality, Readings, Refusals
from transactive.core.tariff import Tariff
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared
from transactive.store.database import Database
from transactive.store.read import credits as credits_in
from transactive.store.read.slot_columns import columns_of
from transactive.store.row_digests import rows_digest
from transactive.store.schema import (
    CERTIFICATES,
    CLEARINGS,
    CREDIT_LOG,
    DIGESTS,
    FOOTPRINTS,
    GRANTS,
    LIMITS,
    NO_MEMBER,
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
from transactive.store.sealing import rows_in
from transactive.store.slot_blocks import unpack_signatures

_KEPT = sa.select(DIGESTS.c.digest).where(
    DIGESTS.c.slot == sa.bindparam("of_slot"), DIGESTS.c.name == sa.bindparam("of_table")
)
"""Digest of a slot's rows in a table, as it was written."""


class SlotReader(Database):
    """What slots hold."""

    def snapshot(self) -> bytes | None:
        """State after the last delivered slot, or None before the first."""
        with self.connection() as connection:
            data: bytes | None = connection.scalar(sa.select(SNAPSHOT.c.data))
        return data

    def trading(self, slot: int, members: int) -> tuple[Orders, Clearing, Positions] | None:
        """Orders, clearing and positions of a slot as they were saved, or None."""
        cleared = {name: int(column[0]) for name, column in self._slot(CLEARINGS, slot).items() if len(column)}
        if not cleared:
            return None
        orders, given, _ = self._orders(ORDERS, slot)
        positions = self._positions(POSITIONS, slot, members).losing(cleared["lost_wh"], cleared["lost_n"])
        price, traded = cleared["price"], cleared["traded_wh"]
        if traded < int(positions.bought_wh.sum()):  # several sessions: some was traded again
            positions = positions.netted()
        return orders, Clearing(slot, price, traded, given, positions.bought_wh, positions.sold_wh), positions

    def trading_ahead(self, slot: int, members: int) -> tuple[Orders, Refusals, Cleared]:
        """What the day-ahead session of a slot did, as it was saved; its price is not kept."""
        orders, given, money = self._orders(ORDERS_AHEAD, slot)
        refused = self._slot(REFUSALS_AHEAD, slot)
        names = ("member", "price", "energy_wh", "missing_n")
        refusals = Refusals(slot=slot, is_buy=refused["is_buy"].astype(bool), **{name: refused[name] for name in names})
        positions = self._positions(POSITIONS_AHEAD, slot, members)
        traded = int(positions.bought_wh.sum())
        clearing = Clearing(slot, 0, traded, given, positions.bought_wh, positions.sold_wh)
        return orders, refusals, Cleared(clearing, positions, money)

    def _orders(self, table: sa.Table, slot: int) -> tuple[Orders, IntArray, IntArray]:
        """Orders of a slot, what each was given [Wh], and what it received − paid [n¤]."""
        columns = columns_of(self, table, slot)
        names = ("member", "price", "energy_wh", "lock_n")
        is_buy = columns["is_buy"].astype(bool)
        orders = Orders(slot=slot, is_buy=is_buy, **{name: columns[name] for name in names})
        return orders, columns["allocated_wh"], columns["money_n"]

    def _positions(self, table: sa.Table, slot: int, members: int) -> Positions:
        """Positions of a slot."""
        held = columns_of(self, table, slot)
        rows = (held["member"], held["is_buy"].astype(bool), held["energy_wh"], held["price"])
        return Positions.of(slot, members, *rows)

    def delivered(self, first: int, last: int) -> list[int]:
        """Slots from `first` to `last` that were delivered, in order."""
        slots = sa.select(FOOTPRINTS.c.slot).where(FOOTPRINTS.c.slot.between(first, last)).order_by(FOOTPRINTS.c.slot)
        return [int(row["slot"]) for row in self.rows(slots)]

    def readings(self, slot: int, members: int) -> Readings:
        """Registers of a slot. Raises StateError if a member is missing."""
        columns = columns_of(self, READINGS, slot)
        if (found := len(columns["member"])) != members:
            raise StateError(f"{self.path}: {found} readings of {members} members in slot {slot}")
        names = ("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh")
        return Readings(slot, **{name: columns[name] for name in names}, quality=self.quality(slot, members))

    def quality(self, slot: int, members: int) -> IntArray:
        """Quality of a slot's readings, (members,)."""
        quality = np.full(members, ReadingQuality.METERED, np.int64)
        unusual = self._slot(QUALITIES, slot)
        known = unusual["member"] >= 0
        quality[unusual["member"][known]] = unusual["quality"][known]
        return quality

    def is_void(self, slot: int) -> bool:
        """Whether the session of a slot was void."""
        return bool((self._slot(QUALITIES, slot)["member"] == NO_MEMBER).any())

    def limits(self, slot: int, members: int) -> DebitLimits | None:
        """Limits of debits that held in a slot; None if none were written with it."""
        rows = self._slot(LIMITS, slot)
        if not len(rows["member"]):
            return None
        most, limited = np.full(members, NO_MOST, np.int64), rows["member"] >= 0
        most[rows["member"][limited]] = rows["most_n"][limited]
        return DebitLimits(int(rows["block"][0]), most)

    def postings(self, slot: int) -> Postings:
        """Postings of a slot."""
        columns = columns_of(self, POSTINGS, slot)
        return Postings(slot, **{n: columns[n] for n in ("kind", "payer", "payee", "energy_wh", "price", "amount_n")})

    def certificates(self, slot: int) -> Certificates:
        """Bundles of a slot."""
        columns = columns_of(self, CERTIFICATES, slot)
        names = ("device", "first_wh", "energy_wh", "owner", "state", "market_mg")
        return Certificates(slot, **{name: columns[name] for name in names})

    def footprints(self, slot: int) -> Footprints:
        """Footprints of a slot and its balance."""
        whole = self._slot(FOOTPRINTS, slot)
        mine = columns_of(self, READINGS, slot)
        balance = {name: int(column[0]) for name, column in whole.items() if name != "slot"}
        names = ("location_mg", "market_mg", "mix_mg_per_kwh", "drawn_mg", "stored_mg")
        columns: dict[str, Any] = {name: mine[name] for name in names} | balance
        return Footprints(slot, **columns)

    def levied(self, slot: int) -> tuple[IntArray, IntArray]:
        """Unmatched carbon [mg] and levy [n¤] of each member in a slot."""
        mine = columns_of(self, READINGS, slot)
        return mine["unmatched_mg"], mine["levy_n"]

    def tariff(self, slot: int) -> Tariff:
        """Tariff of a slot whose gate has closed, without what a levy can be."""
        row = self.rows(sa.select(CLEARINGS).where(CLEARINGS.c.slot == slot))[0]
        return Tariff(row["supply_price"], row["feed_in"], row["fee"])

    def baseline(self, slot: int) -> Baseline:
        """What the same homes would have taken and given without a market."""
        mine = columns_of(self, READINGS, slot)
        return Baseline(slot, mine["baseline_import_wh"], mine["baseline_export_wh"])

    def _slot(self, table: sa.Table, slot: int) -> dict[str, IntArray]:
        """Columns of a table's rows of a slot, in the order of its key. Raises StateError if they were altered.

        A column that came to the table later, and is null in these rows, is left out.
        """
        with self.connection() as connection:
            rows = rows_in(connection, table, slot, of_slot=True)
            kept = connection.scalar(_KEPT, {"of_slot": slot, "of_table": table.name})
        names = [column.name for column in table.columns if not rows or rows[0][column.name] is not None]
        columns = {name: np.array([row[name] for row in rows], np.int64) for name in names}
        if kept is not None and kept != rows_digest(table, columns):
            raise StateError(
                f"{self.path}: {table.name} of {time_text(slot)} are not as they were written; take the folder from a"
                " copy, or run anew"
            )
        return columns

    def accepted(self, slot: int, orders: Orders, number: int) -> list[Accepted]:
        """The orders of a slot, which has this number, as they were signed and receipted."""
        found = self.rows(sa.select(SIGNATURES.c.block).where(SIGNATURES.c.slot == slot))
        if not found:
            return []
        carried = unpack_signatures(found[0]["block"], f"{self.path}: signatures of {time_text(slot)}")
        grants = self.rows(sa.select(GRANTS).where(GRANTS.c.key.in_(carried.grants)))
        return carried.accepted(books_of(orders, number, carried.serial), {row["key"]: row["record"] for row in grants})

    def credit_steps(self) -> list[AnyStep]:
        """All steps that the register of carbon credits took, in order. Raises StateError if they were altered."""
        self.require_sealed(CREDIT_LOG)
        with self.connection() as connection:
            return credits_in.read_steps(connection)

    def credit_notes(self, slot: int) -> tuple[Note, ...]:
        """What a slot says of carbon credits."""
        with self.connection() as connection:
            return credits_in.read_notes(connection, slot)
