"""Whether the carbon credits of a statement hold: receipts against postings and each other, issues against meters."""

from __future__ import annotations

from itertools import pairwise

from transactive.core.credit_notes import Avoided, Need, Retired
from transactive.core.postings import PostingKind
from transactive.core.slots import time_text
from transactive.core.units import PPM
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import StatementSlot
from transactive.services.statements.checks.words import Passed, hold

MG_PER_KG = 1_000_000


def check_credits(of: Statement) -> Passed:
    """Each retired kg was paid and is retired once; what an asset avoided follows from its meter alone."""
    for slot in of.slots:
        _paid(of, slot)
        for note in slot.credits:
            if isinstance(note, Avoided):
                _avoided(of, slot, note)
            elif isinstance(note, Need):
                _needed(of, slot, note)
    _carried(of)
    notes = [note for slot in of.slots for note in slot.credits if isinstance(note, Retired)]
    for serial in {note.serial for note in notes}:
        ranges = sorted((note.first_kg, note.end_kg) for note in notes if note.serial == serial)
        twice = next((after for before, after in pairwise(ranges) if after[0] < before[1]), None)
        hold(twice is None, f"{serial}: the kg from {twice and twice[0]} are retired twice")
    kg = of.totals.offset_kg
    return Passed("credits", f"{kg} kg offset, each with its receipt; {of.totals.avoided_kg} kg issued for its asset")


def _paid(of: Statement, slot: StatementSlot) -> None:
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


def _needed(of: Statement, slot: StatementSlot, need: Need) -> None:
    """What was retired follows from what a policy wanted: no more than that in whole kg, and only what it allows."""
    at = f"{time_text(slot.slot)}: need of account {need.account}"
    wanted = -(-need.residual_mg * need.coverage_ppm // PPM)
    hold(need.wanted_mg == wanted, f"{at}: wanted_mg is {need.wanted_mg}, its policy makes {wanted}")
    retired = [note for note in slot.credits if isinstance(note, Retired) and note.account == need.account]
    kg = sum(note.kg for note in retired)
    hold(need.retired_kg == kg, f"{at}: retired_kg is {need.retired_kg}, the receipts make {kg}")
    most = max(-(-(wanted - need.ahead_before_mg) // MG_PER_KG), 0)
    hold(kg <= most, f"{at}: {kg} kg were retired, {most} would do")
    ahead = need.ahead_before_mg + kg * MG_PER_KG - wanted
    hold(need.ahead_mg == ahead, f"{at}: ahead_mg is {need.ahead_mg}, {ahead} follows")
    for note in retired:
        hold(need.allows(note), f"{at}: receipt {note.receipt} is not of what the policy allows")
    covered = [s for s in of.slots if need.first_slot <= s.slot < need.end]
    if need.account == of.member.index and len(covered) * of.community.slot_seconds == need.end - need.first_slot:
        residual = sum(s.unmatched_mg for s in covered)
        hold(need.residual_mg == residual, f"{at}: residual_mg is {need.residual_mg}, the slots make {residual}")


def _carried(of: Statement) -> None:
    """Every retirement is for a need, and what one period leaves the next one takes up."""
    last: dict[int, Need] = {}
    for slot in of.slots:
        needs = {note.account: note for note in slot.credits if isinstance(note, Need)}
        for note in slot.credits:
            at = time_text(slot.slot)
            if isinstance(note, Retired):
                hold(note.account in needs, f"{at}: receipt {note.receipt} is for no need")
        for account, need in needs.items():
            before = last.get(account)
            hold(
                before is None or before.ahead_mg == need.ahead_before_mg,
                f"{time_text(slot.slot)}: account {account} takes up {need.ahead_before_mg} mg, not what was left",
            )
        last |= needs


def _avoided(of: Statement, slot: StatementSlot, note: Avoided) -> None:
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
