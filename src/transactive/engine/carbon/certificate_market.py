"""The market for certificates apart from energy: carbon says what there is, the market clears it, settlement pays.

It is held when a slot is metered, as its certificates exist from then on, and before its levy, which is due on what is
still without one. Each zone has an auction of its own, in the order of the community's file: buyers of a zone, and
sellers whose certificates can be claimed there with what they have left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from transactive.carbon.accounting import CarbonSlot
from transactive.carbon.unbundled import move, offered_wh
from transactive.core.community.community import Community
from transactive.core.postings import Postings
from transactive.core.tables import Orders, stacked
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market import mechanisms, registry
from transactive.settlement.certificate_payments import pay_certificates

MECHANISM = "uniform"


@dataclass(frozen=True, slots=True, eq=False)
class CertificateSession:
    """What the auctions of a slot did: orders with what each was given [Wh] and its zone's price, (orders,)."""

    orders: Orders
    allocated_wh: IntArray
    price: IntArray
    postings: Postings

    @classmethod
    def empty(cls, slot: int) -> CertificateSession:
        """No auction."""
        none = np.zeros(0, np.int64)
        return cls(Orders(slot, none, none > 0, none, none, none), none, none, Postings.none(slot))

    def columns(self) -> dict[str, Any]:
        """Columns for the database, with a row number."""
        rows = {"row": np.arange(len(self.orders)), "allocated_wh": self.allocated_wh, "cleared": self.price}
        return {**self.orders.columns(), **rows}

    def and_then(self, more: CertificateSession) -> CertificateSession:
        """Both auctions, of which the other one was held later."""
        return CertificateSession(
            stacked(self.orders, more.orders),
            np.concatenate((self.allocated_wh, more.allocated_wh)),
            np.concatenate((self.price, more.price)),
            self.postings.and_then(more.postings),
        )


class CertificateMarket:
    """Auctions of a community's certificates, by the wishes of its members."""

    def __init__(self, community: Community) -> None:
        self.policy = community.certificate_policy
        self.open = bool((self.policy.ask >= 0).any() and (self.policy.bid >= 0).any())
        self._mechanism = registry.load(MECHANISM)
        tick = community.market.tick_micro_per_kwh
        self._grid = PriceGrid(0, max(int(self.policy.ask.max()), int(self.policy.bid.max()), tick), tick)

    def trade(self, carbon: CarbonSlot, funds_n: IntArray) -> tuple[CarbonSlot, CertificateSession]:
        """Clear the certificates of a metered slot; nobody bids more than its funds [n¤], (members,), can pay."""
        session = CertificateSession.empty(carbon.certificates.slot)
        if not self.open:
            return carbon, session
        for zone in np.unique(self.policy.zone[self.policy.bid >= 0]).tolist():
            carbon, cleared = self._clear(carbon, zone, funds_n)
            session = session.and_then(cleared)
        return carbon, session

    def _clear(self, carbon: CarbonSlot, zone: int, funds_n: IntArray) -> tuple[CarbonSlot, CertificateSession]:
        """Clear the auction of one zone's buyers."""
        policy, slot, members = self.policy, carbon.certificates.slot, len(funds_n)
        sells = (policy.ask >= 0) & policy.reachable[policy.zone, zone]
        offers = _orders(slot, is_buy=False, price=policy.ask, wh=offered_wh(carbon.certificates, members) * sells)
        buys = (policy.bid >= 0) & (policy.zone == zone)
        affordable = np.maximum(funds_n, 0) // np.maximum(policy.bid, 1)
        affordable = np.where(policy.bid > 0, affordable, carbon.unmatched_load_wh)
        wanted = np.minimum(carbon.unmatched_load_wh, affordable) * buys
        orders = stacked(_orders(slot, is_buy=True, price=policy.bid, wh=wanted), offers)
        clearing = mechanisms.clear(self._mechanism, orders, self._grid, members).clearing
        after, moved = move(carbon, clearing.sold_wh, clearing.bought_wh)
        postings = pay_certificates(slot, moved.seller, moved.buyer, moved.energy_wh, clearing.price)
        price = np.full(len(orders), clearing.price, np.int64)
        return after, CertificateSession(orders, clearing.allocated_wh, price, postings)


def _orders(slot: int, *, is_buy: bool, price: IntArray, wh: IntArray) -> Orders:
    """Orders of the members, (members,), that have Wh to order; a buy locks Wh x limit."""
    member: IntArray = np.flatnonzero(wh)
    sides: BoolArray = np.full(len(member), is_buy)
    return Orders(slot, member, sides, price[member], wh[member], wh[member] * price[member] * is_buy)
