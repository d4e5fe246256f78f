"""Whether a statement's corrected readings hold: signed, each beginning where the last ended, paid as they say.

And at the tariff of the slot that was metered, as far as the statement tells it: by the rules that it names for that
slot, or by what the supplier was paid, or paid, in it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from transactive.core.errors import SignatureError
from transactive.core.postings import PostingKind
from transactive.core.proofs.corrections import PREFIX, correction_digest, line_hash
from transactive.core.proofs.leaves import LeafMark
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signing import signer
from transactive.core.slots import time_text
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import Registered, StatementCorrection, StatementSlot
from transactive.services.statements.checks.rules import rules_in_force
from transactive.services.statements.checks.words import Contradiction, Passed, hold

SALES = (PostingKind.CERTIFIED, PostingKind.SHORTFALL_REFUND, PostingKind.TRADED_AGAIN)
"""What a sale comes to."""


class Gateways(Protocol):
    """Who signed readings when."""

    def was_gateway(self, account: str, time: int) -> bool:
        """Whether an address was the gateway at a time [Unix s]."""


def check_corrections(of: Statement, gateways: Gateways) -> Passed:
    """Lines are those of the leaf, signed by the gateway, chained, and posted. Raises Contradiction naming the slot."""
    known = {
        (slot.slot, slot.slot): (slot.registers.import_wh, slot.registers.export_wh, slot.registers.generation_wh)
        for slot in of.slots
    }  # by corrected slot, and slot whose commitment holds the reading
    count = 0
    for slot in of.slots:
        at, mine = time_text(slot.slot), of.member.index
        place = of.member.place_on_chain
        lines = [line_hash(line.row(place), bytes.fromhex(line.signature)) for line in slot.corrections]
        stated = sha256(PREFIX + b"".join(lines)).digest() if lines else ZERO
        hold(stated.hex() == slot.carbon_leaf.orders, f"{at}: corrections are not those that were committed")
        _paid(slot, mine, at)
        for line in slot.corrections:
            where = f"{at}: correction of {time_text(line.origin)}"
            _possible(line, slot.slot, where)
            _priced(of, line, where)
            before = known.pop((line.origin, line.previous), None)
            inside = of.first_slot <= line.previous
            hold(before == line.was or (before is None and not inside), f"{where} does not begin at {line.was} Wh")
            known[line.origin, slot.slot] = line.now
            _signed(of, line, gateways, slot.slot, where)
            count += 1
    told = f"{count} corrected readings, each signed and posted at the tariff of its slot" if count else "none"
    return Passed("corrections", told)


def _paid(slot: StatementSlot, mine: int, at: str) -> None:
    """Postings of corrections are what the lines say."""
    posted = sum(p[5] * ((p[2] == mine) - (p[1] == mine)) for p in slot.postings if p[0] == PostingKind.CORRECTION)
    due = sum(line.money_n for line in slot.corrections)
    hold(posted == due, f"{at}: corrections come to {due} n¤, and {posted} n¤ were posted")


def _possible(line: StatementCorrection, slot: int, where: str) -> None:
    """Registers give no negative use, certificates no more than the reading."""
    hold(line.origin <= line.previous < slot, f"{where} is of no earlier slot")
    for registers in (line.was, line.now):
        used = _used(registers, line)
        hold(used >= 0, f"{where}: registers give a consumption of {used} Wh")
    more = line.issued_wh + line.repaid_wh
    hold(more <= line.now[2] * line.metered, f"{where}: {more} Wh of certificates for {line.now[2]} Wh")
    less = line.withdrawn_wh + line.shortfall_wh
    hold(less <= max(line.was[2] - line.now[2], 0), f"{where}: {less} Wh of certificates taken back")


def _priced(of: Statement, line: StatementCorrection, where: str) -> None:
    """Both prices are those of the corrected slot; of one that was settled as traded, each lies between the two."""
    slot = next((one for one in of.slots if one.slot == line.origin), None)
    if slot is None:
        return
    supply, feed_in = prices_of(of, slot)
    if slot.settlement_leaf.marks & LeafMark.SUBSTITUTED:
        if len(supply) == len(feed_in) == 1:
            low, high = sorted((*supply, *feed_in))
            both = (line.supply, line.feed_in)
            hold(all(low <= price <= high for price in both), f"{where} is at {both} µ¤/kWh, beyond its slot's prices")
        return
    for name, price, known in (("supply", line.supply, supply), ("feed-in", line.feed_in, feed_in)):
        told = " or ".join(str(one) for one in sorted(known))
        hold(not known or price in known, f"{where}: {name} at {price} µ¤/kWh, its slot has {told}")


def prices_of(of: Statement, slot: StatementSlot) -> tuple[set[int], set[int]]:
    """Supply and feed-in prices that a member can have had in a slot [µ¤/kWh]; empty where the statement is silent.

    A member with a feed-in of its own is paid that for what was metered beyond its sales, and the common one for what
    was not taken: where nothing was beyond, what was paid tells nothing of its own.
    """
    rules, mine, posted = rules_in_force(of, slot.slot), of.member.index, slot.postings
    supply = {p[4] for p in posted if p[0] == PostingKind.EXTRA_SUPPLIER and p[1] == mine}
    feed_in = {p[4] for p in posted if p[0] == PostingKind.GIVE_SUPPLIER and p[2] == mine}
    sold = sum(p[3] for p in posted if p[0] in SALES and p[2] == mine)
    if slot.registers.export_wh <= sold:
        feed_in = set()
    if rules is not None:
        supply = supply if rules.supply is None else {rules.supply}
        feed_in = feed_in if rules.feed_in is None else {rules.feed_in}
    return supply, feed_in


def _used(registers: Registered, line: StatementCorrection) -> int:
    imported, exported, made = registers
    return imported + made + line.discharge_wh - exported - line.charge_wh


def _signed(of: Statement, line: StatementCorrection, gateways: Gateways, slot: int, where: str) -> None:
    """The gateway of the slot that settled it signed the line."""
    digest = correction_digest(line.row(of.member.place_on_chain), of.chain.chain_id)
    try:
        by = signer(digest, bytes.fromhex(line.signature), where)
    except SignatureError as error:
        raise Contradiction(str(error)) from None
    hold(gateways.was_gateway(by, slot), f"{where} is signed by {by}, which was not the gateway")
