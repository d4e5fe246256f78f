"""The box's way to the market: it asks for the terms, orders before each gate, and says an order again until answered.

An order is on the box's disk before it is sent, so a box that starts anew says the same again and never another one
under its serial. The receipt is kept beside it: with it anybody shows on chain that an order was left out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from transactive.core.boxes.messages import (
    AskTerms,
    OrderRefused,
    OrderTaken,
    Said,
    SentOrder,
    Terms,
    Told,
    Welcome,
    market_proof,
    unseal,
)  # fmt: skip
from transactive.core.errors import DataError, SignatureError, StateError
from transactive.core.proofs.order_records import order_bytes, order_of
from transactive.core.proofs.receipts import OrderReceipt
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder, Step, domain, sign_order
from transactive.core.proofs.signing import signer
from transactive.core.slots import time_text
from transactive.core.tables import DeviceRules
from transactive.core.units import IntArray
from transactive.node.agent.account import granted, has_own_account
from transactive.node.agent.order_files import KeptOrder, OrderFiles
from transactive.node.agent.thinking import think
from transactive.node.box import BoxKey
from transactive.node.dispatch.driver import PAUSED_FILE
from transactive.node.files import read_kept, write_whole

MARKET_FILE, TERMS_FILE = "market.json", "terms.json"
AHEAD = 10
"""A box orders so early before a gate: a part of the slot's length, and up to half of that more by its key."""
AGAIN = 200
"""After what part of a slot an unanswered message is said again."""


class HomePast(Protocol):
    """What a home used, slot by slot. end: of the last slot that is known [Unix s], 0 before any."""

    @property
    def end(self) -> int:
        """End of the last slot that is known [Unix s]."""

    def net_load(self) -> IntArray:
        """Net load up to `end` [Wh], (slots,)."""


