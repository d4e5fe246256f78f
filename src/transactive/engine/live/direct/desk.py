"""The desk for direct trading: lets keys of a slot in, hands out the roll, and takes deals up with receipts.

What it says is in the journal first. All keys of a slot are let in by one roll under one signature; a roll that is
closed stays as it is, however often the market starts anew, for two of them would convict the operator. It sees no
quote, and matches nobody.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from transactive.config.setting import Setting
from transactive.core.boxes.direct import (
    AskRoll,
    AskSeat,
    DealRecord,
    DealsTaken,
    HasSeat,
    NodeReport,
    NoSeat,
    ShowDeals,
    SlotRoll,
)  # fmt: skip
from transactive.core.community.limits import Limits
from transactive.core.community.rules import DirectRules
from transactive.core.errors import OrderError, SignatureError
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.signed_orders import Order
from transactive.core.slots import time_text
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.engine.live.direct.journaled import (
    DirectSlot,
    EnteredDeal,
    EnteredReport,
    EnteredSeat,
    JournaledDeals,
)  # fmt: skip
from transactive.engine.live.order_desk import require_possible
from transactive.engine.live.waiting import WallClock
from transactive.store.live.journal import ArrivalKind, Journal
from transactive.trading.escrow import lock_price

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.core.boxes.messages import Direct, DirectTold

ASKED, CLOSED, PARTS = 6, 4, 10
"""Seats are given from so many tenths of a slot's length before a gate to so many; then the roll is closed."""
NEAR = 8
"""Contacts of others that a node is told, so that it finds all."""
LEFT = 1_000
"""How long before the gate deals must be made [ms on the wall]: in it they are shown."""


