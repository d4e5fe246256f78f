"""Marks of a leaf before the judges: what nobody metered, and sessions that were void."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.certificate_world import REGISTERS_OF, CertificateWorld, readings_of
from tests.contract.test_disputes import NO_OPENING, convicted
from tests.contract.world import FIRST, GATEWAY, OPERATOR, PENALTY, SLOT, STRANGER, Forged, World, reason_of, refused
from transactive.chain.disputes import evidence
from transactive.chain.disputes.findings import Case
from transactive.chain.disputes.leaf_file import leaf_file, load_receipt
from transactive.chain.disputes.receipt_file import RecordReceiptFile
from transactive.chain.twins import certificate_disputes as of_certificates
from transactive.chain.twins import demands, disputes
from transactive.core.proofs.leaves import ENERGY, MONEY, Leaf, LeafMark
from transactive.core.proofs.merkle import REGISTERS, ZERO
from transactive.core.proofs.receipts import OrderReceipt, RecordReceipt, sign_receipt
from transactive.core.proofs.signed_orders import Fills, Order, split
from transactive.metering import gateway

NO_FRAUD = "disputes: no fraud shown"
KEPT = "demands: no fraud shown"
BUYER, SELLER, COMMUNITY = 0, 1, 7
WAIT = SLOT // 30


@pytest.fixture
def w() -> World:
    return World.fresh(money=5_000)


@pytest.fixture
def cw() -> CertificateWorld:
    return CertificateWorld.made()


def silent(w: World, mark: LeafMark = LeafMark.SUBSTITUTED) -> None:
    """A slot in which buyer and seller traded 10 Wh, and nobody metered either: what the seller would get is held."""
    for index, lane, amount in ((BUYER, 0, 2_000), (BUYER, 2, 10), (SELLER, 3, 10), (COMMUNITY, 1, 2_000)):
        w.book.add(index, lane, amount)
    for index, lanes in ((BUYER, (0,)), (SELLER, (1, 2))):
        w.book.marks[index] = int(mark)
        for lane in lanes:
            w.book.add(index, lane, 10, energy=True)


def reading_of(w: World, index: int, registers: tuple[int, ...]) -> Any:
    """A reading of the last slot that the gateway signed, of one meter."""
    readings = readings_of((w.slot - 1) * SLOT, [(0, 0, 0, 0, 0)] * index + [registers])
    signature = gateway.sign(readings, bytes(GATEWAY.key), w.client.chain_id).signature
    return evidence.reading(gateway.readings_tree(readings), 8, index, REGISTERS.pack(registers), signature)


def receipt(w: World, index: int, late: int = 0, key: Any = GATEWAY) -> tuple[int, Any]:
    """Time and signature of a receipt for a record of the last slot, `late` seconds after its end."""
    made = RecordReceipt((w.slot - 1) * SLOT, index, w.slot * SLOT + late)
    return made.time, split(made.sign(bytes(key.key), w.client.chain_id))


def test_a_leaf_as_traded_convicts_nobody(w):
    """Neither by a reading that came later, nor by a receipt for one."""
    silent(w)
    w.commit()
    opening = w.opening().content
    for index in (BUYER, SELLER):
        shown = w.shown(index)
        assert not disputes.wrong_leaf(w.chain[-1], index, w.tree.leaf(index), w.tree.proof(index), registered=True)
        with refused(NO_FRAUD):
            w.judge("challengeLeaf", opening, shown)
        with refused(NO_FRAUD):
            w.judge("challengeReading", opening, shown, reading_of(w, index, (3, 0, 0, 0, 0)))
        with refused(KEPT):
            w.demand("challengeReceipt", opening, shown, *receipt(w, index, WAIT))
        with refused("demands: not the gateway"):
            w.demand("challengeReceipt", opening, shown, *receipt(w, index, 0, STRANGER))
        with refused("demands: not the gateway"):  # of another meter
            w.demand("challengeReceipt", opening, shown, *receipt(w, index + 2))
    with refused(KEPT):  # it was metered
        w.demand("challengeReceipt", opening, w.shown(3), *receipt(w, 3))
    with refused(KEPT):
        w.demand("challengeReceipt", opening, w.shown(9), *receipt(w, 9))


def test_a_record_that_came_in_time_convicts(w):
    silent(w)
    w.commit()
    time, signature = receipt(w, SELLER, WAIT - 1)
    assert demands.kept_out(w.tree.leaf(SELLER), time, (w.slot - 1) * SLOT, SLOT, by_gateway=True)
    w.demand("challengeReceipt", w.opening().content, w.shown(SELLER), time, signature)
    convicted(w)


def slot_of_silence(w: World, stated: int | None) -> tuple[Any, Any]:
    """A metered slot, and a silent one with a statement; the silent one's opening, and that of the one before."""
    w.commit()
    silent(w)
    w.commit(stated=stated)
    return w.opening().content, w.opening(-2).content


