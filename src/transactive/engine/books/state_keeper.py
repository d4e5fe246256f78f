"""What lasts of a run: each stage of a slot in its database, and what an interrupted run goes on from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from transactive.carbon.credits.steps import AnyStep
from transactive.core.community.community import Community
from transactive.core.community.limits import DebitLimits
from transactive.core.errors import StateError
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.trades.positions import Positions
from transactive.engine.books.slot_book import read_slot
from transactive.engine.carbon.certificate_market import CertificateSession
from transactive.engine.sessions import Session
from transactive.store import Store
from transactive.store.corrections import CorrectedSlot
from transactive.store.model_records import ModelLog
from transactive.store.read.stages import ended_slots

if TYPE_CHECKING:
    from transactive.chain.ledgers.blocks import BlockReceipt

Traded = tuple[Orders, Clearing, Positions]


@dataclass(slots=True)
class OpenSlots:
    """What was traded for slots that are not delivered: at their gate, or only the day ahead; and as it was signed."""

    traded: dict[int, Traded] = field(default_factory=dict)
    early: dict[int, Session] = field(default_factory=dict)
    accepted: dict[int, list[Accepted]] = field(default_factory=dict)


class StateKeeper:
    """Keeps a run in its database."""

    def __init__(self, store: Store, community: Community) -> None:
        self.store, self._community = store, community

    def snapshot(self) -> bytes | None:
        """State after the last delivered slot, or None before the first."""
        return self.store.snapshot()

    def was_over(self, slot: int) -> bool:
        """Whether the run was over with this slot, before more readings came."""
        return slot in ended_slots(self.store)

    @property
    def accounts_since(self) -> int:
        """First slot that was settled with the accounts of today [Unix s]; 0 in a run that nobody has joined."""
        return self.store.rosters[-1].since if self.store.rosters else 0

    def open_slots(self, slots: Iterable[int], done: int, closed: Sequence[int] | None) -> OpenSlots:
        """What a run that delivered `done` last had traded for slots. Raises StateError if it is not there.

        closed: slots whose gates had closed by then; None: those whose gates close by `done`.
        """
        found, clock, members = OpenSlots(), self._community.clock, self._community.chart.members
        for slot in slots:
            if clock.gate(slot) > done if closed is None else slot not in closed:
                found.early[slot] = Session(*self.store.trading_ahead(slot, members))
                continue
            traded = self.store.trading(slot, members)
            if traded is None:
                lost = f"{self.store.path}: orders of {time_text(slot)} are gone"
                raise StateError(f"{lost}; use a new --state folder")
            found.traded[slot] = traded
            found.accepted[slot] = self.store.accepted(slot, traded[0], clock.number(slot))
        return found

    def book(self, slot: int) -> SlotBook:
        """A delivered slot. Raises StateError if it is not there."""
        return read_slot(self.store, self._community, slot)

    def limits(self, slot: int) -> DebitLimits | None:
        """Limits that held when the first session of a slot closed; None if none was written."""
        return self.store.limits(slot, self._community.chart.members)

    def traded_ahead(self, session: Session, limits: DebitLimits | None) -> None:
        """Write what the day-ahead session did for a slot."""
        self.store.save_trading_ahead(session.orders, session.refusals, session.cleared, limits)

    def traded(
        self,
        session: Session,
        accepted: Sequence[Accepted],
        grid: PriceGrid,
        tariff: Tariff,
        grid_g: int,
        forecasts: ModelLog,
        limits: DebitLimits | None,
    ) -> None:
        """Write what gate closure produced; grid_g: intensity of the grid [g/kWh]; forecasts: what was told of it."""
        orders, refusals, cleared = session.orders, session.refusals, session.cleared
        self.store.save_trading(orders, accepted, refusals, cleared, grid, tariff, grid_g, forecasts, limits)

    def delivered(
        self,
        book: SlotBook,
        session: CertificateSession,
        state: Callable[[], bytes],
        forecasts: ModelLog,
        steps: Sequence[AnyStep],
        corrected: CorrectedSlot,
    ) -> None:
        """Write a delivered slot and the state that the next one starts from.

        session: auctions of certificates apart from energy. forecasts: what was judged with the slot. steps: what it
        did to the register of carbon credits. corrected: what it did for earlier slots.
        """
        self.store.save_delivery(book, session.columns(), state(), forecasts, steps, corrected)

    def committed(self, slot: int, block: BlockReceipt | None, *, checked: bool) -> None:
        """Write the block that committed a slot, if there is a chain; checked: compared with it then, and equal."""
        if block:
            self.store.save_block(slot, block, checked=checked)


class NothingKept:
    """A run without a database: nothing lasts, and nothing is gone on from."""

    def snapshot(self) -> bytes | None:
        """Nothing was delivered before."""
        return None

    def was_over(self, slot: int) -> bool:
        """Nothing goes on. Raises StateError."""
        raise StateError(f"{time_text(slot)}: a run without a database cannot go on; give it a --state folder")

    accounts_since = 0

    def open_slots(self, slots: Iterable[int], done: int, _: Sequence[int] | None) -> OpenSlots:
        """There is nothing to go on from. Raises StateError."""
        raise StateError(f"{time_text(done)}: a run without a database cannot go on for {len(list(slots))} slots")

    def book(self, slot: int) -> SlotBook:
        """There is no book. Raises StateError."""
        raise StateError(f"{time_text(slot)}: a run without a database keeps no book; give it a --state folder")

    def limits(self, _: int) -> DebitLimits | None:
        """None was kept."""
        return None

    def traded_ahead(self, *_: Any) -> None:  # noqa: ANN401 - whatever a keeper is told
        """Nothing is written."""

    def traded(self, *_: Any) -> None:  # noqa: ANN401 - whatever a keeper is told
        """Nothing is written."""

    def delivered(self, *_: Any) -> None:  # noqa: ANN401 - whatever a keeper is told
        """Nothing is written."""

    def committed(self, slot: int, block: BlockReceipt | None, *, checked: bool) -> None:
        """Nothing is written."""
