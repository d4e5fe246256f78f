"""Disputes: every kind of evidence against an operator, and that an honest one cannot be convicted."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.world import (
    AGENT,
    ARBITER,
    BOND,
    FIRST,
    GATEWAY,
    LEAD,
    OPERATOR,
    OWNER,
    PENALTY,
    SLOT,
    SLOTS,
    STRANGER,
    Forged,
    World,
    reason_of,
    refused,
)
from transactive.chain.artifact import source
from transactive.chain.disputes import evidence
from transactive.chain.twins import disputes
from transactive.core.proofs import signing
from transactive.core.proofs.accepted_orders import accept
from transactive.core.proofs.leaves import ENERGY, MONEY, climb
from transactive.core.proofs.merkle import REGISTERS, ZERO
from transactive.core.proofs.receipts import sign_receipt
from transactive.core.proofs.signed_orders import (
    NAME,
    Fills,
    Grant,
    Order,
    SignedOrder,
    SigningPlace,
    orders_hash,
    sign_grant,
    sign_order,
)
from transactive.core.tables import Readings
from transactive.metering import gateway

NOTHING: tuple[Any, ...] = (ZERO, (0, ZERO, ZERO, 0, 0), [])
NO_OPENING: tuple[Any, ...] = (ZERO, (0, ZERO, ZERO, 0, 0), [])
NO_FRAUD = "disputes: no fraud shown"


@pytest.fixture
def w() -> World:
    return World.fresh(money=5_000)


def traded(w: World) -> World:
    """Two trades at 200 and 150 n¤/Wh with the orders that allow them, and readings."""
    w.book.trade(0, 1, 2_000, 10)
    w.book.trade(2, 6, 600, 4)
    for buyer, seller, price, energy in ((0, 1, 200, 10), (2, 6, 150, 4)):
        orders = (
            Order(buyer, w.slot, 0, ((price + 50, energy),), ()),
            Order(seller, w.slot, 0, (), ((price, energy),)),
        )
        for order in orders:
            signed = sign_order(order, bytes(w.members[order.account].key), w.domain)
            w.book.orders[order.account] = orders_hash([signed])
            w.signed[order.account] = [signed]
        w.fills[buyer], w.fills[seller] = Fills(((price, energy),), ()), Fills((), ((price, energy),))
    for member, fills in w.fills.items():
        w.book.fills[member] = fills.hash
    for index in range(8):
        for lane, amount in enumerate((100 + index, 10, 30, 20)):
            w.book.add(index, lane, amount, energy=True)
    w.commit()
    return w


def convicted(w: World, by: Any = STRANGER) -> None:
    """The stake paid, the commitment is gone, no netting waits."""
    assert w.read("bond") == BOND - PENALTY
    assert w.read("awards", by.address) == PENALTY // 2
    assert w.read("awards", ARBITER.address) == PENALTY - PENALTY // 2
    assert not w.read("isPending")
    assert w.solvent()


def trade_evidence(w: World, index: int) -> tuple[Any, ...]:
    return evidence.trade(w.signed.get(index, []), w.fills.get(index, Fills()))


# -- netting


def test_an_honest_netting_cannot_be_challenged(w):
    traded(w).propose()
    for index in range(8):
        with refused(NO_FRAUD):
            w.challenge(index)
    honest = w.shown(0)
    with refused("disputes: bad proof"):  # there is one
        w.challenge(0, blank=True)
    with refused("disputes: bad proof"):  # a false leaf
        w.challenge(0, leaf=replace(w.tree.leaf(0), money=1))
    with refused("disputes: bad proof"):  # somebody else's leaf
        w.challenge(1, leaf=w.tree.leaf(0), proof=w.tree.proof(0))
    with refused("disputes: bad proof"):
        w.challenge(0, proof=w.tree.proof(0)[:-1])
    with refused("disputes: bad proof"):
        w.judge("challengeLeaf", w.opening().content, (16, *honest[1:]))
    other = replace(w.opening(), commitment=replace(w.opening().commitment, money=0))
    with refused("disputes: nothing proposed"):
        w.judge("challengeNetting", other.content, honest)
    with refused("disputes: nothing proposed"):  # beyond the last word
        w.judge("challengeNetting", w.opening().content, (8, *honest[1:]))


def test_only_the_last_commitment_of_the_proposed_period_counts_against_a_netting(w):
    traded(w)
    w.commit()
    with refused("disputes: nothing proposed"):
        w.judge("challengeNetting", w.opening().content, w.shown(0))
    w.propose()
    with refused("disputes: other slot"):
        w.judge("challengeNetting", w.opening(0).content, w.shown(0, 0))


@pytest.mark.parametrize("index", [0, 3, 7])
def test_nets_that_differ_from_the_leaves_are_void(w, index):
    """The netting falls; the commitments, which were right, stay."""
    traded(w)
    nets = w.book.nets()
    nets[index] -= 7
    nets[(index + 1) % 8] += 7
    w.propose(nets)
    w.challenge(index)
    convicted(w)
    with refused("settlement: nothing proposed"):
        w.do(STRANGER, "finalise", 9)
    w.propose()
    with refused(NO_FRAUD):
        w.challenge(index)


def test_a_netting_may_be_challenged_after_the_window_while_nobody_finalises(w):
    traded(w)
    w.propose([-1, 1, 0, 0, 0, 0, 0, 0])
    w.after_window()
    w.challenge(0)
    convicted(w)


def test_debit_limit(w):
    w.do(w.members[0], "setLimit", 100)
    w.book.trade(0, 1, 250)
    w.commit()
    w.propose()
    with refused(NO_FRAUD):  # not yet in force
        w.challenge(0)
    with refused("settlement: last change still open"):
        w.do(w.members[0], "setLimit", 0)
    w.finalise()
    w.book.trade(0, 1, 101)
    w.book.trade(2, 1, 100)
    w.commit()
    w.propose()
    w.challenge(0)
    convicted(w)
    w.back()  # the leaf itself was wrong
    w.book.trade(1, 0, 1)
    w.commit()
    w.propose()
    with refused(NO_FRAUD):
        w.challenge(0)
    w.finalise()
    assert w.read("limitIn", 0, w.period) == 101
    w.do(w.members[0], "setLimit", 2**256 - 1)
    assert w.read("limitIn", 0, w.period + 5) == 0


# -- leaves


def test_an_honest_leaf_cannot_be_challenged(w):
    traded(w)
    for index in range(8):
        with refused(NO_FRAUD):
            w.judge("challengeLeaf", w.opening().content, w.shown(index))
    with refused(NO_FRAUD):  # a place without a member
        w.judge("challengeLeaf", w.opening().content, w.shown(9))
    with refused("disputes: bad proof"):  # a member is there
        w.judge("challengeLeaf", w.opening().content, w.shown(0, blank=True))


@pytest.mark.parametrize(("level", "position"), [(0, 6), (1, 3), (2, 1), (3, 0), (4, 0), (5, 0)])
@pytest.mark.parametrize("word", [0, 1])
def test_sums_that_do_not_add_up(w, level, position, word):
    """An operator hides part of the sums in a node; the member below can show it."""
    w.book.trade(3, 0, 250, 10)
    honest = w.book.tree(w.slot)
    sums = list(honest.node(level, position)[1:])
    sums[word] = (sums[word] - (1 << 128)) % 2**256
    w.commit(Forged(honest, lies={(level, position): (sums[0], sums[1])}))
    w.judge("challengeLeaf", w.opening().content, w.shown(3))
    convicted(w)


def test_a_sum_that_would_carry_into_the_next_lane(w):
    """The sibling is chosen so that every addition wraps; without the clear top bits it would pass."""
    honest = w.book.tree(w.slot)
    evil = (b"e" * 32, 2**256 - 1, 2**256 - 1)
    tree = Forged(honest, places={1: evil})
    w.commit(tree, totals=(0, 0))
    w.judge("challengeLeaf", w.opening().content, w.shown(0))
    convicted(w)


def test_totals_that_differ_from_the_tree(w):
    w.book.trade(3, 0, 250, 10)
    tree = w.book.tree(w.slot)
    w.commit(tree, totals=(tree.money + 1 + (1 << 64), tree.energy))
    w.judge("challengeLeaf", w.opening().content, w.shown(5))
    convicted(w)


def test_a_missing_leaf(w):
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, places={2 * 4: (ZERO, 0, 0)}))
    w.judge("challengeLeaf", w.opening().content, w.shown(4, blank=True))
    convicted(w)


def test_a_leaf_may_be_missing_if_the_member_came_during_the_slot(w):
    w.do(OPERATOR, "register", STRANGER.address)
    w.commit()  # the slot had begun
    with refused(NO_FRAUD):
        w.judge("challengeLeaf", w.opening().content, w.shown(8))
    w.commit()
    w.judge("challengeLeaf", w.opening().content, w.shown(8))
    convicted(w)


@pytest.mark.parametrize("change", ["another's", "twice", "another slot's"])
def test_a_leaf_in_the_wrong_place(w, change):
    tree = w.book.tree(w.slot)
    leaf = tree.leaf(2)
    leaf = replace(leaf, slot=leaf.slot - 1) if change == "another slot's" else replace(leaf, index=3)
    leaves = {2: leaf, 3: tree.leaf(2)} if change == "another's" else {2: leaf}
    w.commit(Forged(tree, leaves=leaves))
    w.judge("challengeLeaf", w.opening().content, w.shown(2))
    convicted(w)


@pytest.mark.parametrize(
    "change",
    [
        {"slot_money": 1 << 63},
        {"slot_energy": 1 << 255},
        {"slot_energy": ENERGY.pack((0, 0, 5, 6))},
        {"energy": ENERGY.pack((0, 0, 5, 6))},
    ],
)
def test_a_leaf_that_contradicts_itself(w, change):
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={1: replace(tree.leaf(1), **change)}))
    w.judge("challengeLeaf", w.opening().content, w.shown(1))
    convicted(w)


def test_running_totals_follow_from_the_commitment_before(w):
    traded(w)
    w.book.trade(1, 5, 70)
    w.commit()
    first, second = (w.opening(k).content for k in range(2))
    for index in range(8):
        with refused(NO_FRAUD):
            w.judge("challengeTotals", second, w.shown(index), first, w.shown(index, 0))
        with refused(NO_FRAUD):  # the first of a period stands alone
            w.judge("challengeTotals", first, w.shown(index, 0), NOTHING, w.shown(9))
    with refused("disputes: other slot"):
        w.judge("challengeTotals", second, w.shown(0), second, w.shown(0))
    with refused("disputes: other member"):
        w.judge("challengeTotals", second, w.shown(0), first, w.shown(1, 0))
    w.book.money[4][0] += 5  # beside the slot's own values
    w.book.money[5][1] += 5
    w.commit()
    w.judge("challengeTotals", w.opening().content, w.shown(4), second, w.shown(4, 1))
    convicted(w)
    assert w.read("lastSlot", FIRST) == FIRST * SLOTS + 1


def test_a_period_begins_at_zero(w):
    w.book.money[4][0] += 5
    w.book.money[5][1] += 5
    w.commit()
    w.judge("challengeTotals", w.opening().content, w.shown(4), NOTHING, w.shown(9))
    convicted(w)


def test_a_conviction_in_the_middle_takes_back_what_came_after(w):
    """The operator repeats all slots from the bad one on, and the period can settle."""
    w.commit()
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={1: replace(tree.leaf(1), index=2)}))
    bad, evidence_ = w.opening().content, w.shown(1)
    w.commit()
    w.propose()
    with refused("settlement: other slot"):  # the opening must name what came after
        w.judge("challengeLeaf", bad, evidence_)
    w.judge("challengeLeaf", w.opening(1).content, evidence_)
    convicted(w)
    w.back(2)
    w.commit()
    w.commit()
    w.propose()
    with refused("settlement: other slot"):  # nobody is paid twice
        w.judge("challengeLeaf", bad, evidence_)
    w.finalise()
    w.period -= 1
    with refused("settlement: period closed"):
        w.judge("challengeLeaf", bad, evidence_)


# -- trades, orders, readings


def test_honest_trades_cannot_be_challenged(w):
    traded(w)
    for index in range(8):
        with refused(NO_FRAUD):
            w.judge("challengeTrade", w.opening().content, w.shown(index), *trade_evidence(w, index))
    opening, shown, (entries, order, grant, buys, sells) = w.opening().content, w.shown(0), trade_evidence(w, 0)
    with refused("disputes: other orders"):
        w.judge("challengeTrade", opening, shown, [], order, grant, buys, sells)
    with refused("disputes: other order"):
        w.judge("challengeTrade", opening, shown, entries, evidence.NO_ORDER.content, grant, buys, sells)
    with refused("disputes: other fills"):
        w.judge("challengeTrade", opening, shown, entries, order, grant, [], sells)


class Case:
    """A trade of member 0 in one slot with what its leaf says of it."""

    def __init__(self, w: World, **changes: Any) -> None:
        self.w = w
        self.order = Order(0, w.slot, 0, ((300, 5), (200, 5)), ((400, 3), (450, 2)))
        self.fills = Fills(((300, 5), (200, 4)), ())
        self.bought, self.sold = 9, 0
        self.key, self.domain = bytes(w.members[0].key), w.domain
        self.grant: Grant | None = None
        self.grantor = bytes(w.members[0].key)
        self.accept = True
        for name, value in changes.items():
            setattr(self, name, value)

    def signed(self) -> list[SignedOrder]:
        if not self.accept:
            return []
        one = sign_order(self.order, self.key, self.domain)
        if self.grant:
            one = replace(one, grant=self.grant, granted=sign_grant(self.grant, self.grantor, self.w.domain))
        return [one]

    def commit(self) -> tuple[Any, ...]:
        """Commit the slot with this leaf; what shows it to the judge."""
        w, accepted = self.w, self.signed()
        w.book.add(0, 2, self.bought)
        w.book.add(0, 3, self.sold)
        w.book.fills[0], w.book.orders[0] = self.fills.hash, orders_hash(accepted)
        w.commit()
        return (w.opening().content, w.shown(0), *evidence.trade(accepted, self.fills))

    def verdict(self, revoked_from: int | None = None) -> bool:
        w = self.w
        leaf, member = w.tree.leaf(0), str(w.members[0].address)
        return disputes.wrong_trade(leaf, self.fills, self.signed(), member, w.domain, SLOT, revoked_from)


def granted(w: World, **changes: Any) -> dict[str, Any]:
    """An agent's order within its grant, with some change."""
    end = (w.slot + 1) * SLOT
    limits: dict[str, Any] = {"account": 0, "agent": AGENT.address, "highest_buy": 300, "lowest_sell": 400}
    limits |= {"largest_wh": 10, "valid_until": end} | changes
    return {"key": bytes(AGENT.key), "grant": Grant(**limits)}


