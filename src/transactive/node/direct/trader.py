"""A box that trades directly: it asks for a seat, negotiates with the others by the roll, and shows its deals in time.

The market lets its key in and takes its deals up; with whom it deals, and at what price, it finds out with the other
nodes alone. One thread negotiates; what it comes to is said by the box's own. All that is signed is on disk first.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from transactive.core.boxes.direct import (
    MOST_AT_ONCE,
    AskRoll,
    AskSeat,
    DealRecord,
    DealsTaken,
    HasSeat,
    NodeReport,
    NoSeat,
    ShowDeals,
    SlotRoll,
)  # fmt: skip
from transactive.core.boxes.messages import Said, Terms, Told
from transactive.core.errors import DataError, InputError, SignatureError, StateError
from transactive.core.proofs.deals.allowances import slot_key, slot_salt
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.signed_orders import Order, domain
from transactive.core.slots import time_text
from transactive.links.direct.transport import Transport, load
from transactive.metering.record_file import OWNER_FOLDER
from transactive.node.agent.thinking import think
from transactive.node.agent.trader import HomePast
from transactive.node.box import BoxKey
from transactive.node.direct.journal_file import JournalFile
from transactive.node.direct.kept_deals import ReceiptedDeal, keep_deals
from transactive.node.direct.slot import RoundClock, SlotNode
from transactive.node.dispatch.driver import PAUSED_FILE
from transactive.trading.direct.gathering import MemberWish
from transactive.trading.direct.negotiator import Negotiator
from transactive.trading.direct.terms import SlotTerms

FOLDER, SECRET = "direct", b"TransActive secret of direct trading"
AHEAD, LATEST, PARTS = 6, 4, 10
"""A seat is asked for from so many tenths of a slot before a gate, and up to so many."""
AGAIN_SECONDS, ROLL_SECONDS = 1.0, 0.3
"""After what time an unanswered message is said again, and the roll is asked for [s on the wall]."""
ASKING, TICKS, TICK = 0.7, 15, 0.2
"""Part of a round in which nodes ask each other; ticks of a round at least; the longest tick [s]."""


@dataclass(slots=True)
class _OpenSlot:
    """A slot that this box trades. roll_at: when the roll is asked for, by `time.monotonic`; 0 before there is a seat.

    shown: deals by hash that are to be shown; receipts: what came for them; refused: hashes of those not taken.
    """

    slot: int
    ask: AskSeat
    wish: MemberWish
    transport: Transport
    terms: Terms
    roll_at: float = 0.0
    said_at: float = 0.0
    is_on: bool = False
    found: queue.SimpleQueue[list[SignedDeal]] = field(default_factory=queue.SimpleQueue)
    shown: dict[bytes, DealRecord] = field(default_factory=dict)
    receipts: dict[bytes, ReceiptedDeal] = field(default_factory=dict)
    refused: set[bytes] = field(default_factory=set)
    thread: threading.Thread | None = None
    report: NodeReport | None = None


class DirectTrader:
    """Trades directly for one home. listen: transport and where it listens, as TRANSPORT:PLACE.

    limits: highest price to buy and lowest to sell at [µ¤/kWh]. tell: hears in words what happens.
    """

    def __init__(
        self,
        folder: Path,
        key: BoxKey,
        listen: str,
        past: HomePast,
        limits: tuple[int, int],
        tell: Callable[[str], None],
        charged_wh: Callable[[], int],
    ) -> None:
        """Raises ConfigError for a transport that is not installed."""
        name, _, self._place = listen.partition(":")
        self._opens, self._folder, self._into = load(name), folder, folder / FOLDER
        self._secret = keccak(SECRET + key.key)
        self._past, self._limits, self._tell, self._charged_wh = past, limits, tell, charged_wh
        self._open: _OpenSlot | None = None
        self._tried = 0
        self._into.mkdir(mode=OWNER_FOLDER, exist_ok=True)

    def step(self, now: int, terms: Terms | None) -> list[Said]:
        """What is to be said at a time [Unix s]; the transport of a slot is opened as its seat is asked for."""
        if terms is None or not now:
            return []
        slot = self._due(terms, now)
        if slot is not None and slot != self._tried and terms.has(slot):
            self._tried = slot
            self._begin(terms, slot)
        mine = self._open
        if mine is None:
            return []
        self._gather(mine)
        wait = ROLL_SECONDS if mine.roll_at and not mine.is_on else AGAIN_SECONDS
        if time.monotonic() - mine.said_at < wait:
            return []
        said = self._say(mine)
        if said:
            mine.said_at = time.monotonic()
        return said

    def _say(self, mine: _OpenSlot) -> list[Said]:
        """What is to be said of a slot now."""
        if not mine.roll_at:
            return [mine.ask]
        if not mine.is_on:
            return [AskRoll(mine.ask.slot)] if time.monotonic() >= mine.roll_at else []
        if mine.report is not None:
            report, mine.report = mine.report, None
            return [report]
        answered = mine.receipts.keys() | mine.refused
        unanswered = [record for hash_, record in mine.shown.items() if hash_ not in answered]
        return [ShowDeals(mine.ask.slot, tuple(unanswered[:MOST_AT_ONCE]))] if unanswered else []

    def heard(self, told: Told, market: str | None) -> None:
        """Take up what the market (address) told."""
        mine = self._open
        if mine is None or not isinstance(told, HasSeat | NoSeat | SlotRoll | DealsTaken):
            return
        if told.slot != mine.ask.slot:
            return
        match told:
            case HasSeat():
                mine.roll_at = mine.roll_at or time.monotonic() + told.milliseconds / 1_000
            case NoSeat():
                self._tell(f"not traded directly: {told.why}")
                self._leave(mine)
            case SlotRoll():
                if not mine.is_on:
                    self._negotiate(mine, told, market or "")
            case DealsTaken():
                self._keep(mine, told, market or "")

    def end(self) -> None:
        """Leave the slot that is on."""
        if self._open is not None:
            self._leave(self._open)

    # -- a slot ---------------------------------------------------------------------------------

    def _due(self, terms: Terms, now: int) -> int | None:
        """The slot whose seats are given now [Unix s]."""
        length = terms.slot_seconds
        gate = now // length * length + length
        before = (gate - now) * PARTS
        return gate + terms.lead * length if LATEST * length < before <= AHEAD * length else None

    def _begin(self, terms: Terms, slot: int) -> None:
        """Think of a slot, and make its key, contact and question."""
        if self._open is not None:
            self._leave(self._open)
        number = slot // terms.slot_seconds
        try:
            order = self._wanted(terms, slot)
            transport = self._opens(self._place)
        except (DataError, InputError) as error:
            self._tell(f"not traded directly: {error}")
            return
        most = sum(energy for _, energy in (*order.buys, *order.sells))
        if not most:
            transport.close()
            return
        wish = MemberWish(terms.account, self._secret, order.buys, order.sells, most, most, *self._limits)
        salt = slot_salt(self._secret, number)
        ask = AskSeat(number, wish.key(number), salt, transport.contact, order.buys, order.sells)
        self._open = _OpenSlot(slot, ask, wish, transport, terms)

    def _wanted(self, terms: Terms, slot: int) -> Order:
        """What the home wants of a slot [Unix s]. Raises DataError where the box is paused or knows too little."""
        if (self._folder / PAUSED_FILE).exists():
            raise DataError("the member has paused the box; `transactive node resume` ends that")
        load, end = self._past.net_load(), self._past.end
        if end + (2 * terms.lead + 4) * terms.slot_seconds < slot:
            raise DataError(f"the last record is of {time_text(end)}; what the home needs is not known")
        return think(load, end, self._charged_wh(), terms, slot, self._limits).order

    def _negotiate(self, mine: _OpenSlot, told: SlotRoll, market: str) -> None:
        """Negotiate by a roll, if it is the operator's and has this box's key."""
        separator, roll = domain(mine.terms.chain_id, mine.terms.settlement), told.roll
        try:
            roll.check(told.signature, market, separator)
        except SignatureError as error:
            self._tell(f"not traded directly: {error}")
            self._leave(mine)
            return
        if mine.wish.allowance(mine.ask.slot) not in roll.allowances:
            self._tell("not traded directly: the roll does not allow this box what it asked for")
            self._leave(mine)
            return
        terms = SlotTerms(roll, separator, market, told.grid, told.sealed_below)
        within = min(self._limits[0], told.within[0]), max(self._limits[1], told.within[1])
        mine.is_on = True
        mine.thread = threading.Thread(target=self._run, args=(mine, terms, told, within), daemon=True)
        mine.thread.start()

    def _run(self, mine: _OpenSlot, terms: SlotTerms, told: SlotRoll, within: tuple[int, int]) -> None:
        """Walk through the rounds; in a thread of its own."""
        number, begun = mine.ask.slot, time.monotonic()
        each = max(told.milliseconds, 0) / 1_000 / told.rounds
        schedule = RoundClock(begun, told.rounds, each * ASKING, each * (1 - ASKING), min(each / TICKS, TICK))
        chance = secrets.SystemRandom()
        try:
            with closing(JournalFile(self._into / f"{number}.journal")) as journal:
                node = Negotiator(
                    terms, slot_key(self._secret, number), mine.wish.curve(number, mine.ask.contact), told.contacts,
                    lambda many: chance.sample(range(many), many), journal=journal.append, within=within,
                )  # fmt: skip
                node.resume(list(journal.records()))
                running = SlotNode(node, mine.transport, time.monotonic)
                running.after_round = lambda: mine.found.put(node.deals)
                running.run(schedule)
                mine.found.put(node.deals)
                mine.report = _report(node, running)
                bought = sum(own.energy_wh for own in node.purse.own.values())
                sold = sum(given.energy_wh for given in node.purse.awards.values())
                self._tell(
                    f"negotiated {time_text(mine.slot)}: buys {bought} Wh, sells {sold} Wh,"
                    f" {len(terms.roll.allowances)} members, {running.sent} datagrams"
                )
        except (DataError, StateError, OSError) as error:
            self._tell(f"not traded directly: {error}")
        finally:
            mine.transport.close()

    def _gather(self, mine: _OpenSlot) -> None:
        """Take over what the negotiation has come to; new deals are shown at once."""
        while not mine.found.empty():
            for deal in mine.found.get():
                if deal.hash not in mine.shown:
                    mine.shown[deal.hash] = DealRecord.of(deal)
                    mine.said_at = 0.0

    def _keep(self, mine: _OpenSlot, told: DealsTaken, market: str) -> None:
        """Keep receipts that the operator signed; deals that it refuses are told, and not said again."""
        separator = domain(mine.terms.chain_id, mine.terms.settlement)
        for hash_, receipt in told.taken:
            record = mine.shown.get(hash_)
            if record is None or hash_ in mine.receipts:
                continue
            try:
                DealReceipt(hash_).check(receipt, market, separator)
            except SignatureError as error:
                self._tell(f"not kept: {error}")
                continue
            mine.receipts[hash_] = ReceiptedDeal(record, receipt)
            mine.said_at = 0.0
        for hash_, why in told.refused:
            if hash_ in mine.shown and hash_ not in mine.refused:
                mine.refused.add(hash_)
                self._tell(f"not taken: deal 0x{hash_.hex()}: {why}")
        keep_deals(self._into, told.slot, mine.receipts.values())

    def _leave(self, mine: _OpenSlot) -> None:
        """Have done with a slot; a negotiation that is on ends by its own clock, and closes its transport."""
        if mine.thread is None:
            mine.transport.close()
        self._open = None


def _report(node: Negotiator, running: SlotNode) -> NodeReport:
    """How a node fared in its last round."""
    board, seats = node.board, range(len(node.terms.roll.allowances))
    unheard = tuple(
        seat for seat in seats if seat not in board.curves or seat not in board.quotes.keys() | board.frauds
    )
    after = None if running.knew_after is None else max(round(running.knew_after * 1_000), 0)
    return NodeReport(node.terms.slot, unheard, running.sent, running.sent_bytes, after)
