"""Whether a statement holds: everything computed again from the file, then compared with the chain.

The checks run in a fixed order and stop at the first contradiction. They need the file and, for the last ones, what the
settlement contract says of the periods; nothing of the operator's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np

from transactive.carbon.certificates.records import in_settlement, record_hash
from transactive.carbon.levy import PER_N
from transactive.core.certificates import CertificateState
from transactive.core.errors import CertificateError, SignatureError
from transactive.core.postings import PostingKind
from transactive.core.proofs.leaves import Leaf, climb, wrong_marks
from transactive.core.proofs.signing import signer, text_digest
from transactive.core.slots import time_text
from transactive.core.units import money_text
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import StatementLeaf, StatementSlot
from transactive.insight.statements.totals import claimed_wh, sources_of, totals_of
from transactive.services.statements.checks.carbon import check_battery, check_footprint
from transactive.services.statements.checks.corrections import check_corrections
from transactive.services.statements.checks.credits import check_credits
from transactive.services.statements.checks.groups import check_groups
from transactive.services.statements.checks.rules import check_rules, levy_rate
from transactive.services.statements.checks.substituted import check_substituted
from transactive.services.statements.checks.words import Contradiction, Passed, Witness, hold
from transactive.services.statements.stated_numbers import content_of, leaf_of, steps_of

NO_ENERGY = {
    PostingKind.ADVANCE, PostingKind.DIVIDEND, PostingKind.CONGESTION_RENT, PostingKind.LEVY, PostingKind.LEVY_RETURN,
    PostingKind.HOLD, PostingKind.RELEASE, PostingKind.OWNERSHIP, PostingKind.STANDING_CHARGE, PostingKind.BONUS,
}  # fmt: skip
"""Postings of plain amounts."""


def verify(statement: Statement, witness: Witness) -> Iterator[Passed]:
    """Check a statement; yields what held, one check after the other.

    Raises Contradiction at the first that does not hold.
    """
    yield _totals(statement)
    yield _span(statement)
    yield check_rules(statement)
    yield _money(statement)
    yield _meters(statement)
    yield _carbon(statement)
    yield check_corrections(statement, witness)
    yield check_credits(statement)
    yield _running(statement)
    yield _proofs(statement)
    yield _chain(statement, witness)
    yield _signature(statement)


def _totals(of: Statement) -> Passed:
    """Totals, scores and sources follow from the slots."""
    totals = totals_of(of.member.index, of.slots)
    for field in msgspec.structs.fields(totals):
        stated, found = getattr(of.totals, field.name), getattr(totals, field.name)
        hold(stated == found, f"totals.{_named(field.name, stated, found, of.community.currency)}")
    for stated, found in zip(of.sources, sources_of(of.member.index, of.slots), strict=False):
        hold(
            stated == found,
            f"sources: {stated.source} {stated.energy_wh} Wh, {stated.carbon_mg} mg; the slots make {found}",
        )
    hold(len(of.sources) == len(sources_of(of.member.index, of.slots)), "sources: a line is missing or too many")
    return Passed("totals", f"{money_text(int(totals.balance_n), of.community.currency)} from {len(of.slots)} slots")


def _named(name: str, stated: object, found: object, currency: str) -> str:
    """A total with what the file says and what the slots make: money in the currency, all else with its unit."""
    if name.endswith("_n"):
        one, other = (f"{money_text(int(str(value)), currency, 9)}" for value in (stated, found))
        return f"{name.removesuffix('_n')} is {one}, the slots make {other}"
    return f"{name} is {stated}, the slots make {found}"


def _span(of: Statement) -> Passed:
    """The slots are those from the first to the end, without a gap, and so are their periods."""
    length = of.community.slot_seconds
    hold(length > 0 < of.community.slots_per_period, "community: a slot and a period have a length")
    starts = [slot.slot for slot in of.slots]
    hold(starts == list(range(of.first_slot, of.end, length)), "slots are not those from first_slot to end, each once")
    hold(of.member.index < of.community.members, "member.index is not below community.members")
    needed = sorted({start // length // of.community.slots_per_period for start in starts})
    hold([period.number for period in of.periods] == needed, "periods are not those of the slots")
    return Passed("span", f"{time_text(of.first_slot)} to {time_text(of.end)}, every slot once")


def _money(of: Statement) -> Passed:
    """Each posting is Wh x price and names the member; together they are what the leaf says."""
    lines = 0
    for slot in of.slots:
        at, net = time_text(slot.slot), 0
        traded = {PostingKind.BOUGHT: 0, PostingKind.CERTIFIED: 0, PostingKind.SHORTFALL_REFUND: 0}
        for kind, payer, payee, wh, price, amount in slot.postings:
            hold(of.member.index in (payer, payee), f"{at}: a posting names accounts {payer} and {payee} only")
            plain = kind in NO_ENERGY and wh == price == 0
            hold(plain or amount == wh * abs(price), f"{at}: {wh} Wh at {price} n¤/Wh is not {amount} n¤")
            net += amount * ((payee == of.member.index) - (payer == of.member.index))
            if kind in traded:
                traded[PostingKind(kind)] += wh
            lines += 1
        debit, credit, bought, sold = slot.settlement_leaf.slot_sums[0]
        hold((debit, credit) == (max(-net, 0), max(net, 0)), f"{at}: postings make {net} n¤, the leaf {credit - debit}")
        hold(
            traded[PostingKind.BOUGHT] == bought,
            f"{at}: postings bought {traded[PostingKind.BOUGHT]} Wh, the leaf {bought}",
        )
        delivered = traded[PostingKind.CERTIFIED] + traded[PostingKind.SHORTFALL_REFUND]
        hold(delivered == sold, f"{at}: postings sold {delivered} Wh, the leaf {sold}")
    return Passed("money", f"{lines} postings, each Wh × price")


def _meters(of: Statement) -> Passed:
    """Registers are possible, and those of the leaf."""
    for slot in of.slots:
        r, at = slot.registers, time_text(slot.slot)
        hold(r.consumption_wh >= 0, f"{at}: registers give a consumption of {r.consumption_wh} Wh")
        issued = sum(b[2] for b in slot.bundles if b[0] // 2 == of.member.index)
        found = (r.import_wh, r.export_wh, r.generation_wh + r.discharge_wh, issued)
        hold(
            found == slot.settlement_leaf.slot_sums[1],
            f"{at}: registers {found} Wh, the leaf {slot.settlement_leaf.slot_sums[1]}",
        )
    return Passed("meters", f"{of.totals.consumption_wh} Wh used, as the readings that were committed")


def _carbon(of: Statement) -> Passed:
    """Certificates, footprints and levy are those of the carbon leaf, and the record is the one that was committed."""
    for slot in of.slots:
        at, mine = time_text(slot.slot), of.member.index
        bundles = [b for b in slot.bundles if b[0] // 2 == mine]
        issued = sum(b[2] for b in bundles)
        claimed = sum(b[2] for b in bundles if b[4] == CertificateState.CLAIMED)
        r = slot.registers
        sums = (r.generation_wh + r.discharge_wh, issued, claimed, r.consumption_wh)
        carbon = (claimed_wh(mine, slot), slot.location_mg, slot.market_mg, slot.levy_n)
        hold(
            (sums, carbon) == slot.carbon_leaf.sums,
            f"{at}: carbon {(*sums, *carbon)}, the leaf {slot.carbon_leaf.sums}",
        )
        check_footprint(of, slot, at)
        rate = levy_rate(of, slot.slot)
        if rate is not None:
            due = slot.unmatched_mg * rate
            hold(
                abs(slot.levy_n * PER_N - due) <= PER_N,
                f"{at}: levy_n {slot.levy_n} is not that on {slot.unmatched_mg} mg",
            )
        _apart(slot, at)
        try:
            record = _record(slot, of).hex()
        except CertificateError as error:
            record = str(error)
        hold(record == slot.carbon_leaf.fills, f"{at}: the record is not the one that was committed")
    for before, after in pairwise(of.slots):
        check_battery(of, before, after)
    return Passed("carbon", f"{of.totals.claimed_wh} Wh claimed, every record as committed")


def _apart(slot: StatementSlot, at: str) -> None:
    """Certificates that were paid for were claimed by who paid, from the devices of who was paid."""
    for kind, payer, payee, wh, *_ in slot.postings:
        if kind == PostingKind.CERTIFICATES:
            seller = [b for b in slot.bundles if b[0] // 2 == payee and b[3] == payer]
            claimed = sum(b[2] for b in seller if b[4] == CertificateState.CLAIMED)
            hold(claimed >= wh, f"{at}: account {payer} paid {payee} for {wh} Wh of certificates, it claimed {claimed}")


def _record(slot: StatementSlot, of: Statement) -> bytes:
    """Hash of a slot's record, with bundles as the member's settlement numbers accounts."""
    r = slot.registers
    registers = (r.import_wh, r.export_wh, r.generation_wh, r.charge_wh, r.discharge_wh)
    carbon = (slot.location_mg, slot.market_mg, slot.unmatched_mg, slot.levy_n, slot.mix_mg_per_kwh)
    battery = (slot.drawn_mg, slot.stored_mg)
    mixes = (slot.grid.carbon_mg, slot.grid.energy_wh, slot.residual.carbon_mg, slot.residual.energy_wh)
    free = -1 if slot.grid_free_ppm is None else slot.grid_free_ppm
    head = np.array([slot.slot, *registers, *carbon, *battery, *mixes, free], np.int64)
    postings, bundles = (np.array(rows, np.int64).reshape(-1, 6) for rows in (slot.postings, slot.bundles))
    if of.chain.whole is not None:
        first = of.member.index - of.member.place_on_chain
        bundles = in_settlement(bundles, range(-first, of.community.members - first))
    return record_hash(head, postings, bundles, slot.credits)


def _running(of: Statement) -> Passed:
    """Running totals of a period grow by each slot's part."""
    per_period = of.community.slots_per_period
    for before, after in pairwise(of.slots):
        number = after.slot // of.community.slot_seconds
        earlier = before.settlement_leaf.sums if number % per_period else ((0,) * 4,) * 2
        leaf = after.settlement_leaf
        grown = tuple(
            tuple(a + b for a, b in zip(run, part, strict=True))
            for run, part in zip(earlier, leaf.slot_sums, strict=True)
        )
        hold(
            grown == leaf.sums,
            f"{time_text(after.slot)}: running totals {leaf.sums} are not the earlier ones and this slot's",
        )
    return Passed("running totals", "each period's grow by its slots")


