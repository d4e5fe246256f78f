"""Whether the carbon credits of a statement hold: receipts against postings and each other, issues against meters."""

from __future__ import annotations

from itertools import pairwise

from transactive.core.credit_notes import Avoided, Retired
from transactive.core.postings import PostingKind
from transactive.core.slots import time_text
from transactive.core.units import PPM
from transactive.engine.verification_words import Passed, hold
from transactive.insight.statement import Slot, Statement

MG_PER_KG = 1_000_000


def check_credits(of: Statement) -> Passed:
    """Each retired kg was paid and is retired once; what an asset avoided follows from its meter alone."""
    for slot in of.slots:
        _paid(of, slot)
        for note in slot.credits:
            if isinstance(note, Avoided):
                _avoided(of, slot, note)
    notes = [note for slot in of.slots for note in slot.credits if isinstance(note, Retired)]
    for serial in {note.serial for note in notes}:
        ranges = sorted((note.first_kg, note.end_kg) for note in notes if note.serial == serial)
        twice = next((after for before, after in pairwise(ranges) if after[0] < before[1]), None)
        hold(twice is None, f"{serial}: the kg from {twice and twice[0]} are retired twice")
    kg = of.totals.offset_kg
    return Passed("credits", f"{kg} kg offset, each with its receipt; {of.totals.avoided_kg} kg issued for its asset")


def _paid(of: Statement, slot: Slot) -> None:
    """The member's own receipts are what its postings bought."""
    at, mine = time_text(slot.slot), of.member.index
    posted = [(p[2], p[3], p[4]) for p in slot.postings if p[0] == PostingKind.OFFSET and p[1] == mine]
    own = [note for note in slot.credits if isinstance(note, Retired) and note.account == mine]
    for note in own:
        hold(note.first_kg < note.end_kg, f"{at}: receipt {note.receipt} is for {note.kg} kg")
        hold(
            note.beneficiary == of.member.id,
            f"{at}: receipt {note.receipt} is in the name of {note.beneficiary}, not of {of.member.id}",
        )
    found = [(note.seller, note.kg, note.price_micro_per_t) for note in own]
    hold(sorted(found) == sorted(posted), f"{at}: receipts over {found} (seller, kg, µ¤/t), postings over {posted}")


def _avoided(of: Statement, slot: Slot, note: Avoided) -> None:
    """Credits of an asset follow from their formula and, where the statement has all of their slots, from the meter."""
    at = f"{time_text(slot.slot)}: {note.serial}"
    total = note.carried_before_mg + note.gross_mg - note.project_mg - note.leakage_mg
    whole = max(total, 0) // MG_PER_KG
    hold(
        (whole, total - whole * MG_PER_KG) == (note.issued_kg, note.carried_mg),
        f"{at}: {total} mg make {whole} kg and carry the rest on, not {note.issued_kg} kg and {note.carried_mg} mg",
    )
    covered = [s for s in of.slots if note.first_slot <= s.slot < note.end]
    certified = sum(b[2] for s in covered for b in s.bundles if b[0] == 2 * note.account)
    hold(certified == 0, f"{at}: {certified} Wh of it have certificates")
    if len(covered) * of.community.slot_seconds < note.end - note.first_slot:
        return  # the statement begins within it, so the meters of some slots are not here
    generation = [s.registers.generation_wh for s in covered]
    counted = [wh - -(-wh * note.baseline_ppm // PPM) for wh in generation]
    hold(len(counted) == len(note.marginal_g_per_kwh), f"{at}: marginal_g_per_kwh is not one for each slot")
    gross = sum(wh * factor for wh, factor in zip(counted, note.marginal_g_per_kwh, strict=True))
    found, stated = (sum(generation), sum(counted), gross), (note.generation_wh, note.counted_wh, note.gross_mg)
    hold(found == stated, f"{at}: meters and factors make {found} Wh, Wh and mg, not {stated}")
