"""What a box and its market say to each other so that the box can trade directly: a seat, the roll, deals, receipts.

The market lets keys of a slot in and takes deals up; it sees no quote and matches nobody.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from transactive.core.proofs.deals.allowances import Allowance, Roll
from transactive.core.proofs.deals.deal import Bid, SignedDeal
from transactive.core.proofs.signed_orders import Step
from transactive.core.tariff import PriceGrid

MOST_AT_ONCE = 32
"""Deals in one message, at most."""
Word = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, msgspec.Meta(min_length=65, max_length=65)]
Key = Annotated[str, msgspec.Meta(pattern="^0x[0-9a-f]{40}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class AskSeat(msgspec.Struct, frozen=True, tag="seat?"):
    """A box asks for an allowance for a key of a slot (number).

    salt: of the commitment to its member. contact: where the key is reached. buys, sells: what the member wants at its
    limits, which its money is locked for.
    """

    slot: Count
    key: Key
    salt: Word
    contact: Annotated[bytes, msgspec.Meta(min_length=1, max_length=64)]
    buys: tuple[Step, ...]
    sells: tuple[Step, ...]


class AskRoll(msgspec.Struct, frozen=True, tag="roll?"):
    """A box that has a seat in a slot (number) asks for the roll."""

    slot: Count


class DealRecord(msgspec.Struct, frozen=True, array_like=True):
    """A deal with both signatures, as `SignedDeal` has it."""

    round: Count
    buyer: Key
    seller: Key
    most_wh: Count
    price: int
    serial: Count
    energy_wh: Count
    bid_signature: Signature
    award_signature: Signature

    @classmethod
    def of(cls, deal: SignedDeal) -> DealRecord:
        """Record of a deal."""
        bid, signatures = deal.bid, (deal.bid_signature, deal.award_signature)
        return cls(bid.round, bid.buyer, bid.seller, bid.most_wh, bid.price, bid.serial, deal.energy_wh, *signatures)

    def deal(self, slot: int) -> SignedDeal:
        """The deal, of a slot (its number)."""
        bid = Bid(slot, self.round, self.buyer, self.seller, self.most_wh, self.price, self.serial)
        return SignedDeal(bid, self.energy_wh, self.bid_signature, self.award_signature)


class ShowDeals(msgspec.Struct, frozen=True, tag="deals"):
    """A box shows deals of a slot (number): its own, as buyer or seller."""

    slot: Count
    deals: Annotated[tuple[DealRecord, ...], msgspec.Meta(max_length=MOST_AT_ONCE)]


class NodeReport(msgspec.Struct, frozen=True, tag="mesh"):
    """How a box fared in a slot (number): seats whose quote or curve it lacked in the last round.

    datagrams, sent_bytes: what it sent. milliseconds: after the round began until it knew all; None: it never did.
    """

    slot: Count
    unheard: Annotated[tuple[Count, ...], msgspec.Meta(max_length=1_000)]
    datagrams: Count
    sent_bytes: Count
    milliseconds: Count | None


class HasSeat(msgspec.Struct, frozen=True, tag="seat"):
    """The key is let in; the roll comes once it is closed, in so many milliseconds on the wall."""

    slot: int
    milliseconds: int


class NoSeat(msgspec.Struct, frozen=True, tag="no seat"):
    """The key is not let in. reason: in a word; why: in words."""

    slot: int
    reason: str
    why: str


class SlotRoll(msgspec.Struct, frozen=True, tag="roll"):
    """The roll of a slot (number), and how it is negotiated.

    allowances: key, commitment, most bought and most sold [Wh] of each. signature: the operator's, of all. contacts: of
    a few others. seconds: on the wall, until deals must be made. floor, cap, tick: prices [µ¤/kWh]. within: highest to
    buy and lowest to sell at that the market knows of the member.
    """

    slot: int
    allowances: tuple[tuple[str, bytes, int, int], ...]
    signature: bytes
    contacts: tuple[bytes, ...]
    milliseconds: int
    rounds: int
    sealed_below: int
    floor: int
    cap: int
    tick: int
    within: tuple[int, int]

    @property
    def roll(self) -> Roll:
        """The roll, in the order in which it was signed."""
        return Roll(self.slot, tuple(Allowance(self.slot, *each) for each in self.allowances))

    @property
    def grid(self) -> PriceGrid:
        """Prices that count."""
        return PriceGrid(self.floor, self.cap, self.tick)


class DealsTaken(msgspec.Struct, frozen=True, tag="deals taken"):
    """Deals of a slot (number) are in the market's journal: hash of each, and the receipt that its judge reads.

    refused: hashes of those that are not taken, and why.
    """

    slot: int
    taken: tuple[tuple[bytes, bytes], ...]
    refused: tuple[tuple[bytes, str], ...] = ()