@pytest.mark.parametrize("stated", [10, 10 << 64, 9 | 10 << 64, 10 | 9 << 64, 0])
def test_leaves_that_a_commitment_leaves_out_convict(w, stated):
    """Buyer and seller had 10 Wh each: one of them, or both, are not in the statement."""
    opening, before = slot_of_silence(w, stated)
    found = [w.tree.leaf(index) for index in (BUYER, SELLER)]
    assert demands.understated(found, w.chain[-1], w.chain[0])
    for index, leaf in zip((BUYER, SELLER), found, strict=True):
        if demands.understated([leaf], w.chain[-1], w.chain[0]):
            w.demand("challengeStatement", opening, w.shown(index), before)
            break
        with refused(KEPT):
            w.demand("challengeStatement", opening, w.shown(index), before)
    convicted(w)


def test_leaves_of_several_members_convict_together(w):
    """None of them is more than what is stated, and each is shown by its own member, once."""
    w.commit()
    silent(w)
    w.book.marks[3] = int(LeafMark.SUBSTITUTED)
    w.book.add(3, 2, 6)
    w.book.add(COMMUNITY, 3, 6)
    w.book.add(3, 0, 6, energy=True)
    w.commit(stated=15 | 10 << 64)
    opening, before = w.opening().content, w.opening(0).content
    assert not any(demands.understated([w.tree.leaf(index)], *w.chain[::-1]) for index in (BUYER, SELLER, 3))
    for index in (BUYER, SELLER):
        w.demand("showSubstituted", opening, w.shown(index), sender=w.members[index])
    for function, reason, beside in (
        ("showSubstituted", "shown before", []),
        ("challengeStatement", "no fraud shown", [before]),
    ):
        with refused(f"demands: {reason}"):
            w.demand(function, opening, w.shown(BUYER), *beside)
    w.demand("challengeStatement", opening, w.shown(3), before, sender=w.members[3])
    convicted(w, w.members[3])


def test_an_honest_statement_convicts_nobody(w):
    """Whatever leaves are shown, in any order; what was metered is none, and what is final counts no more."""
    silent(w)
    w.commit()
    opening, _ = slot_of_silence(w, None)
    first = w.opening(0).content
    assert w.chain[-1].substituted_wh == (20, 20)
    assert not demands.understated([w.tree.leaf(index) for index in range(8)], w.chain[-1], w.chain[-2])
    for index in (SELLER, 2, BUYER, 9):
        with refused(KEPT):
            w.demand("challengeStatement", opening, w.shown(index), w.opening(1).content)
        with refused(KEPT):
            w.demand("challengeStatement", first, w.shown(index, 0), NO_OPENING)
        if index in (BUYER, SELLER):
            w.demand("showSubstituted", opening, w.shown(index))
    with refused("demands: metered"):
        w.demand("showSubstituted", opening, w.shown(2))
    with refused("demands: other slot"):
        w.demand("challengeStatement", opening, w.shown(BUYER), first)
    with refused("demands: bad proof"):
        w.demand("challengeStatement", opening, w.shown(BUYER, 0), w.opening(1).content)


def test_what_is_final_is_counted_no_more(w):
    silent(w)
    w.commit()
    made, leaf = w.opening().content, w.shown(BUYER)
    w.propose()
    w.finalise()
    with refused("demands: other slot"):
        w.demand("showSubstituted", made, leaf)


