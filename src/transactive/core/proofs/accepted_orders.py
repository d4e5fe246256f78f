"""Orders as columns and as what was signed: from one to the other, and what a leaf commits of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transactive.core.proofs.signed_orders import Order, SignedOrder, orders_hash
from transactive.core.tables import Orders


@dataclass(frozen=True, slots=True)
class Accepted:
    """An order that entered, and the operator's receipt for it."""

    signed: SignedOrder
    receipt: bytes


def books_of(orders: Orders, number: int, serial: int = 0) -> list[Order]:
    """One order for each member that has any in the table, for the slot of this number."""
    buys: dict[int, list[tuple[int, int]]] = {}
    sells: dict[int, list[tuple[int, int]]] = {}
    columns = (orders.member, orders.is_buy, orders.price, orders.energy_wh)
    for member, is_buy, price, energy in zip(*(column.tolist() for column in columns), strict=True):
        for side in (buys, sells):
            side.setdefault(member, [])
        (buys if is_buy else sells)[member].append((price, energy))
    return [
        Order(member, number, serial, tuple(sorted(buys[member], reverse=True)), tuple(sorted(sells[member])))
        for member in sorted(buys)
    ]


def hashes_of(accepted: Iterable[Accepted], members: int) -> list[bytes]:
    """Hash of the accepted orders of each member; zero without any."""
    by_member: dict[int, list[SignedOrder]] = {}
    for one in accepted:
        by_member.setdefault(one.signed.order.account, []).append(one.signed)
    return [orders_hash(by_member.get(member, [])) for member in range(members)]
