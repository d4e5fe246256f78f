"""Totals, scores and sources of a statement, from its slots alone."""

from __future__ import annotations

from fractions import Fraction

from transactive.core.certificates import CertificateState
from transactive.core.credit_notes import Avoided, Need, Retired
from transactive.core.postings import PostingKind
from transactive.core.units import PPM
from transactive.insight.statements.statement import Source, StatementTotals
from transactive.insight.statements.statement_slot import StatementSlot


def totals_of(member: int, slots: tuple[StatementSlot, ...]) -> StatementTotals:
    """Compute the totals from the slots."""
    postings = [posting for slot in slots for posting in slot.postings]
    paid = sum(p[5] for p in postings if p[1] == member)
    received = sum(p[5] for p in postings if p[2] == member)
    kinds = (PostingKind.DIVIDEND, PostingKind.LEVY, PostingKind.LEVY_RETURN)
    dividend, levy, returned = (str(sum(p[5] for p in postings if p[0] == kind)) for kind in kinds)
    apart = [p for p in postings if p[0] == PostingKind.CERTIFICATES]
    claimed = [claimed_wh(member, slot) for slot in slots]
    contracted = sum(claimed) + sum(left_wh(member, slot) for slot in slots)
    whole = sum(slot.registers.consumption_wh for slot in slots)
    needs = [note for slot in slots for note in slot.credits if isinstance(note, Need) and note.account == member]
    credited = [offset_and_avoided(member, slot) for slot in slots]
    retired = [note for slot in slots for note in slot.credits if isinstance(note, Retired)]
    corrected = [line for slot in slots for line in slot.corrections]
    return StatementTotals(
        consumption_wh=whole,
        import_wh=sum(slot.registers.import_wh for slot in slots),
        export_wh=sum(slot.registers.export_wh for slot in slots),
        generation_wh=sum(slot.registers.generation_wh for slot in slots),
        paid_n=str(paid),
        received_n=str(received),
        balance_n=str(received - paid),
        levy_posted_n=levy,
        levy_due_n=str(sum(slot.levy_n for slot in slots)),
        levy_returned_n=returned,
        dividend_n=dividend,
        certificates_bought_wh=sum(p[3] for p in apart if p[1] == member),
        certificates_sold_wh=sum(p[3] for p in apart if p[2] == member),
        certificates_net_n=str(sum(p[5] * ((p[2] == member) - (p[1] == member)) for p in apart)),
        location_mg=sum(slot.location_mg for slot in slots),
        market_mg=sum(slot.market_mg for slot in slots),
        claimed_wh=sum(claimed),
        contracted_wh=contracted,
        score_hourly_ppm=_part(sum(claimed), whole),
        score_annual_ppm=_part(min(contracted, whole), whole),
        score_with_grid_ppm=_with_grid(slots, claimed, whole),
        offset_kg=sum(kg for kg, _, _ in credited),
        offset_n=str(sum(paid_n for _, paid_n, _ in credited)),
        offset_for_all_kg=sum(note.kg for note in retired if note.account != member),
        uncovered_mg=max(-needs[-1].ahead_mg, 0) if needs else 0,
        avoided_kg=sum(issued for _, _, issued in credited),
        estimated_ppm=_part(sum(slot.estimated for slot in slots), len(slots)),
        corrected_n=str(sum(line.money_n for line in corrected)),
        late_wh=sum(line.issued_wh for line in corrected),
        gone_wh=sum(line.withdrawn_wh + line.shortfall_wh for line in corrected),
    )


def offset_and_avoided(member: int, slot: StatementSlot) -> tuple[int, int, int]:
    """Credits in a slot: kg retired for a member, what it paid less what it received [n¤], kg issued for its asset."""
    retired = sum(note.kg for note in slot.credits if isinstance(note, Retired) and note.account == member)
    offsets = [p for p in slot.postings if p[0] == PostingKind.OFFSET]
    paid = sum(p[5] * ((p[1] == member) - (p[2] == member)) for p in offsets)
    return retired, paid, sum(note.issued_kg for note in slot.credits if isinstance(note, Avoided))


def claimed_wh(member: int, slot: StatementSlot) -> int:
    """Certificates that a member claimed in a slot [Wh]."""
    return sum(b[2] for b in slot.bundles if b[3] == member and b[4] == CertificateState.CLAIMED)


def left_wh(member: int, slot: StatementSlot) -> int:
    """Certificates of a member's devices that left the community unclaimed in a slot [Wh]."""
    return sum(b[2] for b in slot.bundles if b[0] // 2 == member and b[4] == CertificateState.HELD)


def _with_grid(slots: tuple[StatementSlot, ...], claimed: list[int], whole: int) -> int | None:
    """Score with the grid's carbon-free part [ppm], None where a slot does not know it."""
    free = 0
    for slot, wh in zip(slots, claimed, strict=True):
        if slot.grid_free_ppm is None:
            return None
        free += (slot.registers.consumption_wh - wh) * slot.grid_free_ppm
    return _part(sum(claimed) * PPM + free, whole * PPM)


def sources_of(member: int, slots: tuple[StatementSlot, ...]) -> tuple[Source, ...]:
    """Where the consumed energy came from: generation and storage, own or not, by claims, the rest without any."""
    names = ("own generation", "own storage", "neighbours' generation", "neighbours' storage")
    wh, mg = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for slot in slots:
        for device, _, energy, owner, state, carbon in slot.bundles:
            if owner == member and state == CertificateState.CLAIMED:
                name = names[2 * (device // 2 != member) + device % 2]
                wh[name] += energy
                mg[name] += carbon
    rest_wh = sum(slot.registers.consumption_wh for slot in slots) - sum(wh.values())
    rest_mg = sum(slot.market_mg for slot in slots) - sum(mg.values())
    rows = [*((name, wh[name], mg[name]) for name in names), ("without certificate", rest_wh, rest_mg)]
    return tuple(Source(source=name, energy_wh=energy, carbon_mg=carbon) for name, energy, carbon in rows)


def _part(part: int, whole: int) -> int:
    """Part of a whole [ppm], rounded down; 0 of nothing."""
    return int(Fraction(part * PPM, whole)) if whole else 0