def _proofs(of: Statement) -> Passed:
    """Both leaves of each slot lead to roots that the periods name."""
    links = {link.slot: link for period in of.periods for link in period.links}
    place = of.member.place_on_chain
    for slot in of.slots:
        number, at = slot.slot // of.community.slot_seconds, time_text(slot.slot)
        hold(number in links, f"{at}: its commitment is missing from the periods")
        link = links[number]
        root, money, energy, consistent = climb(
            _leaf(number, of, slot.settlement_leaf), place, steps_of(slot.settlement_leaf)
        )
        hold(consistent, f"{at}: the sums on the settlement leaf's way do not add up")
        stated = (link.root, link.money, link.energy)
        hold(
            (root.hex(), f"{money:x}", f"{energy:x}") == stated, f"{at}: the settlement leaf does not lead to the root"
        )
        root, _, _, consistent = climb(_leaf(number, of, slot.carbon_leaf), place, steps_of(slot.carbon_leaf))
        hold(consistent, f"{at}: the sums on the carbon leaf's way do not add up")
        hold(root.hex() == link.certificates, f"{at}: the carbon leaf does not lead to the root")
        both = slot.settlement_leaf.marks, slot.carbon_leaf.marks
        right = both[0] == both[1] and not wrong_marks(_leaf(number, of, slot.settlement_leaf))
        hold(right, f"{at}: the leaves are marked {both}, and are not as traded, not certified and without income")
    return Passed("proofs", f"{2 * len(of.slots)} leaves lead to their roots")


