"""A life of the certificates: slots right and wrong, leaving or direct issues, transfers, claims, every way to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.contract.certificate_world import (
    CLAIMED,
    HELD,
    MEMBERS,
    STORED,
    Records,
    leaves_of,
    readings_of,
    records_of,
    words,
)
from tests.contract.world import DEPTH, LEAD, NOTICE, PERIOD, SECRET, SILENCE, SLOT, SLOTS, WINDOW
from tests.fuzz.bound import NOBODY, Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.certificates import CertificatesTwin, Shown, token_id
from tests.twins.multitoken import UNLIMITED
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.chain.history import opening
from transactive.chain.packing import encode_nets
from transactive.chain.twins import certificate_disputes as judge
from transactive.chain.twins.certificate_disputes import Bundle
from transactive.chain.twins.refusals import refusals
from transactive.core.certificates import CARBON, ENERGY
from transactive.core.proofs.leaves import SlotLeaves, climb
from transactive.core.proofs.merkle import REGISTERS, ZERO
from transactive.core.proofs.signed_orders import split
from transactive.core.proofs.slot_tree import SlotTree
from transactive.metering import gateway

FIRST, VALIDITY = 400_000, 16 * PERIOD
SINCE = FIRST * SLOTS + 2
"""First slot that is issued: the two before it, a life commits in vain."""
FLAWS = ("none", "none", "none", "none", "proof", "record", "opening")
bundles_unless, judge_unless = refusals("bundles"), refusals("certificate_disputes")
settlement_unless = refusals("settlement")


@dataclass(frozen=True, slots=True)
class Placed:
    """A slot that was committed once: certificates, the settlement's own leaves, the records behind, and who lies."""

    made: Commitment
    tree: SlotTree
    own: SlotTree
    records: Records
    liar: int | None = None


