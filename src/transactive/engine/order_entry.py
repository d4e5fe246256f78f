"""Where orders enter a run that has a chain: signed by their members, checked together, and receipted.

A leaf commits the hash of the orders that were accepted of its member, so nobody can be charged for a trade that it
did not sign, and no accepted order can be left out unseen. In a run on recorded data this machine has all keys and
signs for the members too; without a chain nothing is signed, because nothing could be disputed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from transactive.core.ports import ReceivedOrder
from transactive.core.proofs.accepted_orders import Accepted, accept, books_of, check_all, receipt_of, steps_of
from transactive.core.proofs.signed_orders import Order, SignedOrder
from transactive.core.tables import Orders, stacked
from transactive.core.tariff import PriceGrid, Tariff
from transactive.engine.authorisations import Authorisations
from transactive.trading.escrow import lock_price

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.core.proofs.members.authorisation import Authorised


class EntersOrders(Protocol):
    """Where orders of a slot enter."""

    def in_place(self, made: Orders, sent: Sequence[ReceivedOrder], tariff: Tariff, grid: PriceGrid) -> Orders:
        """Orders of a slot: of who has sent some the last it sent, in place of those that were made for it."""
        ...

    def take(self, orders: Orders, earlier: Orders | None, sent: Sequence[ReceivedOrder]) -> list[Accepted]:
        """Sign orders of a slot for their members and let them enter, beside those that were sent."""
        ...


class NoEntry:
    """A run without a chain: nothing is signed, as nothing could be disputed."""

    def in_place(self, made: Orders, sent: Sequence[ReceivedOrder], tariff: Tariff, grid: PriceGrid) -> Orders:  # noqa: ARG002 - as an entry is asked
        """Nobody sends orders, so there are those that were made."""
        return made

    def take(self, orders: Orders, earlier: Orders | None, sent: Sequence[ReceivedOrder]) -> list[Accepted]:  # noqa: ARG002 - as an entry is asked
        """Orders enter as they are."""
        return []


class OrderEntry:
    """Takes the signed orders of one settlement contract in, as its operator."""

    def __init__(self, chain: CommunityChain, members: int, slot_seconds: int, authorisations: Authorisations) -> None:
        from transactive.chain.keys.keys import HeldElsewhere

        self._keys, self._slot_seconds = chain.keys, slot_seconds
        self._authorisations, self._together = authorisations, chain.judges_receipts_together
        self._own: dict[int, bytes] = {}
        accounts = [chain.keys.account(index) for index in range(members)]
        self._members = [str(account.address) for account in accounts]
        self._elsewhere = [index for index, account in enumerate(accounts) if isinstance(account, HeldElsewhere)]
        self._places = [chain.signing_place(index) for index in range(members)]

    def in_place(self, made: Orders, sent: Sequence[ReceivedOrder], tariff: Tariff, grid: PriceGrid) -> Orders:
        """Orders of a slot: of who has sent some the last it sent, in place of those that were made for it.

        One counts for nothing that its member no longer allows, or that is on no price of the market. Nothing is made
        for a member whose key is not here.
        """
        if not sent and not self._elsewhere:
            return made
        last = {each.signed.order.account: each.signed.order for each in sent}
        count = [order for order in last.values() if tariff.meets and self._authorisations.allow(order)]
        not_made = [*last, *self._elsewhere]
        own, others = steps_of(count, made.slot), made.only(np.isin(made.member, not_made, invert=True))
        above = own.price - grid.floor
        own = own.only((own.energy_wh > 0) & (above % grid.tick == 0) & (above >= 0) & (own.price <= grid.cap))
        both = stacked(others, replace(own, lock_n=own.energy_wh * lock_price(own.is_buy, own.price, tariff)))
        return both.only(np.argsort(both.member, kind="stable"))

    def take(self, orders: Orders, earlier: Orders | None, sent: Sequence[ReceivedOrder]) -> list[Accepted]:
        """Sign orders of a slot for their members and let them enter; those that were sent are signed, and enter all.

        With orders of an earlier session of the slot a member signs both as one book, which replaces its earlier one.
        """
        came = {order.signed.order.account for order in sent}
        whole, serial = (stacked(earlier, orders), 1) if earlier is not None else (orders, 0)
        books = books_of(whole, orders.slot // self._slot_seconds, serial)
        given = self._authorisations.in_force(orders.slot)
        made = [self._signed(book, given.get(book.account)) for book in books if book.account not in came]
        return [*self.enter(orders.slot, made), *(self.receipted(order) for order in sent)]

    def receipted(self, sent: ReceivedOrder) -> Accepted:
        """An order that was sent, with the receipt for it alone: the same whenever it is asked for."""
        receipt = receipt_of(sent.signed.order, bytes(self._keys.role("operator").key), self._places)
        return Accepted(sent.signed, receipt.signature, number=sent.number, received=sent.received)

    def _signed(self, book: Order, given: Authorised | None) -> SignedOrder:
        """A book signed by the member, or by its agent where that has a grant."""
        place = self._places[book.account]
        agent = self._keys.agent(book.account) if given is not None and given.granted else None
        if given is None or given.grant is None or agent is None or agent.address != given.key:
            return place.sign_order(book, self._key(book.account))
        return SignedOrder(book, place.signature(book, bytes(agent.key)), *given.grant)

    def _key(self, account: int) -> bytes:
        """A member's own key, at hand once it has signed."""
        key = self._own.get(account)
        if key is None:
            key = self._own[account] = bytes(self._keys.account(account).key)
        return key

    def enter(self, slot: int, orders: Iterable[SignedOrder]) -> list[Accepted]:
        """Accept the orders of a slot [Unix s] after checking signatures and what members allow their agents.

        Raises SignatureError for the first bad one.
        """
        clock = (slot // self._slot_seconds, self._slot_seconds)
        accepted = check_all(orders, self._members, self._places, clock)
        for each in accepted.values():
            self._authorisations.check(each.order)
        operator = bytes(self._keys.role("operator").key)
        return accept(list(accepted.values()), operator, self._places, together=self._together)
