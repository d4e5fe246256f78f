"""One slot of direct trading: rounds by the clock, from the first one to the gate, over any transport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from transactive.links.direct.transport import Transport
from transactive.trading.direct.negotiator import Letter, Negotiator

Say = Callable[[], list[Letter]]


@dataclass(frozen=True, slots=True)
class RoundClock:
    """When things happen [s]. start: of the first round; each has so long for asking and so long for deals.

    tick: between two questions, no shorter than a datagram takes there and back.
    """

    start: float
    rounds: int = 3
    asking: float = 10.0
    dealing: float = 3.0
    tick: float = 0.2

    def begins(self, round_: int) -> float:
        """When a round begins, or the one after the last would."""
        return self.start + round_ * (self.asking + self.dealing)


@dataclass(slots=True)
class SlotNode:
    """A negotiator on a transport. now: seconds on the clock that all go by, which never goes back.

    after_round: called as each round is over. knew_after: how long after the newest round began all was known [s];
    None: it never was.
    """

    negotiator: Negotiator
    transport: Transport
    now: Callable[[], float]
    sent: int = 0
    sent_bytes: int = 0
    knew_after: float | None = None
    after_round: Callable[[], None] = lambda: None

    def run(self, schedule: RoundClock) -> None:
        """Negotiate until the gate. A node that comes late begins with the round that is on."""
        node = self.negotiator
        for round_ in range(schedule.rounds):
            begins = schedule.begins(round_)
            if self.now() >= schedule.begins(round_ + 1):
                continue
            self._until(begins, schedule.tick, list)
            node.begin(round_)
            self.knew_after = None
            if node.terms.is_sealed and not node.board.closed:
                self._until(begins + schedule.asking / 2, schedule.tick, node.talk, lambda: node.all_committed)
                node.show()
            self._until(begins + schedule.asking, schedule.tick, partial(self._ask, begins))
            self._send(node.propose())
            self._until(schedule.begins(round_ + 1), schedule.tick, node.again)
            self.after_round()
        node.close()

    def _ask(self, begins: float) -> list[Letter]:
        """Ask for what is missing in a round; note when nothing is."""
        if self.knew_after is None and self.negotiator.board.is_full:
            self.knew_after = self.now() - begins
        return self.negotiator.talk()

    def _until(self, end: float, tick: float, say: Say, done: Callable[[], bool] = lambda: False) -> None:
        """Hear and answer until a time or until it is done, and say something each tick."""
        speaks = self.now()
        while self.now() < end and not done():
            if self.now() >= speaks:
                self._send(say())
                speaks = self.now() + tick
            heard = self.transport.receive(min(speaks, end) - self.now())
            if heard is not None:
                source, data = heard
                self._send(self.negotiator.hear(data, source))

    def _send(self, letters: list[Letter]) -> None:
        """Send letters on their way."""
        for contact, data in letters:
            self.sent += 1
            self.sent_bytes += len(data)
            self.transport.send(contact, data)
