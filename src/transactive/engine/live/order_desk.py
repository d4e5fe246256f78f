"""The order desk of a live market: takes signed orders in while gates are open, and gives receipts for them.

An order is in the journal before its receipt is given, and the receipt is what the judge contract reads: an order that
has one and is missing in its slot convicts the operator. What is refused is told with its reason, and leaves no trace.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from transactive.config.setting import Setting
from transactive.core.errors import DataError, OrderError, SignatureError
from transactive.core.proofs.accepted_orders import receipt_of
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.proofs.signed_orders import MAX_ENTRIES, Order, SignedOrder, SigningPlace
from transactive.core.slots import time_text
from transactive.core.tariff import PriceGrid
from transactive.engine.live.waiting import Time
from transactive.store.live.journal import Arrival, ArrivalKind, Journal

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys


MOST_BOUGHT_WH = 10**9
"""Of an order: what it locks, energy times a price of at most 1,000 ¤/kWh, stays a whole number of 64 bits."""


class SigningParties(Protocol):
    """Who signs what, and where: a chain, or what is known of one beside it."""

    @property
    def keys(self) -> Keys:
        """Keys of roles and members."""
        ...

    def signing_place(self, account: int) -> SigningPlace:
        """Where an account signs its orders."""
        ...


@dataclass(frozen=True, slots=True)
class EnteredOrder:
    """That an order is in the journal, as `number`, since `received` [Unix s]. receipt: the operator's signature."""

    number: int
    received: int
    order: Order
    receipt: bytes


@dataclass(frozen=True, slots=True)
class _Authority:
    """What an order is checked against once there is a chain: where members sign, their addresses, the operator."""

    places: tuple[SigningPlace, ...]
    members: tuple[str, ...]
    operator: bytes


