"""What a proposal would have meant: for the community, and for one home with the proof that its line is bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transactive.core.governance.consequences import NOT_A_FORECAST, Document, Spread
from transactive.core.slots import parse_time
from transactive.services.governing.kept import document_of, line_of
from transactive.texts.formatting import Words

BASES = {"held": "Behaviour as it was", "planned": "Re-planned by the same agents"}


def totals_part(folder: Path, digest: bytes, words: Words) -> dict[str, Any] | None:
    """What all would have paid; None where a proposal binds nothing that is kept here."""
    document = document_of(folder, digest.hex()) if any(digest) else None
    return None if document is None else meaning_of(document, words)


def meaning_of(document: Document, words: Words) -> dict[str, Any]:
    """A document in words: the days, totals, and how the change falls on members."""
    first = parse_time(document.first_slot)
    end = first + document.slots * document.slot_minutes * 60
    return {
        "days": f"{words.moment(first)} to {words.moment(end)}, {document.members} homes",
        "note": NOT_A_FORECAST,
        "today": words.money(int(document.totals_n["today"])),
        "bases": [
            {
                "name": BASES[name],
                "total": words.money(int(document.totals_n[name])),
                "change": _signed(int(found.total_n), words),
                "losers": f"{found.losers} of {document.members}",
                "largest": "not told of so few"
                if found.largest_loss_n is None
                else words.money(int(found.largest_loss_n)),
                "spread": _spread(found, words),
                "groups": [(name, _signed(int(total), words)) for name, total in found.groups_n.items()],
            }
            for name, found in (("held", document.held), ("planned", document.planned))
        ],
        "root": document.root,
        "program": document.program,
        "forecaster": document.forecaster,
    }


def own_part(folder: Path, digest: bytes, index: int | None, words: Words) -> dict[str, Any] | None:
    """One home's bill of the replayed days beside today's, and whether the proof holds; None without a line."""
    found = None if index is None or not any(digest) else line_of(folder, digest.hex(), index)
    if found is None:
        return None
    bills = found.line.line
    return {
        "today": words.money(bills.today_n),
        "rows": [
            (BASES["held"], words.money(bills.held_n), _signed(bills.held_n - bills.today_n, words)),
            (BASES["planned"], words.money(bills.planned_n), _signed(bills.planned_n - bills.today_n, words)),
        ],
        "wrong": found.wrong,
        "steps": len(found.line.proof),
        "root": found.line.root,
    }


def _spread(found: Spread, words: Words) -> str:
    """Quartiles in a sentence."""
    if found.quartiles_n is None:
        return "of fewer than twenty homes no quartiles are told"
    least, lower, middle, upper, most = (_signed(int(value), words) for value in found.quartiles_n)
    return f"{least} at the least, {lower}, {middle} in the middle, {upper}, {most} at the most"


def _signed(amount_n: int, words: Words) -> str:
    """A difference: more to pay with a plus."""
    return f"+{words.money(amount_n)}" if amount_n > 0 else words.money(amount_n)
