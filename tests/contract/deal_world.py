"""A settlement whose judges are a list, with the judge of deals, and members with keys of the slot."""

from __future__ import annotations

from typing import Any

from tests.contract.world import LEAD, OPERATOR, OWNER, SLOT, STRANGER, World
from transactive.chain.disputes.deals import evidence as deal_evidence
from transactive.chain.disputes.deals.evidence import BindingDeal, SignedAllowance
from transactive.chain.twins.deals import DealsTwin
from transactive.core.proofs import signing
from transactive.core.proofs.deals.allowances import Allowance, member_commitment, slot_key, slot_salt
from transactive.core.proofs.deals.deal import Award, Bid, SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.signed_orders import Fills

AHEAD = LEAD * SLOT
LOWEST, HIGHEST = 80_000, 250_000
PRICE = 120_000
MOST = 1_000
"""Wh that each key may buy and sell in a slot."""


class DealWorld(World):
    """Members trade directly. `slot` is the next one to commit; deals are for one of `later` slots after it."""

    def appoint(self) -> None:
        """Name a list of judges: of demands, and of deals."""
        client = self.client
        self.judges = client.deploy(OWNER, "judges", self.disputes.address)
        self.demands = client.deploy(OWNER, "demands", self.judges.address)
        self.deals = client.deploy(OWNER, "deals", self.judges.address, AHEAD, LOWEST, HIGHEST)
        client.send(OWNER, self.judges, "setJudges", [self.demands.address, self.deals.address])
        client.send(OWNER, self.disputes, "setDemands", self.judges.address)

    def begin(self) -> None:
        super().begin()
        self.twin = DealsTwin(SLOT, AHEAD, LOWEST, HIGHEST)

    @property
    def coming(self) -> int:
        """Number of the first slot for which deals can still be posted."""
        return (self.now + AHEAD) // SLOT + 1

    def slot_key(self, index: int, slot: int) -> bytes:
        """A member's private key for a slot."""
        return slot_key(bytes(self.members[index].key), slot)

    def address(self, index: int, slot: int) -> str:
        """Address of that key."""
        return signing.address_of(self.slot_key(index, slot))

    def salt(self, index: int, slot: int) -> bytes:
        """What opens the commitment to a member's place."""
        return slot_salt(bytes(self.members[index].key), slot)

    def allowed(self, index: int, slot: int, most: int = MOST, by: Any = OPERATOR) -> SignedAllowance:
        """Allowance of a member's key."""
        given = Allowance(slot, self.address(index, slot), member_commitment(index, self.salt(index, slot)), most, most)
        return SignedAllowance(given, given.sign(bytes(by.key), self.domain))

    def deal(
        self,
        buyer: int,
        seller: int,
        slot: int,
        energy: int = 800,
        *,
        most: int | None = None,
        price: int = PRICE,
        serial: int = 0,
        signed_by: tuple[int, int] | None = None,
    ) -> SignedDeal:
        """A deal of two members. signed_by: other members that sign in their place."""
        bid = Bid(
            slot,
            0,
            self.address(buyer, slot),
            self.address(seller, slot),
            energy if most is None else most,
            price,
            serial,
        )
        hashes = bid.hash, Award(bid.hash, energy).hash
        keys = [self.slot_key(who, slot) for who in signed_by or (buyer, seller)]
        signatures = [
            signing.sign(signing.digest(self.domain, hash_), key) for hash_, key in zip(hashes, keys, strict=True)
        ]
        return SignedDeal(bid, energy, *signatures)

    def receipt(self, deal: SignedDeal, by: Any = OPERATOR) -> bytes:
        """The operator's receipt for a deal."""
        return DealReceipt(deal.hash).sign(bytes(by.key), self.domain)

    def post(self, deal: SignedDeal, sender: Any = STRANGER) -> None:
        """Post a deal, on chain and in the twin."""
        self.act("post", deal_evidence.signed(deal), sender=sender)
        self.twin.post(deal, self.client.head_timestamp)

    def act(self, function: str, *arguments: Any, sender: Any = STRANGER) -> None:
        """Call the judge of deals."""
        self.client.send(sender, self.deals, function, *arguments)
        self.now = max(self.now, self.client.head_timestamp + 1)
        try:
            self._used = self.client.block(self.now).receipts[-1].gas_used
        finally:
            self.now += 1

    def settle(self, *deals: SignedDeal, but: tuple[SignedDeal, ...] = ()) -> dict[int, Fills]:
        """Commit the slot of the deals with all of them but some: trades of each member."""
        slot = deals[0].bid.slot
        people = {self.address(index, slot): index for index in range(len(self.members))}
        steps: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
        for deal in deals:
            if deal in but:
                continue
            bid = deal.bid
            buyer, seller = people[bid.buyer], people[bid.seller]
            self.book.trade(buyer, seller, deal.amount_n, deal.energy_wh)
            for index, side in ((buyer, 0), (seller, 1)):
                prices = steps.setdefault(index, ({}, {}))[side]
                prices[bid.price] = prices.get(bid.price, 0) + deal.energy_wh
        fills = {
            index: Fills(tuple(sorted(bought.items(), reverse=True)), tuple(sorted(sold.items())))
            for index, (bought, sold) in steps.items()
        }
        for index, traded in fills.items():
            self.book.fills[index] = traded.hash
        self.slot = slot
        self.commit()
        self.fills = fills
        return fills

    def challenge_deals(
        self, index: int, *claims: BindingDeal, own: SignedAllowance | None = None, **changes: Any
    ) -> None:
        """Show deals of a member, all at the price of the first one, against its leaf of the last slot."""
        slot = self.chain[-1].slot
        key = own.allowance.key if own else self.address(index, slot)
        is_buyer = not claims or claims[0].deal.bid.seller != key
        fills = changes.get("fills") or self.fills.get(index, Fills())
        self.act(
            "challengeDeals",
            self.opening().content,
            self.shown(index),
            fills.content,
            (own or self.allowed(index, slot)).content,
            changes.get("salt") or self.salt(index, slot),
            is_buyer,
            claims[0].deal.bid.price if claims else PRICE,
            [
                each.content(is_buyer=is_buyer)
                for each in (claims if changes.get("unsorted") else deal_evidence.in_order(claims))
            ],
        )

    def posted(self, deal: SignedDeal, partner: int) -> BindingDeal:
        """A posted deal of a member with a partner who was allowed."""
        return BindingDeal(deal, partner=self.allowed(partner, deal.bid.slot))

    def receipted(self, deal: SignedDeal) -> BindingDeal:
        """A deal with the operator's receipt."""
        return BindingDeal(deal, receipt=self.receipt(deal))

    @property
    def gas_used(self) -> int:
        """Gas of the last call."""
        return self._used
