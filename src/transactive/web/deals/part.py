"""Direct trading on the slot page: who dealt with whom, for the two and for who runs the market; rounds and reach."""

from __future__ import annotations

from typing import Any

from transactive.store.direct.deals import DealtSlot, deals_of
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, count_text, kwh_text
from transactive.texts.language import _
from transactive.web.viewers import Viewer


def deals_part(reader: Reader, slot: int, run: Run, viewer: Viewer, words: Words) -> dict[str, Any] | None:
    """A row for each deal that the viewer may see, and how it was agreed on; None where nobody traded directly."""
    dealt = deals_of(reader.store.path.parent, slot)
    if not dealt:
        return None
    made, names = [deal for session in dealt for deal in session.deals], run.names
    rows = [
        (names[deal.buyer], names[deal.seller], kwh_text(deal.energy_wh, 3), words.price(deal.price, 2))
        for deal in made
        if viewer.sees_all or (viewer.sees_members and viewer.member in (names[deal.buyer], names[deal.seller]))
    ]
    last = dealt[-1]
    figures = [
        (_("Deals"), count_text(len(made))),
        (_("Rounds"), count_text(last.rounds)),
        (_("Homes that heard of all"), _("%(some)s of %(all)s", some=last.reached, all=last.nodes)),
        (_("Messages between homes"), count_text(sum(session.datagrams for session in dealt))),
    ]
    mesh = [
        (
            names[node.member],
            ", ".join(names[member] for member in node.unheard) or "–",
            "–" if node.milliseconds is None else f"{count_text(node.milliseconds)} ms",
            count_text(node.datagrams),
        )
        for node in last.told
        if viewer.sees_all
    ]
    parts = len(parts_of(last)) if mesh else 0
    return {"rows": rows, "figures": figures, "hidden": len(made) - len(rows), "mesh": mesh, "parts": parts}


def parts_of(dealt: DealtSlot) -> list[set[int]]:
    """Groups of members whose nodes heard of each other, directly or through others; more than one: a partition."""
    unheard, parts = {node.member: set(node.unheard) for node in dealt.told}, list[set[int]]()
    for member, missing in unheard.items():
        met = [part for part in parts if any(o not in missing and member not in unheard[o] for o in part)]
        parts = [part for part in parts if part not in met]
        parts.append({member}.union(*met))
    return parts
