"""Certificates that are issued from signed readings, and carbon credits with two auditors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.contract.certificate_world import VALIDITY
from tests.fuzz.adversary.drawing import by_type, names_of
from tests.fuzz.adversary.slots import MEMBERS, Registers, key_of, metered
from tests.fuzz.adversary.stage import Stage, some_bytes
from tests.fuzz.adversary.terms import DEPTH, FIRST, LEAD, NOTICE, PERIOD, REACTION, SILENCE, SLOT, SLOTS, WINDOW
from tests.fuzz.bound import NOBODY, Bound, Person
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.core.proofs.merkle import REGISTERS
from transactive.core.proofs.signed_orders import split
from transactive.metering import gateway

MILLION, MOST_G = 10**6, 1_500
BEGUN = FIRST * SLOTS + 2
"""First slot that is issued here: the accounts came from another settlement, which has issued those before."""
PROJECTS = {"auditor": b"solar".ljust(32, b"\0"), "other": b"forest".ljust(32, b"\0")}
ROLE = {
    "auditor": {("carbon_credits", name) for name in ("issue", "issueAvoided", "reverse")},
    "gateway": {("certificates", "revoke"), ("certificates", "issue")},
    "member": {("certificates", name) for name in ("issue", "claim", "transfer", "withdraw", "collect")},
    "owner": {("certificates", "setZones"), ("certificates", "setReach"), ("disputes", "setGateway")},
}
"""Entry points that a role can use best."""
SPARED = 0b10
"""Members that take avoided-emission credits instead of certificates, as they have told the gateway."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Readings of a slot as the gateway signed them for an issue."""

    slot: int
    registers: list[Registers]
    spared: int
    words: tuple[Any, ...]


