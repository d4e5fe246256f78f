"""What the judge of deals must find, in plain Python: its oracle in tests, and how evidence is looked for.

Proofs are taken to lead to the committed root, trades to be those of the leaf, and signatures to be those of who they
name (`core.proofs.deals`); that they are is the contract's other check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from transactive.chain.twins.refusals import refusals
from transactive.core.proofs.deals.allowances import Allowance
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.leaves import Leaf, LeafMark
from transactive.core.proofs.signed_orders import Fills

BARRED = 30 * 86_400
"""How long posts of a member that cheated bind nobody [s]."""

refuse_unless = refusals("deals")


def omitted(leaf: Leaf | None, fills: Fills, key: str, deals: Sequence[SignedDeal]) -> bool:
    """Whether a leaf trades less at a price than the deals of a key, all at that price and on one side, say."""
    if not deals or (leaf is not None and leaf.marks & LeafMark.VOID):
        return False
    price, is_buyer = deals[0].bid.price, deals[0].bid.buyer == key
    settled = sum(energy for at, energy in (fills.buys if is_buyer else fills.sells) if at == price)
    return sum(deal.energy_wh for deal in deals) > settled


def signed_twice(one: SignedDeal, two: SignedDeal) -> str | None:
    """Key that signed two awards for one bid, or two bids with one serial; None if nobody did."""
    if one.bid == two.bid:
        return one.bid.seller if one.energy_wh != two.energy_wh else None
    return one.bid.buyer if one.bid.contradicts(two.bid) else None


@dataclass(slots=True)
class DealsTwin:
    """What the judge of deals keeps, and what it refuses. Times in Unix s.

    ahead: seconds before a slot begins until which its deals can be posted; lowest, highest: prices of such deals.
    """

    slot_seconds: int
    ahead: int
    lowest: int
    highest: int
    posted: dict[bytes, int] = field(default_factory=dict)
    void: set[bytes] = field(default_factory=set)
    counts: dict[tuple[str, bool], tuple[int, int]] = field(default_factory=dict)
    counted: set[tuple[bytes, bool]] = field(default_factory=set)
    cheated: dict[str, int] = field(default_factory=dict)
    barred: dict[int, int] = field(default_factory=dict)

    def post(self, deal: SignedDeal, now: int) -> None:
        """A deal is shown to the operator. Raises ContractRevert."""
        refuse_unless(now + self.ahead < deal.bid.slot * self.slot_seconds, "too late")
        refuse_unless(self.lowest <= deal.bid.price <= self.highest, "price beyond the market")
        refuse_unless(deal.hash not in self.posted and deal.hash not in self.void, "posted already")
        self.posted[deal.hash] = now

    def show_twice(self, one: SignedDeal, two: SignedDeal, now: int) -> None:
        """Two awards or two bids that contradict each other; of awards, the one that was posted first stays."""
        differ = one.hash != two.hash and one.bid.slot == two.bid.slot
        refuse_unless(differ, "nothing wrong")
        who = signed_twice(one, two)
        if one.bid == two.bid:
            refuse_unless(not {one.hash, two.hash} & self.void, "void already")
            first, second = (self.posted.get(deal.hash) for deal in (one, two))
            is_second = second is None or (first is not None and first <= second)
            self._void(two.hash if is_second else one.hash)
        refuse_unless(who is not None, "nothing wrong")
        self.cheated.setdefault(str(who), now)

    def show_beyond(self, own: Allowance, deals: Sequence[SignedDeal], now: int, *, is_buyer: bool) -> None:
        """Count what a key buys, or sells: what goes beyond its allowance, in the order of posts, is void."""
        refuse_unless(now < (own.slot + 1) * self.slot_seconds, "too late")
        most = own.most_bought_wh if is_buyer else own.most_sold_wh
        energy, last = self.counts.get((own.key, is_buyer), (0, 0))
        counted, beyond = set[tuple[bytes, bool]](), list[bytes]()
        for deal in deals:
            refuse_unless((deal.bid.buyer if is_buyer else deal.bid.seller) == own.key, "other key")
            posted, bid = self.posted.get(deal.hash, 0), (deal.bid.hash, is_buyer)
            refuse_unless(deal.hash not in self.void and bid not in self.counted | counted, "counted already")
            refuse_unless(posted >= last, "not in order")
            counted.add(bid)
            last = posted
            if energy + deal.energy_wh <= most:
                energy += deal.energy_wh
            else:
                refuse_unless(posted != 0, "not posted")
                beyond.append(deal.hash)
        self.counted |= counted
        self.counts[own.key, is_buyer] = energy, last
        for hash_ in beyond:
            self._void(hash_)
            self.cheated.setdefault(own.key, now)

    def bar(self, key: str, index: int) -> None:
        """The member behind a key that cheated: its posts bind nobody for `BARRED`, from the next slot on."""
        refuse_unless(key in self.cheated, "nothing wrong")
        since = self.cheated[key] + self.slot_seconds
        refuse_unless(since > self.barred.get(index, 0), "barred already")
        self.barred[index] = since

    def binds(self, deal: SignedDeal, index: int) -> bool:
        """Whether the post of a deal binds the operator to a member, by its index."""
        begins, since = deal.bid.slot * self.slot_seconds, self.barred.get(index)
        is_barred = since is not None and since <= begins < since + BARRED
        return deal.hash in self.posted and not is_barred

    def _void(self, hash_: bytes) -> None:
        self.posted.pop(hash_, None)
        self.void.add(hash_)
