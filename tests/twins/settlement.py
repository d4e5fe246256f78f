"""What the settlement contract must do, in plain Python: the oracle of its tests.

Same rules, same order of checks and the same reasons as `contracts/settlement.vy`, but with one integer per account
instead of packed words and with the time as an argument. Roles, proofs and evidence are left to the contracts
(`twins/disputes.py` says what evidence shows): the twin is told what was shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from transactive.chain.packing import BIAS, LANES, MAX_PAID_IN, decode_nets, words_for
from transactive.chain.twins.refusals import refusals
from transactive.core.errors import ContractRevert
from transactive.core.proofs.leaves import MONEY

refuse_unless = refusals("settlement")


@dataclass(slots=True)
class PeriodTwin:
    """Commitments of a period: their slots, the last one's slot, and the active period before it."""

    previous: int
    last_slot: int = 0
    slots: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Netting under way; period 0 is none. applied: accounts that were paid, whole words of them.

    size: accounts that it has to have, filled up to whole words. ready_at: zero while parts are missing.
    """

    period: int = 0
    nets_n: tuple[int, ...] = ()
    ready_at: int = 0
    size: int = 0
    applied: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all net amounts are proposed."""
        return self.period > 0 and len(self.nets_n) == self.size


@dataclass(frozen=True, slots=True)
class UndoneTwin:
    """What was taken back, from a slot on, with its netting; it can be challenged until a time [Unix s]."""

    until: int
    first_slot: int
    nets_n: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """Most a period may debit [n¤]: `after` from a period on, `before` until then; None is no limit."""

    before: int | None = None
    after: int | None = None
    from_period: int = 0


