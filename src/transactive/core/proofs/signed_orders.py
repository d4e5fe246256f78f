"""What a member signs for its operator: orders, and grants to agents; EIP-712 typed data.

An order is a member's whole book for one slot; a later one replaces it. It is signed by the member, or by an agent key
that the member's grant allows within limits. The operator answers with a receipt (`receipts.py`). The domain names
chain and settlement contract, so that nothing signed counts on another one. `chain/contracts/modules/signed.vy`
computes the same hashes in a dispute.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO, word, words

NAME = b"TransActive Settlement"
ORDER_TYPE = (
    b"Order(uint256 account,uint256 slot,uint256 serial,int256[] buyPrices,uint256[] buyEnergies,"
    b"int256[] sellPrices,uint256[] sellEnergies)"
)
GRANT_TYPE = (
    b"Grant(uint256 account,address agent,int256 highestBuy,int256 lowestSell,uint256 largestEnergy,uint256 validUntil)"
)
ORDER_HASH, GRANT_HASH = keccak(ORDER_TYPE), keccak(GRANT_TYPE)
NOTHING = keccak(b"")
"""Hash of an array without elements."""
MAX_POINTS = 64
"""Steps of an order, each way."""
MAX_ENTRIES = 8
"""Orders of a member that are accepted for one slot, replacements included."""
MOST_WH = 2**63 - 1
ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
ENTRIES, FILLS = b"\x03", b"\x04"

Step = tuple[int, int]
"""Limit [n¤/Wh] and energy [Wh]."""


@dataclass(frozen=True)
class Fills:
    """What a member traded in a slot: price and energy, dearest purchases and cheapest sales first."""

    buys: tuple[Step, ...] = ()
    sells: tuple[Step, ...] = ()

    @property
    def content(self) -> bytes:
        """What the leaf has the hash of; empty for nothing."""
        steps = [number for step in (*self.buys, *self.sells) for number in step]
        return FILLS + word(len(self.buys)) + words(steps) if steps else b""

    @property
    def hash(self) -> bytes:
        """Hash in the leaf; zero for nothing."""
        content = self.content
        return hashlib.sha256(content).digest() if content else ZERO

    @property
    def in_order(self) -> bool:
        """Whether no purchase is dearer, and no sale cheaper, than the one before it."""
        bought, sold = ([price for price, _ in side] for side in (self.buys, self.sells))
        return bought == sorted(bought, reverse=True) and sold == sorted(sold)

    @property
    def energy_wh(self) -> tuple[int, int]:
        """Bought and sold [Wh]."""
        bought, sold = (sum(energy for _, energy in side) for side in (self.buys, self.sells))
        return bought, sold


@dataclass(frozen=True)
class Order:
    """A member's book for a slot (its number). serial: rises with each replacement."""

    account: int
    slot: int
    serial: int
    buys: tuple[Step, ...]
    sells: tuple[Step, ...]

    @property
    def content(self) -> tuple[int, int, int, list[int], list[int], list[int], list[int]]:
        """Argument of the contract's functions."""
        columns = ([step[part] for step in side] for side in (self.buys, self.sells) for part in (0, 1))
        buy_prices, buy_wh, sell_prices, sell_wh = columns
        return self.account, self.slot, self.serial, buy_prices, buy_wh, sell_prices, sell_wh

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        account, slot, serial, *columns = self.content
        return hash_of_words(words((account, slot, serial)), [words(column) for column in columns])

    def __str__(self) -> str:
        """Which order it is, in messages."""
        return f"order of account {self.account} for slot {self.slot}"

    def covers(self, fills: Fills) -> bool:
        """Whether at every price it wanted or offered as much as was traded at it or worse, and fills are in order."""
        if not fills.in_order:
            return False
        for price, _ in fills.buys:
            wanted = sum(energy for limit, energy in self.buys if limit >= price)
            if sum(energy for paid, energy in fills.buys if paid >= price) > wanted:
                return False
        for price, _ in fills.sells:
            offered = sum(energy for limit, energy in self.sells if limit <= price)
            if sum(energy for got, energy in fills.sells if got <= price) > offered:
                return False
        return True

    @cached_property
    def is_meant(self) -> bool:
        """Whether the contract can read it: few enough steps, best first, of energies that can be added."""
        return _is_meant(self.buys, best_falls=True) and _is_meant(self.sells, best_falls=False)


def _is_meant(side: tuple[Step, ...], *, best_falls: bool) -> bool:
    """Whether a side has few enough steps, the best first, of energies that can be added."""
    if not side:
        return True
    limits, energies = zip(*side, strict=True)
    possible = len(side) <= MAX_POINTS and min(energies) >= 0 and max(energies) <= MOST_WH
    return possible and list(limits) == sorted(limits, reverse=best_falls)


def hash_of_words(head: bytes, columns: Sequence[bytes]) -> bytes:
    """Hash of an order's struct from its head and its columns as words."""
    return keccak(ORDER_HASH + head + b"".join([keccak(column) if column else NOTHING for column in columns]))


