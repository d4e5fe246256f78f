"""What a leaf must be, for a box that has its own records, its own orders and what was signed for them.

No library of a chain is needed: the judge contract's twins (`chain.twins`) say what the contract would find. What no
judge takes, such as another number of Wh than the meter's, is told all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.disputes.receipt_file import ReceiptFile, RecordReceiptFile
from transactive.chain.twins import demands, disputes
from transactive.core.boxes.messages import Terms
from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.leaves import ENERGY, Leaf, LeafMark, climb
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import domain, orders_hash


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a leaf. call: function of the judge that takes it, empty where none does."""

    what: str
    call: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What a box holds against its leaves.

    market: address of the operator's key. per_period: slots in a hash chain. counted: import and export that the meter
    signed of a slot (number) [Wh], None where no record tells of it alone. order, record: what was receipted of it.
    """

    terms: Terms
    market: str
    per_period: int
    counted: Callable[[int], tuple[int, int] | None]
    order: Callable[[int], ReceiptFile | None]
    record: Callable[[int], RecordReceiptFile | None]


def first_wrong(file: LeafFile, before: LeafFile | None, held: Held) -> Wrong | None:
    """The first thing that is wrong with a leaf; None where all is right.

    before: the leaf of the commitment before, None where the box has none: then what runs on from it is not judged.
    """
    return next(_wrongs(file, before, held), None)


def _wrongs(file: LeafFile, before: LeafFile | None, held: Held) -> Iterator[Wrong]:
    """Everything that is wrong; what comes first makes the rest say little."""
    terms, made = held.terms, file.opening.commitment
    if (file.chain_id, file.settlement.lower(), file.index) != (
        terms.chain_id,
        terms.settlement.lower(),
        terms.account,
    ):
        yield Wrong("it is the leaf of another account or contract")
        return
    if climb(file.content, file.index, file.steps)[0] != made.root:
        yield Wrong("its proof does not lead to the root that was committed")
        return
    if disputes.wrong_leaf(made, file.index, file.content, file.steps, registered=True):
        yield Wrong(
            "sums in the tree, the leaf's place or the leaf itself are wrong, or it is missing", "challengeLeaf"
        )
    yield from _follows(file, before, made.slot % held.per_period == 0)
    if leaf := file.content:
        yield from _traded(leaf, file, held)
        yield from _metered(leaf, held)


def _follows(file: LeafFile, before: LeafFile | None, begins: bool) -> Iterator[Wrong]:
    """Whether a leaf goes on from the one before it, in one chain of commitments; in newer contracts one begins."""
    begins = begins or (before is not None and before.settlement.lower() != file.settlement.lower())
    if begins and file.opening.previous != ZERO:
        yield Wrong("it begins a period, and says that something was committed in it before")
    if begins:
        before = None
    elif before is None:
        return
    elif file.opening.previous != before.opening.head:
        yield Wrong("it does not follow what was told to be committed before it")
        return
    leaf, earlier = file.content, before.content if before else None
    if disputes.wrong_totals(leaf, earlier):
        yield Wrong("running totals are not those before plus the slot's", "challengeTotals")
    made = before.opening.commitment if before else None
    if demands.false_void(leaf, file.opening.commitment, made):
        yield Wrong("the session is marked as void, and somebody traded", "challengeVoid")
    if demands.understated([leaf], file.opening.commitment, made):
        yield Wrong("the commitment states less than was settled as if nobody had metered it", "challengeStatement")


def _traded(leaf: Leaf, file: LeafFile, held: Held) -> Iterator[Wrong]:
    """What was traded, against the orders in the leaf and the one that was receipted to this box."""
    terms, accepted, place = held.terms, file.accepted, domain(file.chain_id, file.settlement)
    if orders_hash(accepted) != leaf.orders or file.fills.hash != leaf.fills:
        yield Wrong("the orders or trades that were told are not those of the leaf")
        return
    if disputes.wrong_trade(leaf, file.fills, accepted, terms.address, place, terms.slot_seconds):
        yield Wrong("the trade has no signed order, or goes beyond it", "challengeTrade")
    if disputes.outdated(leaf, accepted) is not None:
        yield Wrong("the trade follows an order that a newer one had replaced", "challengeSerial")
    given = held.order(leaf.number)
    if given is None:
        return
    order, receipt = given.content
    own = order.hash, receipt.signature, accepted, held.market, receipt.digest(order, place)
    if disputes.omitted(leaf, *own):
        yield Wrong("an order that the market receipted was left out", "challengeOmission")


def _metered(leaf: Leaf, held: Held) -> Iterator[Wrong]:
    """Energy of the slot, against what the meter signed; and whether it was settled as if nobody had metered it."""
    length = held.terms.slot_seconds
    if receipted := held.record(leaf.number):
        receipt, signature = receipted.content
        late = (receipt.slot, receipt.meter) != (leaf.number * length, leaf.index)
        signed = not late and _is_signed(receipt.digest(held.terms.chain_id), signature)
        if demands.kept_out(leaf, receipt.time, receipt.slot, length, by_gateway=signed):
            what = "the slot was settled as if nobody had metered it, and the market had receipted the record in time"
            yield Wrong(what, "challengeReceipt")
    counted, energy = held.counted(leaf.number), ENERGY.unpack(leaf.slot_energy)
    stated = energy["imported_wh"], energy["exported_wh"]
    if counted and stated != counted and not leaf.marks & LeafMark.SUBSTITUTED:
        yield Wrong(
            f"it says {stated[0]} Wh in and {stated[1]} Wh out, and the meter signed {counted[0]} and {counted[1]}"
        )


def _is_signed(digest: bytes, signature: bytes) -> bool:
    """Whether somebody signed it; by the judge's books it must have been the gateway."""
    try:
        signing.signer(digest, signature, "receipt")
    except SignatureError:
        return False
    return True
