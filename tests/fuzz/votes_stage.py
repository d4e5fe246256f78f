"""Members who decide through a governor, when the registrar, the guardian, a member or whoever brings ballots lies."""

from __future__ import annotations

from typing import Any

from tests.contract.world import DEPTH, LEAD, NOTICE, PERIOD, SILENCE, SLOT, SLOTS, WINDOW
from tests.fuzz.adversary.stage import Stage, some_bytes
from tests.fuzz.adversary.terms import REACTION
from tests.fuzz.bound import NOBODY, Bound, Person
from tests.twins.governor import DAY, EXECUTED, OPEN, Kind
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.twins.registry import ALL_ROLES
from transactive.core.governance.ballots import Ballot

MEMBERS, SUPPLIER = 7, 7
LIAR = 0
"""Index of the member that may be dishonest."""
SEASON, QUIET, GRACE = 120 * DAY, DAY // 4, 5 * DAY
ORDINARY, BASIC = Kind(1, DAY, 200_000, 500_000, 0), Kind(2, 2 * DAY, 250_000, 666_667, 0)
DELAY = 7 * DAY
LOOK = 6 * 3600
"""How often honest members look at what is proposed, and at what is said of them [s]."""
FEE, WANTED, MOST = 30_000, 29_000, 60_000
REFUSED = "what most members refuse never happens"
DECIDED = "what most members want happens"
OWNED = "the governor owns what it was given"

Action = tuple[str, bytes]


