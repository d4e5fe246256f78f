"""Figures of a statement that differ from what they follow from: from its slots, and from a run's own books.

A verification needs no books and stops at the first contradiction; who has the books can say what was altered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from transactive.core.community.community import Community
from transactive.core.slots import time_text
from transactive.engine.books.rebuilt import at_the_time
from transactive.engine.books.slot_book import read_slot
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.totals import totals_of
from transactive.services.statements.stated_slot import contents
from transactive.store import Store

MOST = 24
"""Figures that are named; where more are altered, the file is another one."""
ROWS = {
    "postings": ("kind", "payer", "payee", "energy_wh", "price", "amount_n"),
    "bundles": ("device", "first_wh", "energy_wh", "owner", "state", "market_mg"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: where it stands, what the file says, and what it should be."""

    place: str
    stated: str
    known: str


def of_a_run(of: Statement, store: Store, community: Community) -> bool:
    """Whether a statement says that it is of this run: of one of its members, settled on its contract."""
    member, ids = of.member, community.ids
    return (
        of.chain.settlement in {store.setting("settlement"), *(roster.settlement for roster in store.rosters)}
        and member.index < len(ids)
        and ids[member.index] == member.id
        and of.community.slot_seconds == community.clock.length
    )


def altered(of: Statement, store: Store, community: Community) -> list[Figure]:
    """Figures that are not those of the books, the first MOST; totals that do not follow from the slots come first."""
    return list(islice(_altered(of, store, community), MOST))


def _altered(of: Statement, store: Store, community: Community) -> Iterator[Figure]:
    totals = totals_of(of.member.index, of.slots)
    yield from _differences("totals", of.totals, totals)
    delivered = set(store.delivered(of.first_slot, of.end))
    community, _ = at_the_time(store, community, of.first_slot)
    store = store.as_of(len(community.members))
    for slot in of.slots:
        place = time_text(slot.slot)
        if slot.slot not in delivered:
            yield Figure(place, "a slot", "not delivered")
            continue
        for name, known in contents(read_slot(store, community, slot.slot), of.member.index).items():
            yield from _differences(f"{place} {name}", getattr(slot, name), known, ROWS.get(name, ()))


def _differences(place: str, stated: Any, known: Any, names: Sequence[str] = ()) -> Iterator[Figure]:  # noqa: ANN401
    """Where two values of one kind differ: field by field of a record, row by row and column by column of rows."""
    if stated == known:
        return
    if isinstance(known, msgspec.Struct) and type(stated) is type(known):
        for field in msgspec.structs.fields(known):
            yield from _differences(f"{place}.{field.name}", getattr(stated, field.name), getattr(known, field.name))
    elif isinstance(known, tuple) and isinstance(stated, tuple) and len(stated) == len(known):
        for k, (one, other) in enumerate(zip(stated, known, strict=True)):
            within = f".{names[k]}" if len(names) == len(known) and not isinstance(other, tuple) else f"[{k}]"
            yield from _differences(place + within, one, other, names)
    elif isinstance(known, tuple):
        yield Figure(place, f"{len(stated)} rows", f"{len(known)} rows")
    else:
        yield Figure(place, str(stated), str(known))
