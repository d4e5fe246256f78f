"""Tells each box its member's leaf of a slot as soon as that is committed, until the box says that it has it.

So a box verifies by itself what its market settles, and has the evidence before anything is paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from transactive.core.boxes.messages import HasLeaf, SlotLeaf
from transactive.core.errors import StateError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import DAY, time_text
from transactive.engine.books.slot_book import read_slot
from transactive.engine.live.collector import Collector
from transactive.engine.observer import Observer
from transactive.settlement.ledger import fills_of
from transactive.store.live.leaves import LeafOutbox

if TYPE_CHECKING:
    from transactive.chain.commitments import Opening
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.engine.kernel import Kernel
    from transactive.store import Store

KEPT_DAYS = 7
"""How long a leaf is told to a box that does not answer; later its member asks the operator for it."""
MOST_REASON = 200
"""Characters of a box's reason that are told on."""


def one_settlement(chain: CommunityChain) -> ChainLedger:
    """The ledger of a community that settles in one. Raises StateError for groups, which no live market has."""
    from transactive.chain.ledgers.settlement import ChainLedger

    if isinstance(chain, ChainLedger):
        return chain
    raise StateError("a live market settles in one contract; run a community in groups on recorded data")


class LeafTeller(Observer):
    """Observer of a live market with one settlement. tell: hears in words what boxes find wrong; wrong: by member."""

    def __init__(self, outbox: LeafOutbox, collector: Collector, tell: Callable[[str], None]) -> None:
        self._outbox, self._collector, self._tell = outbox, collector, tell
        self._kernel: Kernel | None = None
        self._chain: ChainLedger | None = None
        self._store: Store | None = None
        self._book: SlotBook | None = None
        self._last: Opening | None = None
        self.publish: Callable[[str, SlotLeaf], None] = lambda _meter, _leaf: None
        self.wrong = Counter[int]()

    def watch(self, kernel: Kernel, chain: ChainLedger, store: Store) -> None:
        """Listen to a kernel that settles on a chain, with its database."""
        self._kernel, self._chain, self._store = kernel, chain, store
        kernel.observers.append(self)

    def settled(self, book: SlotBook) -> None:
        """Keep what the leaves stand for until they are committed."""
        self._book = book

    def committed(self, slot: int) -> None:
        """Make the leaves of all who have a box, keep them, and tell them."""
        if self._kernel is None or self._chain is None or self._store is None:
            return
        clock, book = self._kernel.clock, self._book
        members = range(len(self._kernel.community.members))
        boxes = {member: meter for member in members if (meter := self._collector.meter_of(member))}
        if not boxes:
            return
        if book is None or book.slot != slot:  # an interrupted run commits again what it had delivered
            book = read_slot(self._store, self._kernel.community, slot)
        number = clock.number(slot)
        files = self._files(self._kernel, self._chain, book, list(boxes))
        self._outbox.put(number, files, clock.number(slot - KEPT_DAYS * DAY))
        for member, file in files.items():
            self.publish(boxes[member], SlotLeaf(number, clock.slots_per_period, file))

    def _files(self, kernel: Kernel, chain: ChainLedger, book: SlotBook, members: list[int]) -> dict[int, bytes]:
        """Files of the leaves of some members, as the chain has them."""
        from transactive.chain.disputes.leaf_file import leaf_file

        clock, slot = kernel.clock, book.slot
        leaves = kernel.ledger.leaves(clock.period(slot), clock.number(slot))
        tree, shown = chain.shown(leaves, self._last)
        self._last, fills = shown, fills_of(book.positions)
        made = {}
        for member in members:
            orders = [(each.signed, each.receipt) for each in book.accepted if each.signed.order.account == member]
            placed = chain.chain_id, chain.address, member, tree.leaf(member), tree.proof(member), shown
            made[member] = msgspec.json.encode(leaf_file(*placed, orders, fills[member]))
        return made

    def open_for(self, member: int) -> list[SlotLeaf]:
        """The oldest leaf that a member's box has not said to have; the next one follows its answer."""
        found = self._outbox.oldest(member)
        return (
            []
            if found is None or self._kernel is None
            else [SlotLeaf(found[0], self._kernel.clock.slots_per_period, found[1])]
        )

    def heard(self, member: int, heard: HasLeaf) -> list[SlotLeaf]:
        """Hear that a box has a leaf, and what it finds wrong with it; what it is told next."""
        self._outbox.remove(member, heard.slot)
        if heard.wrong and self._kernel:
            self.wrong[member] += 1
            clock, name = self._kernel.clock, self._kernel.community.ids[member]
            why = "".join(each for each in heard.wrong[:MOST_REASON] if each.isprintable())
            self._tell(f"box of {name} says that its leaf of {time_text(heard.slot * clock.length)} is wrong: {why}")
        return self.open_for(member)
