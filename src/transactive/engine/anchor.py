"""What goes on chain and when: deposits, a commitment each slot, a netting each period, the last withdrawal.

Block times are those of the market's clock. Without a chain the ledger takes the same steps at the same times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.community import Community
from transactive.core.errors import require
from transactive.core.units import IntArray
from transactive.settlement.ledger import Ledger

if TYPE_CHECKING:
    from transactive.chain.ledger import BlockReceipt, ChainLedger


@dataclass(slots=True)
class Anchor:
    """Keeps chain and ledger in step."""

    community: Community
    ledger: Ledger
    chain: ChainLedger | None
    last_block: BlockReceipt | None = field(init=False, default=None)
    closed: list[int] = field(init=False, default_factory=list)
    proposed: int | None = field(init=False, default=None)
    ready_at: int = field(init=False, default=0)

    def open(self, time: int) -> None:
        """Deposit the opening funds of every account in a block at `time` [Unix s]."""
        accounts = self.community.chart.on_chain
        self._deposit(np.full(accounts, self.community.accounts.opening_n, np.int64), time)

    def slot_over(self, slot: int) -> bool:
        """Commit a settled slot; pay, propose and top up what is due by its end. One block.

        Returns whether ledger and chain were compared: after each netting that was paid.
        """
        clock = self.community.clock
        now, period = clock.end(slot), clock.period(slot)
        paid = self._pay_if_due(now)
        if self.chain:
            self.chain.commit_slot(clock.number(slot), self.ledger.leaves(period))
        if clock.ends_period(slot):
            self.closed.append(period)
        self._propose_if_free(now, paid)
        top_ups = np.zeros(self.community.chart.on_chain, np.int64)
        if clock.starts_period(now):
            rules = self.community.accounts
            top_ups = self.ledger.top_ups_n(rules.top_up_below_n, rules.top_up_to_n)
        self._deposit(top_ups, now)
        self._paid(paid)
        return paid is not None

    def finish(self, last_slot: int, account: int) -> int:
        """Let time move on until every netting has paid, then withdraw all that `account` has.

        Returns the amount withdrawn [n¤].
        """
        clock = self.community.clock
        now, period = clock.end(last_slot), clock.period(last_slot)
        if not clock.ends_period(last_slot):
            self.closed.append(period)
            now = (period + 1) * clock.slots_per_period * clock.length
        while self.closed or self.proposed is not None:
            now = max(now + 1, self.ready_at)
            paid = self._pay_if_due(now)
            self._propose_if_free(now, paid)
            self._block(now)
            self._paid(paid)
        amount = int(self.ledger.balances_n[account])
        if self.chain:
            self.chain.request_withdrawal(account, amount)
            self.chain.release(account)
            self.chain.withdraw(account)
        self._block(now + 1)
        self.ledger.withdraw(account, amount)
        self.check()
        return amount

    def check(self) -> None:
        """Compare every balance of the ledger with the contract's. Raises RuleBroken if one differs."""
        if self.chain:
            equal = self.chain.balances_n() == self.ledger.balances_n.tolist()
            require(equal, "the ledger equals the chain")

    # -- steps ----------------------------------------------------------------------------------

    def _pay_if_due(self, now: int) -> int | None:
        """Queue the payment of the proposed netting once its window is over; returns its period."""
        if self.proposed is None or now < self.ready_at:
            return None
        if self.chain:
            self.chain.finalise()
        paid, self.proposed = self.proposed, None
        return paid

    def _propose_if_free(self, now: int, paid: int | None) -> None:
        """Queue the next closed period's netting, unless an earlier one is still open or only now being paid."""
        if not self.closed or self.proposed is not None or paid is not None:
            return
        self.proposed = self.closed.pop(0)
        self.ready_at = now + self.community.chain.challenge_window_minutes * 60
        if self.chain:
            self.chain.propose(self.proposed, self.ledger.nets_n(self.proposed))

    def _paid(self, period: int | None) -> None:
        """Book a paid netting and compare the ledger with the chain."""
        if period is not None:
            self.ledger.settle(period)
            self.check()

    def _deposit(self, amounts_n: IntArray, time: int) -> None:
        """Deposits per account [n¤] with all that is queued, in one block."""
        if self.chain:
            self.last_block = self.chain.deposit(amounts_n.tolist(), time)
        self.ledger.deposit(amounts_n)

    def _block(self, time: int) -> None:
        """All that is queued in one block."""
        if self.chain:
            self.last_block = self.chain.block(time)
