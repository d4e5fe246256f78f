"""Whether commitments state what the statement's own slots have without a reading: never less, and never falling."""

from __future__ import annotations

from itertools import pairwise

from transactive.core.proofs.leaves import LeafMark
from transactive.core.slots import time_text
from transactive.insight.statements.statement import Statement
from transactive.services.statements.checks.words import Witness, hold


def check_substituted(of: Statement, witness: Witness) -> str:
    """What a period's commitments state beyond the one before; returns what was found, in words, empty for nothing."""
    seconds, beyond = of.community.slot_seconds, {}
    for period in of.periods:
        rows = [(0, 0), *(link.substituted for link in period.links)]
        for link, (before, after) in zip(period.links, pairwise(rows), strict=True):
            grown = after[0] - before[0], after[1] - before[1]
            hold(min(grown) >= 0, f"{time_text(link.slot * seconds)}: less is stated as substituted than before")
            beyond[link.slot] = grown
    silent = [slot for slot in of.slots if slot.settlement_leaf.marks & LeafMark.SUBSTITUTED]
    if not silent or not witness.states_substituted():
        return ""
    for slot in silent:
        taken, given, *_ = slot.settlement_leaf.slot_sums[1]
        stated, at = beyond[slot.slot // seconds], time_text(slot.slot)
        wrong = f"{at}: {taken} Wh taken and {given} Wh given were substituted, and {stated} Wh are stated"
        hold(stated[0] >= taken and stated[1] >= given, wrong)
    return f"; {len(silent)} slots without a reading are stated"
