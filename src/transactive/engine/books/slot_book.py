"""A delivered slot as its database keeps it."""

from __future__ import annotations

from transactive.core.community.community import Community
from transactive.core.errors import StateError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.settlement.netted import deliver
from transactive.store import Store


def read_slot(store: Store, community: Community, slot: int) -> SlotBook:
    """Read a delivered slot [Unix s]. Raises StateError if its orders or its carbon are not there."""
    clock, members = community.clock, community.chart.members
    traded = store.trading(slot, members)
    if traded is None:
        raise StateError(f"{store.path}: orders of {time_text(slot)} are gone; use a new --state folder")
    orders, clearing, positions = traded
    readings, tariff = store.readings(slot, members), store.tariff(slot)
    return SlotBook(
        orders=orders,
        clearing=clearing,
        positions=positions,
        readings=readings,
        delivery=deliver(positions, readings, meet=tariff.meets),
        postings=store.postings(slot),
        certificates=store.certificates(slot),
        footprints=store.footprints(slot),
        levied=store.levied(slot),
        tariff=tariff,
        baseline=store.baseline(slot),
        accepted=store.accepted(slot, orders, clock.number(slot)),
        notes=store.credit_notes(slot),
    )