class OrderDesk:
    """Takes orders of the slots of one session, from any thread. refused: how many were, by reason."""

    def __init__(self, journal: Journal, clock: Time, setting: Setting, slots: range) -> None:
        self._journal, self._clock, self._setting, self._slots = journal, clock, setting, slots
        self._authority: _Authority | None = None
        self._read = self._forgot = 0
        self._known: dict[tuple[int, int], list[Arrival]] = {}
        self._taking = threading.Lock()
        self.refused = Counter[str]()

    def open(self, chain: SigningParties) -> None:
        """Take orders from now on, as the operator of a settlement contract."""
        members = range(len(self._setting.community.members))
        addresses = tuple(str(chain.keys.account(index).address) for index in members)
        places = tuple(chain.signing_place(index) for index in members)
        self._authority = _Authority(places, addresses, bytes(chain.keys.role("operator").key))

    def take(self, data: bytes, account: int) -> EnteredOrder:
        """Take a signed order of an account, written and receipted. Raises OrderError with the reason if it is not."""
        with self._taking:
            try:
                return self._take(data, account)
            except OrderError as error:
                self.refused[error.reason] += 1
                raise

    def _take(self, data: bytes, account: int) -> EnteredOrder:
        """Take an order that is right in all."""
        if self._authority is None:
            raise OrderError("closed", "the market is not open yet; send the order again")
        try:
            signed = order_of(data)
        except DataError as error:
            raise OrderError("torn", f"the order {error}") from None
        order, length = signed.order, self._slots.step
        if order.account != account:
            raise OrderError("account", f"an order of account {order.account} comes from account {account}")
        slot = order.slot * length
        for known in self._entered(order):
            if known.body == order_bytes(signed):  # its receipt was lost on the way
                return self._receipt(order, known)
        if slot not in self._slots:  # by its number: it may be no time at all
            raise OrderError("slot", f"slot {order.slot} is none that this market trades; order for one of its slots")
        gate = self._setting.community.clock.gate(slot)
        if self._clock.now >= gate:
            raise OrderError(
                "late", f"the gate of {time_text(slot)} closed at {time_text(gate)}; order for a later slot"
            )
        if self._setting.community.market.day_ahead_lead is not None:
            raise OrderError("session", "a market with a day-ahead session takes no orders that are sent")
        if self._setting.community.market.mechanism == "direct":  # what undoes a deal would be no part of it
            raise OrderError("market", "members of this market trade directly; it takes no orders that are sent")
        require_possible(self._setting, order, slot)
        self._require_signed(signed, slot + length)
        return self._receipt(order, self._enter(signed, slot, gate))

    def _enter(self, signed: SignedOrder, slot: int, gate: int) -> Arrival:
        """Write an order after all that it was checked against, however many desks there are."""
        while True:
            self._require_newer(signed.order)
            received = max(self._clock.now, self._journal.received)
            entry = self._journal.append_order(received, order_bytes(signed), gate, self._read)
            if entry == "closed":
                raise OrderError("late", f"the gate of {time_text(slot)} is closed; order for a later slot")
            if entry != "overtaken":
                return entry

    def _receipt(self, order: Order, entry: Arrival) -> EnteredOrder:
        """The receipt for an order that is in the journal; the same each time."""
        if self._authority is None:
            raise OrderError("closed", "the market is not open yet; send the order again")
        receipt = receipt_of(order, self._authority.operator, self._authority.places).signature
        return EnteredOrder(entry.number, entry.received, order, receipt)

    def _entered(self, order: Order) -> list[Arrival]:
        """All orders of its account for its slot, unless that is over, that are in the journal."""
        for entry in self._journal.of_kinds((ArrivalKind.ORDER,), self._read):
            known, self._read = order_of(entry.body).order, entry.number
            self._known.setdefault((known.slot, known.account), []).append(entry)
        now = self._clock.now // self._slots.step
        if now > self._forgot:  # of a slot that is over nobody asks for a receipt any more
            self._forgot = now
            self._known = {key: entries for key, entries in self._known.items() if key[0] >= now}
        return self._known.get((order.slot, order.account), [])

    def _require_signed(self, signed: SignedOrder, end: int) -> None:
        """Require the signature of the member, or of who it granted to; end: of the slot [Unix s]."""
        if self._authority is None or not 0 <= signed.order.account < len(self._authority.members):
            raise OrderError("account", f"account {signed.order.account} is no member")
        try:
            account = signed.order.account
            self._authority.places[account].check(signed, self._authority.members[account], end)
        except SignatureError as error:
            raise OrderError("signature", str(error)) from None

    def _require_newer(self, order: Order) -> None:
        """Require a serial above that of every order that it replaces, of which there are not too many."""
        serials = [order_of(entry.body).order.serial for entry in self._entered(order)]
        if serials and order.serial <= max(serials):
            raise OrderError("serial", f"serial {order.serial} comes after {max(serials)}; count it up")
        if len(serials) >= MAX_ENTRIES:
            raise OrderError("many", f"{MAX_ENTRIES} orders for a slot are all that is taken of a member")


def require_possible(setting: Setting, order: Order, slot: int) -> None:
    """Require steps that the market can take: on its grid, not crossing, no more than can be given.

    Raises OrderError with the reason.
    """
    if not order.is_meant:
        raise OrderError("steps", "an order has at most 64 steps each way, the best first")
    community, tariff = setting.community, setting.tariff(slot)
    grid = PriceGrid.of(tariff, community.market.tick_micro_per_kwh)
    steps = (*order.buys, *order.sells)
    if steps and not tariff.meets:
        raise OrderError("market", f"no price between neighbours suits both sides in {time_text(slot)}")
    for price, energy in steps:
        if not grid.floor <= price <= grid.cap or (price - grid.floor) % grid.tick:
            raise OrderError("price", f"price {price} is not on the grid {grid.floor} to {grid.cap} by {grid.tick}")
        if energy <= 0:
            raise OrderError("energy", f"an order of {energy} Wh: leave it out")
    if order.buys and order.sells and order.buys[0][0] >= order.sells[0][0]:
        raise OrderError("crossing", f"buys at {order.buys[0][0]} and sells at {order.sells[0][0]}; they must not meet")
    if sum(energy for _, energy in order.buys) > MOST_BOUGHT_WH:
        raise OrderError("energy", f"buys more than {MOST_BOUGHT_WH} Wh in a slot; ask for less")
    devices, offered = community.devices, sum(energy for _, energy in order.sells)
    most = int(devices.pv_wh[order.account] + devices.power_wh[order.account])
    if offered > most:
        raise OrderError("energy", f"sells {offered} Wh, but the devices can give {most} in a slot; offer less")
