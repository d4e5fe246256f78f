"""What a node has signed away and got: bids, awards, deals, its position, and what curve and allowances still leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.proofs.deals.allowances import Allowance
from transactive.core.proofs.deals.deal import Bid, SignedDeal
from transactive.core.proofs.deals.quotes import DemandCurve
from transactive.trading.direct.messages import MOST_AWARDS
from transactive.trading.direct.states import DealState, advance
from transactive.trading.direct.terms import SlotTerms

MOST_BIDS = 4
"""Bids of one buyer in one round that a seller answers."""


@dataclass(slots=True)
class OwnBid:
    """A bid of this node. award: the seller's signature, empty where only its quote said what it awarded."""

    bid: Bid
    data: bytes
    signature: bytes
    state: DealState = DealState.BID
    energy_wh: int = 0
    award: bytes = b""


@dataclass(frozen=True, slots=True)
class GivenAward:
    """An answer of this node to a bid; energy 0: refused."""

    bid: Bid
    energy_wh: int
    bid_signature: bytes
    signature: bytes


@dataclass(slots=True)
class Purse:
    """Bids by hash, awards by hash of their bid. twice: bids of others that have one serial and are not the same.

    highest_buy, lowest_sell: prices [µ¤/kWh] beyond which the member neither buys nor sells, not even to undo a deal.
    """

    terms: SlotTerms
    curve: DemandCurve
    highest_buy: int = NO_HIGHEST
    lowest_sell: int = NO_LOWEST
    position: int = 0
    serial: int = 0
    own: dict[bytes, OwnBid] = field(default_factory=dict)
    awards: dict[bytes, GivenAward] = field(default_factory=dict)
    twice: list[tuple[Bid, Bid]] = field(default_factory=list)
    _bought_wh: int = 0
    _sold_wh: int = 0
    _seen: dict[tuple[str, int], Bid] = field(default_factory=dict)

    # -- as a buyer -----------------------------------------------------------------------------

    def takes(self, price: int) -> int:
        """Most that may still be bid for at a price [Wh], if all that is pending is awarded."""
        if price > self.highest_buy:
            return 0
        pending = sum(each.bid.most_wh for each in self.own.values() if each.state is DealState.BID)
        wanted = self.curve.at(price)[1] - self.position
        return min(wanted, self.allowance.most_bought_wh - self._bought_wh) - pending

    def sign(self, bid: Bid, data: bytes, signature: bytes) -> None:
        """A bid was signed."""
        self.own[bid.hash] = OwnBid(bid, data, signature)
        self.serial = max(self.serial, bid.serial + 1)

    def pending(self) -> list[tuple[Bid, bytes]]:
        """Bids that nobody answered, or whose award came without its signature."""
        return [(each.bid, each.data) for each in self.own.values() if _is_open(each)]

    def bids_to(self, seller: str, *, before: int) -> Iterator[tuple[bytes, Bid]]:
        """Unanswered bids to a seller of rounds before one."""
        for hash_, each in list(self.own.items()):
            if each.state is DealState.BID and each.bid.seller == seller and each.bid.round < before:
                yield hash_, each.bid

    def bid(self, hash_: bytes) -> Bid | None:
        """An own bid that waits for an answer."""
        each = self.own.get(hash_)
        return each.bid if each is not None and _is_open(each) else None

    def book(self, hash_: bytes, energy_wh: int, award: bytes) -> None:
        """What became of an own bid; with the award's signature if it came."""
        each = self.own[hash_]
        if each.state is DealState.BID:
            each.state = advance(each.state, DealState.AWARDED if energy_wh else DealState.REFUSED)
            each.energy_wh = energy_wh
            self.position += energy_wh
            self._bought_wh += energy_wh
        if each.energy_wh == energy_wh:
            each.award = award or each.award

    # -- as a seller ----------------------------------------------------------------------------

    def gives(self, bid: Bid) -> int:
        """What a bid is awarded [Wh]: no more than the curve gives at its price, nor than both allowances leave."""
        if not self.terms.is_price(bid.price) or bid.price < self.lowest_sell:
            return 0
        buyer = self.terms.allowance(self.terms.roll.seats[bid.buyer]).most_bought_wh
        buyer -= sum(each.energy_wh for each in self.awards.values() if each.bid.buyer == bid.buyer)
        left = self.allowance.most_sold_wh - self._sold_wh
        return max(min(bid.most_wh, self.position - self.curve.at(bid.price)[0], left, buyer), 0)

    def contradicts(self, bid: Bid) -> bool:
        """Whether the buyer signed another bid with this serial; both are kept as a proof."""
        first = self._seen.setdefault((bid.buyer, bid.serial), bid)
        if first.contradicts(bid):
            self.twice.append((first, bid))
        return first != bid

    def is_flood(self, bid: Bid) -> bool:
        """Whether a buyer has had as many answers in a round as it gets."""
        before = (each.bid for each in self.awards.values())
        return sum((each.buyer, each.round) == (bid.buyer, bid.round) for each in before) >= MOST_BIDS

    def award(self, given: GivenAward) -> None:
        """An award was signed: for good, and the same whenever it is asked for."""
        self.awards[given.bid.hash] = given
        self.position -= given.energy_wh
        self._sold_wh += given.energy_wh

    def given(self) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
        """Bids that were awarded something, and how much, as a quote lists them: the last ones if they are many."""
        real = [(hash_, each.energy_wh) for hash_, each in self.awards.items() if each.energy_wh][-MOST_AWARDS:]
        return tuple(hash_ for hash_, _ in real), tuple(wh for _, wh in real)

    # -- both -----------------------------------------------------------------------------------

    def close(self) -> None:
        """The end: what nobody answered lapses."""
        for each in self.own.values():
            if each.state is DealState.BID:
                each.state = advance(each.state, DealState.LAPSED)

    @property
    def allowance(self) -> Allowance:
        """The own allowance."""
        return self.terms.allowance(self.terms.roll.seats[self.curve.key])

    @property
    def deals(self) -> list[SignedDeal]:
        """Deals with both signatures, as buyer and as seller."""
        bought = [
            SignedDeal(each.bid, each.energy_wh, each.signature, each.award)
            for each in self.own.values()
            if each.energy_wh and each.award
        ]
        sold = [
            SignedDeal(each.bid, each.energy_wh, each.bid_signature, each.signature)
            for each in self.awards.values()
            if each.energy_wh
        ]
        return bought + sold


def _is_open(each: OwnBid) -> bool:
    """Whether the seller is to answer: there is no award, or only word of it."""
    return each.state is DealState.BID or (each.state is DealState.AWARDED and not each.award)
