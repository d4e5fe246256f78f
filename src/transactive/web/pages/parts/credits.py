"""Carbon credits on the carbon page: what was retired, day by day, for whom and under which serials."""

from __future__ import annotations

from typing import Any

from transactive.core.credit_notes import Avoided, Retired
from transactive.store.read.credits import newest_notes, paid_for, uncovered
from transactive.store.read.runs import Reader, Run
from transactive.texts.formatting import Words, count_text
from transactive.texts.language import _, known

MOST_NOTES = 60
"""Newest receipts that the page lists; all are in a statement and in `transactive credits export`."""


def credits_part(reader: Reader, run: Run, words: Words, member: int | None) -> dict[str, Any] | None:
    """Who had what retired, and the newest receipts; None where a run has no credits.

    member: whose, with what was retired for everybody; None for all.
    """
    members = len(run.community.ids)
    mine = None if member is None else (member, *range(members, run.community.chart.total))
    said = newest_notes(reader.store, MOST_NOTES, mine)
    if not said and not run.community.carbon.offsets.file:
        return None
    people = {account: (*paid, 0) for account, paid in paid_for(reader.store, mine).items()}
    for account, left_mg in uncovered(reader.store).items():
        if mine is None or account in mine:
            people[account] = (*people.get(account, (0, 0, 0))[:2], left_mg)
    names = [*run.community.ids, *[_("all, from the levy")] * (run.community.chart.total - members)]
    return {
        "people": [
            (names[account], f"{kg:,}", words.money(paid_n), f"{left_mg // 10_000 / 100:,.2f}")
            for account, (kg, paid_n, left_mg) in sorted(people.items())
        ],
        "receipts": [_receipt(slot, note, words) for slot, note in said if isinstance(note, Retired)],
        "issued": [_issued(note, words) for _, note in said if isinstance(note, Avoided)],
    }


def _receipt(slot: int, note: Retired, words: Words) -> tuple[str, ...]:
    """One retirement: when, for whom, how much, which kg of which serial, of what kind, at which price."""
    price = words.money(note.price_micro_per_t * 1_000)
    return (
        words.moment(slot),
        note.beneficiary,
        count_text(note.kg),
        _kg_of(note),
        _kind(note),
        price,
        str(note.receipt),
    )


def _issued(note: Avoided, words: Words) -> tuple[str, ...]:
    """One issue for what an asset avoided."""
    span = _("%(moment)s to %(moment2)s", moment=words.moment(note.first_slot), moment2=words.moment(note.end))
    return (note.serial, span, f"{note.generation_wh:,}", _average_g(note), f"{note.issued_kg:,}")


def _average_g(note: Avoided) -> str:
    """Marginal factor of what was counted, on average [g/kWh]."""
    return f"{note.gross_mg // note.counted_wh:,}" if note.counted_wh else "–"


def _kg_of(note: Retired) -> str:
    """Which kg of a serial."""
    return _(
        "%(serial)s, kg %(first_kg)s to %(end_kg)s",
        serial=note.serial,
        first_kg=count_text(note.first_kg),
        end_kg=count_text(note.end_kg - 1),
    )


def _kind(note: Retired) -> str:
    """What the project does, by which methodology, when."""
    return f"{known(note.kind)}, {note.methodology}, {note.vintage}"
