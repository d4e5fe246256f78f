"""A settlement that takes its members from a registry: keys are lost, replaced, and replaced that were not lost."""

from __future__ import annotations

from typing import Any

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
from tests.fuzz.bound import Bound, Person
from tests.strategies import leaves_of
from transactive.chain.packing import PART_WORDS, encode_nets, words_for
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree

MEMBERS = 6
DELAY = NOTICE + WINDOW
ALL_OUT = "who did not lose its key has all its money"
LOST = MEMBERS - 1
"""Index of the member who loses its key, and gets a new one by an honest registrar."""


class LostKeys(Stage):
    """Six members who only pay in: five who see what the registrar announces and act on it in time, one who cannot.

    An operator that commits and nets what nobody traded is `Community`'s; here it keeps to periods without trades.
    """

    contract = "roles_of_lost_keys"
    roles = ("registrar", "operator", "owner", "arbiter", "member", "stranger")
    often = "registrar"
    steps = (1, REACTION, SLOT, PERIOD, NOTICE)

    def begin(self) -> None:
        self.now = FIRST * PERIOD + 1
        names = ("owner", "arbiter", "stranger", "ramp", "operator", "registrar")
        self.owner, self.arbiter, self.stranger, self.ramp, self.operator, self.registrar = map(Person.named, names)
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        self.spare = [Person.named("new", 50 + i) for i in range(4)]
        people = [self.owner, self.arbiter, self.stranger, self.ramp, self.operator, self.registrar]
        self.people = [*people, *self.members, *self.spare]
        by = self.owner.address
        self.token = self.deploy(self.owner, "currency", "Test", "TST", 2**80)
        self.registry = self.deploy(self.owner, "registry", DELAY)
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, self.arbiter.address, LEAD)
        self.c = self.deploy(self.owner, "settlement", self.token.address, *rules, self.registry.address)
        self.registry.do(by, "setRegistrar", self.registrar.address)
        self.c.do(by, "offerOperator", self.operator.address)
        self.c.do(self.operator.address, "acceptOperator")
        self.c.do(by, "setArbiter", self.arbiter.address)
        self.token.do(by, "setMinter", self.ramp.address, *[True])
        for person in self.people:
            self.token.do(self.ramp.address, "mint", person.address, WALLET)
            self.token.do(person.address, "approve", self.c.address, UNLIMITED)
        for member in self.members:
            self.registry.do(self.registrar.address, "register", member.address, 0)
            self.c.do(self.operator.address, "register", member.address)
            self.c.do(member.address, "deposit", DEPOSIT)
        self.c.do(self.operator.address, "fundBond", BOND)
        self.ways = [self.rng.choice(["stop", "leave", "late"]) for _ in self.members]
        """What each does when another key is announced for its place."""
        self.seen: set[tuple[int, int]] = set()
        self.due(self.now + REACTION, self.look)
        self.due((self.now // PERIOD + 1) * PERIOD, self.net)
        self.due(self.now + SLOT, self.replace_lost)

    # -- honest people

    def is_honest_member(self, index: int) -> bool:
        """Whether it is one of those that the rules protect by what it does itself."""
        return index != LOST and (index > 0 or self.honest("member"))

    def look(self) -> None:
        """Every member sees within a reaction what is announced for its place."""
        self.due(self.now + REACTION, self.look)
        for index in filter(self.is_honest_member, range(MEMBERS)):
            _candidate, ready = self.registry.read("recoveries", index)
            if ready and (index, ready) not in self.seen and self.has_place(index):
                self.seen.add((index, ready))
                self.answer(index, int(ready))

    def has_place(self, index: int) -> bool:
        """Whether a member has its place yet, here and in the registry."""
        places = (self.c.read("accountOf", index), self.registry.read("accountOf", index))
        return {str(place).lower() for place in places} == {self.members[index].address}

    def answer(self, index: int, ready: int) -> None:
        """Stop it; ask for the money at once; or in the last moment."""
        member, way = self.members[index], self.ways[index]
        if way == "stop":
            rule = "who did not lose its key keeps its place"
            self.must(member, self.registry, "stopRecovery", index, rule=rule)
            return
        when = self.now if way == "leave" else max(ready - 1, self.now)
        self.due(when, lambda: self.ask(index))

    def ask(self, index: int) -> None:
        """Ask for all the money, unless it is asked for; it is taken when the notice is over."""
        member = self.members[index]
        if not self.has_place(index) or self.c.read("requests", member.address)[0]:
            return
        self.must(member, self.c, "requestWithdrawal", DEPOSIT, rule=ALL_OUT)
        self.due(self.now + NOTICE, lambda: self.take(index))

    def take(self, index: int) -> None:
        """Take it, unless whoever gave its place away has paid it."""
        if self.c.read("requests", self.members[index].address)[0]:
            self.must(self.members[index], self.c, "withdraw", rule=ALL_OUT)

    def replace_lost(self) -> None:
        """An honest registrar announces the new key of the member who lost its own, which then takes the place."""
        if not self.honest("registrar") or not self.honest("owner"):
            return
        new = self.spare[0]
        if self.registry.read("standing", new.address)[0]:
            return
        if self.call(self.registrar, self.registry, "startRecovery", LOST, new.address) is None:
            self.due(self.now + DELAY, self.take_over)

    def take_over(self) -> None:
        """The new key has the place, and what is in it."""
        new, rule = self.spare[0], "a lost key is not lost money"
        if str(self.registry.read("accountOf", LOST)).lower() != new.address:
            self.must(new, self.registry, "finishRecovery", LOST, rule=rule)
        if str(self.c.read("accountOf", LOST)).lower() != new.address:
            self.must(self.stranger, self.c, "follow", LOST, rule=rule)
        self.hold(int(self.c.read("balanceOf", new.address)) >= DEPOSIT, rule)

    def net(self) -> None:
        """A period without trades is committed, netted, and paid after its window."""
        self.due(self.now + PERIOD, self.net)
        if not self.honest("operator") or self.c.read("paused"):
            return
        period = self.now // PERIOD - 1
        tree = SlotTree(leaves_of(period * SLOTS, [[0] * 4] * MEMBERS), DEPTH, b"lost keys")
        if self.call(self.operator, self.c, "commitSlot", period * SLOTS, tree.root, ZERO, 0, 0) is None:
            nets = encode_nets([0] * (4 * words_for(int(self.c.read("memberCount")))))
            if self.call(self.operator, self.c, "propose", period, 0, nets) is None:
                self.due(self.now + WINDOW, self.pay)

    def pay(self) -> None:
        """Finalise what waits."""
        self.call(self.operator, self.c, "finalise", PART_WORDS)

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if on.name not in ("settlement", "registry"):
            return
        held = int(self.token.read("balanceOf", self.c.address))
        claims = sum(int(self.c.read("balanceOf", self.c.read("accountOf", i))) for i in range(self.count))
        self.hold(held >= claims + int(self.c.read("bond")), f"tokens held cover all that can leave: after {function}")
        for index in filter(self.is_honest_member, range(MEMBERS)):
            place, asked = str(self.c.read("accountOf", index)).lower(), self.wealth(index)
            self.hold(place == self.members[index].address or asked >= WALLET, f"{ALL_OUT}: {function}, member {index}")

    @property
    def count(self) -> int:
        """How many accounts there are."""
        return int(self.c.read("memberCount"))

    def wealth(self, index: int) -> int:
        """Wallet of a member, and its balance while it has its place."""
        member = self.members[index].address
        own = int(self.token.read("balanceOf", member))
        is_there = str(self.c.read("accountOf", index)).lower() == member
        return own + (int(self.c.read("balanceOf", member)) if is_there else 0)

    # -- the coalition

    def mischief(self) -> None:
        rng = self.rng
        role = rng.choice(sorted(self.coalition))
        who = self.members[0] if role == "member" else getattr(self, role)
        index, friend = rng.randrange(MEMBERS + 1), rng.choice([who, self.stranger, *self.spare, *self.members])
        acts: list[tuple[Person, Bound, str, tuple[Any, ...]]] = [
            (who, self.c, "follow", (index,)),
            (who, self.c, "requestWithdrawal", (rng.choice([0, 1, DEPOSIT, UNLIMITED]),)),
            (who, self.c, "withdraw", ()),
            (who, self.c, "deposit", (rng.choice([1, 500]),)),
            (who, self.c, "declareSilence", ()),
            (who, self.c, "finalise", (1,)),
            (who, self.registry, "finishRecovery", (index,)),
            (who, self.registry, "stopRecovery", (index,)),
            (rng.choice(self.spare), self.registry, "finishRecovery", (index,)),  # keys that anybody dishonest has made
        ]
        more: dict[str, list[tuple[Person, Bound, str, tuple[Any, ...]]]] = {
            "registrar": [
                *[(who, self.registry, "startRecovery", (index, friend.address))] * 6,
                (who, self.registry, "suspend", (index,)),
                (who, self.registry, "readmit", (index,)),
                (who, self.registry, "register", (friend.address, rng.choice([0, 7]))),
            ],
            "operator": [
                (who, self.c, "release", (friend.address,)),
                (who, self.c, "register", (friend.address,)),
                (who, self.c, "requestBond", (1,)),
                (who, self.c, "takeBond", ()),
            ],
            "owner": [
                (who, self.c, "setPaused", (rng.random() < 0.3,)),
                (who, self.registry, "setRegistrar", (friend.address,)),
                (who, self.c, "offerOperator", (friend.address,)),
            ],
            "arbiter": [(who, self.c, "setPaused", (rng.random() < 0.3,))],
        }
        acts += more.get(role, [])
        one, on, function, arguments = rng.choice(acts)
        self.call(one, on, function, *arguments)

    def leave(self) -> None:
        """Whoever did not lose its key gets out with all that is its own."""
        self.advance(self.now + REACTION)
        for index in filter(self.is_honest_member, range(MEMBERS)):
            self.ask(index)
        self.advance(self.now + NOTICE + 1)
        for index in filter(self.is_honest_member, range(MEMBERS)):
            self.hold(self.wealth(index) >= WALLET, f"{ALL_OUT}: member {index}")
