"""The operator's books of a slot, made again from what the database keeps: leaves, orders, trades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from transactive.core.community.community import Community
from transactive.core.community.membership import roster_of
from transactive.core.errors import StateError
from transactive.core.proofs.accepted_orders import Accepted, hashes_of
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.signed_orders import Fills
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.engine.books.slot_book import read_slot
from transactive.settlement.ledger import Ledger, fills_of
from transactive.store import Store


@dataclass(frozen=True, slots=True)
class SlotBooks:
    """Leaves of a slot, the orders that were accepted for it, and what each member traded."""

    leaves: SlotLeaves
    accepted: Sequence[Accepted]
    fills: list[Fills]


def community_of(store: Store) -> Community:
    """Community of the run in a state folder. Raises StateError for an empty one."""
    text = store.setting("community")
    if text is None:
        raise StateError(f"{store.path.parent}: holds no run; give the --state folder of `run` or `demo`")
    return msgspec.json.decode(text, type=Community)


def at_the_time(store: Store, community: Community, slot: int) -> tuple[Community, int]:
    """The community of those who had accounts in a slot [Unix s], and the first slot from which they had them."""
    roster = roster_of(store.rosters, slot)
    return (community, 0) if roster is None else (community.of_first(roster.members), max(roster.since, 0))


def books_at(store: Store, community: Community, slot: int) -> SlotBooks:
    """Books at the end of a slot [Unix s], from the beginning of its period. Raises StateError if it is not there."""
    book, leaves = next(leaves_from(store, community, slot, slot))
    return SlotBooks(leaves, book.accepted, fills_of(book.positions))


def leaves_from(store: Store, community: Community, first: int, last: int) -> Iterator[tuple[SlotBook, SlotLeaves]]:
    """Slots from `first` to `last` [Unix s] with the leaves that were committed of them.

    Running totals begin with the period of `first`, so that its earlier slots are read too; where somebody joined
    meanwhile, with that. Accounts have the numbers of then. Raises StateError for the first slot that is not there.
    """
    community, since = at_the_time(store, community, first)
    if since != at_the_time(store, community, last)[1]:
        raise StateError(
            f"{store.path}: accounts moved between {time_text(first)} and {time_text(last)}; ask for each apart"
        )
    store = store.as_of(len(community.members))
    clock, chart = community.clock, community.chart
    period = clock.slots_per_period * clock.length
    delivered = store.delivered(max(first // period * period, since), last)
    for slot in range(first, last + clock.length, clock.length):
        if slot not in delivered:
            where = f"{store.path}: no delivery of {time_text(slot)}"
            raise StateError(f"{where}; give the start of a slot that was delivered")
    ledger = Ledger(chart)
    for slot in delivered:
        book = read_slot(store, community, slot)
        ledger.enter(clock.period(slot), book.positions, book.postings)
        hashes = hashes_of(book.accepted, community.places)
        ledger.record(clock.period(slot), book.readings, book.certificates, hashes, is_void=book.is_void)
        if slot >= first:
            yield book, ledger.leaves(clock.period(slot), clock.number(slot))
