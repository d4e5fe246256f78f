"""What nodes send each other, as bytes: MessagePack arrays that begin with the version of the protocol.

::

    Have       [1, 0, slot, round, board, back]              what the sender knows; back: as an answer
    Tell       [1, 1, slot, round, [quote …], [curve …]]     what another one lacks
    SentBid    [1, 2, slot, bid]                             a buyer's bid, to its seller
    SentAward  [1, 3, slot, hash of the bid, Wh, signature]  the seller's award, to its buyer

A quote, a curve and a bid are byte strings, MessagePack arrays with a signature at their end: whoever passes one on
passes it on as it is, and knows a copy by comparing bytes. They name keys by their seats in the roll, and a curve has
its prices as drops from one step to the next. Bytes that are no such message are dropped without an answer.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

import msgspec
from msgspec import Meta

from transactive.core.errors import DataError
from transactive.core.proofs.deals.deal import Bid
from transactive.core.proofs.deals.quotes import DemandCurve, Quote
from transactive.trading.direct.terms import MOST_CONTACT, MOST_STEPS, SlotTerms

VERSION = 1
DATAGRAM = 1_100
"""Bytes of a datagram; a new QUIC path carries little more. One part that is larger travels alone."""
LARGEST = 8_192
"""Bytes of a datagram that is read at all."""
HEAD, PART_HEAD = 32, 3
"""Bytes of a Tell before its parts at most, and before each part."""
MOST_COMPLAINTS = 8
MOST_AWARDS = 24
"""Awards that a quote lists, so that it fits a datagram: the last ones of a key that gave more."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Number: TypeAlias = Annotated[int, Meta(ge=-(2**63) + 1, le=2**63 - 1)]
Seat: TypeAlias = Annotated[int, Meta(ge=0, lt=65_536)]
Energy: TypeAlias = Annotated[int, Meta(ge=1, le=2**53)]
Hash: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
Signature: TypeAlias = Annotated[bytes, Meta(min_length=65, max_length=65)]