FAULTS: dict[str, Any] = {
    "more than the order": lambda w: {"fills": Fills(((200, 11),), ()), "bought": 11},
    "dearer than a step": lambda w: {"fills": Fills(((201, 6),), ()), "bought": 6},
    "dearer than every step": lambda w: {"fills": Fills(((301, 1),), ()), "bought": 1},
    "cheaper than a step": lambda w: {"fills": Fills((), ((449, 4),)), "bought": 0, "sold": 4},
    "sold more than offered": lambda w: {"fills": Fills((), ((500, 6),)), "bought": 0, "sold": 6},
    "fills that are not the trade": lambda w: {"bought": 8},
    "sales that are not the trade": lambda w: {"sold": 1},
    "fills out of order": lambda w: {"fills": Fills(((200, 4), (300, 5)), ())},
    "sales out of order": lambda w: {"fills": Fills((), ((460, 1), (450, 1))), "bought": 0, "sold": 2},
    "fills of absurd size": lambda w: {"fills": Fills(((200, 2**255), (200, 2**255)), ()), "bought": 0},
    "no order": lambda w: {"accept": False},
    "signed by another": lambda w: {"key": bytes(w.members[1].key)},
    "signed for another contract": lambda w: {"domain": signing.domain(NAME, 1337, w.token.address)},
    "signed for another chain": lambda w: {"domain": signing.domain(NAME, 1, w.c.address)},
    "order of another slot": lambda w: {"order": Order(0, w.slot + 1, 0, ((300, 10),), ())},
    "order of another member": lambda w: {"order": Order(1, w.slot, 0, ((300, 10),), ())},
    "order with absurd energy": lambda w: {"order": Order(0, w.slot, 0, ((300, 2**255), (300, 2**255)), ())},
    "order out of order": lambda w: {"order": Order(0, w.slot, 0, ((200, 10), (300, 10)), ())},
    "agent without a grant": lambda w: {"key": bytes(AGENT.key)},
    "grant to another": lambda w: granted(w, agent=STRANGER.address),
    "grant of another": lambda w: granted(w) | {"grantor": bytes(w.members[1].key)},
    "grant for another account": lambda w: granted(w, account=1),
    "grant that ended": lambda w: granted(w, valid_until=(w.slot + 1) * SLOT - 1),
    "agent buys too dear": lambda w: granted(w, highest_buy=299),
    "agent sells too cheap": lambda w: granted(w, lowest_sell=401),
    "agent buys too much": lambda w: granted(w, largest_wh=9),
    "agent sells too much": lambda w: granted(w, largest_wh=4)
    | {"order": Order(0, w.slot, 0, ((300, 1),), ((400, 5),)), "fills": Fills(((300, 1),), ()), "bought": 1},
}  # fmt: skip
HONEST: dict[str, Any] = {
    "as ordered": lambda w: {},
    "at several prices": lambda w: {"fills": Fills(((300, 1), (250, 4), (200, 4)), ())},
    "both ways": lambda w: {"fills": Fills(((200, 10),), ((400, 3), (450, 2))), "bought": 10, "sold": 5},
    "by an agent": granted,
    "nothing without an order": lambda w: {"accept": False, "fills": Fills(), "bought": 0},
    "nothing with an order": lambda w: {"fills": Fills(), "bought": 0},
    "at negative prices": lambda w: {
        "order": Order(0, w.slot, 0, ((-5, 9),), ()), "fills": Fills(((-6, 9),), ()),
    },
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_trade_that_no_order_covers(w, fault):
    case = Case(w, **FAULTS[fault](w))
    shown = case.commit()
    assert case.verdict()
    w.judge("challengeTrade", *shown)
    convicted(w)


@pytest.mark.parametrize("honest", HONEST)
def test_a_trade_that_an_order_covers(w, honest):
    case = Case(w, **HONEST[honest](w))
    shown = case.commit()
    assert not case.verdict()
    with refused(NO_FRAUD):
        w.judge("challengeTrade", *shown)


def test_another_grant_is_not_taken(w):
    case = Case(w, **granted(w))
    opening, shown, entries, order, _, buys, sells = case.commit()
    with refused("disputes: other grant"):
        w.judge("challengeTrade", opening, shown, entries, order, evidence.NO_GRANT.content, buys, sells)


def test_a_revoked_grant_counts_for_gates_that_have_closed(w):
    with refused("disputes: not the member"):
        w.judge("revoke", 0, AGENT.address)
    w.judge("revoke", 0, AGENT.address, sender=w.members[0])
    with refused("disputes: already revoked"):
        w.judge("revoke", 0, AGENT.address, sender=w.members[0])
    first = w.slot + LEAD + 2
    for _ in range(3):
        case = Case(w, **granted(w))
        shown = case.commit()
        assert case.verdict(first) == (w.slot - 1 >= first)
        if w.slot - 1 < first:
            with refused(NO_FRAUD):
                w.judge("challengeTrade", *shown)
    case = Case(w, **granted(w))
    w.judge("challengeTrade", *case.commit())
    convicted(w)


def test_an_accepted_order_left_out(w):
    """The receipt says that it was accepted; the leaf knows only another one."""
    traded(w)
    opening, shown = w.opening().content, w.shown(0)
    entries = evidence.entries(w.signed[0])
    omitted = replace(w.signed[0][0].order, serial=1)
    receipt = sign_receipt(omitted, bytes(OPERATOR.key), w.domain)
    accepted = sign_receipt(w.signed[0][0].order, bytes(OPERATOR.key), w.domain)
    forged = sign_receipt(omitted, bytes(STRANGER.key), w.domain)
    digest, leaf = receipt.digest(omitted, w.domain), w.tree.leaf(0)
    assert disputes.omitted(leaf, omitted.hash, receipt.signature, w.signed[0], OPERATOR.address, digest)
    assert not disputes.omitted(leaf, omitted.hash, forged.signature, w.signed[0], OPERATOR.address, digest)
    assert not disputes.omitted(leaf, omitted.hash, bytes(65), w.signed[0], OPERATOR.address, digest)
    with refused(NO_FRAUD):
        w.judge("challengeOmission", opening, shown, entries, w.signed[0][0].order.hash, accepted.content)
    with refused("disputes: no receipt"):
        w.judge("challengeOmission", opening, shown, entries, omitted.hash, forged.content)
    with refused("disputes: no receipt"):
        w.judge("challengeOmission", opening, shown, entries, omitted.hash, ((27, ZERO, ZERO), []))
    v, r, s = receipt.content[0]
    high = (55 - v, r, (signing.HALF_ORDER * 2 + 1 - int.from_bytes(s, "big")).to_bytes(32, "big"))
    with refused("disputes: no receipt"):  # its twin with a high s
        w.judge("challengeOmission", opening, shown, entries, omitted.hash, (high, []))
    with refused("disputes: other orders"):
        w.judge("challengeOmission", opening, shown, [], omitted.hash, receipt.content)
    w.judge("challengeOmission", opening, shown, entries, omitted.hash, receipt.content)
    convicted(w)


def test_an_order_left_out_that_was_receipted_with_others(w):
    """One signature of the operator for all orders of a gate convicts it as one for each does."""
    traded(w)
    opening, shown, entries = w.opening().content, w.shown(0), evidence.entries(w.signed[0])
    omitted = sign_order(replace(w.signed[0][0].order, serial=1), bytes(w.members[0].key), w.domain)
    beside = [sign_order(Order(i, w.slot - 1, 0, ((9, i),), ()), bytes(w.members[i].key), w.domain) for i in (1, 2, 4)]
    places = [SigningPlace(index, w.domain) for index in range(len(w.members))]
    receipt = accept([omitted, *beside], bytes(OPERATOR.key), places, together=True)[0].receipt
    signature, way = receipt.content
    assert len(way) == 3
    for false in (way[:-1], way[::-1], [*way, ZERO], []):
        with refused("disputes: no receipt"):
            w.judge("challengeOmission", opening, shown, entries, omitted.order.hash, (signature, false))
    with refused("disputes: no receipt"):
        w.judge(
            "challengeOmission", opening, w.shown(1), evidence.entries(w.signed[1]), omitted.order.hash, receipt.content
        )
    w.judge("challengeOmission", opening, shown, entries, omitted.order.hash, receipt.content)
    convicted(w)


def readings(w: World, index: int, **changes: int) -> Readings:
    """What the gateway signed of the traded slot; some register of a meter differs."""
    columns = {
        "import_wh": [100 + i for i in range(8)],
        "export_wh": [10] * 8,
        "generation_wh": [18] * 8,
        "charge_wh": [0] * 8,
        "discharge_wh": [12] * 8,
    }
    for name, value in changes.items():
        columns[name][index] = value
    start = (w.slot - 1) * SLOT
    return Readings(start, **{name: np.array(column, np.int64) for name, column in columns.items()})


def reading_evidence(w: World, index: int, read: Readings, key: Any = GATEWAY) -> tuple[Any, int]:
    signature = gateway.sign(read, bytes(key.key), w.client.chain_id).signature
    sums = REGISTERS.pack([int(getattr(read, name)[index]) for name in REGISTERS.names])
    return evidence.reading(gateway.readings_tree(read), 8, index, sums, signature), sums


@pytest.mark.parametrize("index", [0, 5])
def test_energy_that_the_gateway_did_not_sign(w, index):
    traded(w)
    opening, shown = w.opening().content, w.shown(index)
    honest, sums = reading_evidence(w, index, readings(w, index))
    assert not disputes.wrong_reading(w.tree.leaf(index), sums)
    with refused(NO_FRAUD):
        w.judge("challengeReading", opening, shown, honest)
    with refused(NO_FRAUD):  # charging is not in the leaf
        w.judge("challengeReading", opening, shown, reading_evidence(w, index, readings(w, index, charge_wh=9))[0])
    with refused("disputes: not the gateway"):
        w.judge("challengeReading", opening, shown, reading_evidence(w, index, readings(w, index), STRANGER)[0])
    with refused("disputes: no leaf"):
        w.judge("challengeReading", opening, w.shown(9), honest)
    with refused("readings: bad reading"):
        w.judge("challengeReading", opening, shown, (*honest[:3], sums + 1, *honest[4:]))
    with refused("readings: bad reading"):
        w.judge("challengeReading", opening, shown, (*honest[:4], honest[4][:-1], honest[5]))
    few = readings(w, 0)
    few = replace(few, **{name: column[:index] for name, column in few.columns().items() if name != "slot"})
    if index:
        less = evidence.reading(
            gateway.readings_tree(few), index, 0, 0, gateway.sign(few, bytes(GATEWAY.key), w.client.chain_id).signature
        )
        with refused("readings: no such meter"):
            w.judge("challengeReading", opening, shown, less)


@pytest.mark.parametrize("change", [{"import_wh": 1}, {"export_wh": 11}, {"generation_wh": 17}, {"discharge_wh": 13}])
def test_each_register_of_a_leaf_is_held_against_the_gateway(w, change):
    traded(w)
    shown, sums = reading_evidence(w, 5, readings(w, 5, **change))
    assert disputes.wrong_reading(w.tree.leaf(5), sums)
    w.judge("challengeReading", w.opening().content, w.shown(5), shown)
    convicted(w)


def test_a_meter_that_read_nothing(w):
    traded(w)
    zeros = dict.fromkeys(("import_wh", "export_wh", "generation_wh", "discharge_wh"), 0)
    w.judge("challengeReading", w.opening().content, w.shown(5), reading_evidence(w, 5, readings(w, 5, **zeros))[0])
    convicted(w)


# -- the judge


def test_a_stake_that_is_nearly_gone_pays_what_is_left(w):
    w.do(OPERATOR, "requestBond", BOND - PENALTY - 300)
    w.commit()
    w.propose()
    w.finalise()
    w.now = max(w.now, w.read("bondRequest")[1])
    w.do(OPERATOR, "takeBond")
    w.period = w.now // (SLOT * SLOTS) + 1
    found = []
    for period in (w.period, w.period + 1):  # both are committed while the stake covers one
        w.period = period
        w.new_period()
        tree = w.book.tree(w.slot)
        w.commit(Forged(tree, leaves={1: replace(tree.leaf(1), index=2)}))
        found.append((w.opening().content, w.shown(1)))
    for opening, shown in found:
        w.judge("challengeLeaf", opening, shown)
    assert (w.read("bond"), w.read("awards", STRANGER.address)) == (0, PENALTY // 2 + 150)


def test_who_may_do_what(w):
    """Evidence comes from anybody; only the settlement's owner names the gateway."""
    for key in (OPERATOR, ARBITER, w.members[0], STRANGER):
        with refused("disputes: not the owner"):
            w.judge("setGateway", STRANGER.address, sender=key)
    w.judge("setGateway", STRANGER.address, sender=OWNER)
    assert w.client.read(w.disputes, "gateway") == STRANGER.address
    assert w.client.read(w.disputes, "getSettlement") == w.c.address
    with refused("disputes: gateway already"):
        w.judge("setGateway", STRANGER.address, sender=OWNER)
    with refused("disputes: had its term"):
        w.judge("setGateway", GATEWAY.address, sender=OWNER)
    for name in ("setCertificateDisputes", "setDemands"):
        with refused("disputes: not the owner"):
            w.judge(name, STRANGER.address)
    with refused("disputes: judge is fixed"):
        w.judge("setDemands", OWNER.address, sender=OWNER)
    w.judge("setCertificateDisputes", STRANGER.address, sender=OWNER)
    with refused("disputes: judge is fixed"):
        w.judge("setCertificateDisputes", OWNER.address, sender=OWNER)
    with refused("disputes: not the judge"):
        w.judge("convict", NO_OPENING, OWNER.address, sender=OWNER)
    for key in (OPERATOR, ARBITER, OWNER, w.members[0]):
        traded_once = World.fresh()
        tree = traded_once.book.tree(traded_once.slot)
        traded_once.commit(Forged(tree, leaves={1: replace(tree.leaf(1), index=2)}))
        traded_once.judge("challengeLeaf", traded_once.opening().content, traded_once.shown(1), sender=key)
        assert traded_once.read("awards", key.address) >= PENALTY // 2


small = st.integers(0, 3)


@settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck))
@given(
    level=st.integers(0, 5),
    position=st.integers(0, 31),
    part=st.integers(0, 1),
    change=st.sampled_from([0, 0, 1, -1, 1 << 63, 1 << 64, 1 << 192, 1 << 255]),
    index=st.integers(0, 9),
    field=st.sampled_from(["none", "slot", "index", "slot_energy", "energy", "money"]),
)
def test_leaves_are_judged_as_the_twin_judges_them(level, position, part, change, index, field):
    """Whatever is stated where, contract and twin find the same."""
    w = World.fresh()
    w.book.trade(0, 3, 100, 5)
    honest = w.book.tree(w.slot)
    leaf = honest.leaf(index) if index < 8 else None
    if leaf and field != "none":
        leaf = replace(leaf, **{field: (getattr(leaf, field) + (7 << 192 if "energy" in field else 1))})
    position %= 1 << (5 - level)
    sums = list(honest.node(level, position)[1:])
    sums[part] = (sums[part] + change) % 2**256
    lies = {(level, position): (sums[0], sums[1])} if change else {}
    tree = Forged(honest, lies=lies, leaves={index: leaf} if leaf else {})
    if (tree.money | tree.energy) & MONEY.top or tree.money % 2**64 != (tree.money >> 64) % 2**64:
        return  # the settlement refuses the commitment itself
    w.commit(tree)
    proof = tree.proof(index)
    assert climb(leaf, index, proof)[0] == tree.root
    fraud = disputes.wrong_leaf(w.opening().commitment, index, leaf, proof, registered=index < 8)
    got = reason_of(w.judge, "challengeLeaf", w.opening().content, evidence.shown(index, leaf, proof))
    assert got == (None if fraud else NO_FRAUD)


steps = st.lists(st.tuples(st.integers(-3, 3), small), max_size=4).map(tuple)


@settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck))
@given(steps, steps, steps, steps, st.booleans(), small)
def test_trades_are_judged_as_the_twin_judges_them(buys, sells, bought, sold, tidy, agent):
    w = World.fresh()
    if tidy:
        buys, bought = (tuple(sorted(side, reverse=True)) for side in (buys, bought))
        sells, sold = (tuple(sorted(side)) for side in (sells, sold))
    fills = Fills(bought, sold)
    case = Case(w, order=Order(0, w.slot, 0, buys, sells), fills=fills)
    case.bought, case.sold = fills.energy_wh
    if agent:
        for name, value in granted(w, highest_buy=agent, lowest_sell=-agent, largest_wh=2 * agent).items():
            setattr(case, name, value)
    got = reason_of(w.judge, "challengeTrade", *case.commit())
    assert got == (None if case.verdict() else NO_FRAUD)


def test_every_reason_is_met_by_a_test_here():
    reasons = set(re.findall(r'"(disputes: [^"]+)"', source("disputes")))
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(reasons) > 15
    assert [reason for reason in sorted(reasons) if reason.split(": ")[1] not in here] == []
