"""A member's watch: every commitment that can still be challenged is opened, and whatever shows a fraud is brought.

A leaf that does not come is demanded on chain, which only the member itself can; what is answered is judged as every
other, and what is not answered in time is a fraud of its own. Nothing is kept between two runs: the chain says what is
open, and files say what was served.
"""

from __future__ import annotations

from collections.abc import Iterator

from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes.answers import ANSWERED, answered_leaf
from transactive.chain.disputes.certificate_findings import CertificateCase
from transactive.chain.disputes.findings import Case
from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.inbox import Inbox, opened_anew
from transactive.chain.disputes.leaf_file import LeafFile
from transactive.chain.disputes.sighting import DEMAND, Sighting, Watch, Watcher
from transactive.chain.history import commitments, opening
from transactive.chain.named_judges import judge
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import InputError
from transactive.core.proofs.leaves import ENERGY, LeafMark
from transactive.core.proofs.merkle import word

NOTHING_ASKED = bytes(32)
NOT_YET = "no leaf of it came yet"


class LeafWatch(Watch):
    """Looks at a settlement again and again; each look tells what is new."""

    def __init__(self, client: ChainClient, settlement: Contract, inbox: Inbox, who: Watcher) -> None:
        super().__init__(client, who)
        self.settlement, self.inbox = settlement, inbox
        disputes = client.contract("disputes", client.read(settlement, "disputes"))
        self.demands = judge(client, disputes, "demands")  # none where the judge of a whole stands in its place
        self._per_period = int(client.read(settlement, "slotsPerPeriod"))
        self._seconds = int(client.read(settlement, "slotSeconds"))
        self._void: dict[int, set[int]] = {}

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
        slot, demands = shown.commitment.slot, self.demands
        if demands is None:
            yield from self._once(slot, NOT_YET, shown.head)
            return
        answered = self._answer(shown, demands)
        if answered is not None:
            yield from self._judge(shown, answered, None)
            return
        link, until = self.client.read(demands, "demands", self.who.index)
        if bytes(link) == shown.head:
            if now > int(until) and self.who.sender is not None:
                arguments = (shown.content, self.who.index)
                what = "the demand was not answered in time"
                yield self._send(slot, what, self.who.sender, demands, "challengeSilence", arguments)
            else:
                yield from self._once(slot, "demanded, answer awaited", shown.head)
        elif (
            bytes(link) != NOTHING_ASKED or self.who.own is None or now < self._committed_at(shown) + self.who.patience
        ):
            yield from self._once(slot, NOT_YET, shown.head)
        else:
            arguments = (shown.content, self.who.index)
            yield self._send(slot, "no leaf of it came", self.who.own, demands, DEMAND, arguments)

    def _answer(self, shown: Opening, demands: Contract) -> LeafFile | None:
        """What the operator showed on chain of a commitment; None if it did not."""
        wanted = [word(number) for number in (self.who.index, shown.commitment.slot)]
        topics = [ANSWERED, *("0x" + number.hex() for number in wanted)]
        for log in reversed(self.client.logs(demands, topics=topics)):
            made = answered_leaf(self.client, self.settlement, demands, log["transactionHash"])
            if made.opening.commitment.content == shown.commitment.content:
                return opened_anew(made, shown)
        return None
