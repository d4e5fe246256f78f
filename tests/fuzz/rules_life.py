"""A life of the rules: numbers within bounds from a time on, and the hash of the rest."""

from __future__ import annotations

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.rules import RulesTwin

LEAD = 7_200
BOUNDS = [(0, 60_000, 5_000), (-10, 10, 3), (5, 5, 0)]


class RulesLife(Life):
    """Three numbers, one of which can never change, and a governor that hands over."""

    contract = "rules"

    def begin(self) -> Bound:
        self.now = 1_600_000_000
        self.owner = Person.named("owner")
        by, values = self.owner.address, [30_000, 0, 5]
        c = Bound.deploy(self.machine, by, "rules", LEAD, BOUNDS, values, bytes(32))
        self.governors = [Person.named("governor"), Person.named("governor", 7)]
        self.people = [self.owner, *self.governors, Person.named("candidate"), Person.named("stranger")]
        self.twin = RulesTwin(by, LEAD, BOUNDS, values, bytes(32))
        return c

    @property
    def governor(self) -> Person:
        """Who governs now."""
        return next(person for person in self.people if person.address == self.twin.governor)

    def move(self) -> Call | None:
        rng, twin, by = self.rng, self.twin, self.governor
        self.now += rng.choice([0, 1, LEAD // 2, LEAD, 3 * LEAD])
        since = self.now + rng.choice([0, LEAD - 1, LEAD, LEAD, 2 * LEAD, 2**64])
        kind = rng.choice(["rule"] * 6 + ["document", "governor"])
        if kind == "governor":
            account = rng.choice([*(person.address for person in self.people), NOBODY])
            return Call(by, "setGovernor", (account,), lambda who: twin.set_governor(who, account))
        if kind == "document":
            document = rng.randbytes(32)
            return Call(
                by, "setDocument", (document, since), lambda who: twin.set_document(who, document, since, self.now)
            )
        rule = rng.randrange(len(BOUNDS) + 1)
        low, high, step = BOUNDS[rule % len(BOUNDS)]
        current = twin.at(rule % len(BOUNDS), self.now)
        amounts = [low - 1, low, high, high + 1, current + step, current - step, current + step + 1, current]
        amount = rng.choice(amounts)
        return Call(by, "setRule", (rule, amount, since), lambda who: twin.set_rule(who, rule, amount, since, self.now))

    def check(self) -> None:
        twin, c = self.twin, self.c
        for rule, (low, high, _) in enumerate(BOUNDS):
            self.equal("a rule", tuple(c.read("rules", rule)), twin.rules[rule])
            for slot in (self.now - LEAD, self.now, self.now + LEAD, 2**65):
                found = c.read("at", rule, slot)
                self.equal("a value in a slot", found, twin.at(rule, slot))
                self.equal("a value within its bounds", max(low, min(found, high)), found)
        self.equal("a document", c.read("documentAt", self.now), twin.document_at(self.now))
        self.equal("the governor", c.read("governor"), twin.governor)