class Direct(Stage):
    """Eight members whose gateway signs each slot, and who hold, send and claim what comes of it."""

    contract = "roles_of_direct_issue"
    roles = ("member", "gateway", "owner", "auditor", "stranger")
    often = "auditor"
    steps = (1, 20, REACTION, SLOT // 2, SLOT, SLOT, PERIOD)

    def begin(self) -> None:
        self.now = FIRST * PERIOD + 1
        names = ("owner", "operator", "gateway", "stranger", "other")
        self.owner, self.operator, self.gateway, self.stranger, self.other = (Person.named(name) for name in names)
        self.auditor = Person.named("auditor")
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        everybody = [self.owner, self.operator, self.gateway, self.stranger, self.auditor, self.other, *self.members]
        self.people = {person.address: person for person in everybody}
        by = self.owner
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, 0, by.address, LEAD, NOBODY)
        self.settlement = self.deploy(by, "settlement", by.address, *rules)
        self.disputes = self.deploy(by, "disputes", self.settlement.address)
        self.certificates = self.deploy(by, "certificates", self.settlement.address, True, VALIDITY, BEGUN)  # noqa: FBT003
        self.credits = self.deploy(by, "carbon_credits", 200_000)
        self.settlement.do(by.address, "setDisputes", self.disputes.address)
        self.settlement.do(by.address, "offerOperator", self.operator.address)
        self.settlement.do(self.operator.address, "acceptOperator")
        self.disputes.do(by.address, "setGateway", self.gateway.address)
        for member in self.members:
            self.settlement.do(self.operator.address, "register", member.address)
        self.certificates.do(by.address, "setCredits", self.credits.address)
        self.credits.do(by.address, "setCertificates", self.certificates.address)
        self.certificates.do(by.address, "enrol")
        for role, project in PROJECTS.items():
            auditor = self.auditor if role == "auditor" else self.other
            self.credits.do(by.address, "registerProject", project, auditor.address, *[False], role)
        self.signed: list[Signed] = []
        self.revoked: set[tuple[int, int]] = set()
        self.issued, self.reversed = Counter[str](), Counter[str]()
        self.holdings: dict[tuple[str, int], int] = {}
        self.names = {name: names_of(c.name) for name, c in self.bounds.items()}
        entries = [
            (c, f)
            for c in (self.certificates, self.credits)
            for f, made in c.functions.items()
            if made.writes and f != "release"
        ]
        self.entries = [*entries, (self.disputes, "setGateway")]
        slot = self.now // SLOT
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))

    def boundary(self, slot: int) -> None:
        """A slot is over: its readings are signed, and everybody can bring them."""
        self.due((slot + 1) * SLOT, lambda: self.boundary(slot + 1))
        if self.disputes.read("gateway") == self.gateway.address:
            self.sign(slot - 1, metered(self.rng, MEMBERS, 10), self.rng.choice([0, SPARED]))
            self.due(self.now + 1 + self.rng.randrange(REACTION), lambda: self.bring(slot - 1))
        if self.rng.random() < 0.5:
            project, serial = PROJECTS["other"], some_bytes(self.rng)
            receiver = self.rng.choice(self.members).address
            self.call(self.other, self.credits, "issue", project, 2026, serial, 1_000, receiver)

    def sign(self, slot: int, registers: list[Registers], spared: int) -> None:
        """The gateway's words for an issue."""
        packed = [REGISTERS.pack(row) for row in registers]
        where = (CHAIN_ID, self.certificates.address)
        signature = split(gateway.sign_issue(slot, packed, spared, key_of(self.gateway), *where))
        accounts = [member.address for member in self.members]
        self.signed.append(Signed(slot, registers, spared, (slot, packed, accounts, spared, signature)))

    def bring(self, slot: int) -> None:
        """A member brings the readings of a slot, unless somebody did; and the gateway finds one in twenty wrong."""
        if slot < BEGUN:
            return
        signed = next(one for one in self.signed if one.slot == slot)
        out = any(self.certificates.read("books", slot, i) for i in range(MEMBERS))
        if not out:
            rule = "what the gateway signed is issued, whatever others do"
            self.must(self.members[3], self.certificates, "issue", *signed.words, rule=rule)
        if self.rng.random() < 0.2:
            self.call(
                self.gateway, self.certificates, "revoke", slot, self.rng.choice([0, 1, self.rng.randrange(MEMBERS)])
            )
        if self.rng.random() < 0.3:
            self.ask_for_credits(slot)

    def ask_for_credits(self, slot: int) -> None:
        """A member that gets no certificates has its credits from the auditor."""
        signed = next(one for one in self.signed if one.slot == slot)
        member = SPARED.bit_length() - 1
        wh = signed.registers[member][2]
        project, receiver = PROJECTS["other"], self.members[member].address
        kg = wh * MOST_G // MILLION
        if kg and signed.spared and (slot, member) not in self.revoked:
            arguments = (project, 2026, some_bytes(self.rng), kg, receiver, member, [slot])
            self.call(self.other, self.credits, "issueAvoided", *arguments)

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if function == "revoke" and on is self.certificates:
            self.revoked.add((arguments[0], arguments[1]))
        elif function == "issue" and on is self.certificates:
            self.all_is_issued(arguments[0])
        elif function == "issue":
            self.issued[who.address] += arguments[3]
        elif function == "issueAvoided":
            self.issued[who.address] += arguments[3]
            self.was_metered(arguments[3], arguments[5], arguments[6])
        elif function == "reverse":
            self.made_good(who, arguments[1])
        elif function == "claim" and on is self.certificates:
            for token in arguments[2]:
                slot = (token >> 64) & (2**64 - 1)
                rule = "nothing is claimed against a reading that was revoked"
                self.hold((slot, arguments[0]) not in self.revoked, f"{rule}: slot {slot}, member {arguments[0]}")
        if on is self.certificates:
            self.follow(who, function)

    def all_is_issued(self, slot: int) -> None:
        """Every metered Wh is a certificate of its producer, unless the gateway has signed that it has none.

        And of slots of before there is none here.
        """
        self.hold(slot >= BEGUN, f"no certificate twice: slot {slot} was issued in the contracts of before")
        if not self.honest("gateway") or not self.honest("owner"):
            return
        signed = next((one for one in self.signed if one.slot == slot), None)
        self.hold(signed is not None, f"no certificate without a metered Wh: slot {slot}")
        assert signed
        for i, row in enumerate(signed.registers):
            book = int(self.certificates.read("books", slot, i))
            certified = (book >> 156) & (2**52 - 1)
            wanted = 0 if (signed.spared >> i) & 1 else row[2]
            rule = "each member has a certificate for each metered Wh"
            self.hold(certified == wanted, f"{rule}: member {i}, slot {slot}, {certified} Wh of {wanted}")

    def was_metered(self, kg: int, member: int, slots: list[int]) -> None:
        """Credits of this community's meters stand on readings that count, each once, without certificates."""
        rule = "no credit without a metered Wh"
        self.hold(len(set(slots)) == len(slots), f"{rule}: a slot twice")
        wh = 0
        for slot in slots:
            self.hold((slot, member) not in self.revoked, f"{rule}: slot {slot}, member {member}, revoked")
            said = [one.registers[member] for one in self.signed if one.slot == slot]
            wh += max((row[2] + row[4] for row in said), default=0)
        self.hold(kg * MILLION <= wh * MOST_G, f"{rule}: {kg} kg from {wh} Wh")

    def made_good(self, who: Person, kg: int) -> None:
        """An auditor takes no more from the buffers than it has issued."""
        self.reversed[who.address] += kg
        most, taken = self.issued[who.address], self.reversed[who.address]
        self.hold(taken <= most, f"nobody reverses more than it has issued: {taken} kg of {most}")

    def follow(self, who: Person, function: str) -> None:
        """What somebody honest holds falls by its own calls."""
        if function in ("transfer", "withdraw", "claim"):
            self.holdings = {key: wh for key, wh in self.holdings.items() if key[0] != who.address}
        for slot in {one.slot for one in self.signed[-2:]}:
            for i in (0, 3, 6):
                if i == 0 and not self.honest("member"):
                    continue
                key = (self.members[i].address, (slot << 64) | (2 * i))
                wh = int(self.certificates.read("balanceOf", *key))
                rule = "nobody's certificates go without its signature"
                self.hold(wh >= self.holdings.get(key, 0), f"{rule}: member {i}, slot {slot}, {function} by {who.role}")
                self.holdings[key] = wh

    # -- what the coalition does

    def mischief(self) -> None:
        rng = self.rng
        who = self.person(rng.choice(sorted(self.coalition)))
        if who is self.gateway and rng.random() < 0.1:
            self.sign(self.now // SLOT - 1, metered(rng, MEMBERS, 10), rng.randrange(2**MEMBERS))
        role = next((name for name in self.roles if self.person(name) is who), "stranger")
        own = [one for one in self.entries if (one[0].name, one[1]) in ROLE.get(role, ())]
        on, function = rng.choice(own if own and rng.random() < 0.5 else self.entries)
        pairs = zip(self.names[on.name][function], on.functions[function].takes, strict=True)
        if function == "issue" and on is self.certificates and self.signed:
            slot, *words, spared, signature = rng.choice(self.signed[-2:]).words
            choices = [spared, spared, 0, rng.randrange(2**MEMBERS)]
            self.call(who, on, function, slot, *words, rng.choice(choices), signature)
            return
        self.call(who, on, function, *[self.one(name, kind) for name, kind in pairs])

    def person(self, role: str) -> Person:
        """Who has a role."""
        people = {"member": self.members[0], "gateway": self.gateway, "owner": self.owner, "auditor": self.auditor}
        return people.get(role, self.stranger)

    def one(self, name: str, kind: str) -> Any:
        """One argument, by name and type."""
        rng, slot = self.rng, self.now // SLOT - 1 - self.rng.randrange(3)
        if kind.endswith("[]") and name in ("ids", "slots", "amounts"):
            return [self.one(name[:-1], kind[:-2])]
        batches = max(int(self.credits.read("batchCount")), 1)
        numbers = {
            "slot": slot, "member": rng.choice([0, 1, rng.randrange(MEMBERS)]), "owner": rng.randrange(MEMBERS),
            "id": (slot << 64) | (2 * rng.choice([0, rng.randrange(MEMBERS)])), "batch": rng.randrange(batches),
            "kg": rng.choice([1, 1, 4, 200, 10**9]), "vintage": 2026, "other": rng.randrange(batches),
        }  # fmt: skip
        if name in numbers:
            return numbers[name]
        if name == "others":
            return [rng.randrange(batches) for _ in range(3)]
        if name == "project":
            return rng.choice(list(PROJECTS.values()))
        return by_type(rng, kind, self.people)

    def leave(self) -> None:
        """Every honest holder can still send what it has and what lives."""
        rule = "who holds a certificate that lives can send it"
        for (account, token), wh in list(self.holdings.items())[-6:]:
            if wh and self.certificates.read("isLive", token):
                self.must(
                    self.people[account], self.certificates, "transfer", self.stranger.address, token, wh, rule=rule
                )