class Message(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Beginning of each message."""

    version: Annotated[int, Meta(ge=VERSION, le=VERSION)]
    kind: Annotated[int, Meta(ge=0, le=3)]
    slot: Count


class Have(Message, frozen=True):
    """What the sender knows: see `QuoteBoard.known`. back: sent to who asked, and knew what the sender lacks."""

    KIND: ClassVar[int] = 0

    round: Count
    board: bytes
    back: bool


class Tell(Message, frozen=True):
    """Quotes of the round and curves of the slot."""

    KIND: ClassVar[int] = 1

    round: Count
    quotes: list[bytes]
    curves: list[bytes]


class SentBid(Message, frozen=True):
    """A bid."""

    KIND: ClassVar[int] = 2

    bid: bytes


class SentAward(Message, frozen=True):
    """An award."""

    KIND: ClassVar[int] = 3

    bid: Hash
    energy_wh: Annotated[int, Meta(ge=0, le=2**53)]
    signature: Signature


KINDS: tuple[type[Have], type[Tell], type[SentBid], type[SentAward]] = (Have, Tell, SentBid, SentAward)
AnyMessage: TypeAlias = Have | Tell | SentBid | SentAward


class _QuoteParts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    seat: Seat
    round: Count
    curve: Hash
    position: Number
    complaints: Annotated[list[Seat], Meta(max_length=MOST_COMPLAINTS)]
    awards: Annotated[list[tuple[Hash, Count]], Meta(max_length=MOST_AWARDS)]
    signature: Signature


class _CurveParts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    seat: Seat
    salt: Hash
    contact: Annotated[bytes, Meta(max_length=MOST_CONTACT)]
    top: Number
    prices: Annotated[list[Number], Meta(max_length=MOST_STEPS)]
    energies: Annotated[list[Energy], Meta(max_length=MOST_STEPS)]
    signature: Signature


class _BidParts(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    round: Count
    buyer: Seat
    seller: Seat
    most_wh: Energy
    price: Number
    serial: Count
    signature: Signature


_QUOTE = msgspec.msgpack.Decoder(_QuoteParts)
_CURVE = msgspec.msgpack.Decoder(_CurveParts)
_BID = msgspec.msgpack.Decoder(_BidParts)
_MESSAGES = tuple(msgspec.msgpack.Decoder(kind) for kind in KINDS)
_encode = msgspec.msgpack.Encoder().encode


def write(message: AnyMessage) -> bytes:
    """A message as bytes."""
    return _encode(message)


def read(data: bytes) -> AnyMessage:
    """The message of a datagram. Raises DataError for anything else."""
    try:
        kind = data[2]  # after the length of the array and the version, a byte each
        if len(data) > LARGEST or kind >= len(KINDS):
            raise DataError("a datagram that is no message of the protocol, or too long")
        return _MESSAGES[kind].decode(data)
    except (IndexError, msgspec.DecodeError) as fault:
        raise DataError(f"a datagram that is no message of the protocol: {fault}") from None


def write_quote(quote: Quote, signature: bytes, terms: SlotTerms) -> bytes:
    """A signed quote as bytes."""
    seats = terms.roll.seats
    complaints = [seats[key] for key in quote.complaints]
    awards = list(zip(quote.bids, quote.awarded, strict=True))
    return _encode(
        _QuoteParts(seats[quote.key], quote.round, quote.curve, quote.position, complaints, awards, signature)
    )


def read_quote(data: bytes, terms: SlotTerms) -> tuple[int, Quote, bytes]:
    """Seat, quote and signature. Raises DataError."""
    try:
        parts = _QUOTE.decode(data)
        complaints = tuple(terms.allowance(seat).key for seat in parts.complaints)
        key = terms.allowance(parts.seat).key
    except (IndexError, msgspec.DecodeError) as fault:
        raise DataError(f"no quote: {fault}") from None
    bids, awarded = tuple(bid for bid, _ in parts.awards), tuple(wh for _, wh in parts.awards)
    quote = Quote(terms.slot, parts.round, key, parts.curve, parts.position, complaints, bids, awarded)
    return parts.seat, quote, parts.signature


def write_curve(curve: DemandCurve, signature: bytes, terms: SlotTerms) -> bytes:
    """A signed curve as bytes."""
    drops = [high - low for high, low in zip(curve.prices, curve.prices[1:], strict=False)]
    prices = [*curve.prices[:1], *drops]
    seat = terms.roll.seats[curve.key]
    return _encode(_CurveParts(seat, curve.salt, curve.contact, curve.top, prices, list(curve.energies), signature))


def read_curve(data: bytes, terms: SlotTerms) -> tuple[int, DemandCurve, bytes]:
    """Seat, curve and signature. Raises DataError."""
    try:
        parts = _CURVE.decode(data)
        key = terms.allowance(parts.seat).key
    except (IndexError, msgspec.DecodeError) as fault:
        raise DataError(f"no curve: {fault}") from None
    prices = parts.prices[:1]
    for drop in parts.prices[1:]:
        prices.append(prices[-1] - drop)
    curve = DemandCurve(terms.slot, key, parts.salt, parts.contact, parts.top, tuple(prices), tuple(parts.energies))
    return parts.seat, curve, parts.signature


def write_bid(bid: Bid, signature: bytes, terms: SlotTerms) -> bytes:
    """A signed bid as bytes."""
    seats = terms.roll.seats
    parts = (bid.round, seats[bid.buyer], seats[bid.seller], bid.most_wh, bid.price, bid.serial, signature)
    return _encode(_BidParts(*parts))


def read_bid(data: bytes, terms: SlotTerms) -> tuple[Bid, bytes]:
    """Bid and signature. Raises DataError."""
    try:
        parts = _BID.decode(data)
        buyer, seller = (terms.allowance(seat).key for seat in (parts.buyer, parts.seller))
    except (IndexError, msgspec.DecodeError) as fault:
        raise DataError(f"no bid: {fault}") from None
    return Bid(terms.slot, parts.round, buyer, seller, parts.most_wh, parts.price, parts.serial), parts.signature


def packed(slot: int, round_: int, quotes: list[bytes], curves: list[bytes]) -> list[bytes]:
    """Tells that carry quotes and curves, each as full as a datagram may be."""
    made: list[bytes] = []
    told: list[bytes] = []
    shown: list[bytes] = []
    size = 0
    for batch, parts in ((told, quotes), (shown, curves)):
        for part in parts:
            if size and size + len(part) > DATAGRAM - HEAD:
                made.append(write(Tell(VERSION, Tell.KIND, slot, round_, told, shown)))
                told.clear()
                shown.clear()
                size = 0
            batch.append(part)
            size += len(part) + PART_HEAD
    if size:
        made.append(write(Tell(VERSION, Tell.KIND, slot, round_, told, shown)))
    return made