class DirectDesk:
    """Takes seats and deals of one session. refused: how many were, by reason.

    limits, free_n: what members allow in a slot, and what each can still lock for it [n¤]; set once there is a kernel.
    """

    def __init__(self, journal: Journal, clock: WallClock, setting: Setting, slots: range) -> None:
        self._journal, self._clock, self._setting, self._slots = journal, clock, setting, slots
        self._rules = setting.community.direct or DirectRules()
        self._known = JournaledDeals(journal, setting.community.clock)
        self._taking = threading.Lock()
        self._operator = self._domain = b""
        self._elsewhere = frozenset[int]()
        self.limits: Callable[[int], Limits] | None = None
        self.free_n: Callable[[int], IntArray] | None = None
        self.refused = Counter[str]()

    def open(self, chain: CommunityChain) -> None:
        """Let keys in from now on, as the operator of a settlement contract."""
        from transactive.chain.keys.keys import HeldElsewhere

        members = range(len(self._setting.community.members))
        self._elsewhere = frozenset(i for i in members if isinstance(chain.keys.account(i), HeldElsewhere))
        self._operator, self._domain = bytes(chain.keys.role("operator").key), chain.signing_place(0).domain
        if not JournaledDeals.is_negotiated(self._journal):
            self._journal.append(max(self._clock.now, self._journal.received), ArrivalKind.NODES, [b"1"])

    def hear(self, said: Direct, member: int) -> DirectTold | None:
        """The answer to a member's box; None where it has to wait."""
        with self._taking:
            self._known.forget(self._clock.now)
            if isinstance(said, AskSeat):
                return self._seat(said, member)
            if isinstance(said, AskRoll):
                return self._roll(said, member)
            if isinstance(said, NodeReport):
                self._report(said, member)
                return None
            return self._deals(said, member)

    # -- seats ----------------------------------------------------------------------------------

    def _seat(self, said: AskSeat, member: int) -> HasSeat | NoSeat:
        """Let a key in, or say why not; the same key again gets the same answer."""
        slot = said.slot * self._slots.step
        try:
            gate = self._open_gate(slot)
            known = self._known.of(slot)
            own = known.seats.get(said.key)
            if own is None or own.member != member:
                self._require_free(known, said, member)
                self._enter(ArrivalKind.SEAT, msgspec.json.encode(self._given(said, member, slot)), slot)
        except OrderError as error:
            self.refused[error.reason] += 1
            return NoSeat(said.slot, error.reason, str(error))
        return HasSeat(said.slot, self._milliseconds(max(self._closes(gate) - self._clock.now, 0)))

    def _require_free(self, known: DirectSlot, said: AskSeat, member: int) -> None:
        """Require that the roll is open, and that neither key nor member has a seat."""
        if known.closed:
            raise OrderError("late", "the roll of this slot is closed; ask for a seat of the next one")
        if said.key in known.seats:
            raise OrderError("key", "this key has a seat already; make another one")
        if any(seat.member == member for seat in known.seats.values()):
            raise OrderError("many", "a member has one key a slot; go on with the one that has a seat")
        if member in self._elsewhere:
            raise OrderError(
                "account", "who keeps the key of its account itself does not trade directly yet; its orders are traded"
            )

    def _given(self, said: AskSeat, member: int, slot: int) -> EnteredSeat:
        """The seat that a key gets. Raises OrderError for what the market does not take, or funds do not cover."""
        if self._setting.community.market.day_ahead_lead is not None:
            raise OrderError("session", "in a market with a day-ahead session nodes do not trade directly")
        order = Order(member, said.slot, 0, said.buys, said.sells)
        require_possible(self._setting, order, slot)
        if self.limits is None or self.free_n is None:
            raise OrderError("closed", "the market is not open yet; ask again")
        limits, most = self.limits(slot), sum(energy for _, energy in (*said.buys, *said.sells))
        within = int(limits.highest_buy[member]), int(limits.lowest_sell[member])
        beyond = any(price > within[0] for price, _ in said.buys) or any(price < within[1] for price, _ in said.sells)
        if beyond or not limits.trades[member]:
            raise OrderError("limits", "the member does not allow this; keep to its limits")
        tariff, grid = self._setting.tariff(slot), self._grid(slot)
        sides, ends = np.array([True, False]), np.array([grid.cap, grid.floor])
        need, free = most * int(lock_price(sides, ends, tariff).sum()), int(self.free_n(slot)[member])
        if need > free:
            raise OrderError("funds", f"deals may cost {need} n¤, and {free} n¤ are free; ask for less")
        return EnteredSeat(
            slot, member, said.key, said.salt, said.contact, most, most, within, said.buys, said.sells
        )  # fmt: skip

    # -- the roll -------------------------------------------------------------------------------

    def _roll(self, said: AskRoll, member: int) -> SlotRoll | NoSeat | None:
        """The roll of a slot for who is in it; None before its time."""
        slot = said.slot * self._slots.step
        try:
            gate = self._open_gate(slot)
            known = self._closed(slot, gate)
        except OrderError as error:
            return NoSeat(said.slot, error.reason, str(error))
        own = next((seat for seat in known.seats.values() if seat.member == member), None)
        if own is None:
            return NoSeat(said.slot, "seat", "this member has no seat in the roll; ask for one in time")
        if not known.closed:
            return None
        roll, grid = known.roll(said.slot), self._grid(slot)
        keys = [each.key for each in roll.allowances]
        place = keys.index(own.key)
        near = [known.seats[keys[(place + step) % len(keys)]].contact for step in range(1, min(NEAR + 1, len(keys)))]
        return SlotRoll(
            said.slot, tuple(each.content[1:] for each in roll.allowances), roll.sign(self._operator, self._domain),
            tuple(near), self._milliseconds(gate - self._clock.now) - LEFT, self._rules.rounds,
            self._rules.sealed_below, grid.floor, grid.cap, grid.tick, own.within,
        )  # fmt: skip

    def _closed(self, slot: int, gate: int) -> DirectSlot:
        """What is known of a slot; who asks first after its time closes the roll. Raises OrderError."""
        known = self._known.of(slot)
        if not known.closed and self._clock.now >= self._closes(gate):
            self._enter(ArrivalKind.ROLL, str(slot).encode(), slot)
            known = self._known.of(slot)
        return known

    # -- deals ----------------------------------------------------------------------------------

    def _deals(self, said: ShowDeals, member: int) -> DealsTaken:
        """Take deals up that one of both shows; what is in the journal already gets the same receipt."""
        slot, taken, refused = said.slot * self._slots.step, [], []
        for record in said.deals:
            deal = record.deal(said.slot)
            try:
                self._take(deal, slot, member)
            except (OrderError, SignatureError) as error:
                self.refused["deal"] += 1
                refused.append((deal.hash, str(error)))
                continue
            taken.append((deal.hash, DealReceipt(deal.hash).sign(self._operator, self._domain)))
        return DealsTaken(said.slot, tuple(taken), tuple(refused))

    def _take(self, deal: SignedDeal, slot: int, member: int) -> None:
        """Write a deal that is right in all. Raises OrderError, SignatureError."""
        known = self._known.of(slot)
        if deal.hash in known.deals:
            return
        self._open_gate(slot)
        buyer, seller = (known.seats.get(key) for key in (deal.bid.buyer, deal.bid.seller))
        if not known.closed or buyer is None or seller is None or member not in (buyer.member, seller.member):
            raise OrderError("seat", "a deal is shown by one of both, whose keys are in the roll")
        if buyer is seller:
            raise OrderError("self", "nobody deals with itself; show deals with others")
        deal.check(self._domain)
        self._require_within(deal, known, buyer, seller)
        self._enter(ArrivalKind.DEAL, msgspec.json.encode(EnteredDeal(slot, DealRecord.of(deal))), slot)

    def _require_within(self, deal: SignedDeal, known: DirectSlot, buyer: EnteredSeat, seller: EnteredSeat) -> None:
        """Require a price of the market, within both allowances and limits, and nothing that contradicts a deal."""
        bid, grid = deal.bid, self._grid(buyer.slot)
        on_grid = grid.floor <= bid.price <= grid.cap and (bid.price - grid.floor) % grid.tick == 0
        if not on_grid or not seller.within[1] <= bid.price <= buyer.within[0] or bid.round >= self._rules.rounds:
            raise OrderError("price", f"price {bid.price} of round {bid.round} is none that both may agree on")
        for other in known.deals.values():
            if (other.buyer, other.serial) == (bid.buyer, bid.serial):
                raise OrderError("twice", "another deal has this bid's serial; show both to the judge of deals")
        bought = sum(other.energy_wh for other in known.deals.values() if other.buyer == bid.buyer)
        sold = sum(other.energy_wh for other in known.deals.values() if other.seller == bid.seller)
        if bought + deal.energy_wh > buyer.most_bought_wh or sold + deal.energy_wh > seller.most_sold_wh:
            raise OrderError("allowance", "it is beyond what one of both was allowed")

    def _report(self, said: NodeReport, member: int) -> None:
        """Write down how a node fared, once; what comes too late or says what cannot be is left."""
        slot = said.slot * self._slots.step
        known = self._known.of(slot)
        seats = len(known.seats)
        has_seat = any(seat.member == member for seat in known.seats.values())
        if known.closed and has_seat and member not in known.reports and set(said.unheard) <= {*range(seats)}:
            with suppress(OrderError):
                self._open_gate(slot)
                self._enter(ArrivalKind.REACH, msgspec.json.encode(EnteredReport(slot, member, said)), slot)

    # -- all ------------------------------------------------------------------------------------

    def _open_gate(self, slot: int) -> int:
        """The gate of a slot [Unix s] that can still be traded. Raises OrderError."""
        if not self._operator:
            raise OrderError("closed", "the market is not open yet; ask again")
        if slot not in self._slots:
            raise OrderError("slot", "this market does not trade that slot; ask for one of its slots")
        gate = self._setting.community.clock.gate(slot)
        if self._clock.now >= gate:
            raise OrderError("late", f"the gate of {time_text(slot)} closed at {time_text(gate)}")
        return gate

    def _closes(self, gate: int) -> int:
        """When the roll of the slot with this gate is closed [Unix s]."""
        return gate - self._slots.step * CLOSED // PARTS

    def _milliseconds(self, seconds: int) -> int:
        """How long so many seconds of the market take on the wall [ms]."""
        return int(seconds * 1_000 / self._clock.speed)

    def _grid(self, slot: int) -> PriceGrid:
        """Prices of a slot."""
        return PriceGrid.of(self._setting.tariff(slot), self._setting.community.market.tick_micro_per_kwh)

    def _enter(self, kind: ArrivalKind, body: bytes, slot: int) -> None:
        """Write an entry before the gate of its slot. Raises OrderError where that is closed."""
        received, gate = max(self._clock.now, self._journal.received), self._setting.community.clock.gate(slot)
        if isinstance(self._journal.append_in_time(received, kind, body, gate, self._journal.last), str):
            raise OrderError("late", f"the gate of {time_text(slot)} is closed; trade a later slot")
