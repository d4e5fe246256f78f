"""What the disputes contract must find, in plain Python: its oracle in tests, and how evidence is looked for.

Each function says whether evidence shows a fraud. Proofs are taken to lead to the committed root; that they do is the
contract's other check (`core.proofs.leaves.climb`). No leaf (None) is a leaf of zeros.
"""

from __future__ import annotations

from collections.abc import Sequence

from transactive.chain.commitments import Commitment
from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.leaves import ENERGY, MONEY, Leaf, LeafMark, Step, climb, wrong_marks
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.signed_orders import Fills, SignedOrder, check


def wrong_net(leaf: Leaf | None, net_n: int, limit_n: int | None) -> bool:
    """Whether a net amount of a period [n¤] contradicts the last leaf, or debits beyond the member's limit."""
    money = MONEY.unpack(leaf.money if leaf else 0)
    return money["credit_n"] - money["debit_n"] != net_n or (limit_n is not None and -net_n > limit_n)


def wrong_leaf(
    commitment: Commitment, index: int, leaf: Leaf | None, proof: Sequence[Step], *, registered: bool
) -> bool:
    """Whether a place of the tree holds what cannot be right. registered: before the slot began."""
    _root, money, energy, consistent = climb(leaf, index, proof)
    if not consistent or (money, energy) != (commitment.money, commitment.energy):
        return True
    if leaf is None:
        return registered
    return (leaf.number, leaf.index) != (commitment.slot, index) or contradicts_itself(leaf)


def contradicts_itself(leaf: Leaf) -> bool:
    """Whether a counter of the slot leaves its lane, or more is certified than was produced, or a mark is wrong."""
    if (leaf.slot_money | leaf.slot_energy) & MONEY.top or wrong_marks(leaf):
        return True
    sums = (ENERGY.unpack(word) for word in (leaf.energy, leaf.slot_energy))
    return any(energy["certified_wh"] > energy["produced_wh"] for energy in sums)


def wrong_totals(leaf: Leaf | None, earlier: Leaf | None) -> bool:
    """Whether running totals are not those of the commitment before plus the slot's own; None begins at zero."""
    before = (earlier.money, earlier.energy) if earlier else (0, 0)
    added = (leaf.slot_money, leaf.slot_energy) if leaf else (0, 0)
    totals = (leaf.money, leaf.energy) if leaf else (0, 0)
    return tuple((start + part) % 2**256 for start, part in zip(before, added, strict=True)) != totals


def wrong_trade(
    leaf: Leaf,
    fills: Fills,
    accepted: Sequence[SignedOrder],
    member: str,
    domain: bytes,
    slot_seconds: int,
    revoked_from: int | None = None,
) -> bool:
    """Whether no signed order covers what was traded. member: address; revoked_from: first slot without the grant."""
    money = MONEY.unpack(leaf.slot_money)
    if fills.energy_wh != (money["bought_wh"], money["sold_wh"]):
        return True
    if not accepted:
        return bool(fills.buys or fills.sells)
    last = accepted[-1]
    slot = leaf.number
    if not is_signed(last, member, domain, (slot + 1) * slot_seconds):
        return True
    if (last.order.account, last.order.slot) != (leaf.index, slot):
        return True
    if last.grant and revoked_from is not None and slot >= revoked_from:
        return True
    return not last.order.covers(fills)


def may_trade(number: int, index: int, slot: int, slot_seconds: int, lead: int) -> bool:
    """Whether an account signs in a place for a slot. number: its index plus one | when it lost the place << 64."""
    lost, own = number >> 64, number % 2**64 == index + 1
    return own and (not lost or slot <= lost // slot_seconds + lead + 1)


def outdated(leaf: Leaf, accepted: Sequence[SignedOrder]) -> int | None:
    """Place of an accepted order of the leaf's member and slot that is newer than the last one; None without."""
    for place, one in enumerate(accepted):
        mine = (one.order.account, one.order.slot) == (leaf.index, leaf.number)
        if mine and one.order.serial > accepted[-1].order.serial:
            return place
    return None


def is_signed(signed: SignedOrder, member: str, domain: bytes, end: int) -> bool:
    """Whether an order for a slot that ends at `end` [Unix s] is signed by the member, or by its agent as granted."""
    try:
        check(signed, member, domain, end)
    except SignatureError:
        return False
    return True


def omitted(
    leaf: Leaf, order: bytes, receipt: bytes, accepted: Sequence[SignedOrder], operator: str, digest: bytes
) -> bool:
    """Whether an order (its hash) with the operator's receipt for `digest` is not among those in the leaf.

    Of a session that is marked as void none has to be.
    """
    if leaf.marks & LeafMark.VOID:
        return False
    try:
        signer = signing.signer(digest, receipt, "the receipt")
    except SignatureError:
        return False
    return signer == operator.lower() and all(one.order.hash != order for one in accepted)


def wrong_reading(leaf: Leaf, registers: int) -> bool:
    """Whether the slot's energy in a leaf is not what the meter's packed registers say, unless nobody metered it."""
    if leaf.marks & LeafMark.SUBSTITUTED:
        return False
    read, energy = REGISTERS.unpack(registers), ENERGY.unpack(leaf.slot_energy)
    produced = read["generation_wh"] + read["discharge_wh"]
    stated = (energy["imported_wh"], energy["exported_wh"], energy["produced_wh"])
    return stated != (read["import_wh"], read["export_wh"], produced)
