"""Records of what a node signed and got, in their order.

With them a node that was killed goes on, and contradicts nothing that it said.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class SaidQuote(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """A quote of a round, as bytes."""

    round: int
    quote: bytes


class Began(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """The curve of the slot, as bytes, before any quote names it."""

    curve: bytes


class Bade(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """A bid to a seller, as bytes."""

    bid: bytes


class Gave(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """An answer to a buyer's bid."""

    bid: bytes
    energy_wh: int
    signature: bytes


class Got(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """What became of an own bid, by its hash; without a signature where only the seller's quote told it."""

    bid: bytes
    energy_wh: int
    signature: bytes


class Showed(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """In a sealed slot, that commitments are over, and the hash of the curve that each seat had named by then."""

    named: dict[int, bytes]


Record: TypeAlias = Began | SaidQuote | Bade | Gave | Got | Showed
_DECODER = msgspec.msgpack.Decoder(Record)


def write(record: Record) -> bytes:
    """A record as bytes."""
    return msgspec.msgpack.encode(record)


def read(data: bytes) -> Record:
    """The record of some bytes. Raises msgspec.DecodeError for anything else: a journal is this node's own."""
    return _DECODER.decode(data)
