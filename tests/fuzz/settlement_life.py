"""A life of the settlement: deposits, slots, nettings right and wrong, challenges, and leaving at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from eth_hash.auto import keccak

from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.echo import Echo
from tests.fuzz.judged_life import (
    DEPTH,
    FIRST,
    LEAD,
    MEMBERS,
    NOTICE,
    PENALTY,
    PERIOD,
    SILENCE,
    SLOT,
    SLOTS,
    WALLET,
    WINDOW,
    Committed,
    JudgedLife,
    Taken,
    refuse_unless,
)
from tests.fuzz.life import Call
from tests.strategies import leaves_of
from tests.twins.settlement import SettlementTwin
from transactive.chain.commitments import Commitment
from transactive.chain.packing import BIAS, LANES, MAX_PAID_IN, decode_balances, encode_nets, words_for
from transactive.chain.revert_reasons import UNKNOWN
from transactive.chain.twins.refusals import refusals
from transactive.core.errors import ContractRevert
from transactive.core.proofs import signing
from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import ZERO, word
from transactive.core.proofs.signed_orders import split
from transactive.core.proofs.slot_tree import SlotTree

KINDS = ("honest", "honest", "honest", "shifted", "unbalanced", "drain", "flood", "short")
PERMIT_TYPE = b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


class SettlementLife(JudgedLife):
    """Seven members, at times one of them the hostile token; small sums, or up to the ends of the lanes."""

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
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, self.arbiter.address, LEAD, NOBODY)
        c = Bound.deploy(self.machine, by, "settlement", self.token.address, *rules)
        self.judge = Bound.deploy(self.machine, by, "disputes", c.address)
        self.named = False
        c.do(by, "offerOperator", self.operator.address)
        c.do(self.operator.address, "acceptOperator")
        c.do(by, "setArbiter", self.arbiter.address)
        self.roles = {"owner": by, "operator": self.operator.address, "arbiter": self.arbiter.address}
        self.roles |= {"pendingOwner": NOBODY, "pendingOperator": NOBODY}
        self.had_office = {self.operator.address}
        for member in self.people:
            if member in self.members[:-1]:
                c.do(self.operator.address, "register", member.address)
            self.token.do(by, "mint", member.address, WALLET)
            if not self.echo:
                self.token.do(member.address, "approve", c.address, 2**256 - 1)
        self.wallets = dict.fromkeys((person.address for person in self.people), WALLET)
        self.permits = dict.fromkeys(self.wallets, 0)
        self.used_up: set[str] = set()
        self.indices = {member.address: i for i, member in enumerate(self.members[:-1])}
        self.twin = SettlementTwin(
            accounts=MEMBERS - 1,
            slot_seconds=SLOT,
            slots_per_period=SLOTS,
            window=WINDOW,
            notice=NOTICE,
            silence=SILENCE,
            penalty=PENALTY,
            lead=LEAD,
            beneficiary=self.arbiter.address,
        )
        self.since = dict.fromkeys(range(MEMBERS - 1), 0)
        self.money = rng.choice([100, 10**12, MAX_PAID_IN])
        self.chains: dict[int, list[Committed]] = {}
        self.taken: list[Taken] = []
        self.paid_periods: list[int] = []
        return c

    def move(self) -> Call | None:
        rng = self.rng
        if rng.random() < 0.15:
            self.now += rng.choice([1, WINDOW // 2, SLOT, SLOT, PERIOD])
        if self.twin.paused and rng.random() < 0.2:
            return self.pause()
        if self.twin.proposal.period and rng.random() < 0.25:
            return rng.choice([self.finalise, self.finalise, self.challenge, self.stop])()
        if self.twin.bond < PENALTY and rng.random() < 0.3:
            return self.stake("fund")
        if not self.named and rng.random() < 0.3:
            return self.name_judge()
        kinds = [self.deposit] * 4 + [self.leave] * 4 + [self.limit] + [self.commit] * 6 + [self.propose] * 4
        kinds += [self.finalise] * 3 + [self.challenge] * 2 + [self.challenge_leaf] * 2 + [self.stop]
        kinds += [self.stake, self.claim, self.silence, self.name_judge]
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
        room = max(0, MAX_PAID_IN - max(twin.sides(self.members.index(who))))
        amount = rng.choice([0, 1, self.money // 7, self.money, self.money, room, room + 1])

        def deposited(account: str, by: str) -> None:
            refuse_unless(not twin.paused, "paused")
            index = self.index(account)
            if 0 < amount <= MAX_PAID_IN - max(twin.sides(index)):
                refusals("currency")(by not in self.used_up, "allowance too low")
            twin.deposit(index, amount)
            self.paid(by, amount)

        kind = rng.choice(["deposit", "deposit", "for", "many", "permit"])
        if kind == "many":
            return self.deposit_many(who)
        if kind == "for":
            account = rng.choice([*self.members, *self.people]).address
            room = 0 if account not in self.indices else max(0, MAX_PAID_IN - max(twin.sides(self.indices[account])))
            amount = min(amount, room + 1)
            return Call(who, "depositFor", (account, amount), lambda by: deposited(account, by), pays=True)
        if kind == "permit" and self.echo:  # a token that knows no permits
            return Call(who, "depositWithPermit", (who.address, amount, 0, 27, ZERO, ZERO), self.knows_no_permits)
        if kind == "permit":
            return self.permit(who, amount, deposited)
        return Call(who, "deposit", (amount,), lambda by: deposited(by, by), pays=True)

    def deposit_many(self, who: Person) -> Call:
        """One deposit for several accounts, or for nobody; an account may be among them twice."""
        rng, twin = self.rng, self.twin
        accounts = [rng.choice([*self.members * 4, *self.people]).address for _ in range(rng.randint(0, 4))]
        size = len(accounts) + (rng.random() < 0.05)
        amounts = [rng.choice([1, self.money // 7, self.money]) for _ in range(size)]
        if amounts and rng.random() < 0.2:
            amounts[-1] = rng.choice([0, MAX_PAID_IN + 1])

        def mirror(by: str) -> None:
            before = list(twin.balances_n)
            twin.deposit_many([self.indices.get(account) for account in accounts], amounts)
            try:
                refusals("currency")(by not in self.used_up or not amounts, "allowance too low")
            except ContractRevert:
                twin.balances_n = before
                raise
            self.paid(by, sum(amounts))

        return Call(who, "depositForMany", (accounts, amounts), mirror, pays=True)

    def knows_no_permits(self, _: str) -> None:
        raise ContractRevert(UNKNOWN)

    def permit(self, who: Person, amount: int, deposited: Callable[[str, str], None]) -> Call:
        """A deposit with a signature of its member, which anybody may bring once."""
        assert who.key
        nonce, deadline = self.permits[who.address], self.now + self.rng.choice([10**6, 10**6, -(10**6)])
        parts = (signing.address_word(who.address), signing.address_word(self.c.address))
        numbers = b"".join(word(number) for number in (amount, nonce, deadline))
        struct = keccak(keccak(PERMIT_TYPE) + b"".join(parts) + numbers)
        signature = signing.sign(signing.digest(self.token.read("DOMAIN_SEPARATOR"), struct), bytes(who.key.key))

        def mirror(_: str) -> None:
            refuse_unless(self.now <= deadline and self.permits[who.address] == nonce, "bad permit")
            allowance = {who.address} & self.used_up
            self.used_up -= allowance
            try:
                deposited(who.address, who.address)
            except ContractRevert:
                self.used_up |= allowance
                raise
            self.permits[who.address] += 1
            self.used_up.add(who.address)  # a permit replaces the allowance, and the deposit takes all of it

        arguments = (who.address, amount, deadline, *split(signature))
        return Call(self.rng.choice(self.people), "depositWithPermit", arguments, mirror)

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
        taken = [
            n for n, known in twin.periods.items() if known.last_slot not in known.slots and n > twin.settled_period
        ]
        if taken and rng.random() < 0.7:
            slot = twin.periods[taken[0]].last_slot + 1  # what was taken back is committed anew
        number = slot // SLOTS
        totals = [list(row) for row in self.last_totals(number)]
        for _ in range(rng.randrange(4)):
            self.trade(totals)
        tree = SlotTree(leaves_of(slot, totals), DEPTH, b"fuzz")
        stated = max(0, tree.money + rng.choice([0] * 12 + [1, 1 << 63, 1 << 128, -(1 << 128), 1 | 1 << 64]))
        energy = rng.choice([tree.energy] * 12 + [2**63 - 1, 1 << 191])
        made = Commitment(slot, tree.root, rng.choice([ZERO, tree.root]), stated, energy, 0)

        def mirror(by: str) -> None:
            self.only("operator", by)
            refuse_unless(energy & MONEY.top == 0 or self.now < (slot + 1) * SLOT, "totals too large")
            twin.commit_slot(slot, stated, self.now)
            self.chains.setdefault(number, []).append(Committed(made, tree, totals))

        return Call(self.as_role("operator"), "commitSlot", made.content, mirror)

    def last_totals(self, period: int) -> list[list[int]]:
        """Running totals of the period's last commitment."""
        chain = self.chains.get(period)
        return chain[-1].totals if chain else [[0] * 4 for _ in range(MEMBERS)]

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
        open_periods = sorted(number for number in self.chains if number > twin.settled_period)
        period = open_periods[0] if open_periods and rng.random() < 0.95 else FIRST + rng.randrange(9)
        if rng.random() < 0.7:
            self.now = max(self.now, (period + 1) * PERIOD)
        nets = [credit - debit for debit, credit, _, _ in self.last_totals(period)]
        words = encode_nets(self.bent(nets, rng.choice(KINDS)))
        begun = twin.proposal.period == period and not twin.is_pending and rng.random() < 0.8
        first = len(twin.proposal.nets_n) // LANES if begun else 0
        part = words[first : rng.choice([first + 1, len(words), len(words), len(words) + 1])]
        if rng.random() < 0.05:
            first, part = rng.randrange(4), [*part, *encode_nets([0])]

        def mirror(by: str) -> None:
            self.only("operator", by)
            chain = self.chains.get(period)
            twin.propose(period, first, part, self.now, self.opening(chain, -1).head if chain else b"")

        return Call(self.as_role("operator"), "propose", (period, first, part), mirror)

    def stake(self, kind: str | None = None) -> Call:
        rng, twin = self.rng, self.twin
        amount = rng.choice([1, PENALTY, 5 * PENALTY])
        kind = kind or rng.choice(["fund", "request", "take", "take"])
        if kind == "fund":

            def funded(by: str) -> None:
                refusals("currency")(by not in self.used_up, "allowance too low")
                twin.fund_bond(amount)
                self.paid(by, amount)

            return Call(rng.choice([self.operator, *self.members]), "fundBond", (amount,), funded, pays=True)
        if kind == "request":

            def requested(by: str) -> None:
                self.only("operator", by)
                twin.request_bond(amount, self.now)

            return Call(self.as_role("operator"), "requestBond", (amount,), requested)

        def taken(by: str) -> None:
            self.only("operator", by)
            self.paid(by, -twin.take_bond(self.now))

        return Call(self.as_role("operator"), "takeBond", (), taken, pays=True)

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
        words = rng.choice([0, 1, 1, 1, 2, 1024])

        def mirror(_: str) -> None:
            twin.finalise(words, self.now)
            if not twin.proposal.period:
                self.paid_periods.append(twin.settled_period)

        return Call(rng.choice(self.people), "finalise", (words,), mirror)

    def claim(self) -> Call:
        awarded = [person for person in self.people if self.twin.awards[person.address]]
        who = self.rng.choice(awarded or self.people)
        return Call(who, "claim", (), lambda by: self.paid(by, -self.twin.claim(by)), pays=True)

    def silence(self) -> Call:
        """Mostly too early: a settlement that has ended shows little more."""
        if self.made > self.rng.choice([300, 10**6]) and self.rng.random() < 0.1:
            self.now += SILENCE + PERIOD
        return Call(
            self.rng.choice(self.people), "declareSilence", (), lambda by: self.twin.declare_silence(by, self.now)
        )

    def stop(self) -> Call:
        rng, twin = self.rng, self.twin
        open_periods = [number for number in self.chains if number > twin.settled_period]
        period = twin.proposal.period or rng.choice(open_periods or [0])
        chain = self.chains.get(period) or self.known()
        veto = rng.random() < 0.5
        shown = self.opening(chain, rng.randrange(len(chain)) if veto or rng.random() < 0.2 else -1)
        if rng.random() < 0.1:
            shown = replace(shown, previous=shown.commitment.root)
        slot = shown.commitment.slot

        def refuse_other(period: int) -> None:
            current = self.chains.get(period, [])
            known = [one.made.slot for one in current]
            right = slot in known and self.opening(current, known.index(slot)) == shown
            refuse_unless(right, "other slot")

        def taken_back() -> None:
            """Remember what can be challenged for a window longer."""
            self.taken.append((self.opening(chain, -1), chain[-1].tree))

        def vetoed() -> None:
            refuse_unless(twin.proposal.period > 0, "nothing proposed")
            refuse_unless(not twin.is_pending or self.now < twin.proposal.ready_at, "window closed")
            refuse_other(twin.proposal.period)
            taken_back()
            self.rewound(slot, lambda: twin.veto(slot, self.now, self.opening(chain, -1).head))

        def retracted() -> None:
            twin.refuse_unless_open(slot // SLOTS)
            refuse_unless(not shown.later, "not the last slot")
            current = self.chains.get(slot // SLOTS)
            head = self.opening(current, -1).head if current else ZERO
            twin.refuse_if_kept(head, self.now)
            refuse_other(slot // SLOTS)
            taken_back()
            self.rewound(slot, lambda: twin.retract(slot, self.now, head))

        if veto:
            return Call(self.as_role("arbiter"), "veto", (shown.content,), self.by_role("arbiter", vetoed))
        return Call(self.as_role("operator"), "retract", (shown.content,), self.by_role("operator", retracted))

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
        """What is given away mostly comes back; the operator's office never does."""
        rng, roles = self.rng, self.roles
        account = rng.choice([person.address for person in self.people] + [NOBODY])
        kind = rng.choice(
            ["setArbiter", "offerOperator", "acceptOperator", "offerOwnership", "acceptOwnership", "register", "many"]
        )
        if kind in ("register", "many"):
            known, new = rng.choice(self.members).address, self.members[-1].address
            some = [known, self.c.address, NOBODY, new, new]
            if kind == "register":
                return self.register(rng.choice(some))
            accounts = rng.choices(some, k=rng.randint(0, 3))
            return Call(self.as_role("operator"), "registerMany", (accounts,), self.registered(accounts))
        if kind in ("acceptOperator", "acceptOwnership"):
            role = "operator" if kind == "acceptOperator" else "owner"
            pending = "pending" + ("Operator" if role == "operator" else "Owner")

            def accept() -> None:
                if role == "operator" and roles[pending] != roles[role]:
                    refuse_unless(roles[pending] not in self.had_office, "had its term")
                    self.had_office.add(roles[pending])
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
        return Call(self.as_role("operator"), "register", (account,), self.registered([account]))

    def registered(self, accounts: list[str]) -> Callable[[str], None]:
        """What the twin does when these are registered: all of them or none."""

        def mirror(who: str) -> None:
            self.only("operator", who)
            indices = dict(self.indices)
            for account in accounts:
                refuse_unless(account not in (NOBODY, self.c.address), "bad account")
                refuse_unless(account not in indices, "already a member")
                refuse_unless(len(indices) < MEMBERS, "full")
                indices[account] = len(indices)
            self.indices, self.twin.accounts = indices, len(indices)

        return mirror

    # -- checks

    def check(self) -> None:
        twin, c = self.twin, self.c
        words = [c.read("balances", j) for j in range(words_for(MEMBERS))]
        balances = decode_balances(words)
        self.equal("lanes of balances", balances, twin.balances_n[: len(balances)])
        assert all(word & (1 << 64 * k + 63 | 1 << 64 * k + 62) == 0 for word in words for k in range(LANES))
        holdings = self.token.read("balanceOf", c.address)
        awards = sum(c.read("awards", account) for account in self.wallets)
        self.equal("stake", c.read("bond"), twin.bond)
        self.equal("awards", awards, sum(twin.awards.values()))
        settled = sum(twin.sides(i)[0] for i in range(twin.accounts))
        self.equal("solvent: holds what it owes", holdings, settled + twin.bond + awards)
        assert holdings >= twin.claims_n(), (self.title, "all that can leave is there, between any two parts")
        for account, index in self.indices.items():
            self.equal("settled balance", c.read("balanceOf", account), twin.sides(index)[0])
        wallets = {account: self.token.read("balanceOf", account) for account in self.wallets}
        self.equal("wallets", wallets, self.wallets)
        self.equal("tokens conserved", sum(wallets.values()) + holdings, WALLET * len(self.wallets))
        for i, member in enumerate(self.members):
            self.equal("requests", c.read("requests", member.address), twin.requests.get(i, (0, 0)))
        self.equal("ended", c.read("hasEnded"), twin.ended)
        self.equal("settled period", c.read("settledPeriod"), twin.settled_period)
        self.equal("pending", c.read("isPending"), twin.is_pending)
        self.equal("roles", {role: c.read(role) for role in self.roles}, self.roles)
        self.equal("a period is netted once", len(self.paid_periods), len(set(self.paid_periods)))
        self.equal("periods are netted in order", self.paid_periods, sorted(self.paid_periods))
        for number, chain in list(self.chains.items())[-2:]:
            self.equal("last slot", c.read("lastSlot", number), twin.periods[number].last_slot)
            slots = [one.made.slot for one in chain]
            self.equal("a slot is committed once", slots, sorted(set(slots)))
            if not chain:
                continue
            proof = self.opening(chain, self.rng.randrange(len(chain)))
            self.equal("a commitment is proved", [c.read("isCommitted", proof.content)], [True])
            other = replace(proof, commitment=replace(proof.commitment, money=proof.commitment.money ^ 1))
            self.equal("another content is not", [c.read("isCommitted", other.content)], [False])
            self.equal("final is what was netted", c.read("isFinal", proof.content), number in self.paid_periods)

    def end(self) -> None:
        """Everybody leaves, while all is paused and the operator is silent."""
        if len(self.indices) < MEMBERS:
            self.both(self.register(self.members[-1].address))
        self.both(self.paused_for_ever())
        for member in self.members:
            mirror = lambda by: self.twin.request_withdrawal(self.index(by), 2**255, self.now)  # noqa: E731 - one call
            self.both(Call(member, "requestWithdrawal", (2**255,), mirror))
        self.now += NOTICE
        self.all_withdraw()
        if self.twin.proposal.applied:  # anybody ends it, paused or not
            self.both(Call(self.members[0], "finalise", (1024,), lambda _: self.twin.finalise(1024, self.now)))
            self.paid_periods.append(self.twin.settled_period)
            self.all_withdraw()
        elif self.twin.proposal.period:
            self.now = max(self.now, self.twin.heard + SILENCE)
            self.both(Call(self.members[0], "declareSilence", (), lambda by: self.twin.declare_silence(by, self.now)))
            self.all_withdraw()
        self.check()
        owed = self.twin.bond + sum(self.twin.awards.values())
        self.equal("everybody leaves while all is paused", self.token.read("balanceOf", self.c.address), owed)

    def all_withdraw(self) -> None:
        """Every member takes what it can; what it asked for beyond that stands while a netting goes on."""
        for member in self.members:
            mirror = lambda by: self.paid(by, -self.twin.withdraw(self.index(by), self.now))  # noqa: E731 - one call
            self.both(Call(member, "withdraw", (), mirror))

    def paused_for_ever(self) -> Call:
        def mirror(_: str) -> None:
            self.twin.paused = True

        return Call(self.as_role("owner"), "setPaused", (True,), mirror)
