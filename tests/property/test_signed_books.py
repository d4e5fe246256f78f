"""Signed orders: nothing is traded beyond them, whatever the mechanism; and what was signed is found again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.test_settlement_mechanisms import NAMES, Traffic, traffic
from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.accepted_orders import books_of, check_all
from transactive.core.proofs.leaves import ENERGY, MONEY, Leaf, SlotLeaves, climb
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import (
    MAX_POINTS,
    Fills,
    Grant,
    Order,
    SigningPlace,
    check,
    domain,
    orders_hash,
    sign_grant,
    sign_order,
)
from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts
from transactive.settlement.ledger import fills_of

KEY, OTHER, AGENT = (bytes([number]) * 32 for number in (1, 2, 3))
MEMBER, STRANGER, HELPER = (Account.from_key(key).address for key in (KEY, OTHER, AGENT))
CONTRACT = "0x" + "c0" * 20
HERE = domain(31337, CONTRACT)
PLACES = [SigningPlace(index, HERE) for index in range(2)]
SLOT, SECONDS = 7, 900
END = (SLOT + 1) * SECONDS
ORDER = Order(0, SLOT, 0, ((300, 5), (200, 4)), ((-400, 3), (450, 2)))


def _side(book: Order, buys: bool) -> tuple[tuple[int, int], ...]:
    """Steps of one side of a book."""
    return book.buys if buys else book.sells


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(traffic())
def test_no_mechanism_trades_beyond_the_books_that_members_sign(name: str, case: Traffic) -> None:
    positions = case.cleared(name).positions
    books = {book.account: book for book in books_of(case.orders, SLOT)}
    names = ("member", "is_buy", "price", "energy_wh")
    columns = zip(*(getattr(case.orders, name).tolist() for name in names), strict=True)
    signed = [(b.account, buys, *step) for b in books.values() for buys in (True, False) for step in _side(b, buys)]
    assert sorted(signed) == sorted(columns)
    for member, fills in enumerate(fills_of(positions)):
        assert fills.energy_wh == (positions.bought_wh[member], positions.sold_wh[member])
        book = books.get(member, Order(member, SLOT, 0, (), ()))
        assert book.is_meant
        assert book.covers(fills)
        assert book.hash == replace(book).hash  # as many are hashed together, and one alone


# -- signatures


def test_wallets_sign_the_same_digest():
    """What `eth_signTypedData` of any wallet signs is what the operator checks."""
    account, slot, serial, *columns = ORDER.content
    names = ("buyPrices", "buyEnergies", "sellPrices", "sellEnergies")
    kinds = ("int256[]", "uint256[]", "int256[]", "uint256[]")
    fields = [("account", "uint256"), ("slot", "uint256"), ("serial", "uint256"), *zip(names, kinds, strict=True)]
    typed = encode_typed_data(
        {"name": "TransActive Settlement", "version": "1", "chainId": 31337, "verifyingContract": CONTRACT},
        {"Order": [{"name": name, "type": kind} for name, kind in fields]},
        {"account": account, "slot": slot, "serial": serial, **dict(zip(names, columns, strict=True))},
    )
    signed = Account.sign_message(typed, KEY)
    assert bytes(signed.signature) == sign_order(ORDER, KEY, HERE).signature


def test_a_member_signs_for_itself_and_an_agent_as_it_is_granted():
    check(sign_order(ORDER, KEY, HERE), MEMBER, HERE, END)
    grant = Grant(0, HELPER, 300, -400, 9, END)
    by_agent = replace(sign_order(ORDER, AGENT, HERE), grant=grant, granted=sign_grant(grant, KEY, HERE))
    check(by_agent, MEMBER, HERE, END)
    tighter: tuple[dict[str, Any], ...] = (
        {"highest_buy": 299}, {"lowest_sell": -399}, {"largest_wh": 8}, {"valid_until": END - 1}, {"account": 1},
    )  # fmt: skip
    for limit in tighter:
        less = replace(grant, **limit)
        with pytest.raises(SignatureError, match="beyond the limits or the time of its grant"):
            check(replace(by_agent, grant=less, granted=sign_grant(less, KEY, HERE)), MEMBER, HERE, END)
    with pytest.raises(SignatureError, match="has no grant of"):
        check(replace(by_agent, granted=sign_grant(grant, OTHER, HERE)), MEMBER, HERE, END)
    with pytest.raises(SignatureError, match="has no grant of"):
        check(replace(sign_order(ORDER, OTHER, HERE), grant=grant, granted=by_agent.granted), MEMBER, HERE, END)


@pytest.mark.parametrize(
    "elsewhere", [domain(1, CONTRACT), domain(31337, "0x" + "c1" * 20), signing.domain(b"x", 31337)]
)
def test_what_was_signed_for_another_chain_or_contract_does_not_count(elsewhere):
    with pytest.raises(SignatureError, match="is signed by"):
        check(sign_order(ORDER, KEY, elsewhere), MEMBER, HERE, END)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"", "65 bytes"),
        (bytes(65), "65 bytes"),
        (bytes(64) + b"\x1b", "malformed"),
        (b"\xff" * 64 + b"\x1b", "high s"),
    ],
)
def test_signatures_that_are_none(signature, reason):
    with pytest.raises(SignatureError, match=reason):
        check(replace(sign_order(ORDER, KEY, HERE), signature=signature), MEMBER, HERE, END)


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, buys=((200, 1), (300, 1))),
        replace(ORDER, sells=((5, 1), (4, 1))),
        replace(ORDER, buys=((5, 1),) * (MAX_POINTS + 1)),
        replace(ORDER, buys=((5, 2**63),)),
        replace(ORDER, sells=((5, -1),)),
    ],
)
def test_orders_that_the_judge_could_not_read_do_not_enter(order):
    signed = replace(sign_order(ORDER, KEY, HERE), order=order)
    with pytest.raises(SignatureError, match="at most 64 steps"):
        check(signed, MEMBER, HERE, END)


def test_one_order_of_each_member_for_the_slot():
    members = [MEMBER, STRANGER]
    mine, yours = sign_order(ORDER, KEY, HERE), sign_order(replace(ORDER, account=1), OTHER, HERE)
    assert list(check_all([yours, mine], members, PLACES, (SLOT, SECONDS))) == [1, 0]
    for orders, slot in (([mine, mine], SLOT), ([mine], SLOT + 1)):
        with pytest.raises(SignatureError, match="one each, for slot"):
            check_all(orders, members, PLACES, (slot, SECONDS))
    with pytest.raises(SignatureError, match="one each, for slot"):
        check_all([yours], members[:1], PLACES, (SLOT, SECONDS))
    with pytest.raises(SignatureError, match="is signed by"):
        check_all([replace(mine, signature=yours.signature)], members, PLACES, (SLOT, SECONDS))
    assert orders_hash([]) == Fills().hash == ZERO
    assert orders_hash([mine]) != orders_hash([mine, mine])


# -- leaves


numbers = st.integers(0, 2**40)


@settings(max_examples=40)
@given(st.integers(1, 20), st.integers(0, 2**32 - 1), st.integers(0, 10**7), st.binary(min_size=1, max_size=32))
def test_every_leaf_has_its_proof_and_the_totals_are_the_community(accounts, seed, slot, secret):
    rng = np.random.default_rng(seed)
    tables = [rng.integers(0, 2**40, (accounts, 4)) for _ in range(4)]
    hashes = [rng.bytes(32) for _ in range(accounts)]
    leaves = SlotLeaves(slot, *tables, hashes, hashes[::-1])  # type: ignore[arg-type, call-arg]
    tree = SlotTree(leaves, depth_for_accounts(accounts), secret)
    for index in range(accounts):
        leaf, proof = tree.leaf(index), tree.proof(index)
        assert climb(leaf, index, proof) == (tree.root, tree.money, tree.energy, True)
        for other in (replace(leaf, energy=leaf.energy ^ 1), replace(leaf, salt=ZERO), replace(leaf, fills=ZERO)):
            assert climb(other, index, proof)[0] != tree.root
    for lanes, word, table in ((MONEY, tree.money, tables[0]), (ENERGY, tree.energy, tables[1])):
        assert list(lanes.unpack(word).values()) == (table.sum(axis=0) + 2**62).tolist()
    again = SlotTree(leaves, tree.depth, secret)
    assert (again.root, again.salts.tobytes()) == (tree.root, tree.salts.tobytes())
    assert SlotTree(leaves, tree.depth, secret, attempt=1).root != tree.root
    assert SlotTree(leaves, tree.depth, secret + b"x").root != tree.root


def test_a_neighbours_node_says_nothing_of_the_neighbour():
    """Whatever a member has, the node that its neighbour is shown is spread over the whole range of the offsets."""
    nothing, none = np.zeros((2, 4), np.int64), [ZERO] * 2
    shown = []
    for slot in range(400):
        tree = SlotTree(SlotLeaves(slot, nothing, nothing, nothing, nothing, none, none), 3, b"secret")
        step = tree.proof(0)[1]  # the pair of account 1
        shown += [value / 2**60 for value in MONEY.unpack(step[1]).values()]
    counts, _ = np.histogram(shown, bins=10, range=(0, 1))
    assert sum(counts) == len(shown)
    assert counts.min() > 100  # of 160 expected


@pytest.mark.parametrize(("accounts", "depth"), [(1, 2), (2, 3), (3, 3), (14, 5), (18, 6), (500, 10), (4_095, 13)])
def test_heights(accounts, depth):
    assert depth_for_accounts(accounts) == depth


def test_more_accounts_than_a_tree_holds():
    with pytest.raises(ValueError, match="4095 do"):
        depth_for_accounts(4_096)
    leaves = SlotLeaves(0, *[np.zeros((4, 4), np.int64)] * 4, [ZERO] * 4, [ZERO] * 4)  # type: ignore[arg-type, call-arg]
    with pytest.raises(ValueError, match="do not fit a tree of depth 3"):
        SlotTree(leaves, 3, b"")
    with pytest.raises(ValueError, match="negative"):
        SlotTree(replace(leaves, money=leaves.money - 1), 4, b"")


def test_an_empty_leaf_is_not_an_empty_place():
    assert Leaf(0, 0, 0, 0, 0, 0, ZERO, ZERO, ZERO).hash != ZERO
