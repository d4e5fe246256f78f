"""A member's node in one slot: what it says, and how it answers. Nobody matches for others.

In each round a node

1. tells its quote to whoever it meets, and learns those of others (`QuoteBoard`);
2. works out price and partners from what it knows (`plan`), and signs bids to its own sellers;
3. answers the bids of its buyers with awards.

A bid and its award are a deal, final for both. The next round trades what is left, so whatever was lost or cut off is
made good once both sides can talk; a position is never cancelled, only traded on. Nothing is signed beyond the own
curve or allowance. An award that is lost on its way is found in the seller's next quote. Whatever is signed is in the
journal before it leaves, so a node that was killed never contradicts itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.errors import DataError
from transactive.core.proofs import signing
from transactive.core.proofs.deals.deal import Award, Bid, SignedDeal
from transactive.core.proofs.deals.quotes import DemandCurve, Quote
from transactive.trading.direct import journal, messages
from transactive.trading.direct.board import QuoteBoard, SignerOf, signer_of
from transactive.trading.direct.complaints import Quarrel, left_out, quarrel
from transactive.trading.direct.journal import Bade, Began, Gave, Got, Record, SaidQuote, Showed
from transactive.trading.direct.messages import VERSION, Have, SentAward, SentBid, Tell
from transactive.trading.direct.plan import Plan, plan
from transactive.trading.direct.purse import GivenAward, Purse
from transactive.trading.direct.terms import SlotTerms

FANOUT = 2
"""Nodes that are asked a tick."""

Letter = tuple[bytes, bytes]
"""To which contact, and the datagram."""
Draw = Callable[[int], list[int]]
"""So many numbers from 0 on, in an order by chance."""
Journal = Callable[[bytes], None]
"""Keeps a record; once it returns, the record survives whatever happens to this process."""


class Negotiator:
    """One key of a slot. neighbours: contacts that are known beforehand.

    draw: chance. journal: keeps a record before it counts. signer: who signed a digest. within: prices that the member
    never buys above, nor sells below [µ¤/kWh].
    """

    def __init__(
        self,
        terms: SlotTerms,
        key: bytes,
        curve: DemandCurve,
        neighbours: Sequence[bytes],
        draw: Draw,
        *,
        journal: Journal = lambda _: None,
        signer: SignerOf = signer_of,
        within: tuple[int, int] = (NO_HIGHEST, NO_LOWEST),
    ) -> None:
        self.terms, self.seat, self.curve = terms, terms.roll.seats[curve.key], curve
        self.board = QuoteBoard(terms, signer)
        self.purse = Purse(terms, curve, *within)
        self.plan: Plan | None = None
        self.paired: set[Quarrel] = set()
        self.complaints, self.left_out = set[int](), set[int]()
        self._key, self._draw, self._journal, self._signer = key, draw, journal, signer
        self._neighbours = list(neighbours)
        self._awaited, self._heard = set[int](), set[int]()
        self._waiting: list[tuple[bytes, bytes]] = []
        self._said: dict[int, bytes] = {}

    # -- rounds ---------------------------------------------------------------------------------

    def begin(self, round_: int) -> None:
        """Begin a round with the own quote; in a sealed slot the curve is shown later (`show`)."""
        self.complaints |= self._awaited
        self._awaited, self._heard, self.plan = set(), set(), None
        self.board.begin(round_)
        self._waiting.clear()
        keys = [self.terms.allowance(seat).key for seat in sorted(self.complaints)]
        bids, awarded = self.purse.given()
        quote = Quote(
            self.terms.slot, round_, self.curve.key, self.curve.hash, self.purse.position,
            tuple(keys[: messages.MOST_COMPLAINTS]), bids, awarded,
        )  # fmt: skip
        data = self._said.get(round_)
        if not self._said:
            self._keep(Began(messages.write_curve(self.curve, self._sign(self.curve.hash), self.terms)))
        if data is None:
            data = messages.write_quote(quote, self._sign(quote.hash), self.terms)
            self._keep(SaidQuote(round_, data))
            self._said[round_] = data
        self.board.learn_quote(data)
        if not self.terms.is_sealed:
            self.show()

    def show(self) -> None:
        """Show the own curve. In a sealed slot commitments are over with it: who made none is not heard any more."""
        if self.terms.is_sealed and not self.board.closed:
            self._keep(Showed(dict(self.board.curve_of)))
        self.board.closed = True
        self.board.learn_curve(messages.write_curve(self.curve, self._sign(self.curve.hash), self.terms))

    @property
    def all_committed(self) -> bool:
        """Whether every key of the roll has named its curve."""
        return len(self.board.curve_of) == len(self.terms.roll.allowances)

    def talk(self) -> list[Letter]:
        """Ask a few nodes for what is missing; nobody where nothing is."""
        if self.board.is_full:
            return []
        contacts = [*self._neighbours]
        contacts += [heard.curve.contact for seat, heard in self.board.curves.items() if seat != self.seat]
        data = self._have(back=False)
        return [(contacts[place], data) for place in self._draw(len(contacts))[:FANOUT]]

    def propose(self) -> list[Letter]:
        """Plan, bid to the own sellers, and answer the bids that came before there was a plan."""
        quotes = {seat: heard.quote for seat, heard in self.board.quotes.items()}
        seats = self.terms.roll.seats
        said = [quarrel(seat, seats[key]) for seat, quote in quotes.items() for key in quote.complaints]
        self.left_out = left_out(said, self.paired)
        standings = self.board.standings(self.left_out)
        self.plan = plan(standings, self.board.round, self.terms.grid)
        self.paired |= {quarrel(pair.buyer, pair.seller) for pair in self.plan.pairs}
        own = [pair for pair in self.plan.pairs if self.seat in (pair.buyer, pair.seller)]
        self._awaited = {pair.seller if pair.buyer == self.seat else pair.buyer for pair in own} - self._heard
        letters = self.again()
        for pair in own:
            if pair.buyer == self.seat:
                letters += self._bid(pair.seller, pair.energy_wh)
        waiting, self._waiting = self._waiting, []
        return [*letters, *(letter for data, source in waiting for letter in self._offered(data, source))]

    def again(self) -> list[Letter]:
        """Bids that nobody has answered, once more."""
        seats, pending = self.terms.roll.seats, self.purse.pending()
        return [self._offer(bid.seller, data) for bid, data in pending if seats[bid.seller] in self.board.curves]

    def close(self) -> None:
        """The end: bids without an answer lapse. Who awarded one has the deal, and shows it."""
        self.purse.close()

    # -- what comes in --------------------------------------------------------------------------

    def hear(self, data: bytes, source: bytes) -> list[Letter]:
        """Take a datagram and give the answers. What is malformed or not signed by whom it says is dropped."""
        try:
            message = messages.read(data)
            if message.slot != self.terms.slot:
                return []
            if isinstance(message, Have):
                return self._asked(message, source)
            if isinstance(message, Tell):
                self._told(message)
            elif isinstance(message, SentBid):
                return self._offered(message.bid, source)
            else:
                self._answered(message)
        except DataError:
            pass
        return []

    def _asked(self, message: Have, source: bytes) -> list[Letter]:
        """Tell what the asking node lacks; ask back where it knows more."""
        if message.round != self.board.round:
            return []
        letters = [(source, data) for data in self.board.lacking(message.board, self._draw)]
        if not message.back and self.board.is_behind(message.board):
            letters.append((source, self._have(back=True)))
        return letters

    def _told(self, message: Tell) -> None:
        """Learn quotes and curves; a seller's quote says what became of bids of earlier rounds."""
        for data in message.quotes:
            learned = self.board.learn_quote(data)
            if learned is None:
                continue
            awarded = dict(zip(learned.bids, learned.awarded, strict=True))
            lists_all = len(awarded) < messages.MOST_AWARDS
            for hash_, bid in self.purse.bids_to(learned.key, before=learned.round):
                if lists_all or hash_ in awarded:  # else the seller will answer, as it is asked again
                    self._settle(bid, awarded.get(hash_, 0))
        for data in message.curves:
            self.board.learn_curve(data)

    def _offered(self, data: bytes, source: bytes) -> list[Letter]:
        """SentAward a bid to this node; one that comes before its own plan waits for it."""
        bid, signature = messages.read_bid(data, self.terms)
        hash_ = bid.hash
        known = self.purse.awards.get(hash_)
        if known is not None:
            return [self._answer(known, source)]
        is_ours = bid.seller == self.curve.key and bid.round == self.board.round and not self.purse.is_flood(bid)
        if not is_ours or not self._is_signed(hash_, signature, bid.buyer):
            return []
        if self.plan is None:
            if len(self._waiting) < len(self.terms.roll.allowances):
                self._waiting.append((data, source))
            return []
        buyer = self.terms.roll.seats[bid.buyer]
        self._awaited.discard(buyer)
        self._heard.add(buyer)
        is_fraud = self.purse.contradicts(bid) or buyer in self.board.frauds
        lowest = self.plan.price - self.terms.slack_ticks * self.terms.grid.tick
        energy = 0 if is_fraud or bid.price < lowest else self.purse.gives(bid)
        given = GivenAward(bid, energy, signature, self._sign(Award(hash_, energy).hash))
        self._keep(Gave(data, energy, given.signature))
        self.purse.award(given)
        return [self._answer(given, source)]

    def _answered(self, message: SentAward) -> None:
        """Book the award of an own bid."""
        bid = self.purse.bid(message.bid)
        award = Award(message.bid, message.energy_wh)
        if bid is not None and self._is_signed(award.hash, message.signature, bid.seller):
            self._settle(bid, message.energy_wh, message.signature)

    def _settle(self, bid: Bid, energy_wh: int, signature: bytes = b"") -> None:
        """An own bid has become a deal, or nothing. Without a signature only the seller's quote told it."""
        if energy_wh > bid.most_wh:
            return
        seller = self.terms.roll.seats[bid.seller]
        self._keep(Got(bid.hash, energy_wh, signature))
        self._awaited.discard(seller)
        self.complaints.discard(seller)
        self.purse.book(bid.hash, energy_wh, signature)

    # -- what goes out --------------------------------------------------------------------------

    def _bid(self, seller: int, energy_wh: int) -> list[Letter]:
        """Sign a bid to a seller, for no more than curve and allowances leave."""
        price = self.plan.price if self.plan else self.terms.grid.floor
        most = min(energy_wh, self.purse.takes(price), self.terms.allowance(seller).most_sold_wh)
        if most <= 0:
            return []
        key = self.terms.allowance(seller).key
        bid = Bid(self.terms.slot, self.board.round, self.curve.key, key, most, price, self.purse.serial)
        signature = self._sign(bid.hash)
        data = messages.write_bid(bid, signature, self.terms)
        self._keep(Bade(data))
        self.purse.sign(bid, data, signature)
        return [self._offer(key, data)]

    def _answer(self, given: GivenAward, source: bytes) -> Letter:
        answer = SentAward(VERSION, SentAward.KIND, self.terms.slot, given.bid.hash, given.energy_wh, given.signature)
        return source, messages.write(answer)

    def _offer(self, seller: str, data: bytes) -> Letter:
        heard = self.board.curves[self.terms.roll.seats[seller]]
        return heard.curve.contact, messages.write(SentBid(VERSION, SentBid.KIND, self.terms.slot, data))

    def _sign(self, hash_: bytes) -> bytes:
        return signing.sign(signing.digest(self.terms.domain, hash_), self._key)

    def _is_signed(self, hash_: bytes, signature: bytes, key: str) -> bool:
        return self._signer(signing.digest(self.terms.domain, hash_), signature) == key

    def _have(self, *, back: bool) -> bytes:
        return messages.write(Have(VERSION, Have.KIND, self.terms.slot, self.board.round, self.board.known(), back))

    def _keep(self, record: Record) -> None:
        self._journal(journal.write(record))

    def resume(self, records: Iterable[bytes]) -> None:
        """Take up the records of a journal, in their order, before the first round: nothing is signed otherwise.

        The curve is that of the journal, whatever the member has wanted since. Raises DataError for another market's.
        """
        for data in records:
            record = journal.read(data)
            if isinstance(record, Began):
                _, curve, signature = messages.read_curve(record.curve, self.terms)
                if not self._is_signed(curve.hash, signature, self.curve.key):
                    raise DataError("the journal of this slot is another market's; this node sits the slot out")
                self.curve = self.purse.curve = curve
            elif isinstance(record, SaidQuote):
                self._said[record.round] = record.quote
            elif isinstance(record, Bade):
                bid, signature = messages.read_bid(record.bid, self.terms)
                self.purse.sign(bid, record.bid, signature)
            elif isinstance(record, Gave):
                bid, signature = messages.read_bid(record.bid, self.terms)
                self.purse.contradicts(bid)
                self.purse.award(GivenAward(bid, record.energy_wh, signature, record.signature))
            elif isinstance(record, Showed):
                self.board.closed, self.board.curve_of = True, dict(record.named)
            else:
                self.purse.book(record.bid, record.energy_wh, record.signature)

    @property
    def deals(self) -> list[SignedDeal]:
        """Deals that this node can show: both signatures."""
        return self.purse.deals
