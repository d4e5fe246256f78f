"""Receipts: that an order was accepted, by one signature for each or one for all of a gate; that a record came.

A signature takes as long as dozens of hashes, and with each a receipt would be most of what is kept of an order. So the
operator signs the root of a tree over the receipts of a gate, and each member has the way from its own to that root:

    leaf   = hash of the struct Receipt(account, slot, order)
    parent = sha256(05 | lower hash | higher hash)         a node without a neighbour moves up as it is
    signed = EIP-712 digest of Receipts(root)

The first neighbour of a leaf is the hash of its order's signature, which only its member and the operator know: nobody
finds out what another one ordered by trying. `chain/contracts/modules/signed.vy` computes the same in a dispute.

A collector signs for a meter's record that it was on disk at a time, in the gateway's domain:

    Received(uint256 slot,uint256 meter,uint256 time)

Whose slot was settled as if nobody had metered it, although the record came in time, shows that to the judge
(`chain/contracts/demands.vy`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import WORD, word
from transactive.core.proofs.signed_orders import Order, SignedOrder, split

RECEIPT_HASH = keccak(b"Receipt(uint256 account,uint256 slot,bytes32 order)")
RECEIPTS_HASH = keccak(b"Receipts(bytes32 root)")
PAIR = b"\x05"
SIGNATURE_BYTES = 65
MOST_SIBLINGS = 16
"""On a way; a full tree of orders takes 13."""

RECEIVED_HASH = keccak(b"Received(uint256 slot,uint256 meter,uint256 time)")
METERING = b"TransActive Metering"
_RECORD = struct.Struct(">QIQ")
SIGNED_BYTES = _RECORD.size + SIGNATURE_BYTES
"""Of the receipt for a record."""
WAIT = 30
"""What part of a slot after its end a record has to come within, at least, to count."""


@dataclass(frozen=True, slots=True)
class OrderReceipt:
    """The operator's signature that an order is accepted. way: siblings up to the root that it signed; none: alone."""

    signature: bytes
    way: tuple[bytes, ...] = ()

    @property
    def content(self) -> tuple[tuple[int, bytes, bytes], list[bytes]]:
        """Argument of the judge."""
        return split(self.signature), list(self.way)

    def to_bytes(self) -> bytes:
        """The signature, and the way behind it."""
        return self.signature + b"".join(self.way)

    @classmethod
    def from_bytes(cls, data: bytes) -> OrderReceipt:
        """What `to_bytes` wrote. Raises SignatureError for another length."""
        signature, way = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
        if len(signature) < SIGNATURE_BYTES or len(way) % WORD or len(way) > MOST_SIBLINGS * WORD:
            raise SignatureError(
                f"a receipt has {SIGNATURE_BYTES} bytes of signature and up to {MOST_SIBLINGS} hashes of {WORD} bytes,"
                f" not {len(data)} bytes; take it as the operator gave it"
            )
        return cls(signature, tuple(way[at : at + WORD] for at in range(0, len(way), WORD)))

    def digest(self, order: Order, separator: bytes) -> bytes:
        """What the operator signed, if it accepted this order."""
        node = receipt_struct(order.account, order.slot, order.hash)
        for sibling in self.way:
            node = _parent(node, sibling)
        return signing.digest(separator, _root_struct(node) if self.way else node)


class ReceiptTree:
    """Receipts of all orders that a gate accepted, to be signed together; at least one, one of each account."""

    def __init__(self, orders: Iterable[SignedOrder]) -> None:
        self._orders = sorted(orders, key=lambda signed: signed.order.account)

    @cached_property
    def _levels(self) -> list[list[bytes]]:
        """Nodes, from receipts that met their order's signature to the root."""
        row = [
            _parent(receipt_struct(signed.order.account, signed.order.slot, signed.order.hash), _blinding(signed))
            for signed in self._orders
        ]
        levels = [row]
        while len(row) > 1:
            pairs = zip(row[::2], row[1::2], strict=False)
            row = [_parent(left, right) for left, right in pairs] + (row[-1:] if len(row) % 2 else [])
            levels.append(row)
        return levels

    @cached_property
    def _places(self) -> dict[int, int]:
        return {signed.order.account: place for place, signed in enumerate(self._orders)}

    def way(self, signed: SignedOrder) -> tuple[bytes, ...]:
        """Siblings of an order's receipt, from its blinding up."""
        way, place = [_blinding(signed)], self._places[signed.order.account]
        for row in self._levels:
            if place ^ 1 < len(row):
                way.append(row[place ^ 1])
            place >>= 1
        return tuple(way)

    def sign(self, key: bytes, separator: bytes) -> bytes:
        """Operator's signature of the root, with its key (32 bytes)."""
        return signing.sign(signing.digest(separator, _root_struct(self._levels[-1][0])), key)


@dataclass(frozen=True, slots=True)
class RecordReceipt:
    """That the record of a slot was on disk at a time, both [Unix s]. meter: index of its member."""

    slot: int
    meter: int
    time: int

    def digest(self, chain_id: int) -> bytes:
        """EIP-712 digest that the collector signs."""
        told = keccak(RECEIVED_HASH + word(self.slot) + word(self.meter) + word(self.time))
        return signing.digest(signing.domain(METERING, chain_id), told)

    def sign(self, key: bytes, chain_id: int) -> bytes:
        """Signature of a collector's private key (32 bytes)."""
        return signing.sign(self.digest(chain_id), key)

    def to_bytes(self, signature: bytes) -> bytes:
        """The receipt with its signature in `SIGNED_BYTES`, as boxes are told it."""
        return _RECORD.pack(self.slot, self.meter, self.time) + signature

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple[RecordReceipt, bytes]:
        """The receipt and the signature that `to_bytes` wrote."""
        return cls(*_RECORD.unpack_from(data)), data[_RECORD.size : SIGNED_BYTES]


def receipt_struct(account: int, slot: int, order: bytes) -> bytes:
    """Hash of the receipt for an order (its hash)."""
    return keccak(RECEIPT_HASH + word(account) + word(slot) + order)


def sign_receipt(order: Order, key: bytes, separator: bytes) -> OrderReceipt:
    """Receipt for one order, signed alone."""
    struct = receipt_struct(order.account, order.slot, order.hash)
    return OrderReceipt(signing.sign(signing.digest(separator, struct), key))


def _root_struct(root: bytes) -> bytes:
    """Hash of what stands for all receipts of a gate."""
    return keccak(RECEIPTS_HASH + root)


def _parent(one: bytes, other: bytes) -> bytes:
    """Hash of a pair, the lower first."""
    return sha256(PAIR + one + other if one < other else PAIR + other + one).digest()


def _blinding(signed: SignedOrder) -> bytes:
    """First sibling of a receipt: only who knows the order's signature knows it."""
    return sha256(signed.signature).digest()


def least_patience(slot_seconds: int) -> int:
    """How long after a slot's end a meter has to be waited for, at least [s]."""
    return slot_seconds // WAIT