def _leaf(number: int, of: Statement, leaf: StatementLeaf) -> Leaf:
    """The member's leaf as the contract hashes it."""
    return leaf_of(number, of.member.place_on_chain, leaf)


def _chain(of: Statement, witness: Witness) -> Passed:
    """Commitments of each period are those on chain, in their order and nothing beside; so are those of the whole."""
    hold(witness.chain_id == of.chain.chain_id, f"chain.chain_id is {of.chain.chain_id}, the node's {witness.chain_id}")
    operator = witness.operator()
    hold(operator == of.chain.operator, f"chain.operator is {of.chain.operator}, the contract's {operator}")
    for period in of.periods:
        known = witness.head(period.number)
        stated = witness.head_of(content_of(link) for link in period.links)
        hold(stated == known, f"period {period.number}: its commitments are not those on chain")
    final = sum(period.number <= witness.settled_period() for period in of.periods)
    beside = "" if of.chain.whole is None else f"; {check_groups(of, of.chain.whole, witness)}"
    beside += check_substituted(of, witness)
    return Passed("chain", f"{len(of.periods)} periods as on chain {of.chain.chain_id}, {final} of them final{beside}")


def _signature(of: Statement) -> Passed:
    """The operator signed every character of the file."""
    try:
        by = signer(text_digest(of.unsigned()), bytes.fromhex(of.signature), "the statement")
    except SignatureError as error:
        raise Contradiction(str(error)) from None
    hold(by == of.chain.operator, f"signature: made by {by} for this content, not by the operator {of.chain.operator}")
    return Passed("signature", f"by the operator {of.chain.operator}")