class Votes(Stage):
    """Seven members, of whom six are honest: they refuse what others propose, and want two things of their own."""

    contract = "roles_of_votes"
    roles = ("registrar", "guardian", "member", "operator", "stranger")
    often = "registrar"
    steps = (1, REACTION, DAY // 8, DAY // 2)

    def begin(self) -> None:
        self.now = 1_700_000_000 // PERIOD * PERIOD
        self.start = self.now
        names = ("owner", "registrar", "guardian", "operator", "stranger", "judge")
        self.owner, self.registrar, self.guardian, self.operator, self.stranger, self.judge = map(Person.named, names)
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        self.puppets = [Person.named("puppet", 50 + i) for i in range(8)]
        people = [self.owner, self.registrar, self.guardian, self.operator, self.stranger]
        self.people = [*people, *self.members, *self.puppets]
        by = self.owner.address
        self.registry = self.deploy(self.owner, "registry", DELAY)
        self.registry.do(by, "setRegistrar", self.registrar.address)
        for index in range(MEMBERS + 1):
            account = self.judge if index == SUPPLIER else self.members[index]
            roles = 0 if index == SUPPLIER else ALL_ROLES
            self.registry.do(self.registrar.address, "register", account.address, roles)
        clock = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, 0, by, LEAD, self.registry.address)
        self.settlement = self.deploy(self.owner, "settlement", self.registry.address, *clock)
        bounds = [(0, MOST, 5_000), (0, 4, 4)]
        self.rules = self.deploy(self.owner, "rules", PERIOD, bounds, [FEE, 0], bytes(32))
        addresses = (self.registry.address, self.settlement.address, self.rules.address, self.guardian.address)
        terms = (SEASON, QUIET, GRACE, ORDINARY.content, BASIC.content, [SUPPLIER])
        self.c = self.deploy(self.owner, "governor", *addresses, *terms)
        self.rules.do(by, "setGovernor", self.c.address)
        for owned in (self.registry, self.settlement):
            owned.do(by, "offerOwnership", self.c.address)
            self.c.do(by, "acceptOwnership", owned.address)
        self.seen: dict[int, tuple[int, list[Action], bytes]] = {}
        self.wanted: set[int] = set()
        """Proposals of honest members."""
        self.ballots: dict[int, list[Any]] = {}
        self.due(self.now + LOOK, self.look)
        self.due(self.now + LOOK, self.want)

    @property
    def is_over(self) -> bool:
        """Whom a registrar enters votes a season later: what it can do then, it is trusted not to do."""
        return self.now >= self.start + SEASON - 60 * DAY

    @property
    def honest_members(self) -> range:
        """Indices of those who keep to the rules."""
        return range(LIAR + (not self.honest("member")), MEMBERS)

    def action(self, on: Bound, function: str, *arguments: Any) -> Action:
        """A call of a proposal."""
        return on.address, on.data(function, arguments)

    # -- honest members

    def want(self) -> None:
        """One of them proposes a lower fee, or another guardian; it has to come to pass."""
        fee = len(self.wanted) % 2 == 0
        since = self.now + 40 * DAY
        change = (
            [self.action(self.rules, "setRule", 0, WANTED, since)]
            if fee
            else [self.action(self.c, "setGuardian", self.guardian.address)]
        )
        kind, document = (0 if fee else 1), some_bytes(self.rng)
        by = self.members[1 + len(self.wanted) % (MEMBERS - 1)]
        number = int(self.c.read("count"))
        self.must(by, self.c, "propose", kind, change, document, rule=DECIDED)
        self.wanted.add(number)
        self.seen[number] = kind, change, document
        self.due(self.now + 30 * DAY, self.want)

    def look(self) -> None:
        """Second what is wanted, refuse all else, stop what is said of them; bring about what was decided."""
        self.due(self.now + LOOK, self.look)
        for index in self.honest_members:
            _, ready = self.registry.read("recoveries", index)
            if ready:
                self.must(self.members[index], self.registry, "stopRecovery", index, rule="nobody loses its place")
            if self.c.read("announced", index):
                self.must(self.members[index], self.c, "stay", index, rule="nobody is struck off")
        for number in range(max(int(self.c.read("count")) - 6, 0), int(self.c.read("count"))):
            self.decide(number)

    def decide(self, number: int) -> None:
        """What honest members do about a proposal."""
        p = self.c.read("proposals", number)
        ends, flags = int(p[4]), int(p[6])
        if not flags & OPEN and number in self.wanted and self.now < ends:
            for index in self.honest_members:
                self.call(self.members[index], self.c, "second", number)
        elif flags & OPEN and self.now < ends:
            support = 1 if number in self.wanted else 2
            missing = [i for i in self.honest_members if self.c.read("voteOf", number, i)[0] != support]
            self.bring(number, missing[:3], support)
            for index in missing[3:]:
                self.must(self.members[index], self.c, "vote", number, index, support, rule="every elector votes")
        elif number in self.wanted and not flags & EXECUTED and self.now >= int(self.c.read("dueAt", number)):
            kind, change, document = self.seen[number]
            if self.now < int(self.c.read("dueAt", number)) + GRACE:
                del kind
                self.must(self.members[MEMBERS - 1], self.c, "execute", number, change, document, rule=DECIDED)

    def bring(self, number: int, indices: list[int], support: int) -> None:
        """Signed ballots, which the operator brings, or one of them where it does not."""
        content, made = bytes(self.c.read("contents", number)), []
        for index in indices:
            key = self.members[index].key
            assert key
            turn = int(self.c.read("voteOf", number, index)[1]) + 1
            if turn < 63:
                ballot = Ballot(number, content, index, support, turn).signed(bytes(key.key), CHAIN_ID, self.c.address)
                made.append(ballot.content)
        self.ballots.setdefault(number, []).extend(made)
        if made:
            by = self.operator if self.honest("operator") else self.members[MEMBERS - 1]
            self.must(by, self.c, "castMany", number, made, rule="every elector votes")

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if on is self.c and function == "execute":
            self.hold(arguments[0] in self.wanted, f"{REFUSED}: {arguments[0]} by {who.role}")
        if on is self.c and function in ("vote", "castMany", "execute"):
            p = self.c.read("proposals", arguments[0])
            self.hold(int(p[2]) + int(p[3]) <= int(p[0]) <= MEMBERS, "one member one vote")
        fee = self.rules.read("rules", 0)[1]
        self.hold(fee in (FEE, WANTED), f"{REFUSED}: fee of {fee}")
        for owned in (self.registry, self.settlement):
            self.hold(str(owned.read("owner")).lower() == self.c.address, f"{OWNED}: {owned.name}")

    # -- the coalition

    def mischief(self) -> None:
        rng = self.rng
        role = rng.choice(sorted(self.coalition))
        who = self.members[LIAR] if role == "member" else getattr(self, role)
        number, index = self.any_number(), rng.randrange(MEMBERS + 1)
        acts: list[tuple[Person, Bound, str, tuple[Any, ...]]] = [
            (who, self.c, "leave", (index,)),
            (who, self.c, "checkpoint", ()),
            (who, self.c, "acceptOwnership", (rng.choice([self.rules, self.registry]).address,)),
            (who, self.c, "vote", (number, index, 1)),
            (who, self.c, "setGuardian", (NOBODY,)),
            (rng.choice(self.puppets), self.c, "vote", (number, MEMBERS + 1, 1)),
            (rng.choice(self.puppets), self.c, "second", (number,)),
            (who, self.c, "castMany", (number, self.forged(number))),
            (who, self.c, "execute", (number, *self.content(number))),
            (who, self.rules, "setRule", (0, MOST, self.now + DAY)),
        ]
        puppet = rng.choice(self.puppets).address
        more: dict[str, list[tuple[Person, Bound, str, tuple[Any, ...]]]] = {
            "registrar": [
                (who, self.registry, "register", (puppet, ALL_ROLES)),
                (who, self.registry, "setRoles", (index, 0)),
                (who, self.registry, "suspend", (index,)),
                (who, self.registry, "startRecovery", (index, puppet)),
                (rng.choice(self.puppets), self.registry, "finishRecovery", (index,)),
            ],
            "guardian": [(who, self.c, "stop", (number,))] * 4,
            "member": [
                *[(who, self.c, "second", (number,))] * 2,
                (who, self.c, "setProxy", (LIAR, index)),
                (who, self.c, "stay", (LIAR,)),
            ],
        }
        acts += more.get(role, [])
        if role == "member" and rng.random() < 0.3:
            self.propose_wrong(who)
            return
        one, on, function, arguments = rng.choice(acts)
        self.call(one, on, function, *arguments)

    def any_number(self) -> int:
        """One of the last proposals."""
        return max(int(self.c.read("count")) - self.rng.choice([1, 1, 2, 3]), 0)

    def propose_wrong(self, who: Person) -> None:
        """A fee or an office for itself; a copy of what honest members propose, with something beside it."""
        rng, since = self.rng, self.now + 40 * DAY
        change = rng.choice(
            [
                [self.action(self.rules, "setRule", 0, FEE + 5_000, since)],
                [self.action(self.settlement, "offerOperator", who.address)],
                [self.action(self.c, "setGuardian", who.address)],
                [self.action(self.registry, "offerOwnership", who.address)],
                [self.action(self.rules, "setGovernor", who.address)],
            ]
        )
        if self.seen and rng.random() < 0.3:
            change = [*rng.choice(list(self.seen.values()))[1], *change]
        kind, document, number = rng.choice([0, 1]), some_bytes(rng), int(self.c.read("count"))
        if self.call(who, self.c, "propose", kind, change, document) is None:
            self.seen[number] = kind, change, document

    def content(self, number: int) -> tuple[list[Action], bytes]:
        """Actions and document of a proposal, or of another one."""
        known = self.seen.get(number)
        if known is None or self.rng.random() < 0.2:
            known = self.rng.choice(list(self.seen.values()) or [(0, [], bytes(32))])
        return known[1], known[2]

    def forged(self, number: int) -> list[Any]:
        """Ballots of other proposals, ballots signed by puppets, and true ones that were turned round."""
        rng = self.rng
        found = [ballot for ballots in self.ballots.values() for ballot in ballots][-30:]
        made = rng.sample(found, min(len(found), 3))
        made += [(index, 3 - support if support < 3 else 1, turn, r, vs) for index, support, turn, r, vs in made]
        key, content = rng.choice(self.puppets).key, bytes(self.c.read("contents", number))
        assert key
        for index in (rng.randrange(MEMBERS + 1), MEMBERS + 1):
            ballot = Ballot(number, content, index, 1, rng.randrange(1, 63))
            made.append(ballot.signed(bytes(key.key), CHAIN_ID, self.c.address).content)
        return made

    def leave(self) -> None:
        """What was wanted and is over has happened; then whoever wants to be no elector leaves."""
        self.advance(self.now + 30 * DAY)
        for number in sorted(self.wanted):
            p = self.c.read("proposals", number)
            late = self.now >= int(self.c.read("dueAt", number)) + LOOK
            if late and int(p[4]):
                self.hold(bool(int(p[6]) & EXECUTED), f"{DECIDED}: {number}")
        for index in self.honest_members:
            self.must(self.members[index], self.c, "leave", index, rule="whoever wants leaves the electors")
