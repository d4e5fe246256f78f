"""Carbon credits on chain: the steps of a run's register, repeated on the contract `carbon_credits`, by their own keys.

How far it has come stands in the database. A step that was sent and not written down is found on chain by its time, so
that nothing is sent twice; in the end contract and register are compared to the last kg and receipt.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.carbon.credits import steps as did
from transactive.carbon.credits.offsets import TREASURY
from transactive.carbon.credits.register import BUFFER, LISTING
from transactive.carbon.credits.steps import AnyStep
from transactive.chain.nodes.urls import EMBEDDED, embedded_path, is_embedded, shown
from transactive.core.community.community import Community
from transactive.core.errors import StateError, require
from transactive.engine.books.rebuilt import community_of
from transactive.engine.credits.market import CreditMarket
from transactive.services.credits import receipt_rows
from transactive.store import Store, holds_state
from transactive.store.folder import hold

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.carbon_credits import CreditContract
    from transactive.chain.nodes.client import ChainClient

CREDITS_CHAIN, OUTBOX = "credits.sqlite", "credits-outbox.sqlite"
GENESIS = 1_577_836_800
"""Time at which a new embedded chain for credits begins: 2020-01-01."""
AT_ONCE = 40
"""Steps of a register that are sent together."""


@dataclass(slots=True)
class Progress:
    """How far a register is on chain.

    pending: time of what was sent and not yet found done, 0 for none; then so many steps are at that address.
    """

    node: str
    address: str = ""
    steps: int = 0
    time: int = 0
    pending: int = 0
    pending_steps: int = 0
    pending_address: str = ""
    gas: dict[str, int] = field(default_factory=dict)

    def save(self, store: Store) -> None:
        """Write it down."""
        store.set(credits_on_chain=json.dumps({name: getattr(self, name) for name in self.__slots__}))


@dataclass(slots=True)
class Publisher:
    """A register's log on its way to a contract."""

    community: Community
    client: ChainClient
    keys: DemoKeys
    store: Store
    progress: Progress

    def publish(self, log: list[AnyStep]) -> CreditContract:
        """Bring what is not yet there on chain. Raises ChainError, ContractRevert."""
        from transactive.carbon.credits.register import BUFFER_PPM
        from transactive.chain.ledgers.carbon_credits import CreditContract

        owner = self.keys.role("owner")
        self._take_up()
        if not self.progress.address:
            contract = CreditContract.deploy(self.client, owner, BUFFER_PPM)
            self._send(contract, 0)
        contract = CreditContract.attach(self.client, owner, self.progress.address)
        market = CreditMarket.of(log[: self.progress.steps])
        while self.progress.steps < len(log):
            some = log[self.progress.steps : self.progress.steps + AT_ONCE]
            who = [self._key(name) for name in sorted({step.by for step in some})]
            if not self.progress.pending and contract.fund(who):
                self._send(contract, self.progress.steps)
            for step in some:
                self._queue(contract, market, step)
                market.do(step)
            self._send(contract, self.progress.steps + len(some))
        return contract

    def _take_up(self) -> None:
        """Find out what became of a call that was interrupted: done, or to be sent again at the same time."""
        progress = self.progress
        if progress.pending and self.client.block_at(progress.pending) is not None:
            self._done()
        elif progress.pending and progress.address and progress.pending_steps == progress.steps:
            self.client.forget()  # coins for gas: who lacks them gets them again
            progress.pending = 0

    def _send(self, contract: CreditContract, steps: int) -> None:
        """Send what is queued, after which so many steps are on chain."""
        progress = self.progress
        progress.pending = progress.pending or max(self.client.head_timestamp, progress.time) + 1
        progress.pending_steps, progress.pending_address = steps, contract.address
        progress.save(self.store)
        for receipt in contract.block(progress.pending).receipts:
            progress.gas[receipt.kind] = progress.gas.get(receipt.kind, 0) + receipt.gas_used
        self._done()

    def _done(self) -> None:
        """Write down that what was pending is on chain."""
        progress = self.progress
        progress.steps, progress.time, progress.pending = progress.pending_steps, progress.pending, 0
        progress.address = progress.pending_address
        progress.save(self.store)

    def _queue(self, contract: CreditContract, market: CreditMarket, step: AnyStep) -> None:
        """Queue what a step of the register is on the contract; listings stay with their sellers there."""
        by, register = self._key(step.by), market.register
        match step:
            case did.Approve():
                project = register.projects[step.project]
                text = f"{project.methodology}, {project.jurisdiction}"
                contract.register(step.project, by, removal=project.kind == "removal", description=text)
            case did.IssueBatch():
                contract.issue(by, step.project, step.vintage, step.serial, step.kg, self._key(step.owner))
            case did.Buy() | did.Offset():
                offer = market.offer(step.listing)
                contract.transfer(self._key(offer.seller), by, offer.batch, step.kg)
                if isinstance(step, did.Offset):
                    contract.retire(by, offer.batch, step.kg, (step.beneficiary, step.reason, step.period))
            case did.Retire():
                contract.retire(by, step.batch, step.kg, (step.beneficiary, step.reason, step.period))
            case did.Reverse():
                others = [b.number for b in register.batches if b.number != step.batch]
                contract.reverse(by, step.batch, step.kg, others)

    def _key(self, name: str) -> LocalAccount:
        """Key of who acts: a member's or the levy's own, one of its own for everybody else."""
        if name in self.community.ids:
            return self.keys.account(self.community.ids.index(name))
        return self.keys.account(self.community.chart.levy) if name == TREASURY else self.keys.named(name)

    def check(self, contract: CreditContract, market: CreditMarket) -> None:
        """Raise RuleBroken unless contract and register agree on every batch, holder and receipt."""
        from transactive.chain.ledgers.carbon_credits import BatchOnChain, receipt_hash

        register = market.register
        counts = (len(register.batches), len(register.receipts))
        require(contract.counts() == counts, "all batches and receipts are on chain")
        held: dict[tuple[int, str], int] = {}
        for (number, holder), kg in register.holdings.items():
            name = market.offer(int(holder.removeprefix(LISTING))).seller if holder.startswith(LISTING) else holder
            held[number, name] = held.get((number, name), 0) + kg
        for batch in register.batches:
            n = batch.number
            facts = (batch.issued_kg, register.held_kg(n, BUFFER), register.retired_kg[n], register.reversed_kg[n])
            require(contract.batch(n) == BatchOnChain(*facts), "a batch on chain is that of the register")
        for (number, name), kg in held.items():
            if name != BUFFER:
                require(contract.balance(self._key(name), number) == kg, "everybody holds on chain what it holds")
        for receipt in register.receipts:
            words = (receipt.beneficiary, receipt.reason, receipt.period)
            holder = str(self._key(receipt.holder).address)
            made = receipt_hash(receipt.batch, receipt.first_kg, receipt.end_kg, holder, words)
            require(contract.receipt(receipt.number) == made, "a receipt on chain is that of the register")


