"""What a node knows of the others: quotes of the round, curves of the slot, and proofs that somebody signed two.

Nodes that meet tell each other what they have, half a byte a seat, and send what the other one lacks; so after a few
meetings all who can reach each other know the same, whatever was lost on the way (anti-entropy). The half byte has one
bit for the curve and three for the quote: none, one of six by its hash, or two that contradict each other. So nodes to
which somebody told different things find that out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from transactive.core.errors import DataError, SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.deals.quotes import DemandCurve, Quote
from transactive.core.proofs.signed_orders import Step
from transactive.trading.direct import messages
from transactive.trading.direct.demand import bounded
from transactive.trading.direct.plan import QuotedKey
from transactive.trading.direct.terms import SlotTerms

MOST_TOLD = 72, 32
"""Quotes and curves that one question is answered with."""
NONE, TWO = 0, 7
"""Marks of a quote: not known, and two that contradict each other; between them one of six."""

SignerOf = Callable[[bytes, bytes], str]
"""From digest and signature to the address that signed; empty for a signature that nobody can have made."""


def signer_of(digest: bytes, signature: bytes) -> str:
    """Address that signed, or nothing."""
    try:
        return signing.signer(digest, signature, "a message")
    except SignatureError:
        return ""


@dataclass(frozen=True, slots=True)
class HeardQuote:
    """A quote as it came."""

    quote: Quote
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class HeardCurve:
    """A curve as it came, and within its allowance: top [Wh] and steps."""

    curve: DemandCurve
    data: bytes
    top: int
    steps: list[Step]


@dataclass(slots=True)
class QuoteBoard:
    """Quotes and curves that a node has, by seat. curve_of: hash of the curve that each key is bound to by its quotes.

    closed: in a sealed slot, whether commitments are over. frauds: by seat, two quotes that its key signed for a round;
    suspects: quotes of earlier rounds, which are told only with others that contradict them.
    """

    terms: SlotTerms
    signer: SignerOf = signer_of
    round: int = -1
    closed: bool = False
    quotes: dict[int, HeardQuote] = field(default_factory=dict)
    curves: dict[int, HeardCurve] = field(default_factory=dict)
    curve_of: dict[int, bytes] = field(default_factory=dict)
    frauds: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    suspects: dict[int, HeardQuote] = field(default_factory=dict)

    def begin(self, round_: int) -> None:
        """Forget the quotes of the round before."""
        self.round = round_
        self.quotes.clear()

    def learn_quote(self, data: bytes) -> Quote | None:
        """Take a quote up; gives it if it is new, of this round and signed by its key. Raises DataError.

        One of an earlier round is remembered only until another one contradicts it.
        """
        seat, quote, signature = messages.read_quote(data, self.terms)
        is_now = quote.round == self.round
        known = (self.quotes if is_now else self.suspects).get(seat)
        if quote.round > self.round or seat in self.frauds or (known is not None and known.data == data):
            return None
        if self.signer(signing.digest(self.terms.domain, quote.hash), signature) != quote.key:
            return None
        if known is not None and known.quote.round == quote.round and known.quote != quote:
            self.frauds[seat] = known.data, data
            return None
        if not is_now:
            self.suspects[seat] = HeardQuote(quote, data)
        if not is_now or known is not None or not self._is_bound(seat, quote):
            return None
        self.quotes[seat] = HeardQuote(quote, data)
        return quote

    def _is_bound(self, seat: int, quote: Quote) -> bool:
        """Whether a key keeps to one curve, and in a sealed slot named it before others were shown."""
        bound = self.curve_of.get(seat)
        if bound is None and self.terms.is_sealed and self.closed:
            return False
        self.curve_of.setdefault(seat, quote.curve)
        return bound in (None, quote.curve)

    def learn_curve(self, data: bytes) -> None:
        """Take a curve up if it is the one that its key's quotes name. Raises DataError."""
        seat, curve, signature = messages.read_curve(data, self.terms)
        if seat in self.curves or self.curve_of.get(seat) != curve.hash or not self.terms.takes(curve):
            return
        if self.signer(signing.digest(self.terms.domain, curve.hash), signature) == curve.key:
            allowed = self.terms.allowance(seat)
            top, steps = bounded(curve, allowed.most_bought_wh, allowed.most_sold_wh)
            self.curves[seat] = HeardCurve(curve, data, top, steps)

    @property
    def is_full(self) -> bool:
        """Whether quote and curve of every key of the roll are known, or that it is a fraud."""
        seats = len(self.terms.roll.allowances)
        return len(self.curves) == seats and len(self.quotes.keys() | self.frauds.keys()) == seats

    def known(self) -> bytes:
        """Half a byte for each seat, two seats a byte, the lower one in the low half."""
        marks = np.zeros(len(self.terms.roll.allowances) + 1 & ~1, np.uint8)
        for seat, heard in self.quotes.items():
            marks[seat] = _mark(heard.data)
        for seat in self.frauds:
            marks[seat] = TWO
        marks[list(self.curves)] |= 8
        return (marks[::2] | marks[1::2] << 4).tobytes()

    def lacking(self, board: bytes, order: Callable[[int], list[int]]) -> list[bytes]:
        """Tells with what another board lacks, or has otherwise. order: so many places in an order by chance."""
        marks = self._marks(board).tolist()
        quotes = [heard.data for seat, heard in self.quotes.items() if marks[seat] & 7 not in (TWO, _mark(heard.data))]
        curves = [heard.data for seat, heard in self.curves.items() if not marks[seat] & 8]
        proofs = [data for seat, both in self.frauds.items() if marks[seat] & 7 != TWO for data in both]
        told = [
            [parts[place] for place in order(len(parts))[:most]]
            for parts, most in zip((quotes, curves), MOST_TOLD, strict=True)
        ]
        return messages.packed(self.terms.slot, self.round, [*proofs, *told[0]], told[1])

    def is_behind(self, board: bytes) -> bool:
        """Whether another board has a quote or a curve that this one lacks. Raises DataError."""
        own, other = self._marks(self.known()), self._marks(board)
        return bool((((own & 7 == NONE) & (other & 7 != NONE)) | (own & 8 < other & 8)).any())

    def _marks(self, board: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        """Marks of a board by seat, one more where seats are odd. Raises DataError for another number of seats."""
        seats = len(self.terms.roll.allowances)
        if len(board) != (seats + 1) // 2:
            raise DataError(f"{len(board)} bytes tell of a board with {seats} seats")
        packed = np.frombuffer(board, np.uint8)
        return np.stack((packed & 15, packed >> 4), axis=1).ravel()

    def standings(self, without: set[int]) -> list[QuotedKey]:
        """All whose quote and curve are known, but for frauds and those that are left out."""
        return [
            QuotedKey(seat, heard.quote.key, self._held(seat), self.curves[seat].top, self.curves[seat].steps)
            for seat, heard in self.quotes.items()
            if seat in self.curves and seat not in self.frauds and seat not in without
        ]

    def _held(self, seat: int) -> int:
        """Where a key says it stands, within its allowance [Wh]: no deals lead beyond, and a lie moves no price."""
        allowed = self.terms.allowance(seat)
        return min(max(self.quotes[seat].quote.position, -allowed.most_sold_wh), allowed.most_bought_wh)


def _mark(quote: bytes) -> int:
    """Mark of a quote: one of six by its last byte before v, which is the lowest of its signature."""
    return 1 + quote[-2] % 6
