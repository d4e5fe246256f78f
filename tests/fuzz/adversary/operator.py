"""The operator's rule book: gates, readings, commitments, nettings, answers; a dishonest one changes what it likes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.fuzz.adversary.commits import Committed, Draft, change
from tests.fuzz.adversary.slots import (
    MEMBERS,
    SUBSTITUTED,
    VOID,
    Receipt,
    SignedReadings,
    SlotTruth,
    as_traded,
    made_of,
    metered,
    ordered,
    seen,
    traded,
)
from tests.fuzz.adversary.terms import PENALTY, PLACES, REACTION, SLOT, SLOTS, WAIT, WINDOW
from tests.fuzz.bound import Person
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.packing import PART_WORDS, encode_nets, words_for
from transactive.core.errors import CertificateError
from transactive.core.proofs.signed_orders import Fills, SignedOrder

if TYPE_CHECKING:
    from tests.fuzz.adversary.community import Community

OVERDRAFT = "settlement: overdraft or lane overflow"


class Operator:
    """Who has the office, with the books that it keeps."""

    def __init__(self, community: Community) -> None:
        self.w = community
        self.attempts = 0
        self.exposed: dict[int, list[int]] = {}
        """Debits of members by period, as the books have them [n¤]."""

    # -- a slot

    def gate(self, slot: int) -> None:
        """Take orders for a slot, and clear them within what each member can pay."""
        w, period = self.w, slot // SLOTS
        members = w.members[:MEMBERS]
        operator = w.operator_now
        if operator.key is None or w.count < 2:
            return
        accepted, receipts = ordered(w.rng, slot, members, operator, w.domain)
        debits = self.exposed.setdefault(period, [0] * MEMBERS)
        room = [self.room(i, period) for i in range(len(members))]
        void = w.rng.random() < 0.1
        if void:  # nobody was there: what was receipted counts for nothing
            accepted = [[] for _ in range(MEMBERS)]
        fills, money = traded(w.rng, accepted, room)
        for i in range(MEMBERS):
            debits[i] += int(money[i, 0])
        marks = [VOID if void else 0] * MEMBERS
        w.truths[slot] = SlotTruth(slot, accepted, receipts, fills, money, marks=marks)

    def room(self, index: int, period: int) -> int:
        """What a member can be debited in a period, as its operator knows at the gate [n¤]."""
        w = self.w
        limit, account = int(w.c.read("limitIn", index, period)), w.members[index].address
        open_debits = sum(row[index] for number, row in self.exposed.items() if number > w.settled)
        left = int(w.c.read("balanceOf", account)) - int(w.c.read("requests", account)[0]) - open_debits
        mine = self.exposed[period][index]
        return max(min(left, limit - 1 - mine if limit else left), 0)

    def meter(self, slot: int) -> None:
        """The gateway of a slot signs what the meters read."""
        w, truth = self.w, self.w.truths.get(slot)
        if truth is None:
            return
        w.read[slot] = []
        signer = w.had(w.gateway_since, slot * SLOT)
        if signer is None:
            return
        truth.registers = metered(w.rng, min(w.count, MEMBERS))
        truth.bundles = made_of(w.rng, truth.registers, min(w.count, MEMBERS))
        w.read[slot] = [SignedReadings(slot, SLOT, list(truth.registers), signer)]
        count = min(w.count, MEMBERS)
        silent = [i for i in range(count) if w.rng.random() < 0.15]
        others = [i for i in range(count) if i not in silent]
        if others:  # their records come too late, or never
            as_traded(truth, silent, others)
        for i in range(count):
            late = bool(truth.marks[i] & SUBSTITUTED)
            if not late or w.rng.random() < 0.5:
                wait = SLOT // WAIT
                when = (slot + 1) * SLOT + (wait + w.rng.randrange(SLOT) if late else w.rng.randrange(wait))
                truth.records[i] = [seen(slot, i, when, signer)]

    # -- what the rule book says

    def act(self) -> None:
        """Do what is due: commit, propose, finalise."""
        w = self.w
        if w.ended or w.operator_now.key is None:
            return
        honest = w.office_is_honest
        if int(w.c.read("bond")) < PENALTY and (honest or w.rng.random() < 0.5):
            w.call(w.operator_now, w.c, "fundBond", 3 * PENALTY)
        if w.lazy and w.rng.random() < 0.5 and self.net(forged=False):
            w.asleep_until = max(w.asleep_until, w.now + WINDOW)
            return
        if not honest and w.rng.random() < 0.3:
            self.take_back()
        for slot in self.waiting():
            if not honest and w.rng.random() < 0.3:
                continue
            if not self.commit(slot, forged=not honest and w.rng.random() < 0.4):
                return
        self.net(forged=not honest and w.rng.random() < 0.5)

    def take_back(self) -> None:
        """Take back the last commitment of what is proposed, or of the newest period."""
        w = self.w
        periods = [number for number, chain in w.chains.items() if number > w.settled and chain]
        if periods:
            period = w.proposal.period if w.proposal else max(periods)
            w.call(w.operator_now, w.c, "retract", w.opening(w.chains[period][-1]).content)

    def waiting(self) -> list[int]:
        """Slots that are over and not committed, in order; of periods that can still be."""
        w = self.w
        over = [
            slot for slot in w.truths if (slot + 1) * SLOT <= w.now and slot // SLOTS > w.settled and slot in w.read
        ]
        pending = w.proposal.period if w.proposal else 0
        found = []
        for slot in sorted(over):
            chain = w.chains.get(slot // SLOTS, [])
            last = chain[-1].made.slot if chain else 0
            newest = max((number for number, some in w.chains.items() if some), default=0)
            reachable = chain or slot // SLOTS >= newest or slot // SLOTS in w.chains
            if slot > last and slot // SLOTS != pending and reachable:
                found.append(slot)
        return found

    def commit(self, slot: int, *, forged: bool) -> bool:
        """Commit a slot as the books are, or changed."""
        w, truth = self.w, self.w.truths[slot]
        chain = w.chains.get(slot // SLOTS, [])
        before = chain[-1] if chain else None
        self.attempts += 1
        draft = Draft.of(truth, before, max(w.count, len(before.books[0]) if before else 0))
        try:
            if forged:
                for _ in range(w.rng.choice([1, 1, 2])):
                    change(w.rng, draft)
            made = draft.commit(truth, before, w.operator_now, self.attempts)
        except (ValueError, IndexError, OverflowError, CertificateError):  # no tree can say that
            return False
        return self.bring(made)

    def bring(self, made: Committed) -> bool:
        """Send a commitment."""
        w = self.w
        w.bringing = made
        reason = w.call(w.operator_now, w.c, "commitSlot", *made.made.content)
        w.bringing = None
        if reason is not None and w.office_is_honest:
            w.hold(made.by not in w.operators, f"an honest operator can commit: {reason}")
        return reason is None

    def opaque(self, content: tuple[Any, ...], who: Person) -> Committed:
        """A commitment of anything, behind which nobody has a tree."""
        slot, w = content[0] % 2**64, self.w
        chain = w.chains.get(slot // SLOTS, [])
        before = chain[-1] if chain else None
        accepted: list[list[SignedOrder]] = [[] for _ in range(MEMBERS)]
        receipts: list[list[Receipt]] = [[] for _ in range(MEMBERS)]
        truth = SlotTruth(slot, accepted, receipts, [Fills()] * MEMBERS, np.zeros((MEMBERS, 4), np.int64))
        made = Draft.of(w.truths.get(slot, truth), before, MEMBERS).commit(truth, before, who, 0)
        return replace(made, made=Commitment.of(*content), is_opaque=True)

    def net(self, *, forged: bool) -> bool:
        """Finalise what was proposed, or propose the oldest open period. True if it was proposed now."""
        w = self.w
        if w.proposal:
            self.due_finalise()
            return False
        periods = sorted(number for number, chain in w.chains.items() if number > w.settled and chain)
        if not periods or w.now < (periods[0] + 1) * SLOT * SLOTS:
            return False
        nets = self.nets(w.chains[periods[0]][-1])
        if forged:
            some = {0, w.count - 1, w.rng.randrange(w.count), w.rng.randrange(PLACES)}
            one, two = w.rng.sample(sorted(some), 2)
            nets = [*nets, *[0] * (PLACES - len(nets))]
            amount = w.rng.choice([1, 100, 1_000])
            nets[one] -= amount
            nets[two] += amount
        lanes = 4 * words_for(w.count)
        words = encode_nets([*nets, *[0] * lanes][:lanes])
        reason = w.call(w.operator_now, w.c, "propose", periods[0], 0, words)
        if reason == OVERDRAFT and w.office_is_honest:
            self.carry(nets)
            w.call(w.operator_now, w.c, "propose", periods[0], 0, words)
        if w.proposal:
            self.due_finalise()
        return w.proposal is not None

    def nets(self, record: Committed) -> list[int]:
        """Net amounts of a period as its last commitment has them."""
        money = record.books[0]
        return [int(row[1] - row[0]) for row in money]

    def due_finalise(self) -> None:
        """Come back when the window is over; take back what cannot be paid."""
        w = self.w
        ready = int(w.c.read("proposal")[1])
        if ready > w.now:
            w.due(ready, self.act)
            return
        assert w.proposal
        w.call(w.operator_now, w.c, "finalise", w.rng.choice([1, PART_WORDS]))
        if w.proposal:  # the next part, later
            w.due(w.now + 1 + w.rng.randrange(SLOT), self.act)

    def carry(self, nets: list[int]) -> None:
        """Pay in for who would be overdrawn: the operator carries the credit of trades that it accepted."""
        w = self.w
        for i, net in enumerate(nets[: w.count]):
            short = -net - int(w.c.read("balanceOf", w.members[i].address))
            if short > 0:
                w.call(w.operator_now, w.c, "depositFor", w.members[i].address, short)

    # -- answers

    def demanded(self, arguments: tuple[Any, ...]) -> None:
        """A member asked for its place."""
        shown, index = arguments
        record = next((one for one in self.w.all if self.w.opening(one).content[:2] == shown[:2]), None)
        if record is not None:
            self.w.due(self.w.now + 1 + self.w.rng.randrange(REACTION), lambda: self.answer(record, index))

    def answer(self, record: Committed, index: int) -> None:
        """Show leaf, orders and trades."""
        w = self.w
        if not w.office_is_honest:
            for _ in range(4):  # whatever may pass for an answer
                some = w.rng.choice([record, record, w.all[-1]])
                arguments = list(self.content(some, index))
                if w.rng.random() < 0.5:
                    arguments[2] = []
                if w.call(w.operator_now, w.demands, "answer", *arguments) is None:
                    break
        elif w.demands.read("demands", index)[0] == Opening(record.previous, record.made, ()).head:
            w.must(
                w.operator_now, w.demands, "answer", *self.content(record, index), rule="an honest operator can answer"
            )

    def content(self, record: Committed, index: int) -> tuple[Any, ...]:
        """Arguments of an answer."""
        shown = evidence.shown(index, record.leaf(index), record.own.proof(index))
        known = index < len(record.fills)
        trade = evidence.trade(record.accepted[index] if known else [], record.fills[index] if known else Fills())
        return (self.w.opening(record).content, shown, *trade)
