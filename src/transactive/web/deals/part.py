"""Direct trading on the slot page: who dealt with whom, for the two and for who runs the market; rounds and reach."""

from __future__ import annotations

from typing import Any

from transactive.store.direct.deals import deals_of
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
    return {"rows": rows, "figures": figures, "hidden": len(made) - len(rows)}
