"""A settlement with its judges and rooted certificates, its people, and what has happened there so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.certificate_world import VALIDITY
from tests.fuzz.adversary.coalition import Coalition
from tests.fuzz.adversary.commits import Committed
from tests.fuzz.adversary.habits import Habits, Permit
from tests.fuzz.adversary.operator import Operator
from tests.fuzz.adversary.rules import Rules
from tests.fuzz.adversary.slots import MEMBERS, Seen, SignedReadings, SlotTruth
from tests.fuzz.adversary.stage import Stage
from tests.fuzz.adversary.terms import (
    BOND,
    DEPOSIT,
    DEPTH,
    FIRST,
    LEAD,
    NOTICE,
    PENALTY,
    PERIOD,
    REACTION,
    SILENCE,
    SLOT,
    SLOTS,
    UNLIMITED,
    WALLET,
    WINDOW,
)
from tests.fuzz.adversary.watchers import Watchers
from tests.fuzz.bound import NOBODY, Bound, Person
from transactive.chain.commitments import Opening
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import domain


@dataclass(slots=True, eq=False)
class TakenBack:
    """What a retraction or a veto took away, each commitment with the opening it had; chunks that fell with it."""

    until: int
    openings: list[tuple[Committed, Opening]]
    chunks: list[list[int]] | None
    by_honest: bool
    settled: bool = False
    """Whether somebody has shown a fraud in it."""


@dataclass(slots=True)
class Proposal:
    """Net amounts that wait."""

    period: int
    chunks: list[list[int]]
    by: Person
    at: int
    seen: bool = False


@dataclass(slots=True)
class Money:
    """What is known of money without asking: by member, wallet and permits; and the stake."""

    wallets: dict[str, int]
    bond: int = 0
    permits: list[Permit] = field(default_factory=list)
    used: dict[int, int] = field(default_factory=dict)
    """Permits by number in `permits`: how often they have paid in."""


class Community(Stage):
    """Six members and two who join, slots of orders and readings, nettings, certificates, and whoever is dishonest."""

    contract = "roles_of_settlement"
    roles = ("member", "operator", "gateway", "owner", "arbiter", "stranger")
    often = "operator"
    steps = (1, 20, REACTION, SLOT // 2, SLOT, SLOT, PERIOD)

    def begin(self) -> None:
        self.now = FIRST * PERIOD - SLOT + 1
        names = ("owner", "arbiter", "stranger", "on-ramp")
        self.owner, self.arbiter, self.stranger, self.ramp = (Person.named(name) for name in names)
        self.operators = [Person("operator", key.address, key.key) for key in offices("operator")]
        self.gateways = [Person("gateway", key.address, key.key) for key in offices("gateway")]
        self.citizens = [Person.named("member", i) for i in range(MEMBERS)]
        self.members: list[Person] = []
        """By index."""
        self.asleep_until = 0
        self.lazy = self.honest("operator") and self.rng.random() < 0.5
        """Whether the operator is late: heard just before it counts as silent, after which it waits for its window."""
        self._deploy()
        self.chains: dict[int, list[Committed]] = {}
        self.taken: list[TakenBack] = []
        self.all: list[Committed] = []
        self.truths: dict[int, SlotTruth] = {}
        self.read: dict[int, list[SignedReadings]] = {}
        self.false_records: list[Seen] = []
        """What a dishonest collector has signed last."""
        self.bringing: Committed | None = None
        self.proposal: Proposal | None = None
        self.words: list[int] = []
        self.settled, self.ended, self.heard, self.after_the_end = 0, False, self.now, 0
        self.released: set[tuple[int, int]] = set()
        self.gateway_since: list[tuple[int, Person | None]] = [(0, self.gateways[0])]
        self.operator_since: list[tuple[int, Person | None]] = [(0, self.operators[0])]
        self.office_was_honest = True
        self.rules, self.watchers = Rules(self), Watchers(self)
        self.office, self.crooks, self.habits = Operator(self), Coalition(self), Habits(self)
        self.is_leaving = False
        for _ in range(3):
            self.join()
        slot = self.now // SLOT
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))

    def _deploy(self) -> None:
        by = self.owner
        self.token = self.deploy(by, "currency", "Test", "TST", 2**80)
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, self.arbiter.address, LEAD, NOBODY)
        self.c = self.deploy(by, "settlement", self.token.address, *rules)
        self.disputes = self.deploy(by, "disputes", self.c.address)
        self.demands = self.deploy(by, "demands", self.disputes.address)
        self.judge = self.deploy(by, "certificate_disputes", self.disputes.address)
        self.certificates = self.deploy(by, "certificates", self.c.address, *[False], VALIDITY, 0)
        self.domain = domain(CHAIN_ID, self.c.address)
        self.token_domain = self.token.read("DOMAIN_SEPARATOR")
        everybody = [by, self.arbiter, self.stranger, *self.operators, *self.gateways, *self.citizens]
        self.people = {person.address: person for person in everybody}
        self.c.do(by.address, "setDisputes", self.disputes.address)
        self.disputes.do(by.address, "setDemands", self.demands.address)
        self.disputes.do(by.address, "setCertificateDisputes", self.judge.address)
        self.disputes.do(by.address, "setGateway", self.gateways[0].address)
        self.c.do(by.address, "offerOperator", self.operators[0].address)
        self.c.do(self.operators[0].address, "acceptOperator")
        self.c.do(by.address, "setArbiter", self.arbiter.address)
        self.token.do(by.address, "setMinter", self.ramp.address, *[True])
        for person in everybody:
            self.token.do(self.ramp.address, "mint", person.address, WALLET)
            self.token.do(person.address, "approve", self.c.address, UNLIMITED)
        self.money = Money(dict.fromkeys(self.people, WALLET))
        self.c.do(self.operator_now.address, "fundBond", BOND)
        self.money.bond = BOND
        self.money.wallets[self.operator_now.address] -= BOND

    # -- who is who

    @property
    def operator_now(self) -> Person:
        """Who has the office."""
        return self.people[str(self.c.read("operator")).lower()]

    @property
    def office_is_honest(self) -> bool:
        """Whether who has the office keeps to the rule book."""
        return self.honest("operator") and self.operator_now in self.operators

    @property
    def arbiter_is_honest(self) -> bool:
        """Whether who may veto keeps to the rules, and is still there."""
        return self.honest("arbiter") and str(self.c.read("arbiter")).lower() == self.arbiter.address

    def two_truths(self, function: str) -> bool:
        """Whether evidence of this kind may show what a dishonest gateway signed."""
        signed = function in ("challengeReading", "challengeReceipt")
        return signed and not (self.honest("gateway") and self.honest("owner"))

    def is_honest_member(self, index: int) -> bool:
        """Whether an account is one of those that the rules protect."""
        member = self.members[index] if index < min(self.count, MEMBERS) else None
        return member in self.citizens and (member != self.citizens[0] or self.honest("member"))

    @property
    def count(self) -> int:
        """How many accounts there are."""
        return len(self.members)

    def had(self, since: list[tuple[int, Person | None]], time: int) -> Person | None:
        """Who had an office at a time; None for nobody."""
        return next(person for when, person in reversed(since) if when <= time)

    def join(self) -> None:
        """The next member comes, and pays in."""
        waiting = [one for one in self.citizens if one not in self.members]
        if not waiting:
            return
        member = waiting[0]
        if self.call(self.operator_now, self.c, "register", member.address) is None:
            self.call(member, self.c, "deposit", DEPOSIT)

    # -- a slot

    def boundary(self, slot: int) -> None:
        """A slot begins: the one before was metered, the gate of a later one closes."""
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))
        self.office.gate(slot + LEAD)
        self.office.meter(slot - 1)
        self.habits.daily()
        if self.lazy and self.now >= self.asleep_until and self.rng.random() < 0.2:
            self.asleep_until = self.rng.choice([self.now + PERIOD, self.heard + SILENCE - SLOT])
            self.due(self.asleep_until, self.office.act)
        if not self.office_is_honest and self.rng.random() < 0.01:
            self.asleep_until = self.now + 2 * SILENCE
        if self.now >= self.asleep_until:
            self.due(self.now + 1 + self.rng.randrange(REACTION), self.office.act)

    # -- what has happened

    def opening(self, record: Committed) -> Opening:
        """Opening of a commitment: as it stands, or as it was when it was taken back."""
        chain = self.chains.get(record.made.slot // SLOTS, [])
        if record in chain:
            later = tuple(one.made.hash for one in chain[chain.index(record) + 1 :])
            return Opening(record.previous, record.made, later)
        kept = (shown for group in reversed(self.taken) for one, shown in group.openings if one is record)
        return next(kept, Opening(record.previous, record.made, ()))

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if function in ("commitSlot", "propose", "retract", "veto"):
            self.heard = self.now
        follow: dict[str, Callable[[], None]] = {
            "commitSlot": lambda: self.note(self.bringing or self.office.opaque(arguments, who)),
            "register": self.joined,
            "registerMany": self.joined,
            "setGateway": lambda: self.gateway_since.append((self.now, self.people.get(arguments[0]))),
            "acceptOperator": lambda: self.operator_since.append((self.now, who)),
            "propose": lambda: self.proposed(who, *arguments),
            "finalise": self.finalised,
            "declareSilence": self.closed,
            "retract": lambda: self.taken_back(who, arguments[0]),
            "veto": lambda: self.taken_back(who, arguments[0]),
            "demand": lambda: self.office.demanded(arguments),
        }
        if function in follow:
            follow[function]()
        elif function.startswith("challenge"):
            self.convicted(arguments)
        self.office_was_honest &= self.office_is_honest
        self.rules.after(who, on, function, arguments)

    def joined(self) -> None:
        """Accounts were registered."""
        for index in range(self.count, int(self.c.read("memberCount"))):
            self.members.append(self.people[str(self.c.read("accountOf", index)).lower()])
        self.due(self.now + 1 + self.rng.randrange(REACTION), self.watchers.look)

    def proposed(self, who: Person, period: int, first: int, words: list[int]) -> None:
        """Net amounts wait for the end of their window, when all parts are there."""
        self.words = [*self.words[:first], *words]
        if self.c.read("isPending"):
            self.proposal = Proposal(period, [list(self.words)], who, self.now)
            self.due(self.now + 1 + self.rng.randrange(REACTION), self.watchers.look)

    def finalised(self) -> None:
        """Net amounts were paid, or a part of them."""
        settled = int(self.c.read("settledPeriod"))
        if settled == self.settled:
            return
        proposed, self.proposal, self.settled = self.proposal, None, settled
        assert proposed
        self.rules.netted(settled, proposed.chunks, proposed.at)
        self.due(self.now + 1, self.watchers.release)

    def closed(self) -> None:
        """The books are closed for ever."""
        self.ended, self.proposal, self.after_the_end = True, None, self.made + 50

    def note(self, record: Committed) -> None:
        """A commitment went through."""
        self.chains.setdefault(record.made.slot // SLOTS, []).append(record)
        self.all.append(record)
        self.due(self.now + 1 + self.rng.randrange(REACTION), self.watchers.look)

    def rewind(self) -> list[Committed]:
        """Drop commitments that the contract has dropped."""
        dropped: list[Committed] = []
        for period, chain in self.chains.items():
            if period > self.settled:
                head = self.c.read("heads", period)
                while chain and chain[-1].head != head:
                    dropped.append(chain.pop())
                assert chain or head == ZERO
        return dropped[::-1]

    def taken_back(self, who: Person, shown: Any) -> None:
        """Commitments, and a netting of their period, count no more, without a conviction."""
        period = shown[1][0] % 2**64 // SLOTS
        chain = self.chains[period]
        openings = [(record, self.opening(record)) for record in chain]
        dropped = self.rewind()
        kept = [(record, shown) for record, shown in openings if record in dropped]
        honest = all(record.by in self.operators for record in dropped) and self.honest("operator")
        fell = self.proposal if self.proposal and self.proposal.period == period else None
        self.taken.append(TakenBack(self.now + WINDOW, kept, fell.chunks if fell else None, honest))
        if fell:
            self.proposal = None
        self.due(self.now + 1 + self.rng.randrange(REACTION), self.watchers.look)
        if not self.lazy or self.now >= self.asleep_until:
            self.due(self.now + 1 + self.rng.randrange(REACTION), self.office.act)

    def convicted(self, arguments: tuple[Any, ...]) -> None:
        """A judge found a fraud."""
        if self.proposal and not self.c.read("isPending"):
            self.proposal = None
        if not self.rewind():
            shown = arguments[0]
            for group in self.taken:
                if any(opening.content == shown for _, opening in group.openings):
                    group.settled = True
        self.due(self.now + 1 + self.rng.randrange(REACTION), self.office.act)

    # -- the end

    @property
    def is_over(self) -> bool:
        return self.ended and self.made > self.after_the_end

    def mischief(self) -> None:
        self.crooks.act()

    def leave(self) -> None:
        """Every honest member takes out all that is settled, within the notice."""
        self.is_leaving = True
        self.rules.everybody_leaves()


def offices(role: str) -> list[Person]:
    """Keys that have an office one after the other."""
    return [Person.named(role), *(Person.named(f"{role} {number}") for number in range(1, 5))]
