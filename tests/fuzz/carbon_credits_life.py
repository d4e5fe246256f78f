"""A life of the carbon credits: projects, batches, transfers, retirements and reversals."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.contract.world import DEPTH, LEAD, NOTICE, PERIOD, SILENCE, SLOT, SLOTS, WINDOW
from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.carbon_credits import MOST_KG, CarbonCreditsTwin
from tests.twins.certificates import CertificatesTwin
from tests.twins.multitoken import UNLIMITED
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.core.proofs.signed_orders import split
from transactive.metering import gateway

FIRST, GENERATION, SPARED = 1_000, 5_000, 0b0101
"""Slot with readings, what every holder made in it [Wh], and who got no certificates."""
PROJECTS = [bytes(31) + bytes([number]) for number in range(4)]  # the first is the zero that stands for none
WORDS = ("", "a shop", "a village")


class CarbonCreditsLife(Life):
    """Two auditors, four holders; a buffer of nothing, a fifth, or nearly all."""

    contract = "carbon_credits"

    def begin(self) -> Bound:
        self.owner = Person.named("owner")
        self.auditors = [Person.named("auditor"), Person.named("other auditor", 300)]
        self.holders = [Person.named("member", i) for i in range(4)]
        self.people = [self.owner, *self.auditors, *self.holders, Person.named("candidate"), Person.named("stranger")]
        ppm = self.rng.choice([0, 1, 200_000, 999_999])
        c = Bound.deploy(self.machine, self.owner.address, "carbon_credits", ppm)
        self.twin = CarbonCreditsTwin(owner=self.owner.address, buffer_ppm=ppm, own=(NOBODY, c.address))
        self.certify(c)
        return c

    def certify(self, c: Bound) -> None:
        """A community whose certificates know the credits: one slot, in which half of the members were spared."""
        by, key = self.owner.address, self.owner.key
        assert key
        clock = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, 0, by, LEAD, NOBODY)
        settlement = Bound.deploy(self.machine, by, "settlement", by, *clock)
        disputes = Bound.deploy(self.machine, by, "disputes", settlement.address)
        self.certificates = Bound.deploy(self.machine, by, "certificates", settlement.address, *(True, PERIOD, 0))
        settlement.do(by, "setDisputes", disputes.address)
        settlement.do(by, "offerOperator", by)
        settlement.do(by, "acceptOperator")
        disputes.do(by, "setGateway", by)
        for holder in self.holders:
            settlement.do(by, "register", holder.address)
        self.certificates.do(by, "enrol")
        self.certificates.do(by, "setCredits", c.address)
        accounts, packed = [holder.address for holder in self.holders], [GENERATION << 102] * len(self.holders)
        signed = gateway.sign_issue(FIRST, packed, SPARED, bytes(key.key), CHAIN_ID, self.certificates.address)
        self.now = (FIRST + 1) * SLOT
        self.machine.at = self.now
        self.certificates.do(by, "issue", FIRST, packed, accounts, SPARED, split(signed))
        rules: Any = {"is_direct": True, "slot_seconds": SLOT, "slots_per_period": SLOTS, "validity": PERIOD}
        self.registered = CertificatesTwin(owner=by, gateway=by, accounts=accounts, **rules)
        self.registered.enrol()
        self.registered.credits = c.address
        self.registered.issue(FIRST, packed, accounts, SPARED, by, self.now)

    def at(self, address: str) -> Person:
        return next((person for person in self.people if person.address == address), self.owner)

    def move(self) -> Call | None:
        kinds = (
            [self.govern]
            + [self.issue] * 3
            + [self.issue_avoided] * 2
            + [self.pass_on] * 6
            + [self.allow] * 3
            + [self.retire] * 4
            + [self.reverse] * 2
        )
        return self.rng.choice(kinds)()

    def batch(self) -> int:
        return self.rng.randrange(len(self.twin.batches) + 1)

    def amount(self, holder: str, batch: int) -> int:
        has = self.twin.tokens.balances[holder, batch]
        return self.rng.choice([0, 1, has // 3, has, has + 1, UNLIMITED])

    def receiver(self) -> str:
        return self.rng.choice([person.address for person in self.people] * 3 + [NOBODY, self.c.address])

    def govern(self) -> Call:
        rng, twin = self.rng, self.twin
        other, kind = rng.choice(self.people).address, rng.choice(["project"] * 4 + ["offer", "accept"])
        if kind == "project":
            project, auditor = rng.choice(PROJECTS), rng.choice([*(a.address for a in self.auditors), NOBODY])
            arguments = (project, auditor, rng.random() < 0.5, "by the book")
            return Call(
                self.at(twin.owner),
                "registerProject",
                arguments,
                lambda by: twin.register_project(by, project, auditor, removal=arguments[2]),
            )
        if kind == "offer":
            candidate = rng.choice([other, self.owner.address])
            return Call(
                self.at(twin.owner), "offerOwnership", (candidate,), lambda by: twin.offer_ownership(by, candidate)
            )
        return Call(self.at(twin.pending_owner), "acceptOwnership", (), twin.accept_ownership)

    def issue(self) -> Call:
        rng, twin, project = self.rng, self.twin, self.rng.choice(PROJECTS)
        serial, kg = rng.randrange(300).to_bytes(32), rng.choice([0, 1, 7, 1_000, MOST_KG - 1, MOST_KG])
        to = rng.choice([*(holder.address for holder in self.holders)] * 3 + [NOBODY])
        return Call(
            self.at(twin.auditors.get(project, "")),
            "issue",
            (project, 2026, serial, kg, to),
            lambda by: twin.issue(by, project, 2026, serial, kg, to),
        )

    def issue_avoided(self) -> Call:
        """Of members that were spared, that have certificates, or that nobody knows; at first nothing is linked."""
        rng, twin, project = self.rng, self.twin, self.rng.choice(PROJECTS)
        if rng.random() < (0.3 if twin.certificates is None else 0.1):
            account = rng.choice([self.certificates.address] * 3 + [NOBODY])
            known = self.registered if account != NOBODY else None
            return Call(self.at(twin.owner), "setCertificates", (account,), lambda by: twin.set_certificates(by, known))
        serial, kg, to = rng.randrange(300).to_bytes(32), rng.choice([0, 1, 7, 8]), rng.choice(self.holders).address
        slots = rng.choice([[FIRST], [FIRST], [], [FIRST, FIRST], [FIRST + 1]])
        arguments = (project, 2026, serial, kg, to, rng.randrange(len(self.holders)), slots)
        return Call(
            self.at(twin.auditors.get(project, "")),
            "issueAvoided",
            arguments,
            lambda by: twin.issue_avoided(by, *arguments, own=self.c.address),
        )

    def pass_on(self) -> Call:
        rng, twin, batch = self.rng, self.twin, self.batch()
        holders = [holder for (holder, number), kg in twin.tokens.balances.items() if number == batch and kg]
        sender, to = rng.choice(holders or [self.holders[0].address]), self.receiver()
        amount = self.amount(sender, batch)
        if rng.random() < 0.5:
            return Call(
                self.at(sender),
                "transfer",
                (to, batch, amount),
                lambda by: twin.tokens.transfer(by, to, batch, amount),
            )
        spenders = [who for owner, who in twin.tokens.operators if owner == sender]
        spenders += [who for (owner, who, number), most in twin.tokens.allowances.items() if owner == sender and most]
        return Call(
            self.at(rng.choice(spenders or [to, sender])),
            "transferFrom",
            (sender, to, batch, amount),
            lambda by: twin.tokens.transfer_from(by, sender, to, batch, amount),
        )

    def allow(self) -> Call:
        rng, tokens, who = self.rng, self.twin.tokens, self.rng.choice(self.holders)
        spender, batch, yes = rng.choice(self.people).address, self.batch(), rng.random() < 0.5
        if rng.random() < 0.5:
            return Call(who, "setOperator", (spender, yes), lambda by: tokens.set_operator(by, spender, approved=yes))
        amount = self.amount(who.address, batch)
        return Call(who, "approve", (spender, batch, amount), lambda by: tokens.approve(by, spender, batch, amount))

    def retire(self) -> Call:
        rng, batch, who = self.rng, self.batch(), self.rng.choice(self.holders)
        kg = self.amount(who.address, batch)
        names = [rng.choice(WORDS) if rng.random() < 0.15 else WORDS[1] for _ in range(3)]
        arguments = (batch, kg, *names)
        return Call(who, "retire", arguments, lambda by: self.twin.retire(by, batch, kg, *names))

    def reverse(self) -> Call:
        rng, twin, batch = self.rng, self.twin, self.batch()
        known = batch < len(twin.batches)
        auditor = twin.auditors.get(twin.batches[batch].project if known else bytes(32), "")
        kg = rng.choice([0, 1, 100, twin.batches[batch].buffer if known else 1, 2**70])
        others = [self.batch() for _ in range(rng.randrange(3))]
        return Call(self.at(auditor), "reverse", (batch, kg, others), lambda by: twin.reverse(by, batch, kg, others))

    def check(self) -> None:
        twin, c = self.twin, self.c
        self.equal("batches", c.read("batchCount"), len(twin.batches))
        for number in self.rng.sample(range(len(twin.batches)), min(6, len(twin.batches))):
            b = twin.batches[number]
            found = c.read("batches", number)
            self.equal("a batch", found, (b.project, b.vintage, b.issued, b.buffer, b.retired, b.reversed))
            held = sum(c.read("balanceOf", person.address, number) for person in self.people)
            self.equal("issued = held + buffer + retired + reversed", held + sum(found[3:]), found[2])
        pairs = [key for key, kg in twin.tokens.balances.items() if kg][-8:]
        balances = [c.read("balanceOf", *pair) for pair in pairs]
        self.equal("credits held", balances, [twin.tokens.balances[pair] for pair in pairs])
        for number, receipt in list(enumerate(twin.receipts))[-3:]:
            kinds = ["uint256", "uint256", "uint256", "address", "string", "string", "string"]
            self.equal("a receipt's hash", c.read("receipts", number), keccak(encode(kinds, receipt)))
        self.equal("receipts", c.read("receiptCount"), len(twin.receipts))
        used = {serial for serial in (n.to_bytes(32) for n in range(0, 300, 7)) if c.read("serialUsed", serial)}
        self.equal("serials are written once", used, {serial for serial in used if serial in twin.serials})