class SettlementTwin:
    """The settlement contract as a plain ledger. Money in n¤, times (`now`) in Unix seconds."""

    def __init__(
        self,
        *,
        accounts: int,
        slot_seconds: int,
        slots_per_period: int,
        window: int,
        notice: int,
        silence: int,
        penalty: int,
        lead: int = 1,
        beneficiary: str = "beneficiary",
    ) -> None:
        self.slot_seconds, self.slots_per_period = slot_seconds, slots_per_period
        self.window, self.notice, self.silence, self.penalty = window, notice, silence, penalty
        self.lead = lead
        self.accounts = accounts
        self.balances_n = [0] * (accounts + -accounts % LANES + LANES)  # whole words, as stored
        self.bond = 0
        self.bond_request = (0, 0)
        self.beneficiary = beneficiary
        self.awards: defaultdict[str, int] = defaultdict(int)
        self.ended = False
        self.requests: dict[int, tuple[int, int]] = {}
        self.limits: dict[int, Limit] = {}
        self.periods: dict[int, PeriodTwin] = {}
        self.latest_period = self.settled_period = 0
        self.proposal = Proposal()
        self.undone: dict[bytes, UndoneTwin] = {}
        """By head of the period's hash chain before."""
        self.banks = [0, 0]
        """Time until which net amounts that were taken back are kept [Unix s], the bank of the next ones first."""
        self.heard = 0
        """Time of the last commitment or taking back, or the end of the last window, whichever is later [Unix s]."""
        self.paused = False

    @property
    def is_pending(self) -> bool:
        """Whether a whole netting waits."""
        return self.proposal.is_whole

    @property
    def is_open(self) -> bool:
        """Whether a period has commitments and is not finalised."""
        return not self.ended and self.settled_period != self.latest_period

    def deposit(self, index: int, amount: int) -> None:
        """Add money of one account."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(0 < amount <= MAX_PAID_IN - max(self.sides(index)), "bad amount")
        self.balances_n[index] += amount

    def sides(self, index: int) -> tuple[int, int]:
        """Balance of an account before and after what is proposed for it."""
        balance, nets = self.balances_n[index], self.proposal.nets_n
        net = nets[index] if index < len(nets) else 0
        return (balance - net, balance) if index < self.proposal.applied else (balance, balance + net)

    def claims_n(self) -> int:
        """All that can leave now: balances as far as no netting needs them, stake and awards."""
        return sum(min(self.sides(i)) for i in range(self.accounts)) + self.bond + sum(self.awards.values())

    def deposit_many(self, indices: Sequence[int | None], amounts: Sequence[int]) -> None:
        """Add money of several accounts, all of it or nothing; None is the index of nobody."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(len(indices) == len(amounts), "one amount for each")
        before = list(self.balances_n)
        try:
            for index, amount in zip(indices, amounts, strict=True):
                refuse_unless(index is not None, "not a member")
                self.deposit(index or 0, amount)
        except ContractRevert:
            self.balances_n = before
            raise

    def request_withdrawal(self, index: int, amount: int, now: int) -> None:
        """Announce a withdrawal; a new one replaces the old one."""
        self.requests[index] = amount, now + self.notice

    def release(self, index: int, now: int) -> None:
        """Shorten the notice to nothing; it never gets longer."""
        amount, ready_at = self.requests.get(index, (0, 0))
        refuse_unless(amount > 0, "nothing requested")
        self.requests[index] = amount, min(ready_at, now)

    def withdraw(self, index: int, now: int) -> int:
        """Pay what was requested, or what is left; the rest stands while a netting goes on. Gives what was paid."""
        amount, ready_at = self.requests.get(index, (0, 0))
        refuse_unless(amount > 0, "nothing requested")
        refuse_unless(now >= ready_at or self.ended, "notice running")
        paid = min(amount, *self.sides(index))
        self.requests[index] = (amount - paid, ready_at) if self.proposal.period else (0, 0)
        self.balances_n[index] -= paid
        return paid

    def set_limit(self, index: int, amount: int | None, now: int) -> None:
        """Limit the debit from the first period on of which no gate has closed by the next slot; None removes it."""
        first_slot = now // self.slot_seconds + self.lead + 2
        begins = -(-first_slot // self.slots_per_period)
        old = self.limits.get(index, Limit())
        is_over = old.from_period <= self.settled_period + 1
        if not is_over and not self.ended and self.settled_period == self.latest_period:
            is_over = old.from_period * self.slot_seconds * self.slots_per_period + self.silence <= now
        refuse_unless(is_over or old.from_period >= begins, "last change still open")
        self.limits[index] = Limit(self.limit(index, begins - 1), amount, begins)

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
            refuse_unless(number > self.latest_period and not self.ended, "period closed")
        else:
            refuse_unless(number > self.settled_period and not self.ended, "period closed")
            refuse_unless(slot > known.last_slot, "slot committed")
        refuse_unless(self.proposal.period != number, "period proposed")
        refuse_unless(self.bond >= self.penalty, "stake too small")
        self.heard = max(self.heard, now)
        if known is None:
            known = self.periods[number] = PeriodTwin(self.latest_period)
            self.latest_period = number
        known.slots.append(slot)
        known.last_slot = slot

    def propose(self, period: int, first: int, words: Sequence[int], now: int, head: bytes = b"") -> None:
        """Propose net amounts of a period, from word `first` on; zero begins anew. head: the period's."""
        refuse_unless(not self.paused, "paused")
        refuse_unless(now >= (period + 1) * self.slot_seconds * self.slots_per_period, "period not over")
        known = self.periods.get(period)
        has_slots = known is not None and known.slots and period > self.settled_period and not self.ended
        refuse_unless(bool(has_slots), "nothing to settle")
        refuse_unless(known is not None and known.previous == self.settled_period, "earlier period open")
        refuse_unless(self.bond >= self.penalty, "stake too small")
        before = self.proposal
        refuse_unless(not before.is_whole, "already proposed")
        if first == 0:
            refuse_unless(now >= self.banks[0], "window open")
            self.refuse_if_kept(head, now)
            before = Proposal(period, size=LANES * words_for(self.accounts))
        else:
            refuse_unless(before.period == period and first * LANES == len(before.nets_n), "other part")
        size = before.size
        refuse_unless(len(words) > 0 and (first + len(words)) * LANES <= size, "one net for each member")
        nets = before.nets_n
        for number, word in enumerate(words, first):
            nets += tuple(decode_nets([word]))
            for index in range(LANES * number, len(nets)):
                refuse_unless(0 <= self.balances_n[index] + nets[index] < BIAS, "overdraft or lane overflow")
        made = Proposal(period, nets, 0, size)
        if made.is_whole:
            refuse_unless(sum(nets) == 0, "not zero-sum")
            refuse_unless(not any(nets[self.accounts :]), "net of nobody")
            made = Proposal(period, nets, now + self.window, size)
            self.heard = max(self.heard, now + self.window)
        self.proposal = made

    def finalise(self, words: int, now: int) -> None:
        """Pay so many words of the netting at most."""
        refuse_unless(self.is_pending, "nothing proposed")
        pending = self.proposal
        if not pending.applied:
            refuse_unless(not self.paused, "paused")
            refuse_unless(now >= pending.ready_at, "window open")
        refuse_unless(words > 0, "no words")
        end = min(pending.applied + words * LANES, pending.size)
        for index in range(pending.applied, end):
            self.balances_n[index] += pending.nets_n[index]
            assert 0 <= self.balances_n[index] < BIAS, "a netting that was begun always ends"
        if end < pending.size:
            self.proposal = replace(pending, applied=end)
        else:
            self.settled_period, self.proposal = pending.period, Proposal()

    def refuse_unless_open(self, period: int) -> None:
        """Refuse what comes too late: the period is settled, or its netting is being paid."""
        under_way = self.proposal.period == period and self.proposal.applied > 0
        refuse_unless(period > self.settled_period and not self.ended and not under_way, "period closed")

    def retract(self, slot: int, now: int, head: bytes = b"") -> None:
        """Take back the last commitment of an open period, which is of this slot, and its netting.

        head: the period's before.
        """
        self.refuse_unless_open(slot // self.slots_per_period)
        self.take_back(slot, now, head)

    def take_back(self, slot: int, now: int, head: bytes) -> None:
        """Rewind without a conviction; evidence counts for a window longer."""
        self.refuse_if_kept(head, now)
        period = slot // self.slots_per_period
        nets: tuple[int, ...] = ()
        if self.proposal.period == period:
            nets = self.proposal.nets_n
            self.banks = [self.banks[1], now + self.window]
        self.undone[head] = UndoneTwin(now + self.window, slot, nets)
        self.rewind(period, slot, now)

    def refuse_if_kept(self, head: bytes, now: int) -> None:
        """Refuse while amounts that were taken back with the same commitments can be challenged."""
        undone = self.undone.get(head)
        refuse_unless(undone is None or not undone.nets_n or now >= undone.until, "was taken back")

    def convict_undone(self, slot: int, challenger: str, now: int, head: bytes) -> None:
        """Punish for what was taken back, once."""
        refuse_unless(slot >= self.undone[head].first_slot, "other slot")
        refuse_unless(now < self.undone[head].until, "window closed")
        del self.undone[head]
        self.punish(challenger)

    def veto(self, slot: int, now: int, head: bytes = b"") -> None:
        """Stop the pending netting inside its window, and take back what was committed from a slot on."""
        refuse_unless(self.proposal.period > 0, "nothing proposed")
        refuse_unless(not self.proposal.is_whole or now < self.proposal.ready_at, "window closed")
        self.take_back(slot, now, head)

    def convict(self, slot: int, challenger: str, now: int) -> None:
        """Take back a commitment that was shown to be wrong, and all of its period after it; punish."""
        period = slot // self.slots_per_period
        self.refuse_unless_open(period)
        refuse_unless(slot in self.periods.get(period, PeriodTwin(0)).slots, "other slot")
        self.rewind(period, slot, now)
        self.punish(challenger)

    def convict_netting(self, challenger: str, now: int = 0, head: bytes | None = None) -> None:
        """Drop a netting that was shown to be wrong, or punish for the one that was taken back with a head."""
        if head is not None:
            self.convict_undone(self.undone[head].first_slot, challenger, now, head)
            return
        refuse_unless(self.proposal.period > 0, "nothing proposed")
        self.proposal = Proposal()
        self.punish(challenger)

    def rewind(self, period: int, slot: int, now: int) -> None:
        """Forget the commitments of a period from a slot on, and its netting."""
        self.heard = max(self.heard, now)
        known = self.periods[period]
        known.slots = [earlier for earlier in known.slots if earlier < slot]
        known.last_slot = slot - 1
        if self.proposal.period == period:
            self.proposal = Proposal()

    def punish(self, challenger: str) -> None:
        """Take a penalty from the stake: half for the challenger, the rest for the beneficiary."""
        amount = min(self.penalty, self.bond)
        self.bond -= amount
        self.awards[challenger] += amount // 2
        self.awards[self.beneficiary] += amount - amount // 2

    def declare_silence(self, challenger: str, now: int) -> None:
        """Close the books for ever when nothing was heard for so long."""
        refuse_unless(self.latest_period > 0 and not self.ended, "nothing to end")
        refuse_unless(now >= self.heard + self.silence, "not silent")
        refuse_unless(not self.proposal.applied, "netting under way")
        if self.is_open:
            self.punish(challenger)
        self.ended, self.proposal = True, Proposal()

    def claim(self, who: str) -> int:
        """Pay what penalties have awarded."""
        amount = self.awards[who]
        refuse_unless(amount > 0, "nothing awarded")
        self.awards[who] = 0
        return amount

    def fund_bond(self, amount: int) -> None:
        """Add to the stake."""
        self.bond += amount

    def request_bond(self, amount: int, now: int) -> None:
        """Announce that a part of the stake shall leave."""
        self.bond_request = amount, now + self.notice

    def take_bond(self, now: int) -> int:
        """Pay the requested part of the stake, or what is left of it."""
        amount, ready_at = self.bond_request
        refuse_unless(amount > 0, "nothing requested")
        refuse_unless(now >= ready_at, "notice running")
        refuse_unless(not self.is_open, "period open")
        paid = min(amount, self.bond)
        self.bond_request = 0, 0
        self.bond -= paid
        return paid
