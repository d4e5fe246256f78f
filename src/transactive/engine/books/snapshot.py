"""The state of a run between two slots, as bytes: what an interrupted run goes on from.

Written in the same transaction as the slot that it follows, before the slot's block. What follows from the data alone
(forecasts, plans) and what the database holds (orders and clearings of coming slots, the register of credits) is not in
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import msgspec
import numpy as np

from transactive.carbon.certificates.storage import Lots
from transactive.core.errors import StateError
from transactive.core.proofs.accepted_orders import hashes_of
from transactive.core.slot_book import SlotBook
from transactive.core.tables import DeviceRules
from transactive.core.units import BoolArray, IntArray
from transactive.engine.books.commitments import ChainCommitments
from transactive.engine.credits.offsetting import Offsetting
from transactive.engine.devices.fleet import Fleet
from transactive.engine.grid.operator import GridOperator
from transactive.engine.grid.unwatched import Unwatched
from transactive.insight.tally import Tally
from transactive.settlement.ledger import Ledger, LedgerTotals
from transactive.settlement.unmetered_slots import marks_of
from transactive.trading.agents.order_gathering import OrderGatherer


class Column(msgspec.Struct, frozen=True, array_like=True):
    """An array of whole numbers or truth values, or one number (shape ()): little-endian int64."""

    shape: tuple[int, ...]
    data: bytes
    boolean: bool

    @classmethod
    def of(cls, value: IntArray | BoolArray | int) -> Column:
        """Column of an array or a number."""
        array = np.asarray(value)
        return cls(array.shape, array.astype("<i8").tobytes(), array.dtype == np.bool_)

    def value(self) -> Any:  # noqa: ANN401 - an array or a number, as it was
        """What the column was made of."""
        if not self.shape:
            return int(np.frombuffer(self.data, "<i8")[0])
        array = np.frombuffer(self.data, "<i8").reshape(self.shape)
        return array.astype(np.bool_ if self.boolean else np.int64)


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """What loads that can wait hold in one fleet, and the rules of coming slots, theirs and those of batteries.

    With such loads a plan looks at what they hold as it is made, so it cannot be made again later. known: what
    batteries among neighbours know of coming slots.
    """

    held_wh: Column
    rules: dict[int, Column]
    runs_wh: dict[int, Column]
    batteries: dict[int, Column]
    known: dict[int, tuple[Column, Column, Column]] = {}

    @classmethod
    def of(cls, fleet: Fleet) -> Waiting | None:
        """Of a fleet; None if it has no such loads."""
        if fleet.shifting is None:
            return None
        shifting = fleet.shifting
        rules, runs_wh = (
            {slot: Column.of(column) for slot, column in of.items()} for of in (shifting.rules, shifting.runs_wh)
        )
        batteries = {slot: Column.of(rule.levels_wh) for slot, rule in fleet.rules.items()}
        among = fleet.neighbours.state if fleet.neighbours else {}
        known = {
            slot: (Column.of(worth), Column.of(added), Column.of(span)) for slot, (worth, added, span) in among.items()
        }
        return cls(Column.of(shifting.held_wh), rules, runs_wh, batteries, known)

    def put(self, fleet: Fleet) -> None:
        """Put it into a fleet."""
        if fleet.shifting is not None:
            fleet.shifting.held_wh = self.held_wh.value()
            fleet.shifting.rules = {slot: column.value() for slot, column in self.rules.items()}
            fleet.shifting.runs_wh = {slot: column.value() for slot, column in self.runs_wh.items()}
            fleet.rules = {slot: DeviceRules(slot, *column.value()) for slot, column in self.batteries.items()}
        if fleet.neighbours is not None:
            fleet.neighbours.take_up(
                {
                    slot: (worth.value(), added.value(), span.value())
                    for slot, (worth, added, span) in self.known.items()
                }
            )


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that passes from one slot to the next; `slot` is the last one delivered."""

    slot: int
    digest: bytes
    lots: Column
    charged_wh: tuple[Column, Column]
    waiting: tuple[Waiting | None, Waiting | None]
    memories: dict[int, Column]
    prices: Column
    ledger: dict[str, Column]
    periods: dict[int, tuple[Column, ...]]
    latest: tuple[Column, ...]
    locks_n: dict[int, Column]
    closed: list[int]
    proposed: int | None
    ready_at: int
    tally: dict[str, Column]
    grid: dict[int, Column]
    offsets: dict[str, Column]
    avoided: dict[str, Column]
    ended: tuple[int, int] | None = None
    unmetered: dict[int, tuple[Column, Column, Column]] = {}
    traded: list[int] | None = None
    windows: int = 0
    booked_n: Column | None = None


LEDGER_FIELDS = ("balances_n", "undistributed_n", "levied_n", "receivable_n", "held_n", "suspended")
OFFSET_FIELDS = ("due_mg", "ahead_mg")
AVOIDED_FIELDS = ("waiting", "carried_mg")
TALLY_FIELDS = tuple(field.name for field in fields(Tally))


@dataclass(frozen=True, slots=True, eq=False)
class RunParts:
    """The parts of a run that pass state from one slot to the next. fleets: with a market, and without."""

    fleets: tuple[Fleet, Fleet]
    operator: GridOperator | Unwatched
    gatherer: OrderGatherer
    ledger: Ledger
    commitments: ChainCommitments
    tally: Tally
    offsets: Offsetting


