"""Take the steps of a run again on a chain, from its database alone: deposits, slots, nettings, moves of accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.membership import Roster
from transactive.core.errors import ChainError
from transactive.core.proofs.accepted_orders import hashes_of
from transactive.engine.accounts.moving import AccountMove, with_new
from transactive.engine.books.carbon_leaves import carbon_leaves_of
from transactive.engine.books.commitments import ChainCommitments
from transactive.engine.books.rebuilt import at_the_time
from transactive.engine.books.slot_book import read_slot
from transactive.settlement.ledger import Ledger

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys
    from transactive.chain.ledgers.blocks import BlockReceipt
    from transactive.chain.ledgers.moving import Ledger as Ledgers
    from transactive.chain.nodes.client import ChainClient
    from transactive.store import Store

OPENING = 600
"""Seconds between the chain's first block and the first gate: time to deploy and deposit [s]."""


@dataclass(slots=True)
class StepsAgain:
    """A walk through a run on a chain, slot by slot: what is there is found, what is not is made.

    community: all members that have accounts now; first_slot: of the run [Unix s].
    """

    client: ChainClient
    store: Store
    community: Community
    keys: Keys
    first_slot: int
    now: Community = field(init=False)
    chain: Ledgers = field(init=False)
    commitments: ChainCommitments = field(init=False)

    def __post_init__(self) -> None:
        self.now = at_the_time(self.store, self.community, self.first_slot)[0]
        self.chain = self._begun()
        self.commitments = ChainCommitments(self.now, Ledger(self.now.chart), self.chain, self.first_slot)
        self.commitments.open(self.now.clock.gate(self.first_slot) - 1)

    def commit(self, slot: int, *, compare: bool) -> BlockReceipt | None:
        """Commit a slot as its books have it; one that is on chain is only looked at to `compare` it."""
        store = self.store.as_of(len(self.now.members))
        clock, book = self.now.clock, read_slot(store, self.now, slot)
        period, number, commitments = clock.period(slot), clock.number(slot), self.commitments
        commitments.ledger.enter(period, book.positions, book.postings)
        hashes = hashes_of(book.accepted, self.now.places)
        commitments.ledger.record(period, book.readings, book.certificates, hashes, is_void=book.is_void)
        if not compare and commitments.on_chain(slot):
            commitments.slot_over(slot, None)
        else:
            commitments.slot_over(slot, commitments.root(lambda: carbon_leaves_of(book, number, self.now)))
        return commitments.last_block

    def finish(self, slot: int) -> BlockReceipt | None:
        """End the run with a slot; its last block."""
        self.commitments.finish(slot, account=0)
        return self.commitments.last_block

    def go_on(self, slot: int) -> None:
        """Take the end of a run with a slot for done, and go on."""
        self.commitments.go_on(slot, account=0)

    def check(self) -> None:
        """Compare all balances. Raises RuleBroken."""
        self.commitments.check()

    def move(self, slot: int) -> bool:
        """Let accounts move to other contracts where they did after a slot; returns whether they did."""
        end = self.now.clock.end(slot)
        places = [k for k, roster in enumerate(self.store.rosters) if roster.since == end and roster.settlement]
        for place in places:
            self._move(slot, self.store.rosters[place - 1], self.store.rosters[place])
        return bool(places)

    def _move(self, slot: int, before: Roster, roster: Roster) -> None:
        """Let accounts move once. Raises ChainError where they come to other contracts than they did."""
        from transactive.chain.deployments.deployment import attach, deploy

        first = self.community.clock.number(roster.since)

        def deployed(currency: str) -> Ledgers:
            """Contracts for all, queued."""
            return deploy(self.client, self.keys, now, None, currency=currency, first_slot=first)

        ledger, now = self.commitments.ledger, self.community.of_first(roster.members)
        move = AccountMove(self.client, self.now, now, deployed, before.certificates)
        at = before.ended[1] + 2 if before.since > slot else move.close(self.commitments, slot)
        had = with_new(ledger.balances_n, len(self.now.members), len(now.members))
        paid_in = np.array(roster.opening_n, np.int64) - had
        known = roster.settlement, roster.certificates
        made = move.put_on_chain(self.chain, ledger.balances_n, paid_in, at, known)
        if made.address != roster.settlement:
            raise ChainError(f"the contracts came to {made.address}, not to {roster.settlement}")
        self.now = now
        self.chain = attach(self.client, self.keys, now, made.address)
        self.commitments = ChainCommitments(now, Ledger(now.chart), self.chain, roster.since)
        self.commitments.ledger.balances_n = np.array(roster.opening_n, np.int64)
        self.commitments.ended = roster.ended

    def _begun(self) -> Ledgers:
        """The first contracts, deployed again where the chain has not come so far. Raises ChainError."""
        from transactive.chain.deployments.deployment import attach, deploy

        rosters = self.store.rosters
        address = rosters[0].settlement if rosters else self.store.setting("settlement") or ""
        if self.client.height:
            return attach(self.client, self.keys, self.now, address)
        ledger = deploy(self.client, self.keys, self.now, self.now.clock.gate(self.first_slot) - OPENING)
        if ledger.address != address:
            raise ChainError(f"the contracts came to {ledger.address}, not to {address}")
        return ledger
