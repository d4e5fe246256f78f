"""A life of the settlement: deposits, slots, nettings right and wrong, challenges, and leaving at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.echo import Echo
from tests.fuzz.life import Call, Life
from transactive.chain.history import Commitment, Opening, opening
from transactive.chain.packing import BIAS, LANES, MAX_BALANCE, decode_balances, encode_nets
from transactive.chain.twin import SettlementTwin
from transactive.core.errors import ContractRevert
from transactive.core.merkle import MONEY, ZERO, Tree

SLOT, SLOTS, WINDOW, DEPTH = 900, 4, 600, 3
PERIOD = SLOT * SLOTS
NOTICE = PERIOD + WINDOW
MEMBERS = 2**DEPTH
FIRST = 400_000
WALLET = 2**80
KINDS = ("honest", "honest", "honest", "shifted", "unbalanced", "drain", "flood", "short")
FLAWS = ("none", "none", "none", "words", "header", "proof")


def refuse_unless(condition: bool, reason: str) -> None:
    if not condition:
        raise ContractRevert(f"settlement: {reason}")


class SettlementLife(Life):
    """Eight members, at times one of them the hostile token; small sums, or up to the ends of the lanes."""

    contract = "settlement"

    def begin(self) -> Bound:
        rng = self.rng
        self.now = FIRST * PERIOD + 1
        self.owner, self.operator, self.arbiter = (Person.named(r) for r in ("owner", "operator", "arbiter"))
        self.candidate = Person.named("candidate")
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        if rng.random() < 0.5:
            self.echo = Echo(self.machine, self.owner.address)
            self.token = self.echo.bound
            self.members[-1] = self.echo.person
        else:
            self.token = Bound.deploy(self.machine, self.owner.address, "currency", "Test", "TST", WALLET * 100)
            self.token.do(self.owner.address, "setMinter", self.owner.address, *[True])
        others = [self.owner, self.operator, self.arbiter, self.candidate, Person.named("stranger")]
        self.people = [*others, *self.members]
        by = self.owner.address
        c = Bound.deploy(self.machine, by, "settlement", self.token.address, DEPTH, SLOT, SLOTS, WINDOW, NOTICE)
        c.do(by, "offerOperator", self.operator.address)
        c.do(self.operator.address, "acceptOperator")
        c.do(by, "setArbiter", self.arbiter.address)
        self.roles = {"owner": by, "operator": self.operator.address, "arbiter": self.arbiter.address}
        self.roles |= {"pendingOwner": NOBODY, "pendingOperator": NOBODY}
        for member in self.members:
            if member is not self.members[-1]:
                c.do(self.operator.address, "register", member.address)
            self.token.do(by, "mint", member.address, WALLET)
            if not self.echo:
                self.token.do(member.address, "approve", c.address, 2**256 - 1)
        self.wallets = dict.fromkeys((member.address for member in self.members), WALLET)
        self.indices = {member.address: i for i, member in enumerate(self.members[:-1])}
        self.twin = SettlementTwin(
            accounts=MEMBERS, slot_seconds=SLOT, slots_per_period=SLOTS, window=WINDOW, notice=NOTICE
        )
        self.money = rng.choice([100, 10**12, MAX_BALANCE // 2])
        self.totals: dict[int, list[list[int]]] = {}
        self.trees: dict[int, Tree] = {}
        self.chains: dict[int, list[Commitment]] = {}
        self.words: list[int] = []
        self.commits: Counter[int] = Counter()
        self.reopened: Counter[int] = Counter()
        self.paid_periods: list[int] = []
        return c

    def move(self) -> Call | None:
        rng = self.rng
        if rng.random() < 0.15:
            self.now += rng.choice([1, WINDOW // 2, SLOT, SLOT, PERIOD])
        if self.twin.paused and rng.random() < 0.2:
            return self.pause()
        if self.twin.is_pending and rng.random() < 0.25:
            return rng.choice([self.finalise, self.finalise, self.challenge, self.stop])()
        kinds = [self.deposit] * 3 + [self.leave] * 4 + [self.limit] + [self.commit] * 6 + [self.propose] * 4
        kinds += [self.finalise] * 3 + [self.challenge] * 3 + [self.stop]
        return rng.choice([*kinds, *([self.pause, self.govern, self.govern, self.govern] * (rng.random() < 0.8))])()

    # -- callers

    def only(self, role: str, who: str) -> None:
        named = "candidate" if role.startswith("pending") else role
        refuse_unless(who == self.roles[role], f"not the {named}")

    def as_role(self, role: str) -> Person:
        return next((person for person in self.people if person.address == self.roles[role]), self.owner)

    def index(self, who: str) -> int:
        refuse_unless(who in self.indices, "not a member")
        return self.indices[who]

    def paid(self, who: str, amount: int) -> None:
        self.wallets[who] -= amount

    # -- members

    def deposit(self) -> Call:
        rng, twin = self.rng, self.twin
        who = rng.choice(self.members)
        room = MAX_BALANCE - twin.balances_n[self.members.index(who)]
        amount = rng.choice([0, 1, self.money // 7, self.money, self.money, room, room + 1])

        def mirror(by: str) -> None:
            refuse_unless(not twin.paused, "paused")
            twin.deposit(self.index(by), amount)
            self.paid(by, amount)

        return Call(who, "deposit", (amount,), mirror, pays=True)

    def leave(self) -> Call:
        rng, twin = self.rng, self.twin
        who = rng.choice(self.members)
        waiting = [i for i, (amount, _) in twin.requests.items() if amount]
        if waiting and rng.random() < 0.7:
            who = self.members[rng.choice(waiting)]
        kind = rng.choice(["request", "release", "withdraw", "withdraw"])
        if kind == "request":
            amount = rng.choice([0, 1, self.money // 2, twin.balances_n[self.members.index(who)], 2**255])
            return Call(
                who,
                "requestWithdrawal",
                (amount,),
                lambda by: twin.request_withdrawal(self.index(by), amount, self.now),
            )
        if kind == "release":
            whose = rng.choice([who, rng.choice(self.people)]).address

            def released(by: str) -> None:
                self.only("operator", by)
                refuse_unless(whose in self.indices, "nothing requested")
                twin.release(self.indices[whose], self.now)

            return Call(self.as_role("operator"), "release", (whose,), released)
        if rng.random() < 0.2:
            self.now += NOTICE
        return Call(who, "withdraw", (), lambda by: self.paid(by, -twin.withdraw(self.index(by), self.now)), pays=True)

    def limit(self) -> Call:
        amount = self.rng.choice([None, 0, self.money // 20, self.money])
        stated = 2**256 - 1 if amount is None else amount
        return Call(
            self.rng.choice(self.members),
            "setLimit",
            (stated,),
            lambda by: self.twin.set_limit(self.index(by), amount, self.now),
        )

    # -- operator

    def commit(self) -> Call:
        rng, twin = self.rng, self.twin
        slot = self.now // SLOT - 1 + rng.choice([-1, 0, 0, 0, 0, 0, 1])
        voided, count = twin.proposal.commits
        if twin.proposal.period == 0 and count and twin.periods[voided].commits == count and rng.random() < 0.8:
            slot = twin.periods[voided].last_slot + 1  # what was void is committed anew
        number = slot // SLOTS
        totals = [list(row) for row in self.totals.get(number, [[0] * 4 for _ in range(MEMBERS)])]
        for _ in range(rng.randrange(4)):
            self.trade(totals)
        tree = Tree.of_slot(slot, [MONEY.pack(row) for row in totals], DEPTH)
        stated = max(0, tree.totals + rng.choice([0] * 12 + [1, 1 << 63, 1 << 128, -(1 << 128), 1 | 1 << 64]))
        energy = rng.choice([0] * 12 + [2**63 - 1, 1 << 191])
        made = Commitment(slot, tree.root, rng.choice([ZERO, tree.root]), stated, energy, 0)

        def mirror(by: str) -> None:
            self.only("operator", by)
            refuse_unless(energy & MONEY.top == 0 or self.now < (slot + 1) * SLOT, "totals too large")
            twin.commit_slot(slot, stated, self.now)
            chain = self.chains.setdefault(number, [])
            chain.append(replace(made, block=len(chain)))  # so that equal ones are told apart
            self.totals[number], self.trees[number] = totals, tree
            self.commits[slot] += 1

        return Call(self.as_role("operator"), "commitSlot", made.content, mirror)

    def trade(self, totals: list[list[int]]) -> None:
        """One more trade in the running totals, while they have room."""
        rng = self.rng
        buyer, seller = rng.sample(range(MEMBERS), 2)
        most = min(self.money // 10, self.twin.balances_n[buyer] // rng.choice([1, 5, 5]))
        money, energy = rng.randrange(most + 1), rng.choice([1, 500, 2**50])
        spent, earned = sum(row[0] for row in totals) + money, sum(row[2] for row in totals) + energy
        if max(spent, earned) < 2**62:
            totals[buyer][0] += money
            totals[seller][1] += money
            totals[buyer][2] += energy
            totals[seller][3] += energy

    def propose(self) -> Call:
        rng, twin = self.rng, self.twin
        open_periods = sorted(number for number in self.totals if number > twin.settled_period)
        period = open_periods[0] if open_periods and rng.random() < 0.95 else FIRST + rng.randrange(9)
        if rng.random() < 0.7:
            self.now = max(self.now, (period + 1) * PERIOD)
        totals = self.totals.get(period, [[0] * 4 for _ in range(MEMBERS)])
        nets = [credit - debit for debit, credit, _, _ in totals]
        words = encode_nets(self.bent(nets, rng.choice(KINDS)))
        if rng.random() < 0.05:
            words = [*words, *encode_nets([0] * LANES)]

        def mirror(by: str) -> None:
            self.only("operator", by)
            twin.propose(period, words, self.now)
            self.words = words

        return Call(self.as_role("operator"), "propose", (period, words), mirror)

    def bent(self, nets: list[int], kind: str) -> list[int]:
        """Net amounts, right or wrong in one way."""
        first, second = self.rng.sample(range(MEMBERS), 2)
        if kind == "short":
            return nets[:LANES]
        bent = list(nets)
        step = {"shifted": 1, "drain": self.money, "flood": BIAS // 2, "unbalanced": 1}.get(kind, 0)
        bent[first] += step
        if kind != "unbalanced":
            bent[second] -= step
        return bent if max(map(abs, bent)) < BIAS else nets

    # -- anyone

    def finalise(self) -> Call:
        rng, twin = self.rng, self.twin
        if rng.random() < 0.5:
            self.now += WINDOW
        words = self.words if rng.random() < 0.9 else encode_nets([0] * MEMBERS)

        def mirror(_: str) -> None:
            if not twin.paused and twin.is_pending and self.now >= twin.proposal.ready_at:
                refuse_unless(words == self.words, "other words")
            twin.finalise(self.now)
            self.paid_periods.append(twin.settled_period)

        return Call(rng.choice(self.people), "finalise", (words,), mirror)

    def challenge(self) -> Call:
        rng, twin = self.rng, self.twin
        period, i, flaw = twin.proposal.period, rng.randrange(MEMBERS), rng.choice(FLAWS)
        tree = self.trees.get(period, Tree.of_slot(0, [], DEPTH))
        last = self.last(period)
        totals = self.totals.get(period)
        sums = MONEY.pack(totals[i]) if totals else 0
        proof, words = tree.proof(i), self.words
        if flaw == "words":
            words = [*words, 0]
        elif flaw == "header":
            last = replace(last, previous=tree.root)
        elif flaw == "proof":
            proof = proof[:-1]

        def mirror(_: str) -> None:
            refuse_unless(twin.is_pending, "nothing proposed")
            refuse_unless(self.now < twin.proposal.ready_at, "window closed")
            refuse_unless(words == self.words, "other words")
            refuse_unless(last == self.last(twin.proposal.period), "other slot")
            refuse_unless(flaw != "proof", "bad proof")
            # totals that are not the tree's are fraud, whatever the leaf
            false = tree.totals != last.commitment.money
            self.voided(lambda: twin.veto(self.now) if false else twin.challenge(i, sums, self.now))

        arguments = (words, i, sums, proof, last.previous, last.commitment.content)
        return Call(rng.choice(self.people), "challenge", arguments, mirror)

    def last(self, period: int) -> Opening:
        """Opening of a period's last commitment."""
        empty = [Commitment(0, ZERO, ZERO, 0, 0, 0)]
        return opening(self.chains.get(period, empty), -1, SLOTS)

    def stop(self) -> Call:
        if self.rng.random() < 0.5:
            return Call(self.as_role("arbiter"), "veto", (), self.by_role("arbiter", self.vetoed))
        return Call(self.as_role("operator"), "retract", (), self.by_role("operator", self.retracted))

    def vetoed(self) -> None:
        self.voided(lambda: self.twin.veto(self.now))

    def retracted(self) -> None:
        self.voided(self.twin.retract)

    def voided(self, how: Callable[[], None]) -> None:
        """Drop a netting; its last slot is open again."""
        period = self.twin.proposal.period
        how()
        self.reopened[self.twin.periods[period].last_slot + 1] += 1

    def by_role(self, role: str, then: Callable[[], None]) -> Callable[[str], None]:
        def mirror(who: str) -> None:
            self.only(role, who)
            then()

        return mirror

    # -- who governs

    def pause(self) -> Call:
        to = self.rng.random() < 0.25

        def mirror(who: str) -> None:
            refuse_unless(who in (self.roles["owner"], self.roles["arbiter"]), "not allowed")
            self.twin.paused = to

        return Call(self.as_role(self.rng.choice(["owner", "arbiter"])), "setPaused", (to,), mirror)

    def govern(self) -> Call:
        """What is given away mostly comes back."""
        rng, roles = self.rng, self.roles
        account = rng.choice([person.address for person in self.people] + [NOBODY])
        kind = rng.choice(
            ["setArbiter", "offerOperator", "acceptOperator", "offerOwnership", "acceptOwnership", "register"]
        )
        if kind == "register":
            known = rng.choice(self.members).address
            return self.register(rng.choice([known, self.c.address, NOBODY, *[self.members[-1].address] * 2]))
        if kind in ("acceptOperator", "acceptOwnership"):
            role = "operator" if kind == "acceptOperator" else "owner"
            pending = "pending" + ("Operator" if role == "operator" else "Owner")

            def accept() -> None:
                roles[role], roles[pending] = roles[pending], NOBODY

            return Call(self.as_role(pending), kind, (), self.by_role(pending, accept))
        home = {"setArbiter": self.arbiter, "offerOperator": self.operator, "offerOwnership": self.owner}[kind]
        account = rng.choice([account, home.address, home.address])

        def mirror(who: str) -> None:
            self.only("owner", who)
            if kind == "setArbiter":
                refuse_unless(account not in (roles["operator"], roles["pendingOperator"]), "roles must differ")
                roles["arbiter"] = account
            elif kind == "offerOperator":
                refuse_unless(account == NOBODY or account != roles["arbiter"], "roles must differ")
                roles["pendingOperator"] = account
            else:
                roles["pendingOwner"] = account

        return Call(self.as_role("owner"), kind, (account,), mirror)

    def register(self, account: str) -> Call:
        def mirror(who: str) -> None:
            self.only("operator", who)
            refuse_unless(account not in (NOBODY, self.c.address), "bad account")
            refuse_unless(account not in self.indices, "already a member")
            refuse_unless(len(self.indices) < MEMBERS, "full")
            self.indices[account] = len(self.indices)

        return Call(self.as_role("operator"), "register", (account,), mirror)

    # -- checks

    def check(self) -> None:
        twin, c = self.twin, self.c
        words = [c.read("balances", j) for j in range(MEMBERS // LANES)]
        balances = decode_balances(words)
        self.equal("lanes of balances", balances, twin.balances_n)
        assert all(word & (1 << 64 * k + 63 | 1 << 64 * k + 62) == 0 for word in words for k in range(LANES))
        holdings = self.token.read("balanceOf", c.address)
        self.equal("solvent: holds what it owes", holdings, sum(balances))
        wallets = {account: self.token.read("balanceOf", account) for account in self.wallets}
        self.equal("wallets", wallets, self.wallets)
        self.equal("tokens conserved", sum(wallets.values()) + holdings, WALLET * MEMBERS)
        for i, member in enumerate(self.members):
            self.equal("requests", c.read("requests", member.address), twin.requests.get(i, (0, 0)))
        self.equal("settled period", c.read("settledPeriod"), twin.settled_period)
        self.equal("pending", c.read("isPending"), twin.is_pending)
        self.equal("roles", {role: c.read(role) for role in self.roles}, self.roles)
        self.equal("a period is netted once", len(self.paid_periods), len(set(self.paid_periods)))
        self.equal("periods are netted in order", self.paid_periods, sorted(self.paid_periods))
        for number, chain in list(self.chains.items())[-2:]:
            self.equal("last slot", c.read("lastSlot", number), twin.periods[number].last_slot)
            shown = self.rng.randrange(len(chain))
            counts = self.commits[chain[shown].slot] == 1 and not self.reopened[chain[shown].slot]
            proof = opening(chain, shown, SLOTS)
            if counts:
                self.equal("a commitment is proved", [c.read("isCommitted", proof.content)], [True])
            other = replace(proof, commitment=replace(proof.commitment, money=proof.commitment.money ^ 1))
            self.equal("another content is not", [c.read("isCommitted", other.content)], [False])
        again = {slot for slot, times in self.commits.items() if times > 1 + self.reopened[slot]}
        self.equal("a slot is committed once, and once more when its netting was void", again, set())

    def end(self) -> None:
        """Everybody leaves, while all is paused and the operator is silent."""
        if len(self.indices) < MEMBERS:
            self.both(self.register(self.members[-1].address))
        self.both(self.paused_for_ever())
        for member in self.members:
            mirror = lambda by: self.twin.request_withdrawal(self.index(by), 2**255, self.now)  # noqa: E731 - one call
            self.both(Call(member, "requestWithdrawal", (2**255,), mirror))
        self.now += NOTICE
        for member in self.members:
            self.both(
                Call(member, "withdraw", (), lambda by: self.paid(by, -self.twin.withdraw(self.index(by), self.now)))
            )
        self.check()
        self.equal("everybody leaves while all is paused", self.token.read("balanceOf", self.c.address), 0)

    def paused_for_ever(self) -> Call:
        def mirror(_: str) -> None:
            self.twin.paused = True

        return Call(self.as_role("owner"), "setPaused", (True,), mirror)