class CertificatesLife(Life):
    """Eight members, rooted or direct; slots end, expire, and are taken back."""

    contract = "certificates"

    def begin(self) -> Bound:
        rng = self.rng
        self.now, self.period = FIRST * PERIOD + 1, FIRST
        roles = ("owner", "operator", "gateway", "credits", "candidate", "stranger")
        self.owner, self.operator, self.gateway, self.credits, *others = (Person.named(role) for role in roles)
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        self.people = [self.owner, self.operator, self.gateway, self.credits, *others, *self.members]
        self.newcomer = others[0]
        by, self.direct = self.owner.address, rng.random() < 0.5
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, 0, by, LEAD, NOBODY)
        self.settlement = Bound.deploy(self.machine, by, "settlement", by, *rules)
        disputes = Bound.deploy(self.machine, by, "disputes", self.settlement.address)
        self.judge = Bound.deploy(self.machine, by, "certificate_disputes", disputes.address)
        c = Bound.deploy(self.machine, by, "certificates", self.settlement.address, self.direct, VALIDITY, SINCE)
        self.settlement.do(by, "setDisputes", disputes.address)
        self.settlement.do(by, "offerOperator", self.operator.address)
        self.settlement.do(self.operator.address, "acceptOperator")
        disputes.do(by, "setGateway", self.gateway.address)
        disputes.do(by, "setCertificateDisputes", self.judge.address)
        for member in self.members:
            self.settlement.do(self.operator.address, "register", member.address)
        self.twin = CertificatesTwin(
            owner=by,
            gateway=self.gateway.address,
            is_direct=self.direct,
            slot_seconds=SLOT,
            slots_per_period=SLOTS,
            validity=VALIDITY,
            accounts=[member.address for member in self.members],
            own=(NOBODY, c.address),
            since=SINCE,
        )
        self.chains: dict[int, list[Placed]] = {}
        self.slots: list[Placed] = []
        self.settled = 0
        return c

    def move(self) -> Call | None:
        rng = self.rng
        if rng.random() < (0.1 if self.direct else 0.2):
            self.now += rng.choice([1, WINDOW, SLOT])
            if not self.direct:
                self.go_on()
            return None
        often: dict[Callable[[], Call | None], int] = {
            self.pass_on: 4, self.allow: 2, self.claim: 8, self.withdraw: 1, self.credit: 2, self.govern: 2,
            self.revoke: 1, self.issue: 5 if self.direct else 1, self.release: 1 if self.direct else 6,
            self.accuse: 0 if self.direct else 6, self.collect: 4,
        }  # fmt: skip
        return rng.choices(list(often), list(often.values()))[0]()

    # -- slots of a settlement

    def go_on(self) -> None:
        """Commit the next slot, or settle the period."""
        chain = self.chains.setdefault(self.period, [])
        if len(chain) < self.rng.randrange(1, SLOTS + 1):
            slot = chain[-1].made.slot + 1 if chain else self.period * SLOTS
            if slot // SLOTS == self.period:
                self.commit(slot, chain)
                return
        if chain:
            self.now = max(self.now, (self.period + 1) * PERIOD)
            nets = encode_nets([0] * self.settlement.read("memberCount"))
            self.machine.at = self.now
            self.settlement.do(self.operator.address, "propose", self.period, 0, nets)
            self.now += WINDOW
            self.machine.at = self.now
            self.settlement.do(self.operator.address, "finalise", len(nets))
            self.settled = self.period
        self.period += 1

    def commit(self, slot: int, chain: list[Placed]) -> None:
        """A slot that is honest, or lies in a leaf or a record."""
        rng, registers = self.rng, [self.registers() for _ in range(MEMBERS)]
        readings, bundles = readings_of(slot * SLOT, registers), self.bundles(registers)
        leaves, records = leaves_of(slot, readings, bundles), records_of(readings, bundles)
        energy = np.zeros((MEMBERS, 4), np.int64)
        energy[:, 2], energy[:, 3] = leaves.money[:, 0], leaves.money[:, 1]
        none, nothing = [ZERO] * MEMBERS, np.zeros_like(energy)
        own = SlotTree(SlotLeaves(slot, nothing, energy, nothing, energy, none, none), DEPTH, SECRET)
        someone, lane, change = rng.randrange(MEMBERS), rng.randrange(5), rng.choice([1, -1, 7])
        liar = someone if rng.random() < 0.5 else None
        if liar is not None and (rng.random() < 0.6 or not bundles):
            column = leaves.money[:, lane] if lane < 4 else leaves.energy[:, 0]
            column[liar] = max(int(column[liar]) + change, 0)
        elif liar is not None:
            false = records_of(readings, self.lie(bundles))
            records = replace_at(records, false, liar)
            leaves = replace(leaves, fills=records.hashes)
        tree = SlotTree(leaves, DEPTH, SECRET)
        made = Commitment(slot, own.root, tree.root, own.money, own.energy, 0)
        self.now = max(self.now, (slot + 1) * SLOT)
        self.machine.at = self.now
        self.settlement.do(self.operator.address, "commitSlot", *made.content)
        placed = Placed(made, tree, own, records, liar)
        chain.append(placed)
        self.slots = [*self.slots[-12:], placed]

    def registers(self) -> tuple[int, int, int, int, int]:
        """A home's registers [Wh] that can be."""
        rng = self.rng
        generation, discharge = rng.choice([0, 0, 300]), rng.choice([0, 0, 100])
        used, charge = rng.randrange(250), rng.choice([0, 50])
        balance = used + charge - generation - discharge
        return max(balance, 0), max(-balance, 0), generation, charge, discharge

    def bundles(self, registers: list[tuple[int, int, int, int, int]]) -> list[Bundle]:
        """What became of all that was made: claimed while anybody has consumption left, kept, stored or left."""
        rng, made = self.rng, list[Bundle]()
        room = [row[0] + row[2] + row[4] - row[1] - row[3] for row in registers]
        for i, row in enumerate(registers):
            for device, wh in ((2 * i, row[2]), (2 * i + 1, row[4])):
                first = 0
                while first < wh:
                    part, owner = min(wh - first, rng.choice([30, 100, 300])), rng.randrange(MEMBERS)
                    state = CLAIMED if room[owner] >= part and rng.random() < 0.7 else rng.choice([HELD, HELD, STORED])
                    room[owner] -= part if state == CLAIMED else 0
                    if state == HELD and rng.random() < 0.1:
                        owner = MEMBERS  # an account that nobody has, at first
                    made.append((device, first, part, owner, state, 45 * part))
                    first += part
        return made

    def lie(self, bundles: list[Bundle]) -> list[Bundle]:
        """One bundle twice, longer, or in another's name."""
        place = self.rng.randrange(len(bundles))
        device, first, wh, owner, state, mg = bundles[place]
        other = (device, first, wh + self.rng.choice([0, 1]), (owner + 1) % MEMBERS, state, mg)
        twice, longer = [*bundles[: place + 1], *bundles[place:]], [*bundles[:place], other, *bundles[place + 1 :]]
        return self.rng.choice([twice, longer])

    def some_slot(self) -> Placed | None:
        return self.rng.choice(self.slots) if self.slots else None

    def opening_of(self, placed: Placed) -> Opening:
        """Opening of a slot as good as it can be shown; of one that was taken back, as if it were alone."""
        chain = self.chains.get(placed.made.slot // SLOTS, [])
        if placed in chain:
            return opening([one.made for one in chain], chain.index(placed), SLOTS)
        return opening([placed.made], 0, SLOTS)

    def counts(self, placed: Placed, shown: Opening) -> bool:
        """Whether the settlement confirms an opening of a slot by now."""
        return placed in self.chains.get(placed.made.slot // SLOTS, []) and shown == self.opening_of(placed)

    # -- what comes in

    def release(self) -> Call | None:
        placed, rng = self.some_slot() or (self.unreal() if self.direct else None), self.rng
        if placed is None:
            return None
        i, flaw, twin = rng.randrange(MEMBERS), rng.choice(FLAWS), self.twin
        shown = self.opening_of(placed)
        if flaw == "opening":
            shown = replace(shown, previous=placed.tree.root)
        leaf, proof = placed.tree.leaf(i), placed.tree.proof(i)
        rows = placed.records.rows[i] if flaw != "record" else [*placed.records.rows[i], (0, 0, 1, 0, HELD, 0)]
        told = self.told(placed, i, rows)

        def mirror(_: str) -> None:
            counts = self.counts(placed, shown)
            early = self.direct or placed.made.slot < SINCE
            early = early or placed.made.slot // SLOTS > self.settled or not counts
            if not early:
                bundles_unless(flaw != "proof", "bad proof")
                bundles_unless(flaw != "record", "other record")
            twin.release(told, self.settled, counts=counts)

        arguments = (
            shown.content,
            evidence.shown(i, leaf, proof[:-1] if flaw == "proof" else proof),
            (placed.records.rests[i], words(rows)),
        )
        return Call(rng.choice(self.people), "release", arguments, mirror)

    def collect(self) -> Call:
        """What waits for an account that nobody has; at some time somebody gets it."""
        rng, twin = self.rng, self.twin
        if twin.waiting and len(twin.accounts) == MEMBERS and rng.random() < 0.3:
            self.machine.at = self.now
            self.settlement.do(self.operator.address, "register", self.newcomer.address)
            twin.accounts.append(self.newcomer.address)
        token, owner = rng.choice([*twin.waiting, (token_id(0, self.now // SLOT, 0), MEMBERS)])
        return Call(rng.choice(self.people), "collect", (token, owner), lambda _: twin.collect(token, owner, self.now))

    def told(self, placed: Placed, i: int, rows: list[Bundle]) -> Shown:
        """A leaf for the twin."""
        leaf, proof = placed.tree.leaf(i), placed.tree.proof(i)
        _, money, energy, _ = climb(leaf, i, proof)
        sums = ENERGY.unpack(money)
        sound = not judge.wrong_leaf(placed.made.slot, i, leaf, proof)
        assert CARBON.unpack(energy)["received_wh"] >= 2**62
        return Shown(placed.made.slot, leaf, rows, sums["issued_wh"] - sums["claimed_wh"], sound)

    def unreal(self) -> Placed:
        """A slot that nobody committed."""
        slot, registers = self.now // SLOT, [self.registers() for _ in range(MEMBERS)]
        readings, bundles = readings_of(slot * SLOT, registers), self.bundles(registers)
        tree = SlotTree(leaves_of(slot, readings, bundles), DEPTH, SECRET)
        made = Commitment(slot, tree.root, tree.root, tree.money, tree.energy, 0)
        return Placed(made, tree, tree, records_of(readings, bundles))

    def issue(self) -> Call:
        rng, twin = self.rng, self.twin
        if not twin.enrolled or rng.random() < 0.05:
            return Call(rng.choice(self.people), "enrol", (), lambda _: twin.enrol())
        slot = self.now // SLOT - rng.choice([0, 1, 1, 1, 1, 2])
        packed = [REGISTERS.pack(self.registers()) for _ in range(rng.choice([1, 4, MEMBERS, MEMBERS]))]
        if rng.random() < 0.05:
            packed[0] = REGISTERS.pack((0, 1, 0, 0, 0))
        accounts = list(twin.accounts)
        if rng.random() < 0.1:
            accounts = rng.choice([accounts[:-1], accounts[:1], [*accounts[1:], accounts[0]]])
        key = rng.choice([self.gateway] * 9 + [self.operator])
        spared = rng.choice([0, 0, rng.randrange(2**MEMBERS)])
        assert key.key
        contract = rng.choice([self.c.address] * 9 + [self.judge.address])
        meant = rng.choice([spared] * 9 + [rng.randrange(2**MEMBERS)])
        signature = gateway.sign_issue(slot, packed, meant, bytes(key.key.key), CHAIN_ID, contract)
        signer = key.address if contract == self.c.address and meant == spared else NOBODY
        return Call(
            rng.choice(self.people),
            "issue",
            (slot, packed, accounts, spared, split(signature)),
            lambda _: twin.issue(slot, packed, accounts, spared, signer, self.now),
        )

    # -- what holders do

    def token(self) -> tuple[str, int]:
        """A holder and a token, mostly one that it has."""
        held = [pair for pair, wh in self.twin.tokens.balances.items() if wh]
        if held and self.rng.random() < 0.95:
            return self.rng.choice(held[-40:])
        return self.rng.choice(self.members).address, token_id(0, self.now // SLOT, self.rng.randrange(2 * MEMBERS))

    def at(self, address: str) -> Person:
        return next((person for person in self.people if person.address == address), self.owner)

    def amount(self, holder: str, token: int) -> int:
        has = self.twin.tokens.balances[holder, token]
        return self.rng.choice([0, 1, has // 3, has // 3, has, has + 1, UNLIMITED])

    def pass_on(self) -> Call:
        rng, twin = self.rng, self.twin
        sender, token = self.token()
        amount = self.amount(sender, token)
        to = rng.choice([*(member.address for member in self.members)] * 3 + [NOBODY, self.c.address])
        if rng.random() < 0.6:
            return Call(
                self.at(sender),
                "transfer",
                (to, token, amount),
                lambda by: twin.transfer(by, to, token, amount, self.now),
            )
        spenders = [who for owner, who in twin.tokens.operators if owner == sender]
        allowed = [(owner, who, one) for (owner, who, one), most in twin.tokens.allowances.items() if most]
        spenders += [who for owner, who, one in allowed if (owner, one) == (sender, token)]
        return Call(
            self.at(rng.choice(spenders or [to, sender])),
            "transferFrom",
            (sender, to, token, amount),
            lambda by: twin.transfer_from(by, sender, to, token, amount, self.now),
        )

    def allow(self) -> Call:
        rng, tokens = self.rng, self.twin.tokens
        holder, token = self.token()
        who, spender, yes = self.at(holder), rng.choice(self.people).address, rng.random() < 0.4
        if rng.random() < 0.5:
            return Call(who, "setOperator", (spender, yes), lambda by: tokens.set_operator(by, spender, approved=yes))
        amount = self.amount(holder, token)
        return Call(who, "approve", (spender, token, amount), lambda by: tokens.approve(by, spender, token, amount))

    def claim(self) -> Call:
        """Some tokens of one holder, mostly against its own consumption, in slots where there is any."""
        rng, twin = self.rng, self.twin
        holder, first = self.token()
        same = [one for (who, one), wh in twin.tokens.balances.items() if who == holder and wh][-6:]
        ids = [first] * rng.choice([1, 1, 2]) + rng.sample(same, min(len(same), rng.randrange(3)))
        index = {member.address: i for i, member in enumerate(self.members)}
        member = index.get(holder, 0) if rng.random() < 0.9 else rng.randrange(MEMBERS + 1)
        amounts = [min(self.amount(holder, one), rng.choice([20, 60, UNLIMITED])) for one in ids]
        if rng.random() < 0.03:
            amounts = amounts[:-1]
        beneficiary = rng.choice([b"shop".ljust(32, b"\0")] * 9 + [ZERO])
        return Call(
            self.at(holder),
            "claim",
            (member, beneficiary, ids, amounts),
            lambda by: twin.claim(by, member, beneficiary, ids, amounts, self.now),
        )

    def withdraw(self) -> Call:
        holder, token = self.token()
        amount = min(self.amount(holder, token), self.rng.choice([5, UNLIMITED]))
        return Call(
            self.at(holder),
            "withdraw",
            (token, amount, ZERO),
            lambda by: self.twin.withdraw(by, token, amount, self.now),
        )

    # -- who may

    def known(self) -> tuple[int, int]:
        """A slot and a member, mostly of those that the contract knows."""
        known = list(self.twin.books)[-30:]
        if known and self.rng.random() < 0.9:
            return self.rng.choice(known)
        return self.now // SLOT, self.rng.randrange(9)

    def credit(self) -> Call:
        slot, member = self.known()
        spared = [place for place, book in self.twin.books.items() if not book.certified and not book.credited]
        if spared and self.rng.random() < 0.4:
            slot, member = self.rng.choice(spared)
        return Call(self.credits, "credit", (slot, member), lambda by: self.twin.credit(by, slot, member))

    def revoke(self) -> Call:
        slot, member = self.known()
        return Call(self.gateway, "revoke", (slot, member), lambda by: self.twin.revoke(by, slot, member))

    def govern(self) -> Call:
        rng, twin = self.rng, self.twin
        kind = rng.choice(["setCredits", "setZones", "setReach", "setReach"])
        if kind == "setCredits":
            account = rng.choice([self.credits.address] * 4 + [NOBODY])
            return Call(self.owner, kind, (account,), lambda by: twin.set_credits(by, account, NOBODY))
        zones = rng.choice([0, 0, sum(rng.randrange(3) << 8 * k for k in range(MEMBERS))])
        if kind == "setZones":
            return Call(self.owner, kind, (0, zones), lambda by: twin.set_zones(by, 0, zones))
        zone, reach = rng.randrange(3), rng.randrange(8)
        return Call(self.owner, kind, (zone, reach), lambda by: twin.set_reach(by, zone, reach))

    # -- evidence

    def accuse(self) -> Call | None:
        """Any kind of evidence of any slot, before and after its period is final."""
        rng, placed = self.rng, self.some_slot()
        lies = [one for one in self.chains.get(self.period, []) if one.liar is not None]
        if lies and rng.random() < 0.7:
            placed = rng.choice(lies)
        if placed is None:
            return None
        i, flaw = rng.randrange(MEMBERS), rng.choice(FLAWS)
        if placed.liar is not None and rng.random() < 0.7:
            i = placed.liar
        shown = self.opening_of(placed)
        if flaw == "opening":
            shown = replace(shown, previous=placed.tree.root)
        leaf, proof, rows = placed.tree.leaf(i), placed.tree.proof(i), placed.records.rows[i]
        place = evidence.shown(i, leaf, proof[:-1] if flaw == "proof" else proof)
        told = [*rows, (0, 0, 1, 0, HELD, 0)] if flaw == "record" else rows
        record = (placed.records.rests[i], words(told))
        own = placed.own
        kind = rng.choice(["challengeLeaf", "challengeBundles", "challengeMoney", "challengeTwice"])
        two = self.pair(placed, i) if kind == "challengeTwice" else None
        if kind == "challengeTwice" and two is None:
            kind = "challengeLeaf"
        more: dict[str, tuple[Any, ...]] = {
            "challengeLeaf": (),
            "challengeBundles": (record,),
            "challengeMoney": (evidence.shown(i, own.leaf(i), own.proof(i)),),
            "challengeTwice": (record, *(two[0] if two else ())),
        }
        wrong: dict[str, Callable[[], bool]] = {
            "challengeLeaf": lambda: judge.wrong_leaf(placed.made.slot, i, leaf, proof),
            "challengeBundles": lambda: judge.wrong_bundles(leaf, rows),
            "challengeMoney": lambda: judge.wrong_money(leaf, own.leaf(i)),
            "challengeTwice": lambda: bool(two and judge.given_twice(*two[1])),
        }

        def mirror(_: str) -> None:
            bundles_unless(flaw != "proof", "bad proof")
            bundles_unless(flaw != "record" or kind in ("challengeLeaf", "challengeMoney"), "other record")
            judge_unless(wrong[kind](), "no fraud shown")
            settlement_unless(placed.made.slot // SLOTS > self.settled, "period closed")
            settlement_unless(self.counts(placed, shown), "other slot")
            chain = self.chains[placed.made.slot // SLOTS]
            del chain[chain.index(placed) :]

        return Call(rng.choice(self.people), kind, (shown.content, place, *more[kind]), mirror, on=self.judge)

    def pair(self, placed: Placed, i: int) -> tuple[tuple[Any, ...], tuple[Bundle, Bundle]] | None:
        """A bundle of a member's record and one of another's, best of the same device."""
        rows, other = placed.records.rows, self.rng.randrange(MEMBERS)
        places = [(a, b) for a in range(len(rows[i])) for b in range(len(rows[other]))]
        same = [(a, b) for a, b in places if rows[i][a][:2] == rows[other][b][:2]]
        if not places:
            return None
        a, b = self.rng.choice(same or places)
        shown = evidence.shown(other, placed.tree.leaf(other), placed.tree.proof(other))
        told = (a, shown, (placed.records.rests[other], words(rows[other])), b)
        return told, (rows[i][a], rows[other][b])

    # -- checks

    def check(self) -> None:
        twin, c = self.twin, self.c
        for place in self.rng.sample(list(twin.books), min(8, len(twin.books))):
            self.equal("a member's slot", c.read("books", *place), twin.books[place].word)
            book = twin.books[place]
            self.equal("claimed at most consumed", min(book.claimed, book.consumed), book.claimed)
            self.equal("certified at most produced", min(book.certified, book.produced), book.certified)
        pairs = list(twin.tokens.balances)[-12:]
        balances = [c.read("balanceOf", *pair) for pair in pairs]
        self.equal("certificates held", balances, [twin.tokens.balances[pair] for pair in pairs])
        for slot in list(twin.released)[-3:]:
            self.equal("what left a slot", c.read("released", slot), twin.released[slot])
        for token in {one for _, one in pairs}:
            self.machine.at = self.now
            self.equal("live certificates", c.read("isLive", token), twin.is_live(token, self.now))
        self.equal("credits", c.read("credits"), twin.credits or NOBODY)
        for (token, owner), wh in list(twin.waiting.items())[-8:]:
            self.equal("waits", c.read("waiting", token, owner), wh)


def replace_at(records: Records, false: Records, index: int) -> Records:
    """Records of which one is another."""

    def mixed(honest: list[Any], other: list[Any]) -> list[Any]:
        return [*honest[:index], other[index], *honest[index + 1 :]]

    return Records(
        mixed(records.rests, false.rests), mixed(records.rows, false.rows), mixed(records.hashes, false.hashes)
    )
