"""Deals as their judge takes them: arguments of the functions of `chain/contracts/deals.vy`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from transactive.chain.disputes.evidence import Argument
from transactive.core.proofs.deals.allowances import Allowance
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.signed_orders import split

NO_KEY = "0x" + "00" * 20
NO_SIGNATURE = bytes(65)


@dataclass(frozen=True, slots=True)
class SignedAllowance:
    """An allowance with the operator's own signature for it (65 bytes)."""

    allowance: Allowance
    signature: bytes

    @property
    def content(self) -> Argument:
        """Argument of the judge."""
        given = self.allowance
        bounds = given.most_bought_wh, given.most_sold_wh
        return to_checksum_address(given.key), given.member, *bounds, split(self.signature)


NOBODYS = SignedAllowance(Allowance(0, NO_KEY, bytes(32), 0, 0), NO_SIGNATURE)
"""In the place of a partner's where a receipt is shown."""


@dataclass(frozen=True, slots=True)
class BindingDeal:
    """A deal, and what binds the operator: its receipt (65 bytes), or that it was posted by keys with allowances."""

    deal: SignedDeal
    receipt: bytes = NO_SIGNATURE
    partner: SignedAllowance = NOBODYS

    def content(self, *, is_buyer: bool) -> Argument:
        """Argument of the judge, from a party that buys or sells."""
        bid, given, is_receipted = self.deal.bid, self.partner.allowance, self.receipt != NO_SIGNATURE
        partner = to_checksum_address(bid.seller if is_buyer else bid.buyer)
        signature = self.receipt if is_receipted else self.partner.signature
        allowed = given.member, given.most_bought_wh, given.most_sold_wh
        agreed = bid.round, partner, bid.most_wh, bid.serial, self.deal.energy_wh
        return *agreed, is_receipted, split(signature), *allowed


def terms(deal: SignedDeal) -> Argument:
    """What both have signed."""
    bid = deal.bid
    keys = to_checksum_address(bid.buyer), to_checksum_address(bid.seller)
    return bid.slot, bid.round, *keys, bid.most_wh, bid.price, bid.serial, deal.energy_wh


def signed(deal: SignedDeal) -> Argument:
    """A deal with both signatures."""
    return terms(deal), split(deal.bid_signature), split(deal.award_signature)


def in_order(deals: Sequence[BindingDeal]) -> list[BindingDeal]:
    """By rising hash, as the judge wants them."""
    return sorted(deals, key=lambda each: each.deal.hash)