class Trader:
    """Trades for one home. tell: hears in words what happens. charged_wh: asks the battery what it holds."""

    def __init__(
        self,
        folder: Path,
        key: BoxKey,
        code: str,
        past: HomePast,
        limits: tuple[int, int],
        tell: Callable[[str], None],
        charged_wh: Callable[[], int] = lambda: 0,
    ) -> None:
        """code: of the invitation. limits: highest price to buy and lowest to sell at [µ¤/kWh]."""
        self._folder, self._key, self._code, self._past, self._limits = folder, key, code, past, limits
        self._tell, self._charged_wh = tell, charged_wh
        self.orders = OrderFiles(folder)
        self.market = read_kept(folder / MARKET_FILE, Welcome)
        self.terms = read_kept(folder / TERMS_FILE, Terms)
        self._asked = self._said = self._said_at = self._silent_at = 0
        self._is_new = True
        self._refused: dict[int, str] = {}
        self._rules: dict[int, DeviceRules] = {}

    def heard(self, data: bytes) -> Told | None:
        """Take up what the market told; returns it unless it is of somebody else, which is told and left."""
        try:
            told = unseal(data, self._key.address, self.market.market if self.market else None)
        except (DataError, SignatureError) as error:
            self._tell(f"not followed: {error}")
            return None
        match told:
            case Welcome():
                self._know(told)
            case Terms():
                self._learn(told)
            case OrderTaken():
                self._keep_receipt(told)
            case OrderRefused():
                self._tell(f"not taken: {told.why}")
                if self._said and told.reason != "closed":
                    self._refused[self._said] = told.reason
        return told

    def connected(self) -> None:
        """AskTerms anew, as the line was broken: what was told meanwhile is told again."""
        self._is_new = True

    def plan(self, now: int) -> tuple[int, int, int, int] | None:
        """The levels of the box's own plan at a time [Unix s]; None where it made none."""
        if self.terms is None or not self.terms.capacity_wh:
            return None
        rule = self._rules.get(now // self.terms.slot_seconds * self.terms.slot_seconds)
        if rule is None:
            return None
        grid_charge, surplus_charge, serve, export = rule.levels_wh[:, 0].tolist()
        return grid_charge, surplus_charge, serve, export

    def step(self, now: int) -> list[Said]:
        """What is to be said at a time [Unix s]: a question, or an order whose gate comes; else nothing."""
        if self.market is None or not now:
            return []
        said: list[Said] = [AskTerms()] if self._asks(now) else []
        if self.terms is not None and (order := self._order(self.terms, now)):
            said.append(SentOrder(order))
        return said

    def _asks(self, now: int) -> bool:
        """Whether the box asks for terms now: as the line is new, and as long as those of coming slots are not told."""
        terms = self.terms
        wait = terms.slot_seconds // AGAIN if terms else 1
        known = terms is not None and terms.has(now + 2 * (terms.lead + 1) * terms.slot_seconds)
        if not self._is_new and (known or now - self._asked <= wait):
            return False
        self._asked, self._is_new = now, False
        return True

    def _order(self, terms: Terms, now: int) -> bytes | None:
        """The order that is to be said now, made first if need be; None while none is due, or it is answered."""
        slot = self._due(terms, now)
        if slot is None or slot in self._refused or not terms.has(slot) or not has_own_account(self._folder):
            return None
        kept = self.orders.of(slot) or self._make(terms, slot, now)
        if kept is None or kept.taken or (self._said == slot and now - self._said_at <= terms.slot_seconds // AGAIN):
            return None
        self._said, self._said_at = slot, now
        return kept.order

    def _due(self, terms: Terms, now: int) -> int | None:
        """The slot whose gate is so near that it is ordered for [Unix s]."""
        length = terms.slot_seconds
        gate = now // length * length + length
        early = length // AHEAD
        early += int(self._key.address, 16) % max(early // 2, 1)
        return gate + terms.lead * length if now >= gate - early else None

    def _make(self, terms: Terms, slot: int, now: int) -> KeptOrder | None:
        """Think, sign and keep an order; None where the member granted none or nothing is known yet."""
        try:
            order, grant = self._think(terms, slot, now)
        except (DataError, StateError) as error:
            if self._silent_at != slot:
                self._silent_at = slot
                self._tell(f"not traded: {error}")
            return None
        own = sign_order(order, self._key.key, domain(terms.chain_id, terms.settlement))
        made = KeptOrder(order_bytes(SignedOrder(order, own.signature, *grant)))
        self.orders.keep(slot, made)
        self._tell(f"order for {time_text(slot)}: {_words(order.buys, 'buys')}, {_words(order.sells, 'sells')}")
        return made

    def _think(self, terms: Terms, slot: int, now: int) -> tuple[Order, tuple[Grant, bytes]]:
        """The order for a slot and the grant that it is signed under. Raises DataError, StateError without either."""
        if (self._folder / PAUSED_FILE).exists():
            raise DataError("the member has paused the box; `transactive node resume` ends that")
        grant = granted(self._folder, self._key.address, terms, self._limits, now)
        if grant is None:
            raise DataError("the member's account gave this box no grant; bring its key into the folder once")
        load, end = self._past.net_load(), self._past.end
        if end + (2 * terms.lead + 4) * terms.slot_seconds < slot:
            raise DataError(f"the last record is of {time_text(end)}; what the home needs is not known")
        thought = think(load, end, self._charged_wh(), terms, slot, self._limits)
        self._rules = {rule.slot: rule for rule in thought.rules}
        return thought.order, grant

    def _know(self, told: Welcome) -> None:
        """Know the market, if it shows that it has the code of this box's invitation; once."""
        if told.proof != market_proof(self._code, self._key.address, told.market):
            self._tell(f"not followed: {told.market} does not show that it invited this box")
        elif self.market is None:
            write_whole(self._folder / MARKET_FILE, msgspec.json.encode(told))
            self.market = told
            self._tell(f"the market is {told.market}")

    def _learn(self, told: Terms) -> None:
        """Trade by these terms; not by older ones of the same market, which somebody on the way said once more."""
        known = self.terms
        if known and (known.chain_id, known.settlement) == (told.chain_id, told.settlement):
            if told == known:
                return
            if told.first < known.first:
                self._tell(f"not followed: terms from {time_text(told.first)} on, older than those that are known")
                return
        write_whole(self._folder / TERMS_FILE, msgspec.json.encode(told))
        self.terms = told

    def _keep_receipt(self, taken: OrderTaken) -> None:
        """Keep the receipt for an order of this box, if the market's key signed it."""
        if self.terms is None or self.market is None:
            return
        slot = taken.slot * self.terms.slot_seconds
        kept = self.orders.of(slot)
        if kept is None or kept.taken:
            return
        order = order_of(kept.order).order
        separator = domain(self.terms.chain_id, self.terms.settlement)
        try:
            operator = signer(OrderReceipt(taken.receipt).digest(order, separator), taken.receipt, "receipt")
        except SignatureError as error:
            self._tell(f"not kept: {error}")
            return
        if operator != self.market.market:
            self._tell(f"not kept: the receipt for {time_text(slot)} is signed by somebody else")
            return
        self.orders.keep(slot, KeptOrder(kept.order, taken))
        self._tell(f"order for {time_text(slot)} is receipted as {taken.number}")


def _words(steps: tuple[Step, ...], what: str) -> str:
    """One side of an order in words."""
    return f"{what} {sum(energy for _, energy in steps)} Wh in {len(steps)} steps" if steps else f"{what} nothing"
