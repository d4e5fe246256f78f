"""The operator's books of a slot, made again from what the database keeps: leaves, orders, trades."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from transactive.core.accepted import Accepted, hashes_of
from transactive.core.community import Community
from transactive.core.errors import StateError
from transactive.core.leaves import SlotLeaves
from transactive.core.signed_orders import Fills
from transactive.core.slots import time_text
from transactive.settlement.ledger import Ledger, fills_of
from transactive.store import Store


@dataclass(frozen=True, slots=True)
class SlotBooks:
    """Leaves of a slot, the orders that were accepted for it, and what each member traded."""

    leaves: SlotLeaves
    accepted: list[Accepted]
    fills: list[Fills]


def community_of(store: Store) -> Community:
    """Community of the run in a state folder. Raises StateError for an empty one."""
    text = store.setting("community")
    if text is None:
        raise StateError(f"{store.path.parent}: holds no run; give the --state folder of `run` or `demo`")
    return msgspec.json.decode(text, type=Community)


def books_at(store: Store, community: Community, slot: int) -> SlotBooks:
    """Books at the end of a slot [Unix s], from the beginning of its period. Raises StateError if it is not there."""
    clock, chart = community.clock, community.chart
    period = clock.period(slot)
    delivered = store.delivered(period * clock.slots_per_period * clock.length, slot)
    if not delivered or delivered[-1] != slot:
        raise StateError(f"{store.path}: no delivery of {time_text(slot)}; give the start of a slot that was delivered")
    ledger, accepted = Ledger(chart), list[Accepted]()
    for each in delivered:
        traded = store.trading(each, chart.members)
        if traded is None:
            raise StateError(f"{store.path}: orders of {time_text(each)} are gone")
        orders, _, positions = traded
        accepted = store.accepted(each, orders, clock.number(each))
        ledger.enter(period, positions, store.postings(each))
        hashes = hashes_of(accepted, chart.members)
        ledger.record(period, store.readings(each, chart.members), store.certificates(each), hashes)
    return SlotBooks(ledger.leaves(period, clock.number(slot)), accepted, fills_of(ledger.positions))
