"""A life of the governor: members come and go, propose, second, vote in every way, and execute what they decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.world import DEPTH, LEAD, NOTICE, SILENCE, SLOT, SLOTS, WINDOW
from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from tests.fuzz.rules_life import BOUNDS
from tests.twins.governor import DAY, EXECUTED, OPEN, OWN_TURN, GovernorTwin, Kind
from tests.twins.rules import RulesTwin
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.twins.registry import ALL_ROLES, RegistryTwin
from transactive.core.errors import ContractRevert
from transactive.core.governance.ballots import Ballot, SignedBallot

MEMBERS, SUPPLIER, NEW = 6, 6, 3
DELAY = NOTICE + WINDOW
LEAVING = NOTICE + WINDOW + SLOT * (SLOTS + LEAD + 1)
RULES_LEAD = 3_600
VALUES = [30_000, 0, 5]


@dataclass(frozen=True)
class Proposed:
    """What was proposed: kind, actions, document, and what the actions do to the twins."""

    kind: int
    actions: tuple[tuple[str, bytes], ...]
    document: bytes
    acts: tuple[Callable[[], None], ...]

    @property
    def content(self) -> tuple[int, tuple[tuple[str, bytes], ...], bytes]:
        """All that is voted on."""
        return self.kind, self.actions, self.document


class GovernorLife(Life):
    """Six members and a supplier, three that come later; terms so short that votes end within a life."""

    contract = "governor"

    def begin(self) -> Bound:
        rng, machine = self.rng, self.machine
        self.now = 1_600_000_000
        names = ("owner", "registrar", "guardian", "candidate", "stranger")
        self.owner, self.registrar, self.guardian, *rest = map(Person.named, names)
        self.holders = [Person.named("member", i) for i in range(MEMBERS + 1 + NEW)]
        self.spare = [Person.named("new", 50 + i) for i in range(3)]
        self.people = [self.owner, self.registrar, self.guardian, *rest, *self.holders, *self.spare]
        by = self.owner.address
        machine.at = self.now
        self.registry = Bound.deploy(machine, by, "registry", DELAY)
        self.members = RegistryTwin(owner=by, registrar=self.registrar.address, operator=NOBODY, delay=DELAY)
        self.registry.do(by, "setRegistrar", self.registrar.address)
        for index in range(MEMBERS + 1):
            account, roles = self.holders[index].address, 0 if index == SUPPLIER else ALL_ROLES
            self.registry.do(self.registrar.address, "register", account, roles)
            self.members.register(self.registrar.address, account, roles)
        clock = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, 0, by, LEAD, self.registry.address)
        self.settlement = Bound.deploy(machine, by, "settlement", self.registry.address, *clock)
        self.rules = Bound.deploy(machine, by, "rules", RULES_LEAD, BOUNDS, VALUES, bytes(32))
        self.season, self.quiet, self.grace = rng.choice([DAY, 5 * DAY]), DAY // 4, 5 * DAY
        kinds = [Kind(rng.choice([0, 1, 2]), DAY, 120_000, 500_000, 0), Kind(1, 2 * DAY, 250_000, 666_667, DAY)]
        addresses = (self.registry.address, self.settlement.address, self.rules.address, self.guardian.address)
        times = self.season, self.quiet, self.grace
        c = Bound.deploy(machine, by, "governor", *addresses, *times, *(kind.content for kind in kinds), [SUPPLIER])
        self.rules.do(by, "setGovernor", c.address)
        self.numbers = RulesTwin(c.address, RULES_LEAD, BOUNDS, VALUES, bytes(32))
        self.twin = GovernorTwin(
            self.members, times, kinds, [SUPPLIER], self.now, guardian=self.guardian.address, own=c.address,
            rules=self.rules.address, leaving=LEAVING,
        )  # fmt: skip
        self.made_of: list[Proposed] = []
        return c

    # -- who

    def at(self, address: str) -> Person:
        return next((person for person in self.people if person.address == address), self.owner)

    def holder(self, index: int) -> Person:
        return self.at(self.twin.account(index))

    def index(self) -> int:
        return self.rng.randrange(len(self.members.members) + 1)

    def number(self) -> int:
        """A proposal, mostly one of the last."""
        return max(len(self.made_of) - self.rng.choice([0, 1, 1, 1, 2, 2, 3]), 0)

    # -- what

    def move(self) -> Call | None:
        rng = self.rng
        self.now += rng.choice([0, 0, 0, 1, 60, 60, DAY // 24])
        moves = [self.register, self.elector, self.leave, self.stop, self.direct]
        moves += [self.propose] * 4 + [self.execute] * 2 + [self.second] * 4 + [self.vote] * 6 + [self.cast] * 4
        return rng.choice(moves)()

    def register(self) -> Call | None:
        """The registrar's acts, and what keys that were lost come to."""
        rng, twin, by, on = self.rng, self.members, self.registrar, self.registry
        index, kind = (
            self.index(),
            rng.choice(["register", "roles", "suspend", "readmit", "readmit", "start", "finish", "finish"]),
        )
        if kind == "register":
            account = rng.choice([*self.holders, *self.spare]).address
            return Call(by, "register", (account, ALL_ROLES), lambda w: twin.register(w, account, ALL_ROLES), on=on)
        if kind == "roles":
            roles = rng.choice([0, 1, 7, 7, 7])
            return Call(by, "setRoles", (index, roles), lambda w: twin.set_roles(w, index, roles), on=on)
        if kind == "suspend":
            return Call(by, "suspend", (index,), lambda w: twin.suspend(w, index), on=on)
        if kind == "readmit":
            return Call(by, "readmit", (index,), lambda w: twin.readmit(w, index), on=on)
        candidate = rng.choice(self.spare).address
        if kind == "start":
            start = (index, candidate)
            return Call(by, "startRecovery", start, lambda w: twin.start_recovery(w, *start, self.now), on=on)
        if not twin.recoveries:
            return None
        index = rng.choice(sorted(twin.recoveries))
        taker = self.at(twin.recoveries[index][0])
        return Call(taker, "finishRecovery", (index,), lambda w: twin.finish_recovery(w, index, self.now), on=on)

    def elector(self) -> Call:
        rng, twin, index = self.rng, self.twin, self.index()
        kind = rng.choice(["proxy", "proxy", "stay", "checkpoint"])
        if kind == "checkpoint":
            return Call(rng.choice(self.people), "checkpoint", (), lambda _: twin.checkpoint(self.now))
        if kind == "stay":
            return Call(self.holder(index), "stay", (index,), lambda who: twin.stay(who, index))
        proxy = rng.choice([index, self.index(), 0, 1])
        return Call(self.holder(index), "setProxy", (index, proxy), lambda who: twin.set_proxy(who, index, proxy))

    def leave(self) -> Call:
        """Mostly of those whom the registry has taken the roles of, so that electors remain."""
        rng, index = self.rng, self.rng.choice([self.index(), SUPPLIER, SUPPLIER + 1])
        rolesless = [number for number, member in enumerate(self.members.members) if not member.roles]
        index = rng.choice(rolesless) if rolesless and rng.random() < 0.7 else index
        who = self.holder(index) if rng.random() < 0.05 else rng.choice([self.registrar, self.guardian, self.owner])
        return Call(who, "leave", (index,), lambda by: self.twin.leave(by, index, self.now))

    def actions(self) -> Proposed:
        """Something to decide: of the rules, of the governor itself, or of both; also what will be refused."""
        rng, twin, kind = self.rng, self.twin, self.rng.choice([0, 0, 1, 1, 2])
        own, document = self.c.address, rng.randbytes(32)
        rule, amount = rng.randrange(3), rng.choice([0, 5, 26_000, 33_000])
        since = self.now + rng.choice([DAY, 20 * DAY, 20 * DAY])
        guardian = rng.choice([self.guardian, *self.holders]).address
        terms = Kind(rng.choice([0, 1, 101]), rng.choice([DAY, DAY // 5]), 120_000, 500_000, 0)
        choices: list[tuple[Bound, str, tuple[object, ...], Callable[[], None]]] = [
            (self.rules, "setRule", (rule, amount, since),
             lambda: self.numbers.set_rule(own, rule, amount, since, self.now)),
            (self.c, "setGuardian", (guardian,), lambda: twin.set_guardian(own, guardian)),
            (self.c, "setKind", (0, terms.content), lambda: twin.set_kind(own, 0, terms)),
            (self.c, "setRules", (self.rules.address,), lambda: twin.set_rules(own, self.rules.address)),
        ]  # fmt: skip
        on, function, arguments, act = rng.choice([choices[0]] * 3 + choices)
        made = [(on.address, on.data(function, arguments))]
        if rng.random() < 0.3:  # beside it something that nothing refuses
            made.append((self.c.address, self.c.data("checkpoint", ())))
            return Proposed(kind, tuple(made), document, (act, lambda: twin.checkpoint(self.now)))
        return Proposed(kind, tuple(made), document, (act,))

    def propose(self) -> Call:
        rng, made = self.rng, self.actions()
        if rng.random() < 0.05:
            made = Proposed(made.kind, (), made.document, ())
        targets = [target for target, _ in made.actions]

        def mirror(who: str) -> None:
            self.twin.propose(who, made.kind, targets, made.content, self.now)
            self.made_of.append(made)

        who = self.holder(rng.randrange(MEMBERS))
        return Call(who, "propose", (made.kind, list(made.actions), made.document), mirror)

    def second(self) -> Call:
        number = self.number()
        return Call(
            self.holder(self.rng.randrange(MEMBERS)),
            "second",
            (number,),
            lambda who: self.twin.second(who, number, self.now),
        )

    def vote(self) -> Call:
        rng, twin, number, index = self.rng, self.twin, self.number(), self.index()
        proxy = twin.proxy_of.get(index)
        who = self.holder(index if proxy is None or rng.random() < 0.5 else proxy)
        support = rng.choice([1, 1, 1, 1, 2, 3, 0, 4])
        arguments = (number, index, support)
        return Call(who, "vote", arguments, lambda by: twin.vote(by, *arguments, self.now))

    def cast(self) -> Call:
        """Signed ballots, some of them for another contract or proposal, or of somebody else."""
        rng, number = self.rng, self.number()
        content = bytes(self.c.read("contents", number))
        ballots, meant = [], []
        for _ in range(rng.choice([1, 3, 8])):
            index, support, turn = self.index(), rng.choice([1, 1, 1, 2, 3, 0]), rng.choice([1, 1, 2, 5, 62, 0, 63])
            signer = self.holder(index) if rng.random() < 0.8 else rng.choice(self.people)
            wrong = rng.choice(["contract", "content", "number"]) if rng.random() < 0.1 else ""
            ballot = Ballot(
                number + (wrong == "number"), rng.randbytes(32) if wrong == "content" else content, index, support, turn
            )
            assert signer.key
            where = CHAIN_ID, self.rules.address if wrong == "contract" else self.c.address
            signed = ballot.signed(bytes(signer.key.key), *where)
            ballots.append(SignedBallot(ballot, signed.signature).content)
            meant.append((index, support, turn, "" if wrong else signer.address))
        by = rng.choice(self.people)
        return Call(by, "castMany", (number, ballots), lambda _: self.twin.cast(number, meant, self.now))

    def stop(self) -> Call:
        number = self.number()
        return Call(self.at(self.twin.guardian), "stop", (number,), lambda who: self.twin.stop(who, number, self.now))

    def execute(self) -> Call | None:
        """Of a vote that is over: sometimes before its day, or something else than was voted on."""
        rng, twin = self.rng, self.twin
        over = [number for number, p in enumerate(twin.proposals) if p.leads and not p.flags & EXECUTED]
        if not over or rng.random() < 0.1:
            number = self.number()
        else:
            number = rng.choice(over)
            due = twin.due(twin.proposals[number])
            if self.now < due and rng.random() < 0.1:
                self.now = due - rng.choice([0, 0, 0, 1])
        if number >= len(self.made_of):
            return None
        made = self.made_of[number]
        said = made if rng.random() < 0.9 else rng.choice(self.made_of)

        def mirror(_: str) -> None:
            twin.execute(number, said.content, said.acts, self.now)

        return Call(rng.choice(self.people), "execute", (number, list(said.actions), said.document), mirror)

    def direct(self) -> Call:
        """What nobody may call but the governor itself, and ownership that nobody offered."""
        rng, twin, who = self.rng, self.twin, self.rng.choice(self.people)
        kind, terms = rng.choice(["setKind", "setGuardian", "setRules", "acceptOwnership"]), Kind(0, 1, 1, 1, 1)
        if kind == "setKind":
            return Call(who, kind, (0, terms.content), lambda by: twin.set_kind(by, 0, terms))
        if kind == "acceptOwnership":
            if self.settlement.read("owner") == self.owner.address:
                self.machine.at = self.now
                self.settlement.do(self.owner.address, "offerOwnership", self.c.address)
            there = self.settlement
            return Call(who, kind, (there.address,), lambda _: offered(there.read("pendingOwner") == self.c.address))
        call = twin.set_guardian if kind == "setGuardian" else twin.set_rules
        return Call(who, kind, (who.address,), lambda by: call(by, who.address))

    # -- what is the same

    def check(self) -> None:
        twin, c = self.twin, self.c
        self.equal("proposals counted", c.read("count"), len(twin.proposals))
        self.equal("electors", c.read("electors"), twin.electors)
        self.equal("guardian", c.read("guardian"), twin.guardian)
        for number, p in list(enumerate(twin.proposals))[-4:]:
            self.equal("a proposal's course", tuple(c.read("proposals", number)), p.course)
            self.equal("whether it has passed", c.read("hasPassed", number), twin.has_passed(p, self.machine.at))
            if p.flags & OPEN:
                self.equal("when it is due", c.read("dueAt", number), twin.due(p))
            for index in range(len(self.members.members)):
                self.equal("a vote", tuple(c.read("voteOf", number, index)), p.votes.get(index, (0, 0)))
        for index in range(len(self.members.members)):
            self.equal("an elector", c.read("isElector", index), twin.is_elector(index))
            self.equal("a proxy", c.read("proxyOf", index), twin.proxy_of.get(index, -1) + 1)
            represented = list(twin.proxy_of.values()).count(index)
            self.equal("how many it represents", c.read("represented", index), represented)
            self.equal("represented, at most two", min(represented, 2), represented)
        for rule in range(len(BOUNDS)):
            self.equal("a rule", tuple(self.rules.read("rules", rule)), self.numbers.rules[rule])
        turns = {turn for p in twin.proposals for _, turn in p.votes.values()}
        self.equal("turns beyond the last", turns - set(range(OWN_TURN + 1)), set())


def offered(there: bool) -> None:
    """A settlement gives itself only to whom it was offered."""
    if not there:
        raise ContractRevert("settlement: not the candidate")
