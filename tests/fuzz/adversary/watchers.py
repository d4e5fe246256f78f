"""Honest members and arbiters: they look at what was committed in time, and bring the evidence that they have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.fuzz.adversary.commits import Committed
from tests.fuzz.adversary.faults import Fault, carbon_fault, fault, open_content
from tests.fuzz.adversary.slots import MEMBERS, receipt_words
from tests.fuzz.adversary.terms import PLACES, SLOTS, WINDOW
from tests.fuzz.bound import Bound
from transactive.chain.commitments import Opening
from transactive.chain.disputes import evidence
from transactive.chain.packing import decode_nets

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

Case = tuple[Bound, str, tuple[Any, ...]]
PROVED = "a fraud that its member sees is proved in time"


class Watchers:
    """Everybody honest who looks at a settlement."""

    def __init__(self, community: Community) -> None:
        self.w = community
        self.known: dict[tuple[int, int, int], Fault] = {}
        """What was found, by commitment (its identity), member, and how many readings of the slot were known."""
        self.asked: dict[int, tuple[Committed, int]] = {}
        """By member: what it waits to be shown, and until when."""

    # -- looking

    def look(self) -> None:
        """Everybody honest looks at all that is new, until there is nothing to bring."""
        w = self.w
        if w.ended:
            return
        while self.look_once():
            pass
        self.call_the_arbiter()

    def look_once(self) -> bool:
        """Bring one piece of evidence; False if there is none."""
        for index in range(self.w.count):
            if self.w.is_honest_member(index):
                self.pay_attention_to_answers(index)
                for record in self.open_records():
                    if self.accuse(index, record):
                        return True
                if self.accuse_netting(index):
                    return True
        return False

    def open_records(self) -> Iterator[Committed]:
        """Commitments that can be challenged: those that count, and those that were taken back."""
        w = self.w
        for period in sorted(w.chains):
            if period > w.settled:
                yield from list(w.chains[period])
        for group in w.taken:
            if not group.settled and w.now < group.until:
                yield from (record for record, _ in group.openings)

    def accuse(self, index: int, record: Committed) -> bool:
        """Bring what shows that a commitment is wrong for a member. True if somebody was convicted."""
        w = self.w
        found = self.found(index, record)
        if found in (Fault.NONE, Fault.UNPROVABLE):
            return False
        for on, function, arguments in self.evidence(index, record):
            if w.call(w.members[index], on, function, *arguments) is None:
                return True
        if found is Fault.UNOPENED:
            return self.demand(index, record)
        w.hold(self.waits_for(index), f"{PROVED}: member {index}, slot {record.made.slot}, {found}")
        return False

    def found(self, index: int, record: Committed) -> Fault:
        """What is wrong with a member's places of a commitment."""
        key = id(record), index, len(self.w.read.get(record.made.slot, []))
        if key not in self.known:
            own = fault(self.w, record, index)
            self.known[key] = own if own is not Fault.NONE else carbon_fault(self.w, record, index)
        return self.known[key]

    # -- evidence

    def opening(self, record: Committed) -> Any:
        """As a judge wants it."""
        return self.w.opening(record).content

    def shown(self, index: int, record: Committed | None, *, carbon: bool = False) -> Any:
        """Leaf and proof."""
        if record is None:
            return evidence.shown(0, None, [])
        tree = record.carbon if carbon else record.own
        return evidence.shown(index, record.leaf(index, carbon=carbon), tree.proof(index))

    def evidence(self, index: int, record: Committed) -> Iterator[Case]:
        """Everything that a member can show of its places."""
        if record.is_opaque:
            return
        w, opening, shown = self.w, self.opening(record), self.shown(index, record)
        yield w.disputes, "challengeLeaf", (opening, shown)
        before = record.before
        earlier = (before.previous, before.made, ()) if before else (bytes(32), record.made, ())
        previous = Opening(*earlier).content
        yield w.disputes, "challengeTotals", (opening, shown, previous, self.shown(index, before))
        yield w.demands, "challengeVoid", (opening, shown, previous)
        yield w.demands, "challengeStatement", (opening, shown, previous)
        for seen in record.truth.records.get(index, []):
            yield w.demands, "challengeReceipt", (opening, shown, seen.time, seen.words)
        content = open_content(record, index)
        if content is not None:
            accepted, fills = content
            yield w.disputes, "challengeTrade", (opening, shown, *evidence.trade(accepted, fills))
            listed = evidence.entries(accepted)
            for place, one in enumerate(accepted):
                last = accepted[-1].order.content
                yield w.disputes, "challengeSerial", (opening, shown, listed, last, place, one.order.content)
            if index < MEMBERS:
                for receipt in record.truth.receipts[index]:
                    words = receipt_words(receipt)
                    yield w.disputes, "challengeOmission", (opening, shown, listed, *words)
        for signed in w.read.get(record.made.slot, []) if index < MEMBERS else []:
            yield w.disputes, "challengeReading", (opening, shown, signed.of(index))
        yield from self.carbon_evidence(index, record)

    def carbon_evidence(self, index: int, record: Committed) -> Iterator[Case]:
        """The same of certificates."""
        w, opening = self.w, self.opening(record)
        shown = self.shown(index, record, carbon=True)
        yield w.judge, "challengeMoney", (opening, shown, self.shown(index, record))
        if record.leaf(index, carbon=True) is None:
            return
        yield w.judge, "challengeLeaf", (opening, shown)
        yield w.judge, "challengeBundles", (opening, shown, record.records.record(index))
        for signed in w.read.get(record.made.slot, []):
            yield w.judge, "challengeReading", (opening, shown, signed.of(index))

    # -- nettings

    def accuse_netting(self, index: int) -> bool:
        """Net amounts that are not the last leaf's, or beyond a limit; pending, or taken back."""
        w = self.w
        if w.proposal and w.chains.get(w.proposal.period):
            record = w.chains[w.proposal.period][-1]
            if self.wrong_net(index, record, w.proposal.chunks):
                return self.show_net(index, record)
        for group in w.taken:
            if group.chunks and not group.settled and w.now < group.until and group.openings:
                record, opening = group.openings[-1]
                if self.wrong_net(index, record, group.chunks) and not opening.later:
                    done = self.show_net(index, record)
                    group.settled |= done
                    return done
        return False

    def wrong_net(self, index: int, record: Committed, chunks: list[list[int]]) -> bool:
        """Whether a net amount is not what the last leaf states, or more than the member's limit."""
        if record.is_opaque:
            return False
        leaf = record.leaf(index)
        nets = [*decode_nets([word for chunk in chunks for word in chunk]), *[0] * PLACES]
        stated = leaf_net(leaf.money) if leaf else 0
        if nets[index] >= 0 or nets[index] != stated:
            return nets[index] != stated
        limit = int(self.w.c.read("limitIn", index, record.made.slot // SLOTS))
        return limit > 0 and -nets[index] >= limit

    def show_net(self, index: int, record: Committed) -> bool:
        """Bring it."""
        w = self.w
        arguments = (self.opening(record), self.shown(index, record))
        w.must(w.members[index], w.disputes, "challengeNetting", *arguments, rule=PROVED)
        return True

    # -- what nobody can open

    def waits_for(self, index: int) -> bool:
        """Whether a member waits for an answer."""
        return index in self.asked

    def demand(self, index: int, record: Committed) -> bool:
        """Ask for what stands behind a place."""
        w = self.w
        if self.waits_for(index):
            return False
        reason = w.call(w.members[index], w.demands, "demand", self.opening(record), index)
        in_time = not (w.proposal and w.now + WINDOW // 2 > int(w.c.read("proposal")[1]))
        busy = reason == "demands: answer awaited"
        w.hold(reason is None or busy or not in_time, f"a member may ask what stands behind its place: {reason}")
        until = int(w.demands.read("demands", index)[1]) + 1
        if reason is None:
            self.asked[index] = record, until
        w.due(until, self.look)
        return False

    def pay_attention_to_answers(self, index: int) -> None:
        """After the time for an answer, silence convicts; what was answered is known."""
        w = self.w
        record, until = self.asked.get(index, (None, 0))
        if record is None or w.now < until:
            return
        del self.asked[index]
        link = Opening(record.previous, record.made, ()).head
        if w.demands.read("demands", index)[0] != link or not self.counts(record):
            return
        opening = self.opening(record)
        w.must(
            w.members[index], w.demands, "challengeSilence", opening, index, rule="what nobody can open is convicted"
        )

    def counts(self, record: Committed) -> bool:
        """Whether evidence against a commitment still counts."""
        return bool(self.w.c.read("isContestable", self.w.opening(record).content))

    # -- the arbiter

    def call_the_arbiter(self) -> None:
        """What nobody can prove is stopped by an honest arbiter, inside the window."""
        w = self.w
        if not w.proposal or not w.honest("arbiter") or w.ended:
            return
        for record in w.chains.get(w.proposal.period, []):
            wrong = [i for i in range(w.count) if w.is_honest_member(i) and self.found(i, record) is Fault.UNPROVABLE]
            if wrong and w.now < int(w.c.read("proposal")[1]):
                w.call(w.arbiter, w.c, "veto", self.opening(record))
                return

    # -- certificates

    def release(self) -> None:
        """Let every honest leaf of what is final leave."""
        w = self.w
        for record in w.chains.get(w.settled, []):
            for index in range(w.count):
                leaf = record.leaf(index, carbon=True)
                key = (record.made.slot, index)
                some = w.rng.random() < 0.3
                if some and leaf is not None and w.is_honest_member(index) and key not in w.released:
                    arguments = (self.opening(record), self.shown(index, record, carbon=True))
                    rule = "certificates of a final slot leave whatever others do"
                    if self.found(index, record) in (Fault.NONE, Fault.UNPROVABLE) and wants_out(record, index):
                        stranger, content = w.members[index], record.records.record(index)
                        w.must(stranger, w.certificates, "release", *arguments, content, rule=rule)


def leaf_net(money: int) -> int:
    """Credit less debit of a word of money."""
    return (money >> 64 & (2**64 - 1)) - (money & (2**64 - 1))


def wants_out(record: Committed, index: int) -> bool:
    """Whether a member has certificates of its own to let out, and knows the record behind its leaf."""
    leaf = record.leaf(index, carbon=True)
    if leaf is None or record.records.hashes[index] != leaf.fills:
        return False
    return any(bundle[0] // 2 == index and bundle[4] == 1 for bundle in record.records.rows[index])
