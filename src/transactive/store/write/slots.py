"""What each slot produced, as it is written.

A stage of a slot is one transaction, so a reader never sees half of it: trading (orders, clearing) at gate closure,
delivery (readings, postings, certificates, footprints) once it is settled, and the block that committed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep
from transactive.core.accounts import Accounts
from transactive.core.community.limits import NO_MOST, DebitLimits
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Orders, ReadingQuality, Readings, Refusals
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared
from transactive.store.corrections import CorrectedSlot
from transactive.store.database import Database
from transactive.store.databases import dialect
from transactive.store.model_records import ModelLog
from transactive.store.row_blocks import pack_bundles, pack_positions, pack_postings, pack_readings
from transactive.store.schema import (
    BLOCKS,
    CERTIFICATE_ORDERS,
    CERTIFICATES,
    CLEARINGS,
    FOOTPRINTS,
    GRANTS,
    LIMITS,
    LINES,
    NO_MEMBER,
    NODES,
    ORDERS,
    ORDERS_AHEAD,
    POSITIONS,
    POSITIONS_AHEAD,
    POSTINGS,
    QUALITIES,
    READINGS,
    REFUSALS,
    REFUSALS_AHEAD,
    SETTINGS,
    SIGNATURES,
    SNAPSHOT,
)
from transactive.store.sealing import rows_in, seal
from transactive.store.slot_blocks import pack_orders, pack_signatures
from transactive.store.write import credits as credits_in
from transactive.store.write.corrections import put_corrected
from transactive.store.write.models import put_records
from transactive.store.write.slot_rows import SlotRows, clear_slot

if TYPE_CHECKING:
    from transactive.chain.ledgers.blocks import BlockReceipt


class SlotWriter(Database):
    """What a run writes of its slots."""

    def save_trading(
        self,
        orders: Orders,
        accepted: Sequence[Accepted],
        refusals: Refusals,
        cleared: Cleared,
        grid: PriceGrid,
        tariff: Tariff,
        grid_g: int,
        more: ModelLog = (),
        limits: DebitLimits | None = None,
    ) -> None:
        """Write what gate closure produced, with the prices and the grid's intensity [g/kWh] of the slot.

        accepted: the same orders as they were signed; none without a chain. more: what is kept of forecasts. limits:
        what members allowed to be debited, None without a chain.
        """
        clearing, slot = cleared.clearing, orders.slot
        row = {"price": clearing.price, "traded_wh": clearing.traded_wh, "grid_g_per_kwh": grid_g}
        row |= {"floor": grid.floor, "cap": grid.cap, "tick": grid.tick}
        row |= {"supply_price": tariff.supply, "feed_in": tariff.feed_in, "fee": tariff.fee}
        row |= {"lost_wh": cleared.positions.lost_wh, "lost_n": cleared.positions.lost_n}
        nodal = cleared.nodal
        with self.transaction() as connection:
            rows = SlotRows(connection, slot)
            _put_orders(rows, ORDERS, orders, cleared)
            rows.put(REFUSALS, _rows(refusals))
            if accepted:
                block, grants = pack_signatures(accepted)
                rows.put_block(SIGNATURES, block)
                _put_grants(connection, grants)
            _put_block(rows, POSITIONS, pack_positions(cleared.positions.columns()))
            if nodal is not None:
                rows.put(NODES, {"node": np.arange(len(nodal.price)), "price": nodal.price})
                flows = {"flow_wh": nodal.flow_wh, "lost_wh": nodal.lost_wh}
                rows.put(LINES, {"line": np.arange(len(nodal.flow_wh)), **flows})
            rows.put_one(CLEARINGS, row)
            _put_limits(rows, limits)
            rows.seal()
            put_records(connection, more)

    def save_trading_ahead(
        self, orders: Orders, refusals: Refusals, cleared: Cleared, limits: DebitLimits | None = None
    ) -> None:
        """Write what the day-ahead session did for a slot; what the slot comes to is written at its gate."""
        slot = orders.slot
        with self.transaction() as connection:
            rows = SlotRows(connection, slot)
            _put_orders(rows, ORDERS_AHEAD, orders, cleared)
            rows.put(REFUSALS_AHEAD, _rows(refusals))
            _put_block(rows, POSITIONS_AHEAD, pack_positions(cleared.positions.columns()))
            _put_limits(rows, limits)
            rows.seal()

    def save_delivery(
        self,
        book: SlotBook,
        apart: Mapping[str, Any],
        snapshot: bytes,
        more: ModelLog = (),
        steps: Sequence[AnyStep] = (),
        corrected: CorrectedSlot | None = None,
    ) -> None:
        """Write what delivery, settlement and carbon produced, and the state that the next slot starts from.

        apart: columns of orders for certificates apart from energy. more: what is kept of forecasts. steps: what the
        slot did to the register of carbon credits. corrected: what it did for earlier slots.
        """
        positions, readings, postings, footprints = book.positions, book.readings, book.postings, book.footprints
        certificates, levied, baseline = book.certificates, book.levied, book.baseline
        members = len(readings.import_wh)
        per_member = {
            **readings.columns(),
            "member": np.arange(members),
            "bought_wh": positions.bought_wh,
            "sold_wh": positions.sold_wh,
            "net_n": postings.other_than(PostingKind.OFFSET).net_n(Accounts(members).total)[:members],
            "location_mg": footprints.location_mg,
            "market_mg": footprints.market_mg,
            "unmatched_mg": levied[0],
            "levy_n": levied[1],
            **{name: getattr(footprints, name) for name in ("mix_mg_per_kwh", "drawn_mg", "stored_mg")},
            "baseline_import_wh": baseline.import_wh,
            "baseline_export_wh": baseline.export_wh,
        }
        with self.transaction() as connection:
            rows = SlotRows(connection, readings.slot)
            _put_block(rows, READINGS, pack_readings(per_member))
            rows.put(QUALITIES, _unusual(readings, is_void=book.is_void))
            _put_block(rows, POSTINGS, pack_postings(postings.columns()))
            _put_block(rows, CERTIFICATES, pack_bundles(certificates.columns()))
            rows.put(CERTIFICATE_ORDERS, apart)
            names = [column.name for column in FOOTPRINTS.columns if column.name != "slot"]
            rows.put_one(FOOTPRINTS, {name: getattr(footprints, name) for name in names})
            if corrected is not None:
                put_corrected(connection, rows, corrected)
            rows.seal()
            credits_in.add_steps(connection, steps)
            credits_in.put_notes(connection, readings.slot, book.notes)
            dialect.upsert(connection, SNAPSHOT, [{"row": 1, "data": snapshot}])
            seal(connection, SNAPSHOT)
            put_records(connection, more)

    def take_up(self, snapshot: bytes, **settings: str) -> None:
        """Write another state to go on from after the same slot, and settings, in one transaction."""
        with self.transaction() as connection:
            dialect.upsert(connection, SNAPSHOT, [{"row": 1, "data": snapshot}])
            dialect.upsert(connection, SETTINGS, [{"key": key, "value": value} for key, value in settings.items()])
            seal(connection, SNAPSHOT)
            seal(connection, SETTINGS)
        self.forget()

    def put(self, records: ModelLog) -> None:
        """Write what is kept of forecasts, each in place of one with the same key, in one transaction."""
        with self.transaction() as connection:
            put_records(connection, records)

    def save_block(self, slot: int, block: BlockReceipt, *, checked: bool) -> None:
        """Write the block that committed a slot; checked: whether ledger and chain were then compared and equal.

        A run that goes on notes its last block again, and cannot compare where the chain has gone on: once is enough.
        """
        row = {
            "slot": slot,
            "number": block.number,
            "timestamp": block.timestamp,
            "hash": "0x" + block.hash.hex(),
            "commit_gas": block.gas.get("commitSlot", 0),
            "netting_gas": block.gas.get("propose", 0) + block.gas.get("finalise", 0),
            "checked": int(checked),
        }
        with self.transaction() as connection:
            noted = rows_in(connection, BLOCKS, slot, of_slot=True)
            row["checked"] = int(checked or any(old["checked"] for old in noted if old["hash"] == row["hash"]))
            clear_slot(connection, BLOCKS, slot)
            connection.execute(sa.insert(BLOCKS), [row])
            seal(connection, BLOCKS, [slot])

    def add_credit_steps(self, steps: Sequence[AnyStep]) -> None:
        """Append steps to the log of the register of carbon credits."""
        with self.transaction() as connection:
            credits_in.add_steps(connection, steps)


def _put_block(rows: SlotRows, table: sa.Table, packed: tuple[bytes, Mapping[str, int]]) -> None:
    """Write a block with its counts."""
    rows.put_block(table, packed[0], **packed[1])


def _rows(table: Orders | Refusals | Postings, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    """Columns of a table with a row number."""
    return {**table.columns(), "row": np.arange(len(table)), **more}


def _unusual(readings: Readings, *, is_void: bool) -> dict[str, IntArray]:
    """Columns of the readings that are not simply metered, and of a session that was void."""
    member = np.flatnonzero(readings.quality != ReadingQuality.METERED)
    void = np.full(int(is_void), NO_MEMBER)
    return {"member": np.append(member, void), "quality": np.append(readings.quality[member], 0 * void)}


def _put_limits(rows: SlotRows, limits: DebitLimits | None) -> None:
    """Write the block at which limits were read, and those that there were."""
    if limits is None:
        return
    limited = np.flatnonzero(limits.most_n < NO_MOST)
    members = np.concatenate(([NO_MEMBER], limited))
    most_n = np.concatenate(([0], limits.most_n[limited]))
    rows.put(LIMITS, {"member": members, "block": np.full(len(members), limits.block), "most_n": most_n})


def _put_grants(connection: sa.Connection, grants: Mapping[int, str]) -> None:
    """Write grants that are not there yet; one has the same key only if it is the same."""
    if not grants:
        return
    there = set(connection.scalars(sa.select(GRANTS.c.key).where(GRANTS.c.key.in_(grants))))
    if fresh := [{"key": key, "record": text} for key, text in grants.items() if key not in there]:
        connection.execute(sa.insert(GRANTS), fresh)
        seal(connection, GRANTS)


def _put_orders(rows: SlotRows, table: sa.Table, orders: Orders, cleared: Cleared) -> None:
    """Write orders with what each was given, in one block."""
    columns = {**orders.columns(), "allocated_wh": cleared.clearing.allocated_wh, "money_n": cleared.money_n}
    rows.put_block(table, pack_orders(columns), orders=len(orders), buys=int(np.count_nonzero(orders.is_buy)))
