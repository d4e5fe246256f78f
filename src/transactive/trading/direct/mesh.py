"""Nodes of a slot on a simulated network that loses, delays and cuts off; the same chance gives the same course.

A tick is the time in which a node asks others once. A round is some ticks of asking, the proposals, and some ticks in
which unanswered bids are said again. Two sides that are cut off hear nothing of each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from transactive.core.proofs.deals.deal import SignedDeal
from transactive.trading.direct.messages import SentAward, SentBid
from transactive.trading.direct.negotiator import Letter, Negotiator

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of the network. loss_ppm: datagrams lost, of a million; most_delay: ticks that one takes at most.

    cut_rounds: first rounds in which half of the nodes hears nothing of the other half.
    """

    loss_ppm: int = 0
    most_delay: int = 0
    cut_rounds: int = 0


@dataclass(frozen=True, slots=True)
class Rounds:
    """Of a slot: rounds, ticks of a round at most, and ticks in which bids are said again."""

    rounds: int = 3
    ticks: int = 40
    retries: int = 4


@dataclass(frozen=True, slots=True)
class RoundReport:
    """What a round came to. reached: nodes that know all that their side could tell them.

    prices: lowest and highest that somebody planned with. left_out: seats that somebody left out. deals: so far;
    positions: bought − sold by them [Wh], by seat.
    """

    round: int
    ticks: int
    reached: int
    prices: tuple[int, int]
    left_out: frozenset[int]
    deals: int
    positions: tuple[int, ...]


@dataclass(slots=True)
class Mesh:
    """Nodes by contact. silent: seats that quote and never deal.

    sent, lost: datagrams; sent_bytes: of all that was sent.
    """

    nodes: Sequence[Negotiator]
    contacts: Sequence[bytes]
    conditions: Conditions
    random: np.random.Generator
    silent: Collection[int] = ()
    sent: int = 0
    lost: int = 0
    sent_bytes: int = 0
    reports: list[RoundReport] = field(default_factory=list)
    _letters: deque[tuple[int, int, int, bytes]] = field(default_factory=deque)
    _places: dict[bytes, int] = field(default_factory=dict)
    _side: list[int] = field(default_factory=list)
    _is_cut: bool = False
    _tick: int = 0

    def __post_init__(self) -> None:
        self._places = {contact: place for place, contact in enumerate(self.contacts)}
        self._side = (self.random.permutation(len(self.nodes)) * 2 // max(len(self.nodes), 1)).tolist()

    def run(self, course: Rounds) -> list[SignedDeal]:
        """Walk through all rounds; gives every deal that one of both can show, each once."""
        for round_ in range(course.rounds if len(self.nodes) > 1 else 0):
            self._is_cut = round_ < self.conditions.cut_rounds
            self._round(round_, course)
        self._is_cut = False
        for _ in range(course.retries):  # before the gate closes: the last answers
            self._pass_on(Negotiator.again)
        for node in self.nodes:
            node.close()
        return self.deals()

    def deals(self) -> list[SignedDeal]:
        """Deals so far, by round and hash, each once."""
        found = {deal.hash: deal for node in self.nodes for deal in node.deals}
        return sorted(found.values(), key=lambda deal: (deal.bid.round, deal.hash))

    def _round(self, round_: int, course: Rounds) -> None:
        """Ask, propose, ask again."""
        for node in self.nodes:
            node.begin(round_)
        ticks = self._talk(course.ticks)
        if self.nodes[0].terms.is_sealed:
            for node in self.nodes:
                node.show()
            ticks += self._talk(course.ticks)
        reached = self._reached()
        self._pass_on(Negotiator.propose)
        for _ in range(course.retries):
            self._pass_on(Negotiator.again)
        self._report(round_, ticks, reached)

    def _talk(self, ticks: int) -> int:
        """Let nodes ask each other until nobody has a question, or all wait for curves; gives the ticks of it."""
        for tick in range(ticks):
            asked = self.sent
            self._pass_on(Negotiator.talk)
            waits = not self.nodes[0].board.closed and all(node.all_committed for node in self.nodes)
            if waits or (self.sent == asked and not self._letters):
                return tick
        return ticks

    def _pass_on(self, say: Callable[[Negotiator], list[Letter]]) -> None:
        """One tick: all say something, and what is due arrives, with all answers that take no time."""
        self._tick += 1
        for place, node in enumerate(self.nodes):
            self._send(place, say(node))
        later: list[tuple[int, int, int, bytes]] = []
        while self._letters:
            due, sender, receiver, data = self._letters.popleft()
            if due > self._tick:
                later.append((due, sender, receiver, data))
            else:
                self._send(receiver, self.nodes[receiver].hear(data, self.contacts[sender]))
        self._letters.extend(later)

    def _send(self, sender: int, letters: list[Letter]) -> None:
        """Put letters on their way, those that are not lost."""
        for contact, data in letters:
            receiver = self._places[contact]
            party = {self.nodes[sender].seat, self.nodes[receiver].seat}
            if data[2] in (SentBid.KIND, SentAward.KIND) and not party.isdisjoint(self.silent):
                continue
            self.sent += 1
            self.sent_bytes += len(data)
            is_lost = int(self.random.integers(MILLION)) < self.conditions.loss_ppm
            if is_lost or (self._is_cut and self._side[sender] != self._side[receiver]):
                self.lost += 1
                continue
            delay = int(self.random.integers(self.conditions.most_delay + 1))
            self._letters.append((self._tick + delay, sender, receiver, data))

    def _reached(self) -> int:
        """Nodes that know a quote and a curve of everybody on their side."""
        sizes = [self._side.count(side) if self._is_cut else len(self.nodes) for side in self._side]
        boards = [node.board for node in self.nodes]
        known = [min(len(board.quotes.keys() | board.frauds.keys()), len(board.curves)) for board in boards]
        return sum(count >= size for count, size in zip(known, sizes, strict=True))

    def _report(self, round_: int, ticks: int, reached: int) -> None:
        """Write down what the round came to."""
        prices = [node.plan.price for node in self.nodes if node.plan is not None]
        deals, positions = self.deals(), [0] * len(self.nodes)
        seats = self.nodes[0].terms.roll.seats
        for deal in deals:
            positions[seats[deal.bid.buyer]] += deal.energy_wh
            positions[seats[deal.bid.seller]] -= deal.energy_wh
        out = frozenset[int]().union(*(node.left_out for node in self.nodes))
        told = (min(prices), max(prices))
        self.reports.append(RoundReport(round_, ticks, reached, told, out, len(deals), tuple(positions)))
