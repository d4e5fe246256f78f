"""What each slot produced, as it is written.

A stage of a slot is one transaction, so a reader never sees half of it: trading (orders, clearing) at gate closure,
delivery (readings, postings, certificates, footprints) once it is settled, and the block that committed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep
from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Orders, ReadingQuality, Readings, Refusals
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared
from transactive.store.database import Database
from transactive.store.model_records import ModelLog
from transactive.store.schema import (
    BLOCKS,
    CERTIFICATE_ORDERS,
    CERTIFICATES,
    CLEARINGS,
    FOOTPRINTS,
    LINES,
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
    SIGNATURES,
    SNAPSHOT,
)
from transactive.store.write import credits as credits_in
from transactive.store.write.models import put_records

if TYPE_CHECKING:
    from transactive.chain.ledgers.settlement import BlockReceipt


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
    ) -> None:
        """Write what gate closure produced, with the prices and the grid's intensity [g/kWh] of the slot.

        accepted: the same orders as they were signed; none without a chain. more: what is kept of forecasts.
        """
        clearing, slot = cleared.clearing, orders.slot
        row = {"slot": slot, "price": clearing.price, "traded_wh": clearing.traded_wh, "grid_g_per_kwh": grid_g}
        row |= {"floor": grid.floor, "cap": grid.cap, "tick": grid.tick}
        row |= {"supply_price": tariff.supply, "feed_in": tariff.feed_in, "fee": tariff.fee}
        row |= {"lost_wh": cleared.positions.lost_wh, "lost_n": cleared.positions.lost_n}
        nodal = cleared.nodal
        with self.transaction() as connection:
            given = {"allocated_wh": clearing.allocated_wh, "money_n": cleared.money_n}
            _put(connection, ORDERS, slot, _rows(orders, **given))
            _put(connection, REFUSALS, slot, _rows(refusals))
            connection.execute(sa.delete(SIGNATURES).where(SIGNATURES.c.slot == slot))
            if accepted:
                connection.execute(sa.insert(SIGNATURES), [_signature(slot, one) for one in accepted])
            _put(connection, POSITIONS, slot, cleared.positions.columns())
            if nodal is not None:
                _put(connection, NODES, slot, {"node": np.arange(len(nodal.price)), "price": nodal.price})
                flows = {"flow_wh": nodal.flow_wh, "lost_wh": nodal.lost_wh}
                _put(connection, LINES, slot, {"line": np.arange(len(nodal.flow_wh)), **flows})
            _put_one(connection, CLEARINGS, row)
            put_records(connection, more)

    def save_trading_ahead(self, orders: Orders, refusals: Refusals, cleared: Cleared) -> None:
        """Write what the day-ahead session did for a slot; what the slot comes to is written at its gate."""
        slot = orders.slot
        with self.transaction() as connection:
            given = {"allocated_wh": cleared.clearing.allocated_wh, "money_n": cleared.money_n}
            _put(connection, ORDERS_AHEAD, slot, _rows(orders, **given))
            _put(connection, REFUSALS_AHEAD, slot, _rows(refusals))
            _put(connection, POSITIONS_AHEAD, slot, cleared.positions.columns())

    def save_delivery(
        self,
        book: SlotBook,
        apart: Mapping[str, Any],
        snapshot: bytes,
        more: ModelLog = (),
        steps: Sequence[AnyStep] = (),
    ) -> None:
        """Write what delivery, settlement and carbon produced, and the state that the next slot starts from.

        apart: columns of orders for certificates apart from energy. more: what is kept of forecasts. steps: what the
        slot did to the register of carbon credits.
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
            _put(connection, READINGS, readings.slot, per_member)
            _put(connection, QUALITIES, readings.slot, _unusual(readings))
            _put(connection, POSTINGS, readings.slot, _rows(postings))
            _put(connection, CERTIFICATES, readings.slot, certificates.columns())
            _put(connection, CERTIFICATE_ORDERS, readings.slot, apart)
            _put_one(connection, FOOTPRINTS, {c.name: getattr(footprints, c.name) for c in FOOTPRINTS.columns})
            credits_in.add_steps(connection, steps)
            credits_in.put_notes(connection, readings.slot, book.notes)
            connection.execute(sa.delete(SNAPSHOT))
            connection.execute(sa.insert(SNAPSHOT), [{"row": 1, "data": snapshot}])
            put_records(connection, more)

    def put(self, records: ModelLog) -> None:
        """Write what is kept of forecasts, each in place of one with the same key, in one transaction."""
        with self.transaction() as connection:
            put_records(connection, records)

    def save_block(self, slot: int, block: BlockReceipt, *, checked: bool) -> None:
        """Write the block that committed a slot; checked: whether ledger and chain were then compared and equal."""
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
            _put_one(connection, BLOCKS, row)

    def add_credit_steps(self, steps: Sequence[AnyStep]) -> None:
        """Append steps to the log of the register of carbon credits."""
        with self.transaction() as connection:
            credits_in.add_steps(connection, steps)


def _rows(table: Orders | Refusals | Postings, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    """Columns of a table with a row number."""
    return {**table.columns(), "row": np.arange(len(table)), **more}


def _unusual(readings: Readings) -> dict[str, IntArray]:
    """Columns of the readings that are not simply metered."""
    member = np.flatnonzero(readings.quality != ReadingQuality.METERED)
    return {"member": member, "quality": readings.quality[member]}


def _signature(slot: int, accepted: Accepted) -> dict[str, Any]:
    """Row of a signed order; agent: the grant that it was signed under with its signature, empty without one."""
    signed = accepted.signed
    agent = msgspec.json.encode((signed.grant, signed.granted.hex())).decode() if signed.grant else ""
    texts = {"signature": signed.signature.hex(), "receipt": accepted.receipt.hex(), "agent": agent}
    return {"slot": slot, "member": signed.order.account, "serial": signed.order.serial, **texts}


def _put_one(connection: sa.Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Write the one row of a slot, replacing what an interrupted run left."""
    connection.execute(sa.delete(table).where(table.c.slot == row["slot"]))
    connection.execute(sa.insert(table), [row])


def _put(connection: sa.Connection, table: sa.Table, slot: int, columns: Mapping[str, Any]) -> None:
    """Write columns as the rows of one slot, replacing what an interrupted run left."""
    connection.execute(sa.delete(table).where(table.c.slot == slot))
    names = [column.name for column in table.columns if column.name != "slot"]
    values: Iterable[tuple[int, ...]] = zip(*(np.asarray(columns[name]).tolist() for name in names), strict=True)
    rows = [{"slot": slot, **dict(zip(names, row, strict=True))} for row in values]
    if rows:
        connection.execute(sa.insert(table), rows)
