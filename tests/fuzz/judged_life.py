"""What a life of the settlement shares with its judge: commitments, evidence, and what a conviction takes back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace

from eth_hash.auto import keccak

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from tests.strategies import leaves_of
from tests.twins.settlement import SettlementTwin
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.history import opening
from transactive.chain.twins import disputes
from transactive.chain.twins.refusals import refusals
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree

SLOT, SLOTS, WINDOW, DEPTH = 900, 4, 600, 4
PERIOD = SLOT * SLOTS
LEAD = 1
NOTICE = PERIOD + (LEAD + 1) * SLOT + WINDOW
SILENCE, PENALTY = 2 * NOTICE, 1_001
MEMBERS = 2 ** (DEPTH - 1) - 1
FIRST = 400_000
WALLET = 2**80
FLAWS = ("none", "none", "none", "header", "proof")

refuse_unless = refusals("settlement")
judge_unless = refusals("disputes")


@dataclass(frozen=True, slots=True)
class Committed:
    """A commitment that counts, its tree and the running totals in it."""

    made: Commitment
    tree: SlotTree
    totals: list[list[int]]


Taken = tuple[Opening, SlotTree]
"""Last commitment of a period when something was taken back, and its tree."""


class JudgedLife(Life):
    """A settlement whose commitments and nettings are challenged, by right and out of nothing."""

    twin: SettlementTwin
    judge: Bound
    operator: Person
    named: bool
    """Whether the settlement knows its judge."""
    chains: dict[int, list[Committed]]
    taken: list[Taken]

    @abstractmethod
    def only(self, role: str, who: str) -> None:
        """Refuse everybody but who holds a role."""

    @abstractmethod
    def as_role(self, role: str) -> Person:
        """Who holds a role."""

    def name_judge(self) -> Call:
        account = self.rng.choice([self.judge.address] * 3 + [NOBODY]) if not self.named else self.operator.address

        def mirror(by: str) -> None:
            self.only("owner", by)
            refuse_unless(not self.named and account != NOBODY, "judge is fixed")
            self.named = True

        return Call(self.as_role("owner"), "setDisputes", (account,), mirror)

    def challenge(self) -> Call:
        """A leaf of a period's last slot against the netting, pending or taken back."""
        rng, twin = self.rng, self.twin
        i, flaw = rng.randrange(MEMBERS), rng.choice(FLAWS)
        chain = self.chains.get(twin.proposal.period) or self.known()
        last, tree = self.opening(chain, -1), chain[-1].tree
        if self.taken and rng.random() < 0.4:
            last, tree = rng.choice(self.taken[-4:])
        proof = tree.proof(i)
        if flaw == "header":
            last = replace(last, previous=tree.root)
        elif flaw == "proof":
            proof = proof[:-1]
        shown, leaf = evidence.shown(i, tree.leaf(i), proof), tree.leaf(i)

        def mirror(by: str) -> None:
            period = last.commitment.slot // SLOTS
            current = self.chains.get(period, [])
            pending = twin.proposal.period == period and bool(current) and last == self.opening(current, -1)
            pending = pending and not twin.proposal.applied
            undone = twin.undone.get(last.head)
            counts = undone is not None and self.now < undone.until
            nets = twin.proposal.nets_n if pending else undone.nets_n if undone and counts else ()
            judge_unless(i < len(nets), "nothing proposed")
            judge_unless(flaw != "proof", "bad proof")
            limit = twin.limit(i, period)
            judge_unless(disputes.wrong_net(leaf, nets[i], limit), "no fraud shown")
            refuse_unless(self.named, "not the judge")
            if disputes.wrong_net(leaf, nets[i], None):
                twin.convict_netting(by, self.now, None if pending else last.head)
            else:
                self.convicted(last, by)

        arguments = (last.content, shown)
        return Call(rng.choice(self.people), "challengeNetting", arguments, mirror, on=self.judge)

    def challenge_leaf(self) -> Call:
        """A place of any tree; what is shown is wrong where the committed totals are, or a member is missing."""
        rng = self.rng
        chain = rng.choice(list(self.chains.values())) or self.known() if self.chains else self.known()
        at = rng.randrange(len(chain))
        false = [k for k, one in enumerate(chain) if one.made.money != one.tree.money]
        if false and rng.random() < 0.5:
            at = rng.choice(false)
        shown_at, tree, i = self.opening(chain, at), chain[at].tree, rng.randrange(MEMBERS)
        if self.taken and rng.random() < 0.3:
            shown_at, tree = rng.choice(self.taken[-4:])
        flaw = rng.choice(FLAWS)
        if flaw == "header":
            shown_at = replace(shown_at, previous=tree.root)
        proof = tree.proof(i)[:-1] if flaw == "proof" else tree.proof(i)
        made = shown_at.commitment

        def mirror(by: str) -> None:
            judge_unless(flaw != "proof", "bad proof")
            wrong = disputes.wrong_leaf(made, i, tree.leaf(i), proof, registered=True)
            judge_unless(wrong, "no fraud shown")
            refuse_unless(self.named, "not the judge")
            self.convicted(shown_at, by)

        arguments = (shown_at.content, evidence.shown(i, tree.leaf(i), proof))
        return Call(rng.choice(self.people), "challengeLeaf", arguments, mirror, on=self.judge)

    def convicted(self, shown: Opening, by: str) -> None:
        """What the settlement does with a commitment that was shown to be wrong."""
        twin, slot = self.twin, shown.commitment.slot
        current = self.chains.get(slot // SLOTS, [])
        known = [one.made.slot for one in current]
        counts = slot in known and self.opening(current, known.index(slot)) == shown
        head = shown.head
        for later in shown.later:
            head = keccak(head + later)
        if not counts and head in twin.undone:
            twin.convict_undone(slot, by, self.now, head)
            return
        twin.refuse_unless_open(slot // SLOTS)
        refuse_unless(counts, "other slot")
        self.rewound(slot, lambda: twin.convict(slot, by, self.now))

    def known(self) -> list[Committed]:
        """A chain of one commitment that nobody made, for evidence out of nothing."""
        totals = [[0] * 4 for _ in range(MEMBERS)]
        tree = SlotTree(leaves_of(FIRST * SLOTS, totals), DEPTH, b"fuzz")
        return [Committed(Commitment(FIRST * SLOTS, tree.root, ZERO, tree.money, tree.energy, 0), tree, totals)]

    def opening(self, chain: list[Committed], position: int) -> Opening:
        """Opening of a commitment of a period."""
        return opening([one.made for one in chain], position, SLOTS)

    def rewound(self, slot: int, how: Callable[[], None]) -> None:
        """Take back the commitments of a period from a slot on."""
        how()
        period = slot // SLOTS
        self.chains[period] = [one for one in self.chains[period] if one.made.slot < slot]
