"""A signed order as bytes: what a box or a page sends, what the journal of a market keeps, and what is proved later."""

from __future__ import annotations

import msgspec

from transactive.core.errors import DataError
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder, Step

MOST_BYTES = 16_384
"""Of a signed order: 64 steps each way of the longest numbers are less."""


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signed order in JSON. signature, granted: hexadecimal; granted: of the member, for the grant to its agent."""

    account: int
    slot: int
    serial: int
    buys: tuple[Step, ...]
    sells: tuple[Step, ...]
    signature: str
    grant: Grant | None = None
    granted: str = ""


def order_bytes(signed: SignedOrder) -> bytes:
    """A signed order as bytes."""
    order = signed.order
    granted = "" if signed.grant is None else signed.granted.hex()
    steps = order.buys, order.sells
    record = _Record(order.account, order.slot, order.serial, *steps, signed.signature.hex(), signed.grant, granted)
    return msgspec.json.encode(record)


def order_of(data: bytes) -> SignedOrder:
    """The signed order again. Raises DataError for bytes that are none; whether its signature is good is not said."""
    if len(data) > MOST_BYTES:
        raise DataError(f"an order of {len(data):,} bytes: at most {MOST_BYTES:,}")
    try:
        found = msgspec.json.decode(data, type=_Record)
        signature, granted = bytes.fromhex(found.signature), bytes.fromhex(found.granted)
    except (msgspec.MsgspecError, ValueError) as error:
        raise DataError(f"is no signed order: {error}") from None
    order = Order(found.account, found.slot, found.serial, found.buys, found.sells)
    if found.grant is None:
        return SignedOrder(order, signature)
    return SignedOrder(order, signature, found.grant, granted)