def take(slot: int, digest: bytes, lots: Lots, parts: RunParts, traded: list[int]) -> bytes:
    """State after the delivery of `slot`, as bytes. traded: slots whose gates have closed, not delivered yet."""
    fleets, gatherer, ledger, commitments = parts.fleets, parts.gatherer, parts.ledger, parts.commitments
    tally, offsets = parts.tally, parts.offsets
    snapshot = Snapshot(
        slot=slot,
        digest=digest,
        lots=Column.of(lots.columns),
        charged_wh=(Column.of(fleets[0].charged_wh), Column.of(fleets[1].charged_wh)),
        waiting=(Waiting.of(fleets[0]), Waiting.of(fleets[1])),
        memories={member: Column.of(memory) for member, memory in gatherer.memories.items()},
        prices=Column.of(gatherer.prices),
        ledger={name: Column.of(getattr(ledger, name)) for name in LEDGER_FIELDS},
        periods={number: _columns(totals) for number, totals in ledger.periods.items()},
        latest=_columns(ledger.latest),
        locks_n={locked_slot: Column.of(locked) for locked_slot, locked in ledger.locks_n.items()},
        closed=commitments.closed,
        proposed=commitments.proposed,
        ready_at=commitments.ready_at,
        windows=commitments.windows,
        booked_n=None if commitments.booked_n is None else Column.of(commitments.booked_n),
        ended=commitments.ended,
        tally={name: Column.of(getattr(tally, name)) for name in TALLY_FIELDS},
        grid={key: Column.of(column) for key, column in parts.operator.state.items()},
        offsets={name: Column.of(getattr(offsets, name)) for name in OFFSET_FIELDS},
        avoided={name: Column.of(getattr(offsets.avoidance, name)) for name in AVOIDED_FIELDS},
        unmetered=_unmetered(ledger),
        traded=traded,
    )
    return msgspec.msgpack.encode(snapshot)


def digest_in(data: bytes) -> bytes:
    """Digest over all slots so far that a snapshot holds. Raises StateError if the bytes are not a snapshot."""
    return decoded(data).digest


def decoded(data: bytes) -> Snapshot:
    """Snapshot that bytes hold. Raises StateError if they are none."""
    try:
        return msgspec.msgpack.decode(data, type=Snapshot)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"the state was written by another version ({error}); use a new --state folder") from error


def restore(data: bytes, parts: RunParts) -> tuple[int, bytes, Lots, list[int] | None]:
    """Put a snapshot into the parts of a new run; returns the last slot delivered, digest, lots and traded slots.

    The last are not there in a snapshot of an earlier version: then all that could be are.
    Raises StateError if the bytes are not a snapshot of this version.
    """
    fleets, gatherer, ledger, commitments = parts.fleets, parts.gatherer, parts.ledger, parts.commitments
    tally, offsets = parts.tally, parts.offsets
    snapshot = decoded(data)
    for fleet, charged in zip(fleets, snapshot.charged_wh, strict=True):
        fleet.charged_wh = charged.value()
    for fleet, waiting in zip(fleets, snapshot.waiting, strict=True):
        if waiting is not None:
            waiting.put(fleet)
    gatherer.memories |= {member: column.value() for member, column in snapshot.memories.items()}
    gatherer.prices = snapshot.prices.value()
    put_ledger(snapshot, ledger, commitments)
    for name, column in snapshot.tally.items():
        setattr(tally, name, column.value())
    for name, column in snapshot.offsets.items():
        setattr(offsets, name, column.value())
    for name, column in snapshot.avoided.items():
        setattr(offsets.avoidance, name, column.value())
    parts.operator.take_up({key: column.value() for key, column in snapshot.grid.items()})
    return snapshot.slot, snapshot.digest, Lots(snapshot.lots.value()), snapshot.traded


def put_ledger(snapshot: Snapshot, ledger: Ledger, commitments: ChainCommitments) -> None:
    """Put what a snapshot knows of money, and of what is on chain, into the parts of a new run."""
    for name, column in snapshot.ledger.items():
        setattr(ledger, name, column.value())
    ledger.periods = {
        number: LedgerTotals(*(c.value() for c in columns)) for number, columns in snapshot.periods.items()
    }
    for slot, (whose, held, locked) in snapshot.unmetered.items():
        ledger.unmetered.keep(slot, whose.value(), held.value(), locked.value())
    ledger.latest = LedgerTotals(*(column.value() for column in snapshot.latest))
    ledger.locks_n = {slot: column.value() for slot, column in snapshot.locks_n.items()}
    commitments.closed, commitments.proposed = snapshot.closed, snapshot.proposed
    commitments.ready_at, commitments.ended = snapshot.ready_at, snapshot.ended
    commitments.windows = snapshot.windows
    if snapshot.booked_n is not None:
        commitments.queue_booked(snapshot.booked_n.value())


def stand_after(ledger: Ledger, book: SlotBook, places: Sequence[int]) -> None:
    """Let a ledger stand after a slot that was delivered: its leaves may still be needed. places: as members sign."""
    ledger.positions = book.positions
    ledger.orders = tuple(hashes_of(book.accepted, places))
    ledger.marks = marks_of(book.readings, is_void=book.is_void)


def _unmetered(ledger: Ledger) -> dict[int, tuple[Column, Column, Column]]:
    """Columns of the slots that wait for readings."""
    of = ledger.unmetered
    return {
        slot: (Column.of(whose), Column.of(of.held[slot]), Column.of(of.locked[slot]))
        for slot, whose in of.waiting.items()
    }


def _columns(totals: LedgerTotals) -> tuple[Column, ...]:
    """Columns of totals; one less where nothing was substituted."""
    columns = (totals.money, totals.energy, totals.substituted)
    return tuple(Column.of(column) for column in (columns if len(totals.substituted) else columns[:2]))
