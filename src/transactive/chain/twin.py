"""What the settlement contract must do, in plain Python: the oracle of its tests.

Same rules, same order of checks and the same reasons as `contracts/settlement.vy`, but with one integer per account
instead of packed words and with the time as an argument. Roles and proofs are left to the contract: the twin is told
which true leaf a challenger shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactive.chain.packing import BIAS, LANES, MAX_BALANCE, decode_nets
from transactive.core.errors import ContractRevert
from transactive.core.merkle import MONEY


@dataclass(slots=True)
class Period:
    """Commitments of a period: how many, the last one's slot, and the active period before it."""

    commits: int
    last_slot: int
    previous: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """Netting that waits; period 0 is none. commits: which commitment of which period it rests on."""

    period: int = 0
    nets_n: tuple[int, ...] = ()
    commits: tuple[int, int] = (0, 0)
    ready_at: int = 0


@dataclass(frozen=True, slots=True)
class Limit:
    """Most a period may debit [n¤]: `after` from a period on, `before` until then; None is no limit."""

    before: int | None = None
    after: int | None = None
    from_period: int = 0


def refuse_unless(condition: bool, reason: str) -> None:
    """Raise ContractRevert as the contract would, unless the condition holds."""
    if not condition:
        raise ContractRevert(f"settlement: {reason}")


class SettlementTwin:
    """The settlement contract as a plain ledger. Money in n¤, times (`now`) in Unix seconds."""

    def __init__(self, *, accounts: int, slot_seconds: int, slots_per_period: int, window: int, notice: int) -> None:
        self.slot_seconds, self.slots_per_period = slot_seconds, slots_per_period
        self.window, self.notice = window, notice
        self.accounts = accounts
        self.balances_n = [0] * (accounts + -accounts % LANES)  # whole words, as stored
        self.requests: dict[int, tuple[int, int]] = {}
        self.limits: dict[int, Limit] = {}
        self.periods: dict[int, Period] = {}
        self.latest_period = self.settled_period = 0
        self.proposal = Proposal()
        self.paused = False

    @property
    def is_pending(self) -> bool:
        """Whether a netting waits."""
        return self.proposal.period > self.settled_period

    def deposit(self, index: int, amount: int) -> None:
        """Add money of one account."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(0 < amount <= MAX_BALANCE - self.balances_n[index], "bad amount")
        self.balances_n[index] += amount

    def request_withdrawal(self, index: int, amount: int, now: int) -> None:
        """Announce a withdrawal; a new one replaces the old one."""
        self.requests[index] = amount, now + self.notice

    def release(self, index: int, now: int) -> None:
        """Shorten the notice to nothing; it never gets longer."""
        amount, ready_at = self.requests.get(index, (0, 0))
        refuse_unless(amount > 0, "nothing requested")
        self.requests[index] = amount, min(ready_at, now)

    def withdraw(self, index: int, now: int) -> int:
        """Pay what was requested, or what is left of it. Gives the amount paid."""
        amount, ready_at = self.requests.get(index, (0, 0))
        refuse_unless(amount > 0, "nothing requested")
        refuse_unless(now >= ready_at, "notice running")
        paid = min(amount, self.balances_n[index])
        self.requests[index] = 0, 0
        self.balances_n[index] -= paid
        return paid

    def set_limit(self, index: int, amount: int | None, now: int) -> None:
        """Limit the debit from the next period on; None removes the limit."""
        current = now // (self.slot_seconds * self.slots_per_period)
        settled, old = self.settled_period, self.limits.get(index, Limit())
        refuse_unless(settled == self.latest_period or settled + 1 >= old.from_period, "last change still open")
        self.limits[index] = Limit(self.limit(index, current), amount, current + 1)

    def limit(self, index: int, period: int) -> int | None:
        """Limit in force in a period."""
        limit = self.limits.get(index, Limit())
        return limit.after if period >= limit.from_period else limit.before

    def commit_slot(self, slot: int, totals: int, now: int) -> None:
        """Commit a slot with its packed totals."""
        refuse_unless(now >= (slot + 1) * self.slot_seconds, "slot not over")
        refuse_unless(totals & MONEY.top == 0, "totals too large")
        sums = MONEY.unpack(totals)
        refuse_unless(sums["debit_n"] == sums["credit_n"], "debit is not credit")
        number = slot // self.slots_per_period
        known = self.periods.get(number)
        if known is None:
            refuse_unless(number > self.latest_period, "period closed")
        else:
            refuse_unless(number > self.settled_period, "period closed")
            refuse_unless(slot > known.last_slot, "slot committed")
        refuse_unless(self.proposal.period != number, "period proposed")
        if known is None:
            self.periods[number] = Period(0, slot, self.latest_period)
            self.latest_period = number
        self.periods[number].commits += 1
        self.periods[number].last_slot = slot

    def propose(self, period: int, words: Sequence[int], now: int) -> None:
        """Propose the netting of a period in packed words."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(now >= (period + 1) * self.slot_seconds * self.slots_per_period, "period not over")
        known = self.periods.get(period)
        if known is None or period <= self.settled_period:
            raise ContractRevert("settlement: nothing to settle")
        refuse_unless(known.previous == self.settled_period, "earlier period open")
        refuse_unless(self.proposal.period != period, "already proposed")
        commits = period, known.commits
        refuse_unless(self.proposal.commits != commits, "last slot not repeated")
        refuse_unless(len(words) * LANES <= self.accounts + LANES - 1, "unknown members")
        nets = decode_nets(words)
        refuse_unless(sum(nets) == 0, "not zero-sum")
        self.proposal = Proposal(period, tuple(nets), commits, now + self.window)

    def finalise(self, now: int) -> None:
        """Pay the pending netting, all or nothing."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(self.is_pending, "nothing proposed")
        refuse_unless(now >= self.proposal.ready_at, "window open")
        after = list(self.balances_n)
        for index, net in enumerate(self.proposal.nets_n):
            after[index] += net
            refuse_unless(0 <= after[index] < BIAS, "overdraft or lane overflow")
        self.balances_n = after
        self.settled_period = self.proposal.period

    def challenge(self, index: int, sums: int, now: int) -> None:
        """Show the account's leaf, from a tree whose sums add up, against the pending netting."""
        refuse_unless(self.is_pending, "nothing proposed")
        refuse_unless(now < self.proposal.ready_at, "window closed")
        leaf = MONEY.unpack(sums)
        nets, limit = self.proposal.nets_n, self.limit(index, self.proposal.period)
        stated = nets[index] if index < len(nets) else 0
        excess = limit is not None and -stated > limit
        refuse_unless(leaf["credit_n"] - leaf["debit_n"] != stated or excess, "no fraud shown")
        self._void()

    def veto(self, now: int) -> None:
        """Stop the pending netting inside its window."""
        refuse_unless(self.is_pending, "nothing proposed")
        refuse_unless(now < self.proposal.ready_at, "window closed")
        self._void()

    def retract(self) -> None:
        """Take back the pending netting."""
        refuse_unless(self.is_pending, "nothing proposed")
        self._void()

    def _void(self) -> None:
        """Drop the proposal; the last slot must be committed once more before the next one."""
        self.periods[self.proposal.period].last_slot -= 1
        self.proposal = Proposal(commits=self.proposal.commits)
