"""A settlement whose totals are asked about: its periods go by, some slots are missing, some leaves are substituted."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.contract.world import DEPTH, LEAD, NOTICE, PERIOD, SILENCE, SLOT, SLOTS, WINDOW, Book
from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.echo import Echo
from tests.fuzz.machine import Machine
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.history import opening
from transactive.chain.packing import encode_nets
from transactive.core.proofs.leaves import LeafMark

START = 400_000
PLENTY = 2**90
MEMBERS = 6
NOTHING = Opening(bytes(32), Commitment(0, bytes(32), bytes(32), 0, 0, 0), ())


class AskedSettlement:
    """A real settlement on a machine, whose operator is honest; `turn` lets a period be committed and become final."""

    def __init__(self, machine: Machine, rng: random.Random, owner: Person, operator: Person, members: list[Person]):
        """In half of all lives the currency is hostile, and the last member itself."""
        self.machine, self.rng, self.owner, self.operator = machine, rng, owner, operator
        self.echo = Echo(machine, owner.address) if rng.random() < 0.5 else None
        if self.echo:
            self.token = self.echo.bound
            members[-1] = self.echo.person
        else:
            self.token = Bound.deploy(machine, owner.address, "currency", "Test", "TST", 2**100)
            self.token.do(owner.address, "setMinter", owner.address, True)  # noqa: FBT003 - as the contract takes it
        clock = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, 0, owner.address, LEAD, NOBODY)
        self.c = Bound.deploy(machine, owner.address, "settlement", self.token.address, *clock)
        self.c.do(owner.address, "offerOperator", operator.address)
        self.c.do(operator.address, "acceptOperator")
        self.places = {member.address: place for place, member in enumerate(members)}
        for member in members:
            self.c.do(operator.address, "register", member.address)
        self.period = START
        self.made: list[Opening] = []

    def fund(self, people: Sequence[Person], spender: str) -> dict[str, int]:
        """Give everybody plenty that a contract may take; what each wallet has."""
        for person in people:
            self.token.do(self.owner.address, "mint", person.address, PLENTY)
            if not self.echo:
                self.token.do(person.address, "approve", spender, 2**255)
        return dict.fromkeys((person.address for person in people), PLENTY)

    def is_final(self, found: Opening) -> bool:
        """Whether a commitment is one that was made, and final."""
        return found in self.made

    def turn(self) -> int:
        """Commit the period that is next, with whatever is metered in it; the time when it is final."""
        rng, book, by = self.rng, Book(MEMBERS), self.operator.address
        chain: list[Commitment] = []
        for place in range(SLOTS):
            for member in range(MEMBERS):
                for lane in range(3):
                    book.add(member, lane, rng.choice([0, 1, 40, 300]), energy=True)
                if rng.random() < 0.1:
                    book.marks[member] = int(LeafMark.SUBSTITUTED)
            if rng.random() < 0.05 and chain:
                continue  # a slot that is not committed by itself: its energy counts in the next one
            slot = self.period * SLOTS + place
            tree = book.tree(slot)
            stated = tree.leaves.stated + (rng.choice([0, 0, 0, 0, 0, 0, 0, 5, 400 << 64]) if rng.random() < 0.3 else 0)
            one = Commitment(slot, tree.root, bytes(32), tree.money, tree.energy, 0, stated)
            self.machine.at = max(self.machine.at, (slot + 1) * SLOT)
            self.c.do(by, "commitSlot", *one.content)
            chain.append(one)
            book.begin()
        self.machine.at = max(self.machine.at, (self.period + 1) * PERIOD)
        self.c.do(by, "propose", self.period, 0, encode_nets([0] * (MEMBERS + -MEMBERS % 4)))
        self.machine.at += WINDOW
        self.c.do(by, "finalise", 256)
        self.made += [opening(chain, place, SLOTS) for place in range(len(chain))]
        self.period += 1
        return self.machine.at

    def opening_of(self, slot: int) -> Opening:
        """The commitment of a slot; any other one, or a false one, if there is none, and sometimes in its place."""
        rng = self.rng
        found = [one for one in self.made[-3 * SLOTS :] if one.commitment.slot == slot]
        if found and rng.random() < 0.95:
            return found[0]
        if not self.made:
            return NOTHING
        other = rng.choice(self.made[-2 * SLOTS :])
        if rng.random() < 0.5:
            return other
        c = other.commitment
        return Opening(
            other.previous,
            Commitment(c.slot, c.root, c.certificates, c.money, c.energy, 0, c.substituted + 1),
            other.later,
        )
