"""A deal: the buyer's bid, at most so much, and the seller's award, so much of it; two signatures and nobody between.

Both are signed with keys of the slot, in the settlement's domain. A bid names the seller, the round, the price and a
serial, which counts the buyer's bids of the slot: two bids with one serial, or two awards for one bid, convict who
signed them. The hash of the award is the deal's: it binds the bid, and with it all that was agreed. Source: EIP-712
(typed structured data).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word, words

BID_TYPE = b"Bid(uint256 slot,uint256 round,address buyer,address seller,uint256 most,int256 price,uint256 serial)"
AWARD_TYPE = b"Award(bytes32 bid,uint256 energy)"
BID_HASH, AWARD_HASH = keccak(BID_TYPE), keccak(AWARD_TYPE)


@dataclass(frozen=True)
class Bid:
    """What a buyer takes from a seller at most, in a round of a slot (its number). most_wh > 0; price µ¤/kWh.

    buyer, seller: addresses of their keys of the slot, lower case.
    """

    slot: int
    round: int
    buyer: str
    seller: str
    most_wh: int
    price: int
    serial: int

    @property
    def content(self) -> tuple[int, int, str, str, int, int, int]:
        """Argument of the contract's functions."""
        return self.slot, self.round, self.buyer, self.seller, self.most_wh, self.price, self.serial

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        parties = signing.address_word(self.buyer) + signing.address_word(self.seller)
        numbers = words((self.most_wh, self.price, self.serial))
        return keccak(BID_HASH + word(self.slot) + word(self.round) + parties + numbers)

    def contradicts(self, other: Bid) -> bool:
        """Whether both are signed by one buyer as the same bid, and say different things."""
        same = (self.slot, self.buyer, self.serial) == (other.slot, other.buyer, other.serial)
        return same and self != other


@dataclass(frozen=True)
class Award:
    """What the seller gives of a bid [Wh], 0 for nothing; bid: its hash."""

    bid: bytes
    energy_wh: int

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct; that of the deal, too."""
        return keccak(AWARD_HASH + self.bid + word(self.energy_wh))


@dataclass(frozen=True)
class SignedDeal:
    """A bid with the buyer's signature, and what the seller awarded with the seller's; each of 65 bytes."""

    bid: Bid
    energy_wh: int
    bid_signature: bytes
    award_signature: bytes

    @property
    def award(self) -> Award:
        """The seller's part."""
        return Award(self.bid.hash, self.energy_wh)

    @property
    def hash(self) -> bytes:
        """Hash of the deal."""
        return self.award.hash

    @property
    def amount_n(self) -> int:
        """What the buyer pays the seller [n¤]."""
        return self.energy_wh * self.bid.price

    def check(self, domain: bytes) -> None:
        """Refuse a deal that one of both did not sign, or that is beyond its bid. Raises SignatureError."""
        bid = self.bid
        what = f"deal of slot {bid.slot}, {bid.buyer} from {bid.seller}"
        if not 0 < self.energy_wh <= bid.most_wh:
            raise SignatureError(
                f"{what}: {self.energy_wh} Wh of a bid for {bid.most_wh} Wh; award what was bid at most"
            )
        for hash_, signature, who, party in (
            (bid.hash, self.bid_signature, bid.buyer, "bid"),
            (self.award.hash, self.award_signature, bid.seller, "award"),
        ):
            if signing.signer(signing.digest(domain, hash_), signature, what) != who:
                raise SignatureError(f"{what}: its {party} is not signed by {who}; sign with the key of the slot")