WRONG = {
    "more than was sold": {"slot_energy": ENERGY.pack((0, 11, 11, 0))},
    "less than was sold": {"slot_energy": ENERGY.pack((0, 9, 9, 0))},
    "imported beside it": {"slot_energy": ENERGY.pack((1, 11, 11, 0))},
    "produced and kept": {"slot_energy": ENERGY.pack((0, 10, 12, 0))},
    "certified": {"slot_energy": ENERGY.pack((0, 10, 10, 1))},
    "paid": {"slot_money": MONEY.pack((0, 1, 0, 10))},
    "an unknown mark": {"slot": FIRST * 4 | 4 << 64},
    "words beside the marks": {"slot": FIRST * 4 | 1 << 128},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_substituted_leaf_that_is_not_as_traded_convicts(w, name):
    silent(w)
    tree = w.book.tree(w.slot)
    leaf = replace(tree.leaf(SELLER), **WRONG[name])
    assert disputes.contradicts_itself(leaf)
    w.commit(Forged(tree, leaves={SELLER: leaf}))
    w.judge("challengeLeaf", w.opening().content, w.shown(SELLER))
    convicted(w)


@settings(max_examples=25, database=None, suppress_health_check=list(HealthCheck))
@given(
    money=st.tuples(*[st.integers(0, 3)] * 4),
    energy=st.tuples(*[st.integers(0, 3)] * 4),
    marks=st.integers(0, 4),
)
def test_marks_are_judged_as_the_twin_judges_them(money, energy, marks):
    w = World.fresh(money=5_000)
    tree = w.book.tree(w.slot)
    leaf = replace(
        tree.leaf(2), slot=w.slot | marks << 64, slot_money=MONEY.pack(money), slot_energy=ENERGY.pack(energy)
    )
    w.commit(Forged(tree, leaves={2: leaf}))
    wrong = disputes.contradicts_itself(leaf)
    assert reason_of(w.judge, "challengeLeaf", w.opening().content, w.shown(2)) == (None if wrong else NO_FRAUD)


# -- certificates


def carbon_of(cw: CertificateWorld, index: int, mark: LeafMark, **lanes: int) -> Leaf:
    """A marked leaf of the next slot's certificates."""
    leaf = cw.forged(index, **lanes)
    return replace(leaf, slot=leaf.slot | int(mark) << 64)


def test_nothing_is_certified_of_what_nobody_metered(cw):
    leaf = carbon_of(cw, 0, LeafMark.SUBSTITUTED)
    slot = cw.slot
    cw.commit_carbon(leaves={0: leaf})
    assert of_certificates.wrong_leaf(slot, 0, leaf, cw.carbon_tree.proof(0))
    cw.evidence("challengeLeaf", cw.opening().content, cw.carbon_shown(0))
    convicted(cw)


def test_a_mark_of_one_leaf_alone_convicts(cw):
    cw.commit_carbon(leaves={2: carbon_of(cw, 2, LeafMark.SUBSTITUTED)})
    shown = cw.carbon_shown(2)
    with refused("certificate_disputes: no fraud shown"):  # a member that makes nothing
        cw.evidence("challengeLeaf", cw.opening().content, shown)
    assert of_certificates.wrong_money(cw.carbon_tree.leaf(2), cw.tree.leaf(2))
    cw.evidence("challengeMoney", cw.opening().content, shown, cw.shown(2))
    convicted(cw)


def test_a_later_reading_is_no_evidence_against_certificates_either(cw):
    cw.book.marks[2] = int(LeafMark.SUBSTITUTED)
    cw.commit_carbon(leaves={2: carbon_of(cw, 2, LeafMark.SUBSTITUTED)})
    shown, other = cw.carbon_shown(2), reading_of(cw, 2, (REGISTERS_OF[2][0] + 5, 0, 0, 0, 0))
    with refused("certificate_disputes: no fraud shown"):
        cw.evidence("challengeMoney", cw.opening().content, shown, cw.shown(2))
    with refused("certificate_disputes: no fraud shown"):
        cw.evidence("challengeReading", cw.opening().content, shown, other)


# -- sessions that were void


def accepted(w: World, index: int = 2) -> tuple[Order, OrderReceipt]:
    """An order for the next slot with the operator's receipt."""
    order = Order(index, w.slot, 0, ((200, 5),), ())
    return order, sign_receipt(order, bytes(OPERATOR.key), w.domain)


def test_orders_of_a_void_session_are_not_left_out(w):
    """A silent meter changes nothing of it; nor does what was traded in slots before."""
    w.book.trade(4, 5, 100, 3)
    w.commit()
    before = w.opening().content
    w.book.marks = [int(LeafMark.VOID)] * 8
    w.book.marks[3] |= int(LeafMark.SUBSTITUTED)
    order, signed = accepted(w)
    w.commit()
    opening, shown = w.opening().content, w.shown(2)
    for index in (2, 3):
        with refused(NO_FRAUD):
            w.judge("challengeLeaf", opening, w.shown(index))
    with refused(NO_FRAUD):
        w.judge("challengeOmission", opening, shown, [], order.hash, signed.content)
    with refused(KEPT):
        w.demand("challengeVoid", opening, shown, before)
    with refused("demands: other slot"):
        w.demand("challengeVoid", opening, shown, opening)
    with refused("disputes: bad proof"):
        w.judge("challengeOmission", opening, (*shown[:3], shown[3][:-1]), [], order.hash, signed.content)


@pytest.mark.parametrize("begins", [True, False])
def test_a_session_in_which_somebody_traded_is_not_void(w, begins):
    """The operator marks one member's place, to leave its order out."""
    if not begins:
        w.book.trade(4, 5, 100, 3)
        w.commit()
    before = w.opening() if not begins else None
    w.book.trade(0, 1, 2_000, 10)
    w.book.marks[2] = int(LeafMark.VOID)
    w.commit()
    assert demands.false_void(w.tree.leaf(2), w.chain[-1], before and before.commitment)
    with refused(KEPT):  # the others' are not marked
        w.demand("challengeVoid", w.opening().content, w.shown(3), before.content if before else NO_OPENING)
    w.demand("challengeVoid", w.opening().content, w.shown(2), before.content if before else NO_OPENING)
    convicted(w)


# -- by files


@pytest.mark.parametrize("late", [0, WAIT])
def test_a_receipt_in_a_file_shows_what_was_kept_out(w, late, tmp_path):
    silent(w)
    w.commit()
    made = RecordReceipt((w.slot - 1) * SLOT, SELLER, w.slot * SLOT + late)
    signature = "0x" + made.sign(bytes(GATEWAY.key), w.client.chain_id).hex()
    path = tmp_path / "receipt.json"
    path.write_bytes(msgspec.json.encode(RecordReceiptFile(SELLER, made.slot, made.time, signature)))
    file = leaf_file(
        w.client.chain_id, w.c.address, SELLER, w.tree.leaf(SELLER), w.tree.proof(SELLER), w.opening(), [], Fills()
    )  # fmt: skip
    found = Case(w.client, file).findings(receipts=[load_receipt(path)])
    assert [fraud.function for fraud in found if fraud.by] == ([] if late else ["challengeReceipt"])
    if not late:
        (fraud,) = (one for one in found if one.by)
        w.do(STRANGER, fraud.function, *fraud.arguments, contract=fraud.by)
        convicted(w)


def test_a_file_shows_a_false_void(w):
    w.book.trade(0, 1, 2_000, 10)
    w.book.marks[2] = int(LeafMark.VOID)
    w.commit()
    file = leaf_file(w.client.chain_id, w.c.address, 2, w.tree.leaf(2), w.tree.proof(2), w.opening(), [], Fills())
    (fraud,) = Case(w.client, file).findings()
    assert fraud.function == "challengeVoid"
    w.do(STRANGER, fraud.function, *fraud.arguments, contract=fraud.by)
    convicted(w)


def test_a_file_shows_what_a_commitment_leaves_out(w):
    """Alone, or beside leaves that others have shown."""
    for shown_before, stated in ((False, 9 | 10 << 64), (True, 15 | 10 << 64)):
        silent(w)
        w.book.marks[3] = int(LeafMark.SUBSTITUTED) if shown_before else 0
        w.book.add(3, 2, 6 * shown_before)
        w.book.add(COMMUNITY, 3, 6 * shown_before)
        w.book.add(3, 0, 6 * shown_before, energy=True)
        w.commit(stated=stated)
        if shown_before:
            w.demand("showSubstituted", w.opening().content, w.shown(3))
        tree, domain = w.tree, (w.client.chain_id, w.c.address)
        file = leaf_file(*domain, BUYER, tree.leaf(BUYER), tree.proof(BUYER), w.opening(), [], Fills())
        (fraud,) = (one for one in Case(w.client, file).findings() if one.function == "challengeStatement")
        w.do(STRANGER, fraud.function, *fraud.arguments, contract=fraud.by)
        w.back()
        w.book = type(w.book)(len(w.members))
    assert w.read("awards", STRANGER.address) == 2 * (PENALTY // 2)


def test_a_leaf_without_marks_is_as_before_there_were_any():
    leaf = Leaf(7, 1, 0, 0, 0, 0, ZERO, ZERO, ZERO)
    assert (leaf.number, leaf.marks) == (7, 0)
    assert replace(leaf, slot=7 | 3 << 64).marks == LeafMark.SUBSTITUTED | LeafMark.VOID
