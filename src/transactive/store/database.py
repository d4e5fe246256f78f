"""The database behind a run: what each slot produced, in one SQLite file through SQLAlchemy Core.

A stage of a slot is one transaction, so a reader never sees half of it: trading (orders, clearing) at gate closure,
delivery (readings, postings, certificates, footprints) once it is settled, and the block that committed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep
from transactive.core.accounts import Accounts
from transactive.core.certificates import Certificates, Footprints
from transactive.core.credit_notes import Note
from transactive.core.errors import StateError
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.accepted_orders import Accepted, books_of
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder
from transactive.core.tables import Clearing, Orders, Positions, Readings, Refusals
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared
from transactive.store import credits as credits_in
from transactive.store.puts import Puts, write
from transactive.store.schema import (
    BLOCKS,
    CERTIFICATE_ORDERS,
    CERTIFICATES,
    CLEARINGS,
    FOOTPRINTS,
    LINES,
    METADATA,
    NODES,
    ORDERS,
    ORDERS_AHEAD,
    POSITIONS,
    POSITIONS_AHEAD,
    POSTINGS,
    READINGS,
    REFUSALS,
    REFUSALS_AHEAD,
    SETTINGS,
    SIGNATURES,
    SNAPSHOT,
)

if TYPE_CHECKING:
    from transactive.chain.ledgers.settlement import BlockReceipt

FILE = "market.sqlite"


class Store:
    """One run's database in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open the folder's database, creating both if needed. Raises StateError if the folder cannot be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"{folder}: cannot be made ({error.strerror}); choose another --state folder") from error
        self.path = folder / FILE
        self.engine = sa.create_engine(f"sqlite:///{self.path}")
        sa.event.listen(self.engine, "connect", _durable)
        METADATA.create_all(self.engine)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Run one transaction; a full or read-only disk becomes a StateError and nothing is written."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise StateError(
                f"{self.path}: {error.orig}; free space or permissions, then run the same again"
            ) from error

    # -- settings -------------------------------------------------------------------------------

    def setting(self, key: str) -> str | None:
        """Value of a setting, or None."""
        with self.engine.connect() as connection:
            value: str | None = connection.scalar(sa.select(SETTINGS.c.value).where(SETTINGS.c.key == key))
        return value

    def set(self, **values: str) -> None:
        """Write settings, replacing earlier values, in one transaction."""
        with self.transaction() as connection:
            connection.execute(sa.delete(SETTINGS).where(SETTINGS.c.key.in_(values)))
            connection.execute(sa.insert(SETTINGS), [{"key": k, "value": v} for k, v in values.items()])

    # -- stages of a slot -----------------------------------------------------------------------

    def save_trading(
        self,
        orders: Orders,
        accepted: Sequence[Accepted],
        refusals: Refusals,
        cleared: Cleared,
        grid: PriceGrid,
        tariff: Tariff,
        grid_g: int,
        more: Puts = (),
    ) -> None:
        """Write what gate closure produced, with the prices and the grid's intensity [g/kWh] of the slot.

        accepted: the same orders as they were signed; none without a chain. more: rows of other tables.
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
            write(connection, more)

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
        positions: Positions,
        readings: Readings,
        postings: Postings,
        certificates: Certificates,
        footprints: Footprints,
        levied: tuple[IntArray, IntArray],
        apart: Mapping[str, Any],
        baseline: Readings,
        snapshot: bytes,
        more: Puts = (),
        offsets: tuple[Sequence[AnyStep], Sequence[Note]] = ((), ()),
    ) -> None:
        """Write what delivery, settlement and carbon produced, and the state that the next slot starts from.

        levied: carbon of grid energy without a certificate [mg] and the levy on it [n¤], posted or only shown, each
        (members,). `apart` are columns of orders for certificates apart from energy, `baseline` the meters without a
        market. more: rows of other tables. offsets: what the slot did to the register of carbon credits, and what it
        says of them.
        """
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
            _put(connection, POSTINGS, readings.slot, _rows(postings))
            _put(connection, CERTIFICATES, readings.slot, certificates.columns())
            _put(connection, CERTIFICATE_ORDERS, readings.slot, apart)
            _put_one(connection, FOOTPRINTS, {c.name: getattr(footprints, c.name) for c in FOOTPRINTS.columns})
            credits_in.add_steps(connection, offsets[0])
            credits_in.put_notes(connection, readings.slot, offsets[1])
            connection.execute(sa.delete(SNAPSHOT))
            connection.execute(sa.insert(SNAPSHOT), [{"row": 1, "data": snapshot}])
            write(connection, more)

    def put(self, rows: Puts) -> None:
        """Write rows of other tables, each in place of one with the same key, in one transaction."""
        with self.transaction() as connection:
            write(connection, rows)

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

    # -- reading --------------------------------------------------------------------------------

    def snapshot(self) -> bytes | None:
        """State after the last delivered slot, or None before the first."""
        with self.engine.connect() as connection:
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
        return Readings(slot, **{name: _columns(rows, READINGS)[name] for name in names})

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
        with self.engine.connect() as connection:
            return credits_in.read_steps(connection)

    def add_credit_steps(self, steps: Sequence[AnyStep]) -> None:
        """Append steps to the log of the register of carbon credits."""
        with self.transaction() as connection:
            credits_in.add_steps(connection, steps)

    def credit_notes(self, slot: int) -> tuple[Note, ...]:
        """What a slot says of carbon credits."""
        with self.engine.connect() as connection:
            return credits_in.read_notes(connection, slot)

    def rows(self, statement: sa.Select[Any]) -> list[Mapping[str, Any]]:
        """Rows of a query as mappings."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]


def _durable(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    """Write-ahead log with full sync: what is committed survives a crash."""
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")


def _rows(table: Orders | Refusals | Postings, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    """Columns of a table with a row number."""
    return {**table.columns(), "row": np.arange(len(table)), **more}


def _signature(slot: int, accepted: Accepted) -> dict[str, Any]:
    """Row of a signed order; agent: the grant that it was signed under with its signature, empty without one."""
    signed = accepted.signed
    agent = msgspec.json.encode((signed.grant, signed.granted.hex())).decode() if signed.grant else ""
    texts = {"signature": signed.signature.hex(), "receipt": accepted.receipt.hex(), "agent": agent}
    return {"slot": slot, "member": signed.order.account, "serial": signed.order.serial, **texts}


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
