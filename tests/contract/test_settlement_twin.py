"""The settlement contract against its plain twin: same reasons, same balances, whatever is tried."""

from __future__ import annotations

from collections import Counter

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
    DEPTH,
    FIRST,
    NOTICE,
    OFF,
    ON,
    OPERATOR,
    OWNER,
    PERIOD,
    SLOT,
    SLOTS,
    STRANGER,
    WINDOW,
    Book,
    World,
    reason_of,
)
from transactive.chain.history import commitments, opening
from transactive.chain.packing import BIAS, MAX_BALANCE, encode_nets
from transactive.chain.twin import SettlementTwin
from transactive.core.merkle import MONEY, ZERO, Tree

EDGES = [0, 1, -1, BIAS - 1, -BIAS, MAX_BALANCE, -MAX_BALANCE, 2**61, -(2**61)]
nets = st.one_of(st.sampled_from(EDGES), st.integers(-BIAS, BIAS - 1), st.integers(-1000, 1000))
stocks = st.one_of(st.sampled_from([0, 1, 1000, MAX_BALANCE, MAX_BALANCE - 1, 2**61]), st.integers(0, MAX_BALANCE))


def new_twin(accounts: int = 8) -> SettlementTwin:
    return SettlementTwin(accounts=accounts, slot_seconds=SLOT, slots_per_period=SLOTS, window=WINDOW, notice=NOTICE)


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

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(stocks, min_size=5, max_size=5),
        st.lists(nets, max_size=8),
        st.sampled_from(["balanced", "fitting", "fitting", "raw", "flip"]),
        st.integers(0, 511),
    )
    @example([5, 0, 0, 0, 0], [-5, 5], "raw", 0)
    @example([5, 0, 0, 0, 0], [-5, 6], "raw", 0)
    @example([5, 0, 0, 0, 0], [-6, 6], "raw", 0)
    @example([5, 0, 0, MAX_BALANCE, 0], [-1, 0, 0, 1], "raw", 0)
    def compare(balances, amounts, kind, bit):
        w, twin = World.fresh(5, money=0), new_twin(5)
        for i, balance in enumerate(balances):
            if balance:
                w.client.send(w.members[i], w.c, "deposit", balance)
                twin.deposit(i, balance)
        w.now = (w.slot + 1) * SLOT
        w.commit()
        twin.commit_slot(w.slot - 1, w.tree.totals, w.now)
        if kind == "fitting":
            amounts = fitted(amounts, balances)
        elif kind == "balanced" and amounts and -BIAS <= amounts[-1] - sum(amounts) < BIAS:
            amounts[-1] -= sum(amounts)
        words = encode_nets(amounts)
        if kind == "flip" and words:
            words[bit % len(words)] ^= 1 << (bit // 2)
        w.end()
        wanted = reason_of(twin.propose, FIRST, words, w.now)
        got = reason_of(w.propose, words)
        assert got == wanted
        if got is None:
            w.after_window()
            wanted = reason_of(twin.finalise, w.now)
            got = reason_of(w.do, STRANGER, "finalise", words)
            assert got == wanted
        assert w.balances() == twin.balances_n
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
        self.committed = {}
        self.words = encode_nets([0] * 8)

    def both(self, sender, function, arguments, twin_call, *twin_arguments, timed=True) -> bool:
        """Do the same on both sides; they must agree. Tells whether it went through."""
        self.w.now = max(self.w.now, self.w.client.head_timestamp + 1)
        time = (self.w.now,) if timed else ()
        wanted = reason_of(twin_call, *twin_arguments, *time)
        assert reason_of(self.w.do, sender, function, *arguments) == wanted
        return wanted is None

    @rule(seconds=st.sampled_from([1, WINDOW - 1, WINDOW, SLOT, PERIOD, NOTICE]))
    def wait(self, seconds):
        self.w.now += seconds

    @rule(i=members, amount=st.sampled_from([0, 1, 300, MAX_BALANCE, MAX_BALANCE - 500]))
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

    @rule(
        trades=st.lists(st.tuples(members, members, st.integers(0, 200)), max_size=4),
        offset=st.sampled_from([-1, 0, 0, 0, 0, 1]),
        bad=st.sampled_from([0, 0, 0, 0, 1, 1 << 63]),
    )
    def commit(self, trades, offset, bad):
        slot = max(self.w.now, self.w.client.head_timestamp + 1) // SLOT - 1 + offset
        voided, count = self.twin.proposal.commits
        if self.twin.proposal.period == 0 and count and self.twin.periods[voided].commits == count:
            slot = self.committed[voided][0] + offset  # what was void is committed anew, from empty books
            self.books[voided] = Book(8)
        number = slot // SLOTS
        book = Book(8)
        book.totals = [list(row) for row in self.books.get(number, Book(8)).totals]
        for buyer, seller, money in trades:
            book.trade(buyer, seller, money)
        tree = book.tree(slot)
        totals = tree.totals + bad
        if self.both(OPERATOR, "commitSlot", [slot, tree.root, ZERO, totals, 0], self.twin.commit_slot, slot, totals):
            self.books[number] = book
            self.committed[number] = (slot, tree)

    @rule(kind=st.sampled_from(KINDS), early=st.booleans())
    def propose(self, kind, early):
        numbers = sorted(number for number in self.committed if number > self.twin.settled_period)
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
        if self.both(OPERATOR, "propose", [period, words], self.twin.propose, period, words):
            self.words = words

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
            self.veto()
        elif stop == "retract":
            self.retract()
        self.finalise(late=True)

    @rule(late=st.booleans())
    def finalise(self, late):
        if late:
            self.w.now += WINDOW
        self.both(STRANGER, "finalise", [self.words], self.twin.finalise)

    @precondition(lambda self: self.twin.is_pending)
    @rule()
    def retract(self):
        self.both(OPERATOR, "retract", [], self.twin.retract, timed=False)

    @precondition(lambda self: self.twin.is_pending)
    @rule()
    def veto(self):
        self.both(ARBITER, "veto", [], self.twin.veto)

    @precondition(lambda self: self.twin.is_pending)
    @rule(i=members)
    def challenge(self, i):
        period = self.twin.proposal.period
        _slot, tree = self.committed.get(period, (0, Tree.of_slot(0, [], DEPTH)))
        sums = self.books[period].sums(i) if period in self.books else 0
        found = commitments(self.w.client, self.w.c)
        of_period = [k for k, made in enumerate(found) if made.slot // SLOTS == period]
        last = opening(found, of_period[-1], SLOTS)
        arguments = [self.words, i, sums, tree.proof(i), last.previous, last.commitment.content]
        self.both(STRANGER, "challenge", arguments, self.twin.challenge, i, sums)

    @invariant()
    def same_balances(self):
        if hasattr(self, "w"):
            assert self.w.balances() == self.twin.balances_n

    def teardown(self):
        if hasattr(self, "w"):
            assert self.w.solvent()
            assert self.w.read("settledPeriod") == self.twin.settled_period
            assert self.w.read("isPending") == self.twin.is_pending


def test_random_life():
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_totals_lanes_are_those_of_the_leaves():
    assert MONEY.names == ("debit_n", "credit_n", "bought_wh", "sold_wh")
