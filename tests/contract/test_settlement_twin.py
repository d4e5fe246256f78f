"""The settlement contract against its plain twin: same reasons, same balances, whatever is tried."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.contract.world import (
    ARBITER,
    BOND,
    CANDIDATE,
    FIRST,
    NOTICE,
    OFF,
    ON,
    OPERATOR,
    OWNER,
    PENALTY,
    PERIOD,
    SILENCE,
    SLOT,
    SLOTS,
    STRANGER,
    WINDOW,
    Book,
    World,
    reason_of,
)
from tests.twins.settlement import SettlementTwin
from transactive.chain.disputes import evidence
from transactive.chain.history import commitments, opening
from transactive.chain.packing import BIAS, MAX_BALANCE, MAX_PAID_IN, encode_nets
from transactive.chain.twins import disputes
from transactive.core.errors import ContractRevert
from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import ZERO

EDGES = [0, 1, -1, BIAS - 1, -BIAS, MAX_BALANCE, -MAX_BALANCE, 2**61, -(2**61)]
nets = st.one_of(st.sampled_from(EDGES), st.integers(-BIAS, BIAS - 1), st.integers(-1000, 1000))
stocks = st.one_of(st.sampled_from([0, 1, 1000, MAX_PAID_IN, MAX_PAID_IN - 1, 2**60]), st.integers(0, MAX_PAID_IN))


def new_twin(accounts: int = 8) -> SettlementTwin:
    twin = SettlementTwin(
        accounts=accounts,
        slot_seconds=SLOT,
        slots_per_period=SLOTS,
        window=WINDOW,
        notice=NOTICE,
        silence=SILENCE,
        penalty=PENALTY,
    )
    twin.fund_bond(BOND)
    return twin


def fitted(wanted: list[int], balances: list[int]) -> list[int]:
    """Amounts cut to what the balances allow; what is left over goes to whoever has room."""
    kept = [max(-b, min(a, MAX_BALANCE - b)) for a, b in zip(wanted, balances, strict=False)]
    rest = -sum(kept)
    for i, balance in enumerate(balances[: len(kept)]):
        step = max(-balance - kept[i], min(rest, MAX_BALANCE - balance - kept[i]))
        kept[i] += step
        rest -= step
    return kept


def test_words_against_the_twin():
    """Accepted and refused nettings must both occur, so that the comparison means something."""
    seen: Counter[str | None] = Counter()

    @settings(max_examples=30, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(stocks, min_size=5, max_size=5),
        st.lists(nets, max_size=8),
        st.sampled_from(["balanced", "fitting", "fitting", "raw", "flip"]),
        st.integers(0, 511),
    )
    @example([5, 0, 0, 0, 0], [-5, 5], "raw", 0)
    @example([5, 0, 0, 0, 0], [-5, 6], "raw", 0)
    @example([5, 0, 0, 0, 0], [-6, 6], "raw", 0)
    @example([MAX_PAID_IN, 2, 0, MAX_PAID_IN, 0], [-MAX_PAID_IN, -2, 0, MAX_PAID_IN + 2], "raw", 0)
    def compare(balances, amounts, kind, bit):
        w, twin = World.fresh(5, money=0), new_twin(5)
        for i, balance in enumerate(balances):
            if balance:
                w.client.send(w.members[i], w.c, "deposit", balance)
                twin.deposit(i, balance)
        w.now = (w.slot + 1) * SLOT
        w.commit()
        twin.commit_slot(w.slot - 1, w.tree.money, w.now)
        if kind == "fitting":
            amounts = fitted(amounts, balances)
        elif kind == "balanced" and amounts and -BIAS <= amounts[-1] - sum(amounts) < BIAS:
            amounts[-1] -= sum(amounts)
        words = encode_nets([*amounts, *[0] * (5 - len(amounts))])
        if kind == "flip":
            words[bit % len(words)] ^= 1 << (bit // 2)
        w.end()
        wanted = reason_of(twin.propose, FIRST, 0, words, w.now)
        got = reason_of(w.do, OPERATOR, "propose", FIRST, 0, words)
        assert got == wanted
        if got is None:
            w.after_window()
            twin.finalise(9, w.now)
            w.do(STRANGER, "finalise", 9)
        assert w.balances() == twin.balances_n[:8]
        assert w.solvent()
        seen[wanted] += 1

    compare()
    assert seen[None] >= 3
    assert seen["settlement: not zero-sum"] >= 1
    assert seen["settlement: overdraft or lane overflow"] >= 2


members = st.integers(0, 7)
KINDS = ["honest", "honest", "honest", "shifted", "unbalanced", "drain"]


class Life(RuleBasedStateMachine):
    """Random life of a settlement contract, allowed and forbidden calls alike, next to the twin."""

    @initialize()
    def start(self):
        self.w, self.twin = World.fresh(8, money=500), new_twin()
        for i in range(8):
            self.twin.deposit(i, 500)
        self.books = {}
        self.trees = {}
        self.patience, self.since = 2, 0

    def both(self, sender, function, arguments, twin_call, *twin_arguments, timed=True, judge=False) -> bool:
        """Do the same on both sides; they must agree. Tells whether it went through."""
        self.w.now = max(self.w.now, self.w.client.head_timestamp + 1)
        time = (self.w.now,) if timed else ()
        wanted = reason_of(twin_call, *twin_arguments, *time)
        do = self.w.judge if judge else self.w.do
        call = (function, *arguments) if judge else (sender, function, *arguments)
        assert reason_of(do, *call) == wanted
        return wanted is None

    @rule(seconds=st.sampled_from([1, WINDOW - 1, WINDOW, SLOT, PERIOD, NOTICE]))
    def wait(self, seconds):
        self.w.now += seconds

    @rule(i=members, amount=st.sampled_from([0, 1, 300, MAX_PAID_IN, MAX_PAID_IN - 500]))
    def deposit(self, i, amount):
        if amount <= 2**63:  # what wallets hold
            self.both(self.w.members[i], "deposit", [amount], self.twin.deposit, i, amount, timed=False)

    @rule(i=members, amount=st.integers(0, 900))
    def request(self, i, amount):
        self.both(self.w.members[i], "requestWithdrawal", [amount], self.twin.request_withdrawal, i, amount)

    @rule(i=members)
    def release(self, i):
        self.both(OPERATOR, "release", [self.w.members[i].address], self.twin.release, i)

    @rule(i=members)
    def withdraw(self, i):
        self.both(self.w.members[i], "withdraw", [], self.twin.withdraw, i)

    @rule(i=members, amount=st.sampled_from([None, 0, 50, 200]))
    def limit(self, i, amount):
        stated = 2**256 - 1 if amount is None else amount
        self.both(self.w.members[i], "setLimit", [stated], self.twin.set_limit, i, amount)

    @rule(to=st.sampled_from([True, False, False]))
    def pause(self, to):
        self.w.do(OWNER, "setPaused", ON if to else OFF)
        self.twin.paused = to

    @rule(i=members, j=members, amount=st.sampled_from([0, 1, 300, MAX_PAID_IN]))
    def deposit_for(self, i, j, amount):
        arguments = [self.w.members[j].address, amount]
        self.both(self.w.members[i], "depositFor", arguments, self.twin.deposit, j, amount, timed=False)

    @rule(i=members, paid=st.lists(st.tuples(members, st.sampled_from([0, 1, 300, 300, MAX_PAID_IN])), max_size=3))
    def deposit_for_many(self, i, paid):
        indices, amounts = [j for j, _ in paid], [amount for _, amount in paid]
        arguments = [[self.w.members[j].address for j in indices], amounts]
        self.both(self.w.members[i], "depositForMany", arguments, self.twin.deposit_many, indices, amounts, timed=False)

    @rule(amount=st.sampled_from([1, PENALTY, 5 * PENALTY]), take=st.booleans())
    def stake(self, amount, take):
        if take:
            self.both(OPERATOR, "requestBond", [amount], self.twin.request_bond, amount)
        else:
            self.both(OPERATOR, "fundBond", [amount], self.twin.fund_bond, amount, timed=False)

    @rule()
    def take_bond(self):
        self.both(OPERATOR, "takeBond", [], self.twin.take_bond)

    @rule(beneficiary=st.booleans())
    def claim(self, beneficiary):
        who, sender = ("beneficiary", ARBITER) if beneficiary else ("challenger", STRANGER)
        self.both(sender, "claim", [], self.twin.claim, who, timed=False)

    @rule(late=st.sampled_from([0, 0, 0, SILENCE]))
    def declare_silence(self, late):
        if late and self.patience > 0:  # a life that ended early shows little
            self.patience -= 1
            return
        self.w.now += late
        self.both(STRANGER, "declareSilence", [], self.twin.declare_silence, "challenger")

    @rule(
        trades=st.lists(st.tuples(members, members, st.integers(0, 200)), max_size=4),
        offset=st.sampled_from([-1, 0, 0, 0, 0, 1]),
        bad=st.sampled_from([0, 0, 0, 0, 1, 1 << 63]),
    )
    def commit(self, trades, offset, bad):
        slot = max(self.w.now, self.w.client.head_timestamp + 1) // SLOT - 1 + offset
        open_periods = [n for n in self.twin.periods if n > self.twin.settled_period and not self.twin.ended]
        taken_back = [n for n in open_periods if self.twin.periods[n].last_slot not in self.twin.periods[n].slots]
        if taken_back:  # what was taken back is committed anew
            slot = self.twin.periods[taken_back[0]].last_slot + 1 + max(offset, 0)
        number = slot // SLOTS
        book = Book(8)
        if number in self.books:
            book.money = [list(row) for row in self.books[number].money]
        for buyer, seller, money in trades:
            book.trade(buyer, seller, money)
        tree = book.tree(slot)
        content = [slot, tree.root, ZERO, tree.money + bad, tree.energy]
        if self.both(OPERATOR, "commitSlot", content, self.twin.commit_slot, slot, tree.money + bad):
            self.books[number] = book
            self.trees[slot] = tree

    @rule(kind=st.sampled_from(KINDS), early=st.booleans(), at_once=st.booleans())
    def propose(self, kind, early, at_once=True):
        numbers = sorted(number for number in self.books if number > self.twin.settled_period)
        period = numbers[0] if numbers else FIRST
        if not early:
            self.w.now = max(self.w.now, (period + 1) * PERIOD)
        amounts = self.books[period].nets() if numbers else [0] * 8
        if kind == "shifted":
            amounts[0] += 1
            amounts[1] -= 1
        elif kind == "unbalanced":
            amounts[0] += 1
        elif kind == "drain":
            amounts[2] -= 10**6
            amounts[3] += 10**6
        words = encode_nets(amounts)
        parts = [(0, words)] if at_once else [(0, words[:1]), (1, words[1:])]
        made = self.openings(period)[-1:] if period in self.twin.periods else []
        head = made[0].head if made else b""
        for first, part in parts:
            stated = partial(self.twin.propose, head=head)
            self.both(OPERATOR, "propose", [period, first, part], stated, period, first, part)

    @rule(
        trades=st.lists(st.tuples(members, members, st.integers(0, 200)), max_size=4),
        kind=st.sampled_from(KINDS),
        stop=st.sampled_from(["nothing", "nothing", "challenge", "veto", "retract"]),
        i=members,
    )
    def whole_period(self, trades, kind, stop, i):
        """From a first commitment to the payment: what single steps by chance rarely reach."""
        self.pause(to=False)
        self.w.now += SLOT
        self.commit(trades, 0, 0)
        self.propose(kind, early=False)
        if stop == "challenge":
            self.challenge(i)
        elif stop == "veto":
            self.veto(0)
        elif stop == "retract":
            self.retract()
        self.finalise(late=True)

    @rule(late=st.booleans(), words=st.sampled_from([0, 1, 1, 9]))
    def finalise(self, late, words=9):
        if late:
            self.w.now += WINDOW
        self.both(STRANGER, "finalise", [words], self.twin.finalise, words)

    @precondition(lambda self: any(period.slots for period in self.twin.periods.values()))
    @rule()
    def retract(self):
        period = self.twin.proposal.period or max(n for n, known in self.twin.periods.items() if known.slots)
        last = self.openings(period)[-1]
        back = partial(self.twin.retract, head=last.head)
        self.both(OPERATOR, "retract", [last.content], back, last.commitment.slot)

    @precondition(lambda self: self.twin.proposal.period > 0)
    @rule(back=st.integers(0, 3))
    def veto(self, back):
        if not self.twin.proposal.period:
            return
        shown = self.openings(self.twin.proposal.period)
        first = shown[max(len(shown) - 1 - back, 0)]
        back = partial(self.twin.veto, head=shown[-1].head)
        self.both(ARBITER, "veto", [first.content], back, first.commitment.slot)

    @precondition(lambda self: self.twin.proposal.period > 0)
    @rule(i=members)
    def challenge(self, i):
        """Show the last leaf against the pending netting."""
        if not self.twin.proposal.period:
            return
        last, pending = self.openings(self.twin.proposal.period)[-1], self.twin.proposal
        tree = self.trees[last.commitment.slot]
        leaf, limit = tree.leaf(i), self.twin.limit(i, pending.period)

        def judged():
            if i >= len(pending.nets_n) or pending.applied:
                raise ContractRevert("disputes: nothing proposed")
            if not disputes.wrong_net(leaf, pending.nets_n[i], limit):
                raise ContractRevert("disputes: no fraud shown")
            if disputes.wrong_net(leaf, pending.nets_n[i], None):
                self.twin.convict_netting("challenger")
            else:
                self.twin.convict(last.commitment.slot, "challenger", self.w.now)

        arguments = [last.content, evidence.shown(i, leaf, tree.proof(i))]
        self.both(STRANGER, "challengeNetting", arguments, judged, timed=False, judge=True)

    @precondition(lambda self: any(period.slots for period in self.twin.periods.values()))
    @rule(data=st.data(), i=members)
    def challenge_leaf(self, data, i):
        """Show a leaf that no tree of the operator's holds: its slot's values are another member's."""
        found = [slot for period in self.twin.periods.values() for slot in period.slots]
        slot = data.draw(st.sampled_from(found))
        shown = next(o for o in self.openings(slot // SLOTS) if o.commitment.slot == slot)
        tree = self.trees[slot]
        fraud = data.draw(st.booleans())
        registered = slot * SLOT >= FIRST * PERIOD
        index = 8 if fraud else i
        if fraud:  # the ninth place is empty: fraud once somebody has it
            if self.twin.accounts == 8:
                self.w.do(OPERATOR, "register", CANDIDATE.address)
                self.twin.accounts = 9
                self.since = self.w.now - 1
            registered = self.since <= slot * SLOT
        leaf = None if fraud else tree.leaf(i)

        def judged():
            made = shown.commitment
            if not disputes.wrong_leaf(made, index, leaf, tree.proof(index), registered=registered):
                raise ContractRevert("disputes: no fraud shown")
            self.twin.convict(slot, "challenger", self.w.now)

        arguments = [shown.content, evidence.shown(index, leaf, tree.proof(index))]
        self.both(STRANGER, "challengeLeaf", arguments, judged, timed=False, judge=True)

    def openings(self, period):
        """Openings of a period's commitments, from the logs that everybody can read."""
        found = [made for made in commitments(self.w.client, self.w.c) if made.slot // SLOTS == period]
        assert [made.slot for made in found] == self.twin.periods[period].slots
        return [opening(found, position, SLOTS) for position in range(len(found))]

    @invariant()
    def same_balances(self):
        if hasattr(self, "w"):
            balances = self.w.balances()
            assert balances == self.twin.balances_n[: len(balances)]
            held = int(self.w.client.read(self.w.token, "balanceOf", self.w.c.address))
            assert held >= self.twin.claims_n(), "between any two parts, all that can leave is there"

    def teardown(self):
        if hasattr(self, "w"):
            assert self.w.solvent()
            for name in ("latestPeriod", "settledPeriod"):
                wanted = self.twin.latest_period if name == "latestPeriod" else self.twin.settled_period
                assert self.w.read(name) == (2**62 if self.twin.ended else wanted)
            assert self.w.read("isPending") == self.twin.is_pending
            assert self.w.read("hasEnded") == self.twin.ended
            assert self.w.read("bond") == self.twin.bond
            assert self.w.read("awards", STRANGER.address) == self.twin.awards["challenger"]
            assert self.w.read("awards", ARBITER.address) == self.twin.awards["beneficiary"]


def test_random_life():
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=5,  # thousands of calls more: tests/fuzz/test_money_lives.py
            stateful_step_count=25,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_totals_lanes_are_those_of_the_leaves():
    assert MONEY.names == ("debit_n", "credit_n", "bought_wh", "sold_wh")
