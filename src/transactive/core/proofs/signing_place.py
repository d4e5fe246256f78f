"""Where an account signs: its place in the settlement that has it, and that settlement's domain.

A judge knows an account by its place in its own settlement. In a community that settles in groups that is another
number than the account has in the run's books; what is signed names the place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from transactive.core.errors import SignatureError
from transactive.core.proofs import authorisation
from transactive.core.proofs.authorisation import Authorisation, Authorised
from transactive.core.proofs.signed_orders import Order, SignedOrder, check, sign_order, sign_receipt


@dataclass(frozen=True, slots=True)
class SigningPlace:
    """index: of the account in its settlement. domain: EIP-712 domain separator of that settlement."""

    index: int
    domain: bytes

    def sign_order(self, order: Order, key: bytes) -> SignedOrder:
        """An order signed with a private key, by its place; it keeps its number."""
        return SignedOrder(order, sign_order(placed_order(order, self.index), key, self.domain).signature)

    def sign_receipt(self, order: Order, key: bytes) -> bytes:
        """Operator's signature that an order is accepted."""
        return sign_receipt(placed_order(order, self.index), key, self.domain)

    def authorise(self, given: Authorisation, key: bytes, agent: str | None = None) -> Authorised:
        """What a member allows its agent, signed with the member's key by its place; it keeps its number."""
        made = authorisation.sign(self._placed(given), key, self.domain, agent)
        return msgspec.structs.replace(made, authorisation=given)

    def check_authorised(self, given: Authorised, member: str) -> None:
        """Refuse an authorisation that `member` (address) did not sign. Raises SignatureError."""
        as_signed = msgspec.structs.replace(given, authorisation=self._placed(given.authorisation))
        authorisation.check(as_signed, member, self.domain)

    def _placed(self, given: Authorisation) -> Authorisation:
        return given if given.account == self.index else msgspec.structs.replace(given, account=self.index)


def check_all(
    orders: Iterable[SignedOrder], members: Sequence[str], places: Sequence[SigningPlace], clock: tuple[int, int]
) -> dict[int, SignedOrder]:
    """Orders by account, each checked against its member's address. places: where each member signs.

    clock: number of the slot, seconds of a slot. Raises SignatureError for a bad signature, another slot, or two orders
    of one account.
    """
    slot, seconds = clock
    found: dict[int, SignedOrder] = {}
    for signed in orders:
        account = signed.order.account
        if signed.order.slot != slot or not 0 <= account < len(members) or account in found:
            raise SignatureError(f"order of account {account} for slot {signed.order.slot}: one each, for slot {slot}")
        place = places[account]
        check(placed(signed, place.index), members[account], place.domain, (slot + 1) * seconds)
        found[account] = signed
    return found


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
