"""What goes on chain and when: deposits, a commitment each slot, a netting each period, a withdrawal at the end.

Block times are those of the market's clock, one block a step. A step that an interrupted run has already put on chain
is found there by its time and not sent again; the ledger takes it all the same. Without a chain the ledger takes the
same steps at the same times. The end of a run lets time move on to the end of a window; where a run goes on later,
with more readings, its next blocks come right after that, until the market's clock has caught up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from transactive.chain.packing import parts_for
from transactive.core.community.community import Community
from transactive.core.errors import StateError, require
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.settlement.ledger import Ledger

if TYPE_CHECKING:
    from transactive.chain.ledgers.blocks import BlockReceipt
    from transactive.chain.ledgers.community_chain import CommunityChain

    Call = Callable[[CommunityChain], object]


RESTORE = "`transactive state restore` puts a backup of chain and database in their place"
"""What to do where the two do not belong together."""


def gone(community: Community, time: int) -> IntArray:
    """Who is no member any more at a time [Unix s], by number."""
    numbers: IntArray = np.flatnonzero(community.membership.until <= time)
    return numbers


@dataclass(slots=True)
class ChainCommitments:
    """Keeps chain and ledger in step. closed: periods that wait to be proposed; proposed: the one in its window.

    windows: those of it that are over; a community in groups has two, of groups and then of the whole. first_slot: of
    the run [Unix s]. ended: end of the last slot of a run that was over, and the time of its last block [Unix s], if it
    goes on. booked_n: deposits that are in the ledger and in no block yet [n¤]; None without any.
    """

    community: Community
    ledger: Ledger
    chain: CommunityChain | None
    first_slot: int
    last_block: BlockReceipt | None = field(init=False, default=None)
    closed: list[int] = field(init=False, default_factory=list)
    proposed: int | None = field(init=False, default=None)
    ready_at: int = field(init=False, default=0)
    windows: int = field(init=False, default=0)
    ended: tuple[int, int] | None = field(init=False, default=None)
    booked_n: IntArray | None = field(init=False, default=None)
    calls: list[Call] = field(init=False, default_factory=list)

    def open(self, time: int) -> None:
        """Deposit the opening funds of every account in a block at `time` [Unix s], beside what it has on chain."""
        self._take_up(time)
        accounts = self.community.chart.on_chain
        self._deposit(np.full(accounts, self.community.accounts.opening_n, np.int64))
        self._block(time)

    def root(self, leaves: Callable[[], SlotLeaves]) -> bytes:
        """Root of leaves under the contract's keys; zero without a chain, for which none are made."""
        return self.chain.certificates_root(leaves) if self.chain else ZERO

    def slot_over(self, slot: int, certificates: bytes | None = ZERO) -> bool:
        """Commit a settled slot; pay, propose and top up what is due by its end. One block.

        certificates: root of the slot's certificates, zero without any; None for a slot whose block is on chain and is
        known by its hash. Returns whether ledger and chain were compared: after each netting that was paid. Raises
        StateError where the chain stands elsewhere, or has committed the slot with other leaves.
        """
        clock = self.community.clock
        now, period = self._block_time(slot), clock.period(slot)
        paid = self._pay_if_due(now)
        leaving = self._pay_out(slot)
        number = clock.number(slot)
        if certificates is not None:
            self._require_in_step(slot, certificates)
        self.calls.append(lambda chain: chain.commit_slot(self.ledger.leaves(period, number), certificates or ZERO))
        if clock.ends_period(slot):
            self.closed.append(period)
        self._propose_if_free(now, paid)
        if clock.ends_period(slot):
            self._top_up(slot)
        self._block(now)
        for member, amount in leaving:
            self.ledger.withdraw(member, amount)
        return self._book(paid)

    def finish(self, last_slot: int, account: int) -> bool:
        """Let time move on until every netting has paid, then withdraw all that `account` has.

        A period that is not over stays open, and with it what `account` has: its netting waits for the slots to come.
        Returns whether ledger and chain were compared at the end.
        """
        clock = self.community.clock
        now, whole = self._pay_all(self._block_time(last_slot)), clock.ends_period(last_slot)
        amount = self.ledger.withdrawable_n(account) if whole else 0
        if amount:
            now += 1
            self._take_out(account, amount)
            self._block(now)
            self.ledger.withdraw(account, amount)
        self.ended = clock.end(last_slot), now
        return self.check()

    def go_on(self, last_slot: int, account: int) -> None:
        """Take the end of an earlier run for done, and give everybody again what trading needs."""
        self.finish(last_slot, account)
        self._top_up(last_slot)

    def close(self, last_slot: int) -> int:
        """Net also a period that is not over, so that accounts can leave; returns the time of the last block [Unix s].

        Time moves on to the end of the period: the contract nets none before.
        """
        clock, (_, now) = self.community.clock, self.ended or (0, 0)
        if not clock.ends_period(last_slot):
            period = clock.period(last_slot)
            self.closed.append(period)
            now = self._pay_all(max(now, (period + 1) * clock.slots_per_period * clock.length))
        return now

    def _pay_all(self, now: int) -> int:
        """Let time move on from `now` [Unix s] until every netting has paid; returns the time of the last block."""
        while self.closed or self.proposed is not None:
            now = max(now + 1, self.ready_at)
            paid = self._pay_if_due(now)
            self._propose_if_free(now, paid)
            self._block(now)
            self._book(paid)
        return now

    def check(self) -> bool:
        """Compare every balance of the ledger with the contract's. Raises RuleBroken if one differs.

        Returns whether there was something to compare: while an interrupted run catches up, the chain is ahead.
        """
        if not self.chain or not self.last_block or not self.chain.is_newest(self.last_block.number):
            return False
        require(self.chain.balances_n() == self.ledger.balances_n.tolist(), "the ledger equals the chain")
        return True

    def _take_up(self, time: int) -> None:
        """Book what accounts have in a contract that was there before the run: paid in, or carried over."""
        if not self.chain:
            return
        opened = self.chain.at(time)
        held = self.chain.balances_n(opened.number - 1 if opened else None)
        self.ledger.deposit(np.array(held, np.int64))

    def _require_in_step(self, slot: int, certificates: bytes) -> None:
        """Require that the chain stands before the slot, or that an interrupted run committed it as it is now."""
        if not self.chain or (self.last_block and self.chain.ends_with(self.last_block.number)):
            return
        clock = self.community.clock
        number, there = clock.number(slot), self.chain.at(self._block_time(slot))
        last = self.chain.last_slot
        if there or last == number:  # a node may have it before the step is noted as done
            if not self.chain.holds(self.ledger.leaves(clock.period(slot), number), certificates):
                raise StateError(f"{time_text(slot)} is on chain with other leaves than the database has; {RESTORE}")
        elif not (last == number - 1 or (slot == self.first_slot and (last is None or last < number))):
            at = "no slot" if last is None else f"slot {time_text(last * clock.length)}"
            raise StateError(f"the chain has come to {at}, and the run to {time_text(slot)}; {RESTORE}")

    def on_chain(self, slot: int) -> bool:
        """Whether the block that commits a slot is on chain."""
        return self.chain is not None and self.chain.at(self._block_time(slot)) is not None

    def _block_time(self, slot: int) -> int:
        """Time of the block that commits a slot: its end, or right after the blocks with which an earlier run ended."""
        end = self.community.clock.end(slot)
        if self.ended is None:
            return end
        earlier, last_block = self.ended
        return max(end, last_block + (end - earlier) // self.community.clock.length)

    # -- steps ----------------------------------------------------------------------------------

    def _pay_if_due(self, now: int) -> int | None:
        """Queue what follows a window of the proposed netting once it is over; returns the period if it is paid."""
        if self.proposed is None or now < self.ready_at:
            return None
        due, over = self.proposed, self.windows + 1
        last_slot = (due + 1) * self.community.clock.slots_per_period - 1
        totals, nets = self.ledger.totals(due, last_slot), self.ledger.nets_n(due)
        self.calls.append(lambda chain: chain.pay(due, over, totals, nets))
        if over < self.community.windows:
            self.windows, self.ready_at = over, self._window_ends(now)
            return None
        self.windows, self.proposed = 0, None
        return due

    def _propose_if_free(self, now: int, paid: int | None) -> None:
        """Queue the next closed period's netting, unless an earlier one is still open or only now being paid."""
        if not self.closed or self.proposed is not None or paid is not None:
            return
        period = self.proposed = self.closed.pop(0)
        self.ready_at = self._window_ends(now)
        nets = self.ledger.nets_n(period)
        self.calls.append(lambda chain: chain.propose(period, nets))

    def _window_ends(self, now: int) -> int:
        """When a window is over for which everything is put on chain in a step that begins now [Unix s]."""
        parts = parts_for(self.community.chart.on_chain)
        seconds = parts - 1 + len(self.community.groups)  # the last part may be so many blocks later
        return now + self.community.chain.challenge_window_minutes * 60 + seconds

    def _top_up(self, slot: int) -> None:
        """Fill up accounts after a slot, by the rules that hold then; not those of members who left before it.

        Whether somebody leaves with its end may be said only once the run goes on.
        """
        rules = self.community.at(slot).accounts
        amounts = self.ledger.top_ups_n(rules.top_up_below_n, rules.top_up_to_n)
        amounts[gone(self.community, slot)] = 0
        self._deposit(amounts)

    def _pay_out(self, slot: int) -> list[tuple[int, int]]:
        """Queue what members take out who have left before a slot and have nothing open; each with its amount [n¤]."""
        found = []
        for member in gone(self.community, slot).tolist():
            amount = self.ledger.withdrawable_n(member)
            if amount and not any(totals.money[member].any() for totals in self.ledger.periods.values()):
                self._take_out(member, amount)
                found.append((member, amount))
        return found

    def _take_out(self, account: int, amount_n: int) -> None:
        """Queue that an account takes money out [n¤], at once."""
        self.calls += [
            lambda chain: chain.request_withdrawal(account, amount_n),
            lambda chain: chain.release(account),
            lambda chain: chain.withdraw(account),
        ]

    def _deposit(self, amounts_n: IntArray) -> None:
        """Queue deposits per account [n¤] and book them."""
        self.queue_booked(amounts_n)
        self.ledger.deposit(amounts_n)

    def queue_booked(self, amounts_n: IntArray) -> None:
        """Queue deposits per account [n¤] that the ledger has: also those that an interrupted run had booked only."""
        self.calls.append(lambda chain: chain.queue_deposits(amounts_n.tolist()))
        self.booked_n = amounts_n if self.booked_n is None else self.booked_n + amounts_n

    def _block(self, time: int) -> None:
        """Put what is queued into the block at `time` [Unix s], unless an earlier run already did."""
        calls, self.calls, self.booked_n = self.calls, [], None
        if not self.chain:
            return
        self.last_block = self.chain.at(time)
        if self.last_block is None:
            for call in calls:
                call(self.chain)
            self.last_block = self.chain.block(time)

    def _book(self, paid: int | None) -> bool:
        """Book a paid netting and compare the ledger with the chain; returns whether they were compared."""
        if paid is None:
            return False
        self.ledger.settle(paid)
        return self.check()
