"""Receipts for the orders of a gate: each proves its own order, and no other, by the one signature for all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.accepted_orders import Accepted, accept
from transactive.core.proofs.receipts import MOST_SIBLINGS, OrderReceipt
from transactive.core.proofs.signed_orders import Order, SignedOrder, SigningPlace

KEY, DOMAIN = b"\x01" * 32, b"\x02" * 32
PLACES = [SigningPlace(index, DOMAIN) for index in range(4_095)]
OPERATOR = signing.address_of(KEY)
ACCOUNTS = st.lists(st.integers(0, 4_094), min_size=1, max_size=40, unique=True)


def entered(accounts: list[int], *, together: bool = True) -> list[Accepted]:
    """Orders of these accounts, alike but for the account and its signature, with their receipts."""
    orders = [SignedOrder(Order(i, 7, 0, ((200, 5),), ()), i.to_bytes(65, "big")) for i in accounts]
    return accept(orders, KEY, PLACES, together=together)


def proves(receipt: OrderReceipt, order: Order) -> bool:
    """Whether the operator signed that it accepted an order."""
    return signing.signer(receipt.digest(order, DOMAIN), receipt.signature, "receipt") == OPERATOR


@given(ACCOUNTS, st.booleans())
def test_each_receipt_proves_its_order_and_no_other(accounts, together):
    accepted = entered(accounts, together=together)
    assert len({one.signature for one in accepted}) == (1 if together else len(accounts))
    for one, following in zip(accepted, accepted[1:] + accepted[:1], strict=True):
        order, receipt = one.signed.order, one.receipt
        assert proves(receipt, order)
        assert not proves(receipt, replace(order, serial=1))
        assert len(accounts) == 1 or not proves(receipt, following.signed.order)
        assert OrderReceipt.from_bytes(receipt.to_bytes()) == receipt


@given(ACCOUNTS, st.randoms(use_true_random=False))
def test_the_way_does_not_depend_on_the_order_in_which_orders_came(accounts, random):
    receipts = {one.signed.order.account: one.receipt for one in entered(accounts)}
    random.shuffle(accounts)
    assert {one.signed.order.account: one.receipt for one in entered(accounts)} == receipts


def test_nobody_learns_an_order_from_the_ways_of_others():
    """What another member sees of an order changes with its signature, which nobody can guess: trying finds nothing."""
    other = SignedOrder(Order(1, 7, 0, ((10, 1),), ()), bytes(65))
    seen = []
    for signature in (b"\x01" * 65, b"\x02" * 65):
        mine = SignedOrder(Order(0, 7, 0, ((200, 5),), ()), signature)
        seen.append(accept([mine, other], KEY, PLACES, together=True)[1].receipt.way)
    (first, neighbour), (second, another) = seen
    assert first == second
    assert neighbour != another


def test_a_full_tree_of_orders_fits():
    assert len(entered(list(range(4_095)))[0].receipt.way) == 13 <= MOST_SIBLINGS


@pytest.mark.parametrize("data", [b"", bytes(64), bytes(66), bytes(65 + 31), bytes(65 + 32 * (MOST_SIBLINGS + 1))])
def test_what_is_no_receipt_is_told(data):
    with pytest.raises(SignatureError, match=f"not {len(data)} bytes"):
        OrderReceipt.from_bytes(data)


def test_without_orders_nothing_is_signed():
    assert accept([], KEY, PLACES, together=True) == []
