"""Orders as columns and as what was signed: from one to the other, and what a leaf commits of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from transactive.core.errors import SignatureError
from transactive.core.proofs.merkle import WORD, column_words
from transactive.core.proofs.receipts import OrderReceipt, ReceiptTree, sign_receipt
from transactive.core.proofs.signed_orders import (
    MAX_POINTS,
    Order,
    SignedOrder,
    SigningPlace,
    Step,
    hash_of_words,
    orders_hash,
    placed,
    placed_order,
)
from transactive.core.tables import Orders
from transactive.core.units import IntArray

HEAD = 3 * WORD
"""Bytes of an order's account, slot and serial in its hash."""
NAMES = tuple(part.name for part in fields(Order))


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order that entered, and the operator's signature for it.

    tree: of receipts signed together; None: alone. number, received: of its entry in the journal of a live market, and
    when that was [Unix s]; 0 for an order that was made as the gate closed.
    """

    signed: SignedOrder
    signature: bytes
    tree: ReceiptTree | None = field(default=None, compare=False)
    number: int = 0
    received: int = 0

    @property
    def receipt(self) -> OrderReceipt:
        """What the member gets: it proves that the order was accepted."""
        return OrderReceipt(self.signature, self.tree.way(self.signed) if self.tree else ())


def accept(
    orders: Sequence[SignedOrder], key: bytes, places: Sequence[SigningPlace], *, together: bool
) -> list[Accepted]:
    """Orders of a gate with the operator's receipts, by its key (32 bytes). places: where each member signs.

    together: by one signature for all, in one settlement whose members sign by their numbers; contracts before 0.2 do
    not judge that.
    """
    if not together:
        return [Accepted(signed, receipt_of(signed.order, key, places).signature) for signed in orders]
    tree = ReceiptTree(orders)
    signature = tree.sign(key, places[0].domain) if orders else b""
    return [Accepted(signed, signature, tree) for signed in orders]


def receipt_of(order: Order, key: bytes, places: Sequence[SigningPlace]) -> OrderReceipt:
    """Receipt for one order alone, where its member signs: the same whenever it is made."""
    place = places[order.account]
    return sign_receipt(placed_order(order, place.index), key, place.domain)


def books_of(orders: Orders, number: int, serial: int = 0) -> list[Order]:
    """One order for each member that has any in the table, for the slot of this number.

    Purchases stand before sales, the dearest first; sales the cheapest first.
    """
    order = _in_order(orders)
    prices, energies = orders.price[order], orders.energy_wh[order]
    steps = tuple(zip(prices.tolist(), energies.tolist(), strict=True))
    price_words, energy_words = column_words(prices), column_words(energies)
    members, starts = np.unique(orders.member[order], return_index=True)
    sales = starts + np.bincount(orders.member[orders.is_buy], minlength=int(members.max(initial=-1)) + 1)[members]
    ends = np.append(starts, len(steps))[1:]
    few = np.maximum(sales - starts, ends - sales) <= MAX_POINTS
    meant = few & (
        np.minimum.reduceat(energies, starts) >= 0 if len(starts) else few
    )  # all else follows from the order
    heads, books = column_words(np.stack(np.broadcast_arrays(members, number, serial), axis=1).ravel()), []
    rows = (column.tolist() for column in (members, starts, sales, ends, meant))
    for place, (member, first, middle, end, is_meant) in enumerate(zip(*rows, strict=True)):
        a, b, c = WORD * first, WORD * middle, WORD * end
        columns = price_words[a:b], energy_words[a:b], price_words[b:c], energy_words[b:c]
        sides, head = (steps[first:middle], steps[middle:end]), heads[HEAD * place : HEAD * (place + 1)]
        books.append(_book((member, number, serial), sides, head, columns, is_meant=is_meant))
    return books


def _book(
    numbers: tuple[int, int, int],
    sides: tuple[tuple[Step, ...], tuple[Step, ...]],
    head: bytes,
    columns: Sequence[bytes],
    *,
    is_meant: bool,
) -> Order:
    """An order with what follows from it, as it was found for many at once.

    numbers: account, slot, serial; sides: buys and sells; head, columns: words of the numbers, and of the columns in
    `Order.content`; is_meant: as the property of this name.
    """
    order = Order.__new__(Order)  # as the class would, in one step in place of seven
    whole = hash_of_words(head, columns)
    order.__dict__.update(zip(NAMES, numbers + sides, strict=True), hash=whole, is_meant=is_meant)
    return order


def _in_order(orders: Orders) -> IntArray:
    """Rows as they stand in books: by member and side, the best price first; most tables are in this order already."""
    sign = np.where(orders.is_buy, -1, 1)
    keys = 2 * orders.member + ~orders.is_buy, sign * orders.price, sign * orders.energy_wh
    tied = np.ones(max(len(orders) - 1, 0), np.bool_)
    for key in keys:
        steps = np.diff(key)
        if (tied & (steps < 0)).any():
            return np.lexsort(keys[::-1])
        tied &= steps == 0
    return np.arange(len(orders))


def hashes_of(accepted: Iterable[Accepted], places: Sequence[int]) -> list[bytes]:
    """Hash of the accepted orders of each member; zero without any. places: by which each signs."""
    by_member: dict[int, list[SignedOrder]] = {}
    for one in accepted:
        account = one.signed.order.account
        by_member.setdefault(account, []).append(placed(one.signed, places[account]))
    return [orders_hash(by_member.get(member, [])) for member in range(len(places))]


def steps_of(orders: Iterable[Order], slot: int) -> Orders:
    """Orders as columns for a slot [Unix s], member by member; what they lock is not said."""
    rows = [
        (order.account, is_buy, price, energy)
        for order in sorted(orders, key=lambda order: order.account)
        for is_buy, side in ((True, order.buys), (False, order.sells))
        for price, energy in side
    ]
    member, is_buy, price, energy = (np.array([row[k] for row in rows], np.int64) for k in range(4))
    return Orders(slot, member, is_buy.astype(np.bool_), price, energy, np.zeros(len(rows), np.int64))


def check_all(
    orders: Iterable[SignedOrder], members: Sequence[str], places: Sequence[SigningPlace], clock: tuple[int, int]
) -> dict[int, SignedOrder]:
    """Orders by account, each checked against its member's address. places: where each member signs.

    clock: number of the slot, seconds of a slot. Raises SignatureError for a bad signature, another slot, or two orders
    of one account.
    """
    slot, seconds = clock
    found: dict[int, SignedOrder] = {}
    for signed in orders:
        account = signed.order.account
        if signed.order.slot != slot or not 0 <= account < len(members) or account in found:
            raise SignatureError(f"order of account {account} for slot {signed.order.slot}: one each, for slot {slot}")
        places[account].check(signed, members[account], (slot + 1) * seconds)
        found[account] = signed
    return found