def publish(folder: Path, node: str | None) -> dict[str, Any]:
    """Bring the register of a state folder on chain, as far as it is not there; returns what is there.

    node: an embedded chain or a development node; without it a chain of its own in the folder. Raises StateError where
    it is on another chain already, ChainError.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of a run or a demo")
    with closing(Store(folder)) as store, hold(folder):
        community, log = community_of(store), store.credit_steps()
        url = node or f"{EMBEDDED}{folder / CREDITS_CHAIN}"
        progress = _progress(store, folder, url)
        with _opened(store, folder, url) as (client, keys):
            publisher = Publisher(community, client, keys, store, progress)
            before, market = progress.steps, CreditMarket.of(log)
            contract = publisher.publish(log)
            publisher.check(contract, market)
            rows = receipt_rows(market)
            return {
                "node": progress.node,
                "chain_id": client.chain_id,
                "contract": contract.address,
                "steps_now": progress.steps - before,
                "steps": progress.steps,
                "batches": len(market.register.batches),
                "retired_kg": sum(market.register.retired_kg.values()),
                "gas": progress.gas,
                "agrees": True,
                "receipts": {str(n): row | {"hash": contract.receipt(n).hex()} for n, row in enumerate(rows)},
            }


def _progress(store: Store, folder: Path, url: str) -> Progress:
    """How far the register of a folder is. Raises StateError where it is on another chain."""
    name = url if is_embedded(url) else shown(url)
    text = store.setting("credits_on_chain")
    if text is None:
        return Progress(name)
    progress = Progress(**json.loads(text))
    if progress.node != name:
        raise StateError(f"{folder}: its credits are at {progress.node} already; give that as --node")
    if is_embedded(url) and not Path(embedded_path(url)).is_file():
        return Progress(name)  # the chain was thrown away: everything anew
    return progress


@contextmanager
def _opened(store: Store, folder: Path, url: str) -> Iterator[tuple[ChainClient, DemoKeys]]:
    """Client and keys. Raises ChainError where demo keys must not sign, StateError for the chain of a run."""
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.nodes.client import ChainClient

    if (
        is_embedded(url)
        and holds_state(Path(embedded_path(url)).parent)
        and embedded_path(url) != str(folder / CREDITS_CHAIN)
    ):
        raise StateError(f"{url}: belongs to a run, whose books would no longer equal the chain; give another file")
    keys = DemoKeys(json.loads(store.setting("run") or "{}").get("seed", "transactive"))
    owner = str(keys.role("owner").address)
    made = ChainClient.open(url, genesis_time=GENESIS, alloc=[owner], outbox=folder / OUTBOX)
    with closing(made) as client:
        keys.check(client)
        yield client, keys
