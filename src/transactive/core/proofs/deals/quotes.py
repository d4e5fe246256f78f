"""What a key of a slot tells all others: its curve, once, and in each round where it stands.

A curve is the net position that its member wants at each price. A quote names the curve by its hash, and the curve has
a salt, so a quote tells nothing of a curve that has not been shown: where few trade, all commit to theirs before any is
shown. Two quotes of one key for one round, or a curve other than that of its quote, convict who signed them.
Source: EIP-712 (typed structured data).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word, words

CURVE_TYPE = b"Curve(uint256 slot,address key,bytes32 salt,bytes contact,int256 top,int256[] prices,uint256[] energies)"
QUOTE_TYPE = (
    b"Quote(uint256 slot,uint256 round,address key,bytes32 curve,int256 position,address[] complaints,"
    b"bytes32[] bids,uint256[] awarded)"
)
CURVE_HASH, QUOTE_HASH = keccak(CURVE_TYPE), keccak(QUOTE_TYPE)


@dataclass(frozen=True)
class DemandCurve:
    """Net position that a key wants, by price: `top` [Wh] above all steps, and on each step `energies` [Wh > 0] more.

    prices: of the steps, µ¤/kWh, falling, each once. Buying is above zero. salt: 32 bytes, so that its hash hides it.
    contact: where the key is reached in this slot, in words of the transport; another one each slot.
    """

    slot: int
    key: str
    salt: bytes
    contact: bytes
    top: int
    prices: tuple[int, ...]
    energies: tuple[int, ...]

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        head = word(self.slot) + signing.address_word(self.key) + self.salt + keccak(self.contact)
        steps = keccak(words(self.prices)) + keccak(words(self.energies))
        return keccak(CURVE_HASH + head + words((self.top,)) + steps)

    @property
    def is_meant(self) -> bool:
        """Whether its steps fall in price and have energy."""
        falling = all(high > low for high, low in zip(self.prices, self.prices[1:], strict=False))
        return falling and len(self.prices) == len(self.energies) and all(energy > 0 for energy in self.energies)

    def at(self, price: int) -> tuple[int, int]:
        """Least and most position wanted at a price [Wh]; they differ on a step."""
        least = self.top + sum(wh for step, wh in zip(self.prices, self.energies, strict=True) if step > price)
        return least, least + sum(wh for step, wh in zip(self.prices, self.energies, strict=True) if step == price)


@dataclass(frozen=True)
class Quote:
    """Where a key stands at the beginning of a round. curve: hash of its curve; position: bought − sold so far [Wh].

    complaints: keys that did not answer. bids, awarded: hashes of the bids that it awarded so far, and the Wh of each:
    an award whose message was lost is found here.
    """

    slot: int
    round: int
    key: str
    curve: bytes
    position: int
    complaints: tuple[str, ...] = ()
    bids: tuple[bytes, ...] = ()
    awarded: tuple[int, ...] = ()

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        head = (
            word(self.slot) + word(self.round) + signing.address_word(self.key) + self.curve + words((self.position,))
        )
        lists = (b"".join(map(signing.address_word, self.complaints)), b"".join(self.bids), words(self.awarded))
        return keccak(QUOTE_HASH + head + b"".join(keccak(each) for each in lists))
