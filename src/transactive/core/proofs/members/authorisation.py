"""What a member allows whoever trades for it: limits in words of money, for a time, signed with the member's key.

A later one, with a higher serial, replaces the one before it from its own start on. Typed data of EIP-712 under the
domain of the settlement contract, as orders are (`core.proofs.signed_orders`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import msgspec

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signed_orders import MOST_WH, Grant, Order, SigningPlace, sign_grant

TYPE = (
    b"Authorisation(uint256 account,uint256 serial,string agent,int256 highestBuy,int256 lowestSell,"
    b"uint256 pausedFrom,uint256 pausedUntil,uint256 validFrom,uint256 validUntil)"
)
TYPE_HASH = keccak(TYPE)


class Authorisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """Limits for one account's agent, by name.

    highest_buy, lowest_sell: µ¤/kWh, the network fee apart. No order for slots that start from paused_from to before
    paused_until, none before valid_from and none that ends after valid_until [Unix s].
    """

    account: int
    serial: int
    agent: str
    highest_buy: int = NO_HIGHEST
    lowest_sell: int = NO_LOWEST
    paused_from: int = 0
    paused_until: int = 0
    valid_from: int = 0
    valid_until: int = 0

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        prices = (self.highest_buy % 2**256, self.lowest_sell % 2**256)
        times = (self.paused_from, self.paused_until, self.valid_from, self.valid_until)
        head = word(self.account) + word(self.serial) + keccak(self.agent.encode())
        return keccak(TYPE_HASH + head + b"".join(word(number) for number in (*prices, *times)))

    def trades(self, slot: int, end: int) -> bool:
        """Whether there may be orders for a slot from `slot` to `end` [Unix s]."""
        paused = self.paused_from <= slot < self.paused_until
        return self.valid_from <= slot and end <= self.valid_until and not paused

    def allows(self, order: Order, slot: int, end: int) -> bool:
        """Whether an order for a slot from `slot` to `end` [Unix s] keeps to it."""
        best = slice(1) if order.is_meant else slice(None)  # the first step is the best where they are in order
        return (
            order.account == self.account
            and self.trades(slot, end)
            and (not order.buys or max(order.buys[best])[0] <= self.highest_buy)
            and (not order.sells or min(order.sells[best])[0] >= self.lowest_sell)
        )


class Authorised(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An authorisation with the member's signature, 0x-hex, empty where nothing is signed.

    holds_from: first slot [Unix s] for which the operator had it before any order; it counts from there on at most.
    key: address that the agent signs orders with, empty where the member signs them itself; granted: the member's
    signature for the grant of the same limits to it, which the judge contract reads.
    """

    authorisation: Authorisation
    signature: str = ""
    key: str = ""
    granted: str = ""
    holds_from: int = 0

    @property
    def grant(self) -> tuple[Grant, bytes] | None:
        """Grant to the agent's key with the member's signature, or None where the member signs orders itself."""
        if not self.granted:
            return None
        return _grant(self.authorisation, self.key), bytes.fromhex(self.granted.removeprefix("0x"))

    @property
    def begins(self) -> int:
        """First slot that it counts for [Unix s]."""
        return max(self.authorisation.valid_from, self.holds_from)


def sign(given: Authorisation, key: bytes, place: SigningPlace, agent: str | None = None) -> Authorised:
    """Sign with the member's private key, by its place; agent: address that it signs with."""
    placed = _placed(given, place)
    signature = "0x" + signing.sign(signing.digest(place.domain, placed.hash), key).hex()
    if agent is None:
        return Authorised(given, signature)
    granted = sign_grant(_grant(placed, agent), key, place.domain)
    return Authorised(given, signature, agent, "0x" + granted.hex())


def _placed(given: Authorisation, place: SigningPlace) -> Authorisation:
    """An authorisation as it is signed: it names the account by its place."""
    return given if given.account == place.index else msgspec.structs.replace(given, account=place.index)


def _grant(given: Authorisation, agent: str) -> Grant:
    """The part of an authorisation that the judge contract reads."""
    return Grant(given.account, agent, given.highest_buy, given.lowest_sell, MOST_WH, given.valid_until)


def check(authorised: Authorised, member: str, place: SigningPlace) -> None:
    """Refuse an authorisation that `member` (address) did not sign at its place. Raises SignatureError."""
    given = authorised.authorisation
    what = f"authorisation {given.serial} of account {given.account}"
    try:
        signature = bytes.fromhex(authorised.signature.removeprefix("0x"))
    except ValueError:
        raise SignatureError(f"{what}: its signature is not hexadecimal; sign again") from None
    signer = signing.signer(signing.digest(place.domain, _placed(given, place).hash), signature, what)
    if signer != member.lower():
        raise SignatureError(f"{what} is signed by {signer}, not by {member.lower()}; sign with the member's key")


def in_force(given: Iterable[Authorised], slot: int) -> dict[int, Authorised]:
    """The authorisation of each account that counts for a slot [Unix s]: the latest begun, ended or not."""
    found: dict[int, Authorised] = {}
    for one in sorted(given, key=lambda each: each.authorisation.serial):
        if one.begins <= slot:
            found[one.authorisation.account] = one
    return found
