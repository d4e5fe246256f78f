"""A delivered slot as its database keeps it."""

from __future__ import annotations

from dataclasses import replace

from transactive.core.community.community import Community
from transactive.core.errors import StateError
from transactive.core.slot_book import SlotBook
from transactive.core.slots import time_text
from transactive.engine.deliveries import delivered_before
from transactive.environment.own_prices import own_prices
from transactive.store import Store
from transactive.store.corrections import settled_in


def read_slot(store: Store, community: Community, slot: int) -> SlotBook:
    """Read a delivered slot [Unix s]. Raises StateError if its orders or its carbon are not there."""
    clock, members = community.clock, community.chart.members
    traded = store.trading(slot, members)
    if traded is None:
        raise StateError(f"{store.path}: orders of {time_text(slot)} are gone; use a new --state folder")
    orders, clearing, positions = traded
    readings, rules, common = store.readings(slot, members), community.at(slot), store.tariff(slot)
    own = own_prices(community, slot, common)
    tariff = replace(common, shared=rules.shared_price, own=own, near=rules.near_fee)
    postings = store.postings(slot)
    return SlotBook(
        orders=orders,
        clearing=clearing,
        positions=positions,
        readings=readings,
        delivery=delivered_before(community, positions, readings, tariff, postings),
        postings=postings,
        certificates=store.certificates(slot),
        footprints=store.footprints(slot),
        levied=store.levied(slot),
        tariff=tariff,
        baseline=store.baseline(slot),
        accepted=store.accepted(slot, orders, clock.number(slot)),
        notes=store.credit_notes(slot),
        corrections=settled_in(store, slot),
        is_void=store.is_void(slot),
    )
