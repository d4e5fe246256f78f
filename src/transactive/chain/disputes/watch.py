"""A member's watch: every commitment that can still be challenged is opened, and whatever shows a fraud is brought.

A leaf that does not come is demanded on chain, which only the member itself can; what is answered is judged as every
other, and what is not answered in time is a fraud of its own. Nothing is kept between two runs: the chain says what is
open, and files say what was served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes.answers import ANSWERED, answered_leaf
from transactive.chain.disputes.certificate_findings import CertificateCase
from transactive.chain.disputes.findings import Case
from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.inbox import Inbox, opened_anew
from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.history import commitments, opening
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import ContractRevert, InputError
from transactive.core.proofs.leaves import ENERGY, LeafMark
from transactive.core.proofs.merkle import word

NOTHING_ASKED, DEMAND = bytes(32), "demand"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of a slot (number), what was sent because of it, and what came of that."""

    slot: int
    seen: str
    sent: str | None = None
    outcome: str | None = None
    is_fraud: bool = False


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who watches. index: account whose leaves are opened; sender: brings what is found; own: the account's own key.

    Without a sender nothing is sent; without the own key nothing is demanded. patience: seconds from a commitment until
    its leaf is demanded. most_void: sessions of a period that may be void before that is told: an operator could choose
    them. counted: what the account's own meter signed of a slot (number): import and export [Wh], None where nobody
    metered that slot by itself.
    """

    index: int
    sender: LocalAccount | None
    own: LocalAccount | None
    patience: int
    most_void: int = 3
    counted: Callable[[int], tuple[int, int] | None] = lambda _: None


class LeafWatch:
    """Looks at a settlement again and again; each look tells what is new."""

    def __init__(self, client: ChainClient, settlement: Contract, inbox: Inbox, who: Watcher) -> None:
        self.client, self.settlement, self.inbox, self.who = client, settlement, inbox, who
        disputes = client.contract("disputes", client.read(settlement, "disputes"))
        self.demands = client.contract("demands", client.read(disputes, "demands"))
        self._per_period = int(client.read(settlement, "slotsPerPeriod"))
        self._seconds = int(client.read(settlement, "slotSeconds"))
        self._told: set[tuple[int, str, bytes]] = set()
        self._void: dict[int, set[int]] = {}
        self._now = 0

    def look(self, now: int) -> Iterator[Sighting]:
        """Open what can be challenged at this time [Unix s]. Raises ChainError if the node does not answer."""
        self._now = now
        for refused in self.inbox.look():
            yield Sighting(0, refused)
        made = commitments(self.client, self.settlement)
        settled = int(self.client.read(self.settlement, "settledPeriod"))
        for place, one in enumerate(made):
            if one.slot // self._per_period > settled:
                yield from self._slot(made, place, opening(made, place, self._per_period), now)

    def _slot(self, made: list[Commitment], place: int, shown: Opening, now: int) -> Iterator[Sighting]:
        """What one commitment shows."""
        leaf, slot = self.inbox.leaf(shown), shown.commitment.slot
        if leaf is None:
            yield from self._missing(shown, now)
            return
        earlier = None
        if place and made[place - 1].slot // self._per_period == slot // self._per_period:
            earlier = self.inbox.leaf(opening(made, place - 1, self._per_period))
        yield from self._judge(shown, leaf, earlier)

    def _judge(self, shown: Opening, leaf: LeafFile, earlier: LeafFile | None) -> Iterator[Sighting]:
        """Whatever a leaf and the certificates of its slot show."""
        slot = shown.commitment.slot
        yield from self._count_void(slot, leaf)
        read, held = self.inbox.reading(slot), self.inbox.receipts(slot, self._seconds)
        more = self.inbox.certificates(shown)
        case = Case(self.client, leaf)
        try:
            found: list[tuple[Contract, Fraud]] = [
                (one.by or case.judge, one) for one in case.findings(earlier, held, read)
            ]
            if more:
                of = CertificateCase(self.client, more)
                found += [(of.judge, one) for one in of.findings(leaf, (), read)]
        except InputError as error:  # orders that were not served; the leaf itself can still be judged
            yield from self._once(slot, str(error), shown.commitment.root)
            found = [(case.judge, one) for one in (case.in_netting(), case.in_leaf(), case.in_totals(earlier)) if one]
            if not found:
                return
        if not found:
            yield from self._metered(slot, leaf, shown.commitment.root)
        elif self.who.sender is None:
            yield from self._once(slot, found[0][1].what, shown.commitment.root, is_fraud=True)
        else:
            judge, fraud = found[0]
            yield self._send(slot, fraud.what, self.who.sender, judge, fraud.function, fraud.arguments)

    def _count_void(self, slot: int, leaf: LeafFile) -> Iterator[Sighting]:
        """Tell of a period with more sessions marked as void than usual."""
        if leaf.content is None or not leaf.content.marks & LeafMark.VOID:
            return
        void = self._void.setdefault(slot // self._per_period, set())
        if slot not in void and len(void) >= self.who.most_void:
            yield Sighting(slot, f"{len(void) + 1} sessions of the period were void")
        void.add(slot)

    def _metered(self, slot: int, leaf: LeafFile, root: bytes) -> Iterator[Sighting]:
        """Hold a leaf that nothing else speaks against beside what the account's own meter signed.

        A leaf that is marked as substituted was settled without a record; what came late stands in a correction.
        """
        counted, content = self.who.counted(slot), leaf.content
        said = ENERGY.unpack(content.slot_energy) if content else {}
        stated = said.get("imported_wh", 0), said.get("exported_wh", 0)
        if counted is None or stated == counted or (content and content.marks & LeafMark.SUBSTITUTED):
            own = "" if stated != counted else f", and the meter's {stated[0]} Wh in and {stated[1]} Wh out stand in it"
            yield from self._once(slot, f"opened, nothing to challenge{own}", root)
        else:
            seen = (
                f"WRONG: the leaf says {stated[0]} Wh in and {stated[1]} Wh out, the meter signed {counted[0]} and"
                f" {counted[1]}; show the operator both"
            )
            yield from self._once(slot, seen, root, is_fraud=True)

    # -- leaves that do not come ------------------------------------------------------------------------------

    def _missing(self, shown: Opening, now: int) -> Iterator[Sighting]:
        """Demand a leaf that did not come; take what was answered, or say that nothing was."""
        slot = shown.commitment.slot
        answered = self._answer(shown)
        if answered is not None:
            yield from self._judge(shown, answered, None)
            return
        link, until = self.client.read(self.demands, "demands", self.who.index)
        if bytes(link) == shown.head:
            if now > int(until) and self.who.sender is not None:
                arguments = (shown.content, self.who.index)
                what = "the demand was not answered in time"
                yield self._send(slot, what, self.who.sender, self.demands, "challengeSilence", arguments)
            else:
                yield from self._once(slot, "demanded, answer awaited", shown.head)
        elif (
            bytes(link) != NOTHING_ASKED or self.who.own is None or now < self._committed_at(shown) + self.who.patience
        ):
            yield from self._once(slot, "no leaf of it came yet", shown.head)
        else:
            arguments = (shown.content, self.who.index)
            yield self._send(slot, "no leaf of it came", self.who.own, self.demands, DEMAND, arguments)

    def _answer(self, shown: Opening) -> LeafFile | None:
        """What the operator showed on chain of a commitment; None if it did not."""
        wanted = [word(number) for number in (self.who.index, shown.commitment.slot)]
        topics = [ANSWERED, *("0x" + number.hex() for number in wanted)]
        for log in reversed(self.client.logs(self.demands, topics=topics)):
            made = answered_leaf(self.client, self.settlement, self.demands, log["transactionHash"])
            if made.opening.commitment.content == shown.commitment.content:
                return opened_anew(made, shown)
        return None

    def _committed_at(self, shown: Opening) -> int:
        """Time of a commitment [Unix s]."""
        return self.client.time_of(shown.commitment.block)

    def _send(
        self, slot: int, seen: str, key: LocalAccount, contract: Contract, function: str, arguments: tuple[Any, ...]
    ) -> Sighting:
        """Send one call; a refusal is told, not raised: somebody else may have been faster."""
        try:
            self.client.send(key, contract, function, *arguments)
            block = self.client.block(max(self.client.head_timestamp + 1, self._now))
            done = f"done in block {block.number}"
        except ContractRevert as error:
            done = f"refused: {error}"
        return Sighting(slot, seen, function, done, is_fraud=function != DEMAND)

    def _once(self, slot: int, seen: str, about: bytes, *, is_fraud: bool = False) -> Iterator[Sighting]:
        """Tell what was not told of this commitment before."""
        if (slot, seen, about) not in self._told:
            self._told.add((slot, seen, about))
            yield Sighting(slot, seen, is_fraud=is_fraud)
