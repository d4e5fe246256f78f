"""Signed orders, receipts and readings as JSON files: what a member holds against what was settled.

Whole numbers are decimal, bytes are 0x-hex.
"""

from __future__ import annotations

import msgspec

from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.receipts import OrderReceipt, RecordReceipt
from transactive.core.proofs.signed_orders import Order, SignedOrder, split


class GrantFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grant to an agent, with the member's signature."""

    agent: str
    highest_buy: int
    lowest_sell: int
    largest_wh: int
    valid_until: int
    signature: str


class SignedOrderFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed order: steps of price [µ¤/kWh] and energy [Wh].

    receipt: the operator's signature, and behind it the siblings on the way to what it signed for all orders of a gate.
    """

    serial: int
    buys: list[tuple[int, int]]
    sells: list[tuple[int, int]]
    signature: str
    grant: GrantFile | None = None
    receipt: str | None = None


class ReceiptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that the operator accepted: account (index), slot (number), and the order with its receipt."""

    account: int
    slot: int
    order: SignedOrderFile

    @property
    def content(self) -> tuple[Order, OrderReceipt]:
        """The order and the receipt for it. Raises SignatureError for a receipt of another length."""
        given = self.order
        order = Order(self.account, self.slot, given.serial, tuple(given.buys), tuple(given.sells))
        return order, OrderReceipt.from_bytes(bytes_of(given.receipt or "0x"))


class RecordReceiptFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the collector had a meter's record in time: meter (index), start of the slot and time [Unix s]."""

    meter: int
    slot: int
    time: int
    signature: str

    @property
    def content(self) -> tuple[RecordReceipt, bytes]:
        """What was signed, and the signature."""
        return RecordReceipt(self.slot, self.meter, self.time), bytes_of(self.signature)


class ReadingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meter's registers of a slot in the tree that the gateway signed.

    registers [Wh]: import, export, generation, charge, discharge. steps: hash and packed sums of each sibling.
    """

    meters: int
    root: str
    totals: str
    registers: tuple[int, int, int, int, int]
    steps: list[tuple[str, str]]
    signature: str

    @property
    def packed(self) -> int:
        """Registers as one word."""
        return REGISTERS.pack(self.registers)

    @property
    def content(self) -> tuple[int, bytes, int, int, list[tuple[int, int]], tuple[int, bytes, bytes]]:
        """Argument of the judge."""
        steps = [(int.from_bytes(bytes_of(hash_), "big"), int(sums)) for hash_, sums in self.steps]
        root, totals, signature = bytes_of(self.root), int(self.totals), split(bytes_of(self.signature))
        return self.meters, root, totals, self.packed, steps, signature


def order_file(signed: SignedOrder, receipt: OrderReceipt) -> SignedOrderFile:
    """An order with its receipt."""
    order, grant = signed.order, None
    if signed.grant:
        given = signed.grant
        limits = (given.highest_buy, given.lowest_sell, given.largest_wh, given.valid_until)
        grant = GrantFile(given.agent, *limits, hex_text(signed.granted))
    return SignedOrderFile(
        order.serial,
        list(order.buys),
        list(order.sells),
        hex_text(signed.signature),
        grant,
        hex_text(receipt.to_bytes()),
    )


def hex_text(value: bytes) -> str:
    """Bytes as 0x-hex."""
    return "0x" + value.hex()


def bytes_of(text: str) -> bytes:
    """Bytes of 0x-hex. Raises ValueError."""
    if not text.startswith("0x"):
        raise ValueError(f"{text[:20]!r} is not 0x-hex")
    return bytes.fromhex(text[2:])
