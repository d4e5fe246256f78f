"""Direct trading in the journal of a live market: seats, then the roll of a slot, then deals until its gate.

Whoever reads the journal again finds the same seats and deals, so a session is a replay of it. Deals take the place of
the simulated network of a run; what members want at their limits takes the place of the orders that a run makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from transactive.core.boxes.direct import DealRecord, NodeReport
from transactive.core.community.limits import Limits
from transactive.core.community.rules import DirectRules
from transactive.core.ports import ReceivedOrder
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.proofs.deals.allowances import Allowance, Roll, member_commitment
from transactive.core.proofs.signed_orders import Order, SignedOrder, Step
from transactive.core.slots import MarketClock
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.engine.order_entry import EntersOrders
from transactive.market.deals import Deals, Negotiated, NodeReach, Traffic
from transactive.market.registry import ByDeal
from transactive.store.live.journal import ArrivalKind, JournalReader

KINDS = (
    *(ArrivalKind.SEAT, ArrivalKind.ROLL, ArrivalKind.DEAL, ArrivalKind.REACH),
    *(ArrivalKind.GATE, ArrivalKind.VOID),
)


class EnteredSeat(msgspec.Struct, frozen=True):
    """A key of a slot [Unix s] that is let in. most_bought_wh, most_sold_wh: its allowance. within: its limits.

    buys, sells: what its member wants at its limits.
    """

    slot: int
    member: int
    key: str
    salt: bytes
    contact: bytes
    most_bought_wh: int
    most_sold_wh: int
    within: tuple[int, int]
    buys: tuple[Step, ...]
    sells: tuple[Step, ...]

    def allowance(self, number: int) -> Allowance:
        """What the operator signs, for the slot of this number."""
        commitment = member_commitment(self.member, self.salt)
        return Allowance(number, self.key, commitment, self.most_bought_wh, self.most_sold_wh)


class EnteredDeal(msgspec.Struct, frozen=True):
    """A deal of a slot [Unix s]."""

    slot: int
    deal: DealRecord


class EnteredReport(msgspec.Struct, frozen=True):
    """How a member's node fared in a slot [Unix s]."""

    slot: int
    member: int
    report: NodeReport


@dataclass(slots=True)
class DirectSlot:
    """What is known of one slot. deals: by hash. reports: by member.

    closed: whether the roll is, and no seat is given any more.
    """

    seats: dict[str, EnteredSeat] = field(default_factory=dict)
    deals: dict[bytes, DealRecord] = field(default_factory=dict)
    came: dict[str, tuple[int, int]] = field(default_factory=dict)
    reports: dict[int, NodeReport] = field(default_factory=dict)
    closed: bool = False

    def roll(self, number: int) -> Roll:
        """The roll of the slot of this number."""
        return Roll.of(number, (seat.allowance(number) for seat in self.seats.values()))

    def traffic(self, rounds: int) -> Traffic:
        """What agreeing took, by those who told."""
        members, told = [self.seats[key].member for key in sorted(self.seats)], self.reports
        reach = tuple(
            NodeReach(member, tuple(members[seat] for seat in each.unheard), each.datagrams, each.milliseconds)
            for member, each in sorted(told.items())
        )
        sent = sum(each.datagrams for each in reach), sum(each.sent_bytes for each in told.values())
        return Traffic(rounds, len(members), sum(not each.unheard for each in reach), *sent, reach)