@dataclass(frozen=True)
class Grant:
    """What a member lets an agent key (address) do. Prices n¤/Wh; largest_wh: each way in a slot.

    valid_until: end of the last slot [Unix s].
    """

    account: int
    agent: str
    highest_buy: int
    lowest_sell: int
    largest_wh: int
    valid_until: int

    @property
    def content(self) -> tuple[int, str, int, int, int, int]:
        """Argument of the contract's functions."""
        return self.account, self.agent, self.highest_buy, self.lowest_sell, self.largest_wh, self.valid_until

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        numbers = (self.highest_buy % 2**256, self.lowest_sell % 2**256, self.largest_wh, self.valid_until)
        return keccak(
            GRANT_HASH + word(self.account) + signing.address_word(self.agent) + b"".join(word(n) for n in numbers)
        )

    @property
    def is_meant(self) -> bool:
        """Whether it says the same here as to the contract: an address, and numbers that no word shortens."""
        limits, counts = (self.highest_buy, self.lowest_sell), (self.account, self.largest_wh, self.valid_until)
        in_range = all(-MOST_WH <= n <= MOST_WH for n in limits) and all(0 <= n <= MOST_WH for n in counts)
        return in_range and ADDRESS.fullmatch(self.agent) is not None

    def allows(self, order: Order, end: int) -> bool:
        """Whether an order for a slot that ends at `end` [Unix s] keeps to it."""
        return (
            order.account == self.account
            and end <= self.valid_until
            and all(limit <= self.highest_buy for limit, _ in order.buys)
            and all(limit >= self.lowest_sell for limit, _ in order.sells)
            and max(sum(energy for _, energy in side) for side in (order.buys, order.sells)) <= self.largest_wh
        )


@dataclass(frozen=True)
class SignedOrder:
    """An order with its signature; by an agent, with the grant and the member's signature for it."""

    order: Order
    signature: bytes
    grant: Grant | None = None
    granted: bytes = bytes(65)

    @property
    def entry(self) -> tuple[bytes, tuple[int, bytes, bytes], bytes, tuple[int, bytes, bytes]]:
        """What the leaf commits of it, and the argument of the contract's functions."""
        grant = self.grant.hash if self.grant else ZERO
        return self.order.hash, split(self.signature), grant, split(self.granted)


def split(signature: bytes) -> tuple[int, bytes, bytes]:
    """Signature as v, r, s."""
    return signature[64], signature[:32], signature[32:64]


def domain(chain_id: int, settlement: str) -> bytes:
    """Domain separator of a settlement contract (address) on a chain."""
    return signing.domain(NAME, chain_id, settlement)


def orders_hash(accepted: Sequence[SignedOrder]) -> bytes:
    """Hash over all orders that were accepted of a member for a slot, oldest first; zero without any."""
    if not accepted:
        return ZERO
    packed = []
    for signed in accepted:
        order, (v, r, s), grant, (granted_v, granted_r, granted_s) = signed.entry
        packed += [order, word(v), r, s, grant, word(granted_v), granted_r, granted_s]
    return hashlib.sha256(ENTRIES + b"".join(packed)).digest()


def sign_order(order: Order, key: bytes, separator: bytes) -> SignedOrder:
    """Order signed by the member itself."""
    return SignedOrder(order, signing.sign(signing.digest(separator, order.hash), key))


def sign_grant(grant: Grant, key: bytes, separator: bytes) -> bytes:
    """Member's signature for a grant."""
    return signing.sign(signing.digest(separator, grant.hash), key)


def check(signed: SignedOrder, member: str, separator: bytes, end: int) -> None:
    """Refuse an order that `member` (address) did not sign, or its agent beyond the grant.

    end: of the order's slot [Unix s]. Raises SignatureError.
    """
    order = what = signed.order
    if not order.is_meant:
        raise SignatureError(f"{what}: at most {MAX_POINTS} steps each way, energies from 0 to 2^63 - 1 Wh")
    if not 0 <= order.serial <= MOST_WH or (signed.grant is not None and not signed.grant.is_meant):
        raise SignatureError(f"{what}: its serial or its grant has a number beyond 2^63 - 1, or no address; sign anew")
    signer = signing.signer(signing.digest(separator, order.hash), signed.signature, what)
    if signed.grant is None:
        if signer != member.lower():
            raise SignatureError(f"{what} is signed by {signer}, not by {member.lower()}; sign with the member's key")
        return
    grantor = signing.signer(signing.digest(separator, signed.grant.hash), signed.granted, f"grant in {what}")
    if grantor != member.lower() or signer != signed.grant.agent.lower():
        raise SignatureError(f"{what}: {signer} has no grant of {member.lower()}; let the member sign one")
    if not signed.grant.allows(order, end):
        raise SignatureError(f"{what} is beyond the limits or the time of its grant; lower it or grant more")


@dataclass(frozen=True, slots=True)
class SigningPlace:
    """Where an account signs: its place in the settlement that has it, and that settlement's EIP-712 domain separator.

    A judge knows an account by its place. In a community that settles in groups that is another number than the account
    has in the run's books; what is signed names the place.
    """

    index: int
    domain: bytes

    def sign_order(self, order: Order, key: bytes) -> SignedOrder:
        """An order signed with a private key, by its place; it keeps its number."""
        return SignedOrder(order, self.signature(order, key))

    def signature(self, order: Order, key: bytes) -> bytes:
        """A private key's signature of an order, by its place."""
        return signing.sign(signing.digest(self.domain, placed_order(order, self.index).hash), key)

    def check(self, signed: SignedOrder, member: str, end: int) -> None:
        """Refuse an order that `member` (address) did not sign here, as `check` does."""
        check(placed(signed, self.index), member, self.domain, end)


def placed(signed: SignedOrder, index: int) -> SignedOrder:
    """A signed order with the account's place in its settlement, in its grant too."""
    if signed.order.account == index:
        return signed
    grant = signed.grant and replace(signed.grant, account=index)
    return replace(signed, order=placed_order(signed.order, index), grant=grant)


def placed_order(order: Order, index: int) -> Order:
    """An order with the account's place in its settlement; the very same where that is the account's number."""
    if order.account == index:
        return order
    return Order(index, order.slot, order.serial, order.buys, order.sells)
