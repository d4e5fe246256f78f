"""A life of the registry: members, roles, lost keys, meters, and who governs."""

from __future__ import annotations

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from transactive.chain.twins.registry import KEPT, MeterTwin, RegistryTwin

ALL_BITS = 2**64 - 1


class RegistryLife(Life):
    """A registry from empty; keys are lost and found, meters come and go."""

    contract = "registry"

    def begin(self) -> Bound:
        self.now, self.delay = 1_600_000_000, self.rng.choice([1, 1_000, 86_400])
        self.owner, self.registrar = Person.named("owner"), Person.named("registrar")
        self.operator, self.candidate = Person.named("operator"), Person.named("candidate")
        self.members = [Person.named("member", i) for i in range(7)]
        roles = [self.owner, self.registrar, self.operator, self.candidate, Person.named("stranger")]
        self.people = [*roles, *self.members]
        c = Bound.deploy(self.machine, self.owner.address, "registry", self.delay)
        self.twin = RegistryTwin(owner=self.owner.address, registrar=NOBODY, operator=NOBODY, delay=self.delay)
        c.do(self.owner.address, "setRegistrar", self.registrar.address)
        self.twin.set_registrar(self.owner.address, self.registrar.address)
        return c

    def move(self) -> Call | None:
        rng = self.rng
        self.now += rng.choice([0, 0, 1, self.delay // 3, self.delay, self.delay, KEPT // 9])
        return rng.choice([self.member, self.member, self.recovery, self.meter, self.meter, self.govern])()

    def holder(self, address: str) -> Person:
        """Person at an address, the registrar for nobody's."""
        return next((person for person in self.people if person.address == address), self.registrar)

    def member(self) -> Call:
        rng, twin, by = self.rng, self.twin, self.holder(self.twin.registrar)
        account = rng.choice([person.address for person in self.people] + [NOBODY])
        index, roles = rng.randrange(len(twin.members) + 2), rng.choice([1, 2, 3, 4, 5, 6, 7, 7, 0, 8, 2**200])
        kind = rng.choice(["register", "roles", "suspend", "readmit"])
        if kind == "register":
            return Call(by, "register", (account, roles), lambda who: twin.register(who, account, roles))
        if kind == "roles":
            return Call(by, "setRoles", (index, roles), lambda who: twin.set_roles(who, index, roles))
        if kind == "suspend":
            return Call(by, "suspend", (index,), lambda who: twin.suspend(who, index))
        return Call(by, "readmit", (index,), lambda who: twin.readmit(who, index))

    def recovery(self) -> Call:
        rng, twin, by = self.rng, self.twin, self.holder(self.twin.registrar)
        candidate = rng.choice([person.address for person in self.people] + [NOBODY])
        index = rng.randrange(len(twin.members) + 1)
        kind = rng.choice(["start", "start", "finish", "finish", "stop"])
        if kind == "start":
            return Call(
                by,
                "startRecovery",
                (index, candidate),
                lambda who: twin.start_recovery(who, index, candidate, self.now),
            )
        if twin.recoveries and rng.random() < 0.8:
            index = rng.choice(sorted(twin.recoveries))
        if kind == "finish":
            taker = self.holder(twin.recoveries.get(index, (NOBODY, 0))[0])
            return Call(taker, "finishRecovery", (index,), lambda who: twin.finish_recovery(who, index, self.now))
        if index < len(twin.members) and rng.random() < 0.5:
            by = self.holder(twin.members[index].account)
        return Call(by, "stopRecovery", (index,), lambda who: twin.stop_recovery(who, index))

    def meter(self) -> Call:
        rng, twin, by = self.rng, self.twin, self.holder(self.twin.registrar)
        start = rng.choice([0, 10, 20, self.now - KEPT, self.now])
        until = rng.choice([5, 10, 25, self.now, self.now + KEPT, ALL_BITS, ALL_BITS + 1])
        if rng.random() < 0.4:
            number = rng.randrange(len(twin.meters) + 1)
            until = rng.choice([until, twin.meters[number].valid_from if number < len(twin.meters) else 0])
            return Call(by, "endMeter", (number, until), lambda who: twin.end_meter(who, number, until))
        number = rng.randrange(400)
        key = NOBODY if number == 0 else f"0x{number:040x}"
        node = rng.choice([0, 1, ALL_BITS, ALL_BITS + 1])
        owner = rng.choice([0, 0, 0, rng.randrange(len(twin.members) + 1)])
        entry = MeterTwin(key, owner, node, start, until)
        return Call(by, "addMeter", (owner, key, node, start, until), lambda who: twin.add_meter(who, entry, self.now))

    def govern(self) -> Call:
        """The owner's calls; what is given away mostly comes back."""
        rng, twin, by = self.rng, self.twin, self.holder(self.twin.owner)
        account = rng.choice([person.address for person in self.people] + [NOBODY])
        kind = rng.choice(["setRegistrar", "offerOperator", "acceptOperator", "offerOwnership", "acceptOwnership"])
        if kind == "setRegistrar":
            account = rng.choice([account, self.registrar.address])
            return Call(by, kind, (account,), lambda who: twin.set_registrar(who, account))
        if kind == "offerOperator":
            return Call(by, kind, (account,), lambda who: twin.offer_operator(who, account))
        if kind == "offerOwnership":
            account = rng.choice([account, self.owner.address])
            return Call(by, kind, (account,), lambda who: twin.offer_ownership(who, account))
        if kind == "acceptOperator":
            return Call(self.holder(twin.pending_operator), kind, (), twin.accept_operator)
        return Call(self.holder(twin.pending_owner), kind, (), twin.accept_ownership)

    def check(self) -> None:
        twin, c = self.twin, self.c
        for person in self.people:
            self.equal("standing", c.read("standing", person.address), twin.standing(person.address))
        self.equal("members", c.read("memberCount"), len(twin.members))
        self.equal("meters counted", c.read("meterCount"), len(twin.meters))
        for number in self.rng.sample(range(len(twin.meters)), min(6, len(twin.meters))):
            m = twin.meters[number]
            self.equal("meter", c.read("meters", number), (m.key, m.owner, m.node, m.valid_from, m.valid_until))
        for index, member in enumerate(twin.members):
            self.equal("account of an index", c.read("accountOf", index), member.account)
            self.equal("roles", c.read("rolesOf", index), member.roles)
            self.equal("suspended", c.read("isSuspended", index), member.suspended)
            span = self.rng.choice([(10, 15), (self.now, self.now + 900)])
            self.equal("meters of a member", c.read("metersFor", index, *span), twin.meters_for(index, *span))
        governors = [c.read(name) for name in ("owner", "registrar", "operator", "pendingOperator", "pendingOwner")]
        wanted = [twin.owner, twin.registrar, twin.operator, twin.pending_operator, twin.pending_owner]
        self.equal("governors", governors, wanted)