class JournaledDeals:
    """Seats and deals of a session by slot, read on as the journal grows. read: number of the last entry seen."""

    def __init__(self, journal: JournalReader, clock: MarketClock) -> None:
        self._journal, self._clock = journal, clock
        self.read = 0
        self._slots: dict[int, DirectSlot] = {}
        self._void = set[int]()
        self._gate = 0

    @staticmethod
    def is_negotiated(journal: JournalReader) -> bool:
        """Whether members' nodes negotiate themselves in the session of a journal."""
        return bool(journal.of_kinds((ArrivalKind.NODES,), 0))

    def of(self, slot: int) -> DirectSlot:
        """What is known of a slot [Unix s]: once its gate is closed, what came before; nothing of one that is void."""
        for entry in self._journal.of_kinds(KINDS, self.read):
            self.read = entry.number
            if entry.kind in (ArrivalKind.GATE, ArrivalKind.VOID):
                gate = int(entry.body.split()[0])
                self._gate = max(self._gate, gate)
                if entry.kind is ArrivalKind.VOID:
                    self._void.add(gate)
            elif entry.kind is ArrivalKind.SEAT:
                seat = msgspec.json.decode(entry.body, type=EnteredSeat)
                known = self._slots.setdefault(seat.slot, DirectSlot())
                if not known.closed:
                    known.seats[seat.key] = seat
                    known.came[seat.key] = entry.number, entry.received
            elif entry.kind is ArrivalKind.ROLL:
                self._slots.setdefault(int(entry.body), DirectSlot()).closed = True
            elif entry.kind is ArrivalKind.REACH:
                said = msgspec.json.decode(entry.body, type=EnteredReport)
                if self._clock.gate(said.slot) > self._gate:
                    self._slots.setdefault(said.slot, DirectSlot()).reports[said.member] = said.report
            else:
                entered = msgspec.json.decode(entry.body, type=EnteredDeal)
                known = self._slots.setdefault(entered.slot, DirectSlot())
                if self._clock.gate(entered.slot) > self._gate:
                    deal = entered.deal.deal(self._clock.number(entered.slot))
                    known.deals[deal.hash] = entered.deal
        is_void = self._clock.gate(slot) in self._void
        return DirectSlot(closed=True) if is_void else self._slots.get(slot) or DirectSlot()  # asking keeps nothing

    def forget(self, before: int) -> None:
        """Forget slots before one [Unix s]: nobody asks for them any more."""
        self._slots = {slot: known for slot, known in self._slots.items() if slot >= before}

    def wishes(self, slot: int) -> Sequence[ReceivedOrder]:
        """What members with a seat in a slot [Unix s] want, as orders that nobody signed; asked slot after slot."""
        self.forget(slot)
        known, number = self.of(slot), self._clock.number(slot)
        return [
            ReceivedOrder(*known.came[key], SignedOrder(Order(seat.member, number, 0, seat.buys, seat.sells), b""))
            for key, seat in known.seats.items()
        ]

    def mechanism(self, rules: DirectRules) -> ByDeal:
        """The mechanism by which the deals of the journal are the trades."""

        def clear(orders: Orders, grid: PriceGrid, members: int, limits: Limits) -> Negotiated:  # noqa: ARG001 - as a mechanism is asked
            return self._negotiated(orders.slot, limits, rules.rounds)

        return ByDeal(clear, self.mechanism, rules.rest)

    def _negotiated(self, slot: int, limits: Limits, rounds: int) -> Negotiated:
        """The deals of a slot [Unix s], but for those that a member has forbidden since."""
        known, rows = self.of(slot), list[tuple[int, int, int, int]]()
        for _, record in sorted(known.deals.items(), key=lambda item: (item[1].round, item[0])):
            buyer, seller = known.seats[record.buyer].member, known.seats[record.seller].member
            allowed = limits.highest_buy[buyer] >= record.price >= limits.lowest_sell[seller]
            if allowed and limits.trades[buyer] and limits.trades[seller]:
                rows.append((buyer, seller, record.energy_wh, record.price))
        columns = (np.array([row[k] for row in rows], np.int64) for k in range(4))
        return Negotiated(Deals(slot, *columns), known.traffic(rounds))


class DirectEntry:
    """`EntersOrders` where members that negotiate say what they want, and the market signs what they agreed on.

    A member's book has its wishes and what its deals undo, as in a run.
    """

    def __init__(self, entry: EntersOrders, deals: JournaledDeals) -> None:
        self._entry, self._deals = entry, deals

    def in_place(self, made: Orders, sent: Sequence[ReceivedOrder], tariff: Tariff, grid: PriceGrid) -> Orders:  # noqa: ARG002 - none are sent
        """Orders of a slot: of who has a seat what it wants, in place of those that were made for it."""
        return self._entry.in_place(made, self._deals.wishes(made.slot), tariff, grid)

    def take(self, orders: Orders, earlier: Orders | None, sent: Sequence[ReceivedOrder]) -> list[Accepted]:
        """Sign orders of a slot for their members and let them enter."""
        return self._entry.take(orders, earlier, sent)
