"""Two groups and the whole: a dishonest operator of a group, of the whole, or a funder that plays with its capital."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.fuzz.adversary.stage import Stage, some_bytes
from tests.fuzz.adversary.terms import (
    BOND,
    DEPOSIT,
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
from tests.fuzz.bound import NOBODY, Bound, Person
from transactive.chain.commitments import Commitment, Opening, head_of
from transactive.chain.disputes import evidence
from transactive.chain.packing import PART_WORDS, encode_nets
from transactive.core.proofs.groups import agrees, leaves_of_group, leaves_of_whole
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree

DEPTH, OF_GROUP, GROUPS = 4, 2, (0, 1)
SUPPLIER = OF_GROUP * len(GROUPS)
"""The one named account; members are numbered before it."""
LINK_PLACE = OF_GROUP
LONG = NOTICE + WINDOW + SLOT
"""Notice of the whole, which is netted a window and a slot later."""
CAPITAL = 4_000
FRAUD = "what the whole says of a group and the group does not have is convicted"
SAFE = "an honest operator of the whole is never convicted"
MOVES = "a funder cannot stop capital that is needed"
BACK = "capital comes back to its funder within two notices"


@dataclass(frozen=True, slots=True)
class Made:
    """A commitment, and the tree behind it."""

    link: Commitment
    tree: SlotTree


class Groups(Stage):
    """Members trade across groups; everybody honest keeps the order of the two windows, and looks at the whole."""

    contract = "roles_of_groups"
    roles = ("operator", "child", "funder", "member", "stranger")
    often = "operator"
    steps = (1, REACTION, SLOT, WINDOW, PERIOD)

    def begin(self) -> None:
        self.now = FIRST * PERIOD + 1
        names = ("owner", "arbiter", "stranger", "funder", "operator", "child")
        self.owner, self.arbiter, self.stranger, self.funder, self.operator, self.child = map(Person.named, names)
        self.members = [Person.named("member", i) for i in range(SUPPLIER + 1)]
        self.people = [self.owner, self.arbiter, self.stranger, self.funder, self.operator, self.child, *self.members]
        self.token = self.deploy(self.owner, "currency", "Test", "TST", 2**80)
        self.token.do(self.owner.address, "setMinter", self.funder.address, *[True])
        self.whole = self._settlement("whole", self.operator, LONG)
        self.judge = self._judges(self.whole, "group_disputes")
        self.groups = [self._settlement(f"group {number}", self.child, NOTICE) for number in GROUPS]
        self.links: list[Bound] = []
        self._register(self.whole, self.operator, [self.members[SUPPLIER].address])
        for number, group in enumerate(self.groups):
            self._judges(group, "demands")
            link = self.deploy(
                self.owner, "group_link", group.address, self.whole.address, self.funder.address, key=f"link {number}"
            )
            own = self.members[OF_GROUP * number : OF_GROUP * (number + 1)]
            self._register(group, self.child, [*(member.address for member in own), link.address])
            self._register(self.whole, self.operator, [link.address])
            self.links.append(link)
        for member, place in zip(self.members, self.homes, strict=True):
            self._pay_in(place, member.address, DEPOSIT)
        for link in self.links:
            for side in (True, False):
                self._pay_in(self.side(link, side), link.address, CAPITAL)
        self.committed: dict[tuple[str, int], list[Made]] = defaultdict(list)  # by settlement and period
        self.nets: dict[int, list[int]] = {}
        self.asked: dict[tuple[int, bool], int] = {}  # when an honest funder asked, by link and side
        self.due((self.now // PERIOD + 1) * PERIOD, self.net_groups)
        self.due(self.now + REACTION, self.look)
        self.due(self.now + PERIOD, self.take_back)

    def _settlement(self, name: str, operator: Person, notice: int) -> Bound:
        """A settlement with its operator and stake."""
        rules = (DEPTH, SLOT, SLOTS, WINDOW, notice, SILENCE + LONG, PENALTY, self.arbiter.address, LEAD, NOBODY)
        made = self.deploy(self.owner, "settlement", self.token.address, *rules, key=name)
        made.do(self.owner.address, "offerOperator", operator.address)
        made.do(operator.address, "acceptOperator")
        made.do(self.owner.address, "setArbiter", self.arbiter.address)
        self.token.do(self.funder.address, "mint", operator.address, WALLET)
        self.token.do(operator.address, "approve", made.address, UNLIMITED)
        made.do(operator.address, "fundBond", BOND)
        return made

    def _judges(self, settlement: Bound, more: str) -> Bound:
        """Judges of a settlement; gives the one in the place of `demands`."""
        disputes = self.deploy(self.owner, "disputes", settlement.address, key=f"disputes of {settlement.address}")
        settlement.do(self.owner.address, "setDisputes", disputes.address)
        judge = self.deploy(self.owner, more, disputes.address, key=f"{more} of {settlement.address}")
        disputes.do(self.owner.address, "setDemands", judge.address)
        return judge

    def _register(self, settlement: Bound, operator: Person, accounts: list[str]) -> None:
        for account in accounts:
            settlement.do(operator.address, "register", account)

    def _pay_in(self, settlement: Bound, account: str, amount: int) -> None:
        self.token.do(self.funder.address, "mint", self.funder.address, amount)
        self.token.do(self.funder.address, "approve", settlement.address, amount)
        settlement.do(self.funder.address, "depositFor", account, amount)

    @property
    def homes(self) -> list[Bound]:
        """Settlement of each member and of the named account."""
        return [*(group for group in self.groups for _ in range(OF_GROUP)), self.whole]

    def side(self, link: Bound, of_group: bool) -> Bound:
        """Settlement on one side of a link."""
        return self.groups[self.links.index(link)] if of_group else self.whole

    # -- honest people

    def net_groups(self) -> None:
        """At the end of a period the groups commit and propose what their members traded with everybody."""
        self.due(self.now + PERIOD, self.net_groups)
        period = self.now // PERIOD - 1
        leaves = self.traded(period)
        self.nets[period] = [int(net) for net in leaves.money[:, 1] - leaves.money[:, 0]]
        if not self.honest("child"):
            return
        for number, group in enumerate(self.groups):
            own = leaves_of_group(leaves, self.span(number))
            if self.commit(self.child, group, own, b"group"):
                nets = [*self.nets[period][OF_GROUP * number : OF_GROUP * (number + 1)]]
                self.call(self.child, group, "propose", period, 0, encode_nets([*nets, -sum(nets)]))
        self.due(self.now + WINDOW, lambda: self.pay_groups(period))

    def traded(self, period: int) -> SlotLeaves:
        """What a period came to: three payments between any accounts, of the last slot."""
        money = np.zeros((SUPPLIER + 1, 4), np.int64)
        for _ in range(3):
            payer, payee = self.rng.sample(range(SUPPLIER + 1), 2)
            amount = self.rng.choice([0, 3, 40, 300])
            money[payer, 0] += amount
            money[payee, 1] += amount
        return leaves(period, money)

    def span(self, number: int) -> range:
        """Members of a group."""
        return range(OF_GROUP * number, OF_GROUP * (number + 1))

    def commit(self, who: Person, settlement: Bound, of: SlotLeaves, secret: bytes) -> bool:
        """Commit leaves."""
        tree = SlotTree(of, DEPTH, secret, self.attempts())
        made = Commitment(of.slot, tree.root, ZERO, tree.money, tree.energy, 0)
        self.committed[settlement.address, of.slot // SLOTS].append(Made(made, tree))
        return self.call(who, settlement, "commitSlot", *made.content) is None

    def attempts(self) -> int:
        """A number that no other attempt has."""
        return sum(len(some) for some in self.committed.values())

    def standing(self, settlement: Bound, period: int) -> list[Made]:
        """What a settlement has committed of a period and counts."""
        head, kept = bytes(settlement.read("heads", period)), list[Made]()
        for some in self.committed[settlement.address, period]:
            if head_of([one.link for one in (*kept, some)]) == head:
                return [*kept, some]
            if settlement.read("isCommitted", (head_of([one.link for one in kept]), some.link.content, [])):
                return [*kept, some]
        return kept

    def pay_groups(self, period: int) -> None:
        """Both groups pay; then an honest operator of the whole commits what it finds in them, if it can."""
        for group in self.groups:
            self.call(self.stranger, group, "finalise", PART_WORDS)
        if self.honest("operator"):
            self.commit_whole(period)

    def commit_whole(self, period: int) -> None:
        """The whole follows its groups; where their books do not open, it waits for ever."""
        found = [self.last_of(group, period) for group in self.groups]
        if any(int(group.read("settledPeriod")) < period for group in self.groups) or None in found:
            return
        heads = [bytes(group.read("heads", period)) for group in self.groups]
        of = leaves_of_whole(self.books(period), [self.span(number) for number in GROUPS], heads)
        if not self.commit(self.operator, self.whole, of, b"whole"):
            return
        sums = [net_n_of(of, place) for place in range(len(of))]
        if self.call(self.operator, self.whole, "propose", period, 0, encode_nets(sums)) is None:
            self.due(self.now + WINDOW, lambda: self.pay_whole(period, sums))

    def books(self, period: int) -> SlotLeaves:
        """The community's books of a period, as its members have them."""
        nets = np.array(self.nets[period], np.int64)
        money = np.zeros((SUPPLIER + 1, 4), np.int64)
        money[:, 0], money[:, 1] = np.maximum(-nets, 0), np.maximum(nets, 0)
        return leaves(period, money)

    def last_of(self, group: Bound, period: int) -> Made | None:
        """A group's last commitment, if it opens and says what its members know."""
        made = self.standing(group, period)
        if len(made) != 1 or head_of([made[0].link]) != bytes(group.read("heads", period)):
            return None
        of = leaves_of_group(self.books(period), self.span(self.groups.index(group)))
        same = made[0].tree.money == SlotTree(of, DEPTH, b"").money and made[0].tree.leaf(LINK_PLACE).money
        return made[0] if same == SlotTree(of, DEPTH, b"").leaf(LINK_PLACE).money else None

    def pay_whole(self, period: int, sums: list[int]) -> None:
        """The whole pays; its operator, and that of the groups, bring capital back where it came from."""
        paid = self.call(self.operator, self.whole, "finalise", PART_WORDS) is None
        if not paid or not self.honest("child"):
            return
        for link, net in zip(self.links, sums[1:], strict=True):
            if net:
                self.shift(link, net < 0, abs(net))

    def shift(self, link: Bound, of_group: bool, amount: int) -> None:
        """Move capital; what is due to the funder is paid first."""
        side = self.side(link, of_group)
        if link.read("returning", side.address):
            self.carry(link, of_group)
        self.must(self.operator, link, "shift", of_group, amount, rule=MOVES)
        self.carry(link, of_group)
        self.hold(not link.read("isShifting", side.address) or int(side.read("parts")[2]) > 0, MOVES)

    def carry(self, link: Bound, of_group: bool) -> None:
        """Release and carry, both at once."""
        side = self.side(link, of_group)
        if side.read("requests", link.address)[0]:
            who = self.child if of_group else self.operator
            self.must(who, side, "release", link.address, rule=MOVES)
            self.must(self.stranger, link, "carry", of_group, rule=MOVES)

    def take_back(self) -> None:
        """An honest funder asks for some of its capital now and then, and has it within two notices."""
        self.due(self.now + 3 * LONG, self.take_back)
        if not self.honest("funder"):
            return
        link, of_group = self.rng.choice(self.links), self.rng.random() < 0.5
        side = self.side(link, of_group)
        if not link.read("returning", side.address):
            self.must(self.funder, link, "takeBack", of_group, 7, rule=BACK)
            notice = int(side.read("notice"))
            self.due(self.now + notice, lambda: self.insist(link, of_group))
            self.due(self.now + 2 * notice + 1, lambda: self.collect(link, of_group))

    def insist(self, link: Bound, of_group: bool) -> None:
        """When it is due, the same again takes the place of a shift that nothing came of."""
        side = self.side(link, of_group)
        if link.read("isShifting", side.address) and (left := link.read("returning", side.address)):
            self.must(self.funder, link, "takeBack", of_group, left, rule=BACK)

    def collect(self, link: Bound, of_group: bool) -> None:
        """Two notices later it can be carried."""
        side = self.side(link, of_group)
        if link.read("returning", side.address):
            self.must(self.funder, link, "carry", of_group, rule=BACK)
            nothing_left = not link.read("returning", side.address)
            self.hold(nothing_left or int(side.read("proposal")[0]) > 0, f"{BACK}: what was there")

    def look(self) -> None:
        """Members compare the whole with their groups, and bring what differs before the judge."""
        self.due(self.now + REACTION, self.look)
        period = int(self.whole.read("latestPeriod"))
        if not period or period <= int(self.whole.read("settledPeriod")) or period == 2**62:
            return
        for made in self.standing(self.whole, period):
            if any(self.judged(made, period, number) for number in GROUPS):
                return

    def judged(self, made: Made, period: int, number: int) -> bool:
        """Look at one group's leaf; whether it was convicted."""
        group, place, link = self.groups[number], 1 + number, self.links[number]
        leaf, own = made.tree.leaf(place), self.standing(group, period)
        opens = own and head_of([one.link for one in own]) == bytes(group.read("heads", period))
        followed = int(group.read("settledPeriod")) >= period and leaf.fills == bytes(group.read("heads", period))
        last = own[-1] if opens else None
        if followed and last is None and leaf.fills != ZERO:
            return False  # its operator keeps the books of the group to itself: for `demands` there
        mirror = last.tree.leaf(LINK_PLACE) if last else None
        sums = (last.link.money, last.link.energy) if last else (0, 0)
        if followed and agrees(leaf, mirror, *sums):
            return False
        opening = self.opening(self.whole, period, made)
        if not self.whole.read("isContestable", opening):
            return False
        shown = evidence.shown(place, leaf, made.tree.proof(place))
        ours = self.opening(group, period, last) if last else opening
        ours_shown = evidence.shown(LINK_PLACE, mirror, last.tree.proof(LINK_PLACE)) if last and mirror else shown
        arguments = (opening, link.address, shown, ours, ours_shown)
        self.must(self.stranger, self.judge, "challengeGroup", *arguments, rule=FRAUD)
        return True

    def opening(self, settlement: Bound, period: int, made: Made) -> Any:
        """A commitment in the hash chain of its period."""
        standing = [one.link for one in self.standing(settlement, period)]
        place = standing.index(made.link) if made.link in standing else len(standing)
        return Opening(head_of(standing[:place]), made.link, tuple(one.hash for one in standing[place + 1 :])).content

    # -- rules

    def happened(self, who: Person, on: Bound, function: str, arguments: tuple[Any, ...]) -> None:
        if function in ("challengeGroup", "challengeSilence") and on is self.judge:
            self.hold(not self.honest("operator"), f"{SAFE}: {function} by {who.role}")
        for settlement in (self.whole, *self.groups):
            held = int(self.token.read("balanceOf", settlement.address))
            accounts = [str(settlement.read("accountOf", i)) for i in range(int(settlement.read("memberCount")))]
            owed = sum(int(settlement.read("balanceOf", account)) for account in accounts)
            self.hold(held >= owed + int(settlement.read("bond")), f"tokens held cover all that can leave: {function}")
        for link in self.links:
            self.hold(not self.token.read("balanceOf", link.address), "a link keeps nothing in its own hands")

    # -- the coalition

    def mischief(self) -> None:
        role = self.rng.choice(sorted(self.coalition))
        who = self.members[0] if role == "member" else getattr(self, role)
        link, of_group = self.rng.choice(self.links), self.rng.random() < 0.5
        amount = self.rng.choice([0, 1, 7, CAPITAL, UNLIMITED])
        anybody = [lambda: self.call(who, link, "carry", of_group), lambda: self.bad_challenge(who)]
        by_role = {
            "operator": [
                lambda: self.lie(who),
                lambda: self.lie(who),
                lambda: self.call(who, link, "shift", of_group, amount),
                lambda: self.call(who, self.whole, "finalise", PART_WORDS),
            ],
            "child": [lambda: self.lie_in_group(who), lambda: self.call(who, self.groups[0], "release", link.address)],
            "funder": [lambda: self.call(who, link, "takeBack", of_group, amount)] * 3,
        }
        self.rng.choice([*anybody, *by_role.get(role, [])])()

    def lie(self, who: Person) -> None:
        """The whole is committed at any time, with a leaf changed anywhere, and netted as the leaves say."""
        period = self.rng.choice(sorted(self.nets)[-2:] or [0])
        if not period:
            return
        heads = [bytes(group.read("heads", period)) for group in self.groups]
        if self.rng.random() < 0.3:
            heads[0] = self.rng.choice([heads[1], some_bytes(self.rng), ZERO])
        of = leaves_of_whole(self.books(period), [self.span(number) for number in GROUPS], heads)
        if self.rng.random() < 0.6:
            payer, payee = self.rng.sample(range(len(of)), 2)
            of.money[payer, 0] += 50
            of.money[payee, 1] += 50
        if self.rng.random() < 0.3:
            of.energy[self.rng.randrange(len(of)), 0] += 9
        if self.commit(who, self.whole, of, b"whole"):
            sums = [net_n_of(of, place) for place in range(len(of))]
            self.call(who, self.whole, "propose", period, 0, encode_nets(sums))

    def lie_in_group(self, who: Person) -> None:
        """A group commits what its members did not trade, its link something else, or nothing."""
        number = self.rng.choice(GROUPS)
        period = self.rng.choice(sorted(self.nets)[-2:] or [0])
        if not period:
            return
        own = leaves_of_group(self.books(period), self.span(number))
        if self.rng.random() < 0.6:
            own.money[self.rng.randrange(len(own)), self.rng.randrange(2)] += 30
        if self.commit(who, self.groups[number], own, b"group"):
            nets = [net_n_of(own, place) for place in range(len(own))]
            nets[-1] -= sum(nets)
            self.call(who, self.groups[number], "propose", period, 0, encode_nets(nets))
            self.due(self.now + WINDOW, lambda: self.pay_groups(period))

    def bad_challenge(self, who: Person) -> None:
        """Any evidence, against whoever is honest."""
        period = int(self.whole.read("latestPeriod"))
        made = self.standing(self.whole, period) if period else []
        if not made:
            return
        number, other = self.rng.choice(GROUPS), self.rng.choice(GROUPS)
        place, tree = 1 + self.rng.choice([number, other]), made[-1].tree
        opening = self.opening(self.whole, period, made[-1])
        own = self.standing(self.groups[other], self.rng.choice([period, period - 1]))
        shown = evidence.shown(place, tree.leaf(place), tree.proof(place))
        ours = self.opening(self.groups[other], own[-1].link.slot // SLOTS, own[-1]) if own else opening
        at = self.rng.choice([LINK_PLACE, 0])
        ours_shown = evidence.shown(at, own[-1].tree.leaf(at), own[-1].tree.proof(at)) if own else shown
        self.call(who, self.judge, "challengeGroup", opening, self.links[number].address, shown, ours, ours_shown)
        if self.rng.random() < 0.3:
            self.call(who, self.judge, "challengeSilence", opening, self.links[number].address)

    def leave(self) -> None:
        """Every member gets out of its own settlement with what it has there; so does all capital."""
        for member, place in zip(self.members, self.homes, strict=True):
            self.must(member, place, "requestWithdrawal", UNLIMITED, rule="who asks leaves within the notice")
        self.now += LONG + 1
        for member, place in zip(self.members, self.homes, strict=True):
            self.must(member, place, "withdraw", rule="who asks leaves within the notice")


def leaves(period: int, money: np.ndarray[Any, np.dtype[np.int64]]) -> SlotLeaves:
    """Leaves of a period's last slot with these running totals."""
    nothing, none = np.zeros_like(money), [ZERO] * len(money)
    return SlotLeaves((period + 1) * SLOTS - 1, money, nothing, money, nothing, none, none)


def net_n_of(of: SlotLeaves, place: int) -> int:
    """What a place receives, less what it pays."""
    return int(of.money[place, 1] - of.money[place, 0])
