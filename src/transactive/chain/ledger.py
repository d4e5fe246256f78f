"""The chain as the engine sees it: a settlement contract with a deposit per account.

Plain numbers only: accounts are indices, money is whole n¤, times are Unix seconds, slots and periods are their
numbers since 1970. Calls that only queue take effect with the next `block`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web3.contract import Contract

from transactive.chain.client import ChainClient
from transactive.chain.history import Commitment, Gas, commitments, gas_in, pending_words
from transactive.chain.keys import Keys
from transactive.chain.packing import decode_balances, encode_nets, words_for
from transactive.core.errors import ChainError
from transactive.core.merkle import ZERO, Tree, depth_for

CAP_N = 2**96
"""Largest supply of the currency [n¤]: far above what all deposits together can hold."""
MAY_MINT = True
UNLIMITED = 2**256 - 1


@dataclass(frozen=True, slots=True)
class BlockReceipt:
    """A block that holds what was queued. timestamp [Unix s]; gas: gas used, summed by called function."""

    number: int
    hash: bytes
    timestamp: int
    gas: dict[str, int]


class ChainLedger:
    """Deposits, slot commitments and nettings of one community."""

    def __init__(
        self, client: ChainClient, keys: Keys, currency: Contract, settlement: Contract, accounts: int
    ) -> None:
        keys.check(client)
        self._client, self._keys = client, keys
        self._currency, self._settlement = currency, settlement
        self._operator, self._on_ramp = keys.role("operator"), keys.role("on-ramp")
        self._words: list[int] | None = None
        self._gas = Gas()
        self.accounts = accounts
        self.depth = depth_for(accounts)

    @classmethod
    def deploy(
        cls,
        client: ChainClient,
        keys: Keys,
        *,
        accounts: int,
        slot_seconds: int,
        slots_per_period: int,
        window: int,
        timestamp: int,
        currency_name: str,
        currency_symbol: str,
    ) -> ChainLedger:
        """Ledger on new contracts, with accounts 0 to accounts − 1 registered and ready to deposit.

        window: seconds in which a netting can be challenged. timestamp: time of the block [Unix s]. Raises ChainError
        if the keys must not sign for this chain.
        """
        keys.check(client)
        owner, operator, arbiter = keys.role("owner"), keys.role("operator"), keys.role("arbiter")
        notice = slot_seconds * slots_per_period + window
        currency = client.deploy(owner, "currency", currency_name, currency_symbol, CAP_N)
        rules = (depth_for(accounts), slot_seconds, slots_per_period, window, notice)
        settlement = client.deploy(owner, "settlement", currency.address, *rules)
        client.send(owner, currency, "setMinter", keys.role("on-ramp").address, MAY_MINT)
        client.send(owner, settlement, "offerOperator", operator.address)
        client.send(operator, settlement, "acceptOperator")
        client.send(owner, settlement, "setArbiter", arbiter.address)
        for index in range(accounts):
            client.send(operator, settlement, "register", keys.account(index).address)
        for index in range(accounts):
            client.send(keys.account(index), currency, "approve", settlement.address, UNLIMITED)
        ledger = cls(client, keys, currency, settlement, accounts)
        ledger.block(timestamp)
        return ledger

    @classmethod
    def attach(cls, client: ChainClient, keys: Keys, address: str) -> ChainLedger:
        """Ledger on the settlement contract at `address`, as an earlier run left it.

        Raises ChainError if it is not there or the keys are not those it was deployed with.
        """
        settlement = client.contract("settlement", address)
        currency = client.contract("currency", client.read(settlement, "currency"))
        accounts = int(client.read(settlement, "memberCount"))
        if client.read(settlement, "operator") != keys.role("operator").address:
            raise ChainError(f"the operator of {address} has another key; open it with the seed it was deployed with")
        ledger = cls(client, keys, currency, settlement, accounts)
        ledger._gas = Gas.of(client, settlement)
        ledger._words = pending_words(client, settlement) if ledger.pending else None
        return ledger

    @property
    def address(self) -> str:
        """Address of the settlement contract: what `attach` wants."""
        return str(self._settlement.address)

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return self._client.height

    def is_newest(self, number: int) -> bool:
        """Whether nothing of ours was put on chain after block `number`."""
        return self._client.is_newest(number)

    @property
    def chain_id(self) -> int:
        """EIP-155 number of the chain."""
        return self._client.chain_id

    def deposit(self, amounts_n: Sequence[int], timestamp: int) -> BlockReceipt:
        """Create money [n¤] for each account with an amount above zero and deposit it, in a block at `timestamp`."""
        self.queue_deposits(amounts_n)
        return self.block(timestamp)

    def queue_deposits(self, amounts_n: Sequence[int]) -> None:
        """Queue the creation and deposit of money [n¤] for each account with an amount above zero."""
        for index, amount in enumerate(amounts_n):
            if amount > 0:
                key = self._keys.account(index)
                self._client.send(self._on_ramp, self._currency, "mint", key.address, int(amount))
                self._client.send(key, self._settlement, "deposit", int(amount))

    def commit_slot(self, slot: int, sums: Sequence[int], certificates: bytes = ZERO) -> Tree:
        """Queue the commitment of a slot over the packed running totals (core.merkle.MONEY), one per account.

        certificates: root of the slot's certificates, zero without any.
        """
        tree = Tree.of_slot(slot, sums, self.depth)
        content = slot, tree.root, certificates, tree.totals, 0
        self._client.send(self._operator, self._settlement, "commitSlot", *content)
        return tree

    def propose(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period: received − paid per account [n¤], sum zero."""
        self._words = encode_nets(nets_n)
        self._client.send(self._operator, self._settlement, "propose", period, self._words)

    def finalise(self) -> None:
        """Queue the payment of the proposed netting. Raises ChainError if nothing was proposed."""
        if self._words is None:
            raise ChainError("no netting is proposed; call propose first")
        self._client.send(self._operator, self._settlement, "finalise", self._words)

    def request_withdrawal(self, index: int, amount_n: int) -> None:
        """Queue the account's announcement that `amount_n` [n¤] shall leave."""
        self._client.send(self._keys.account(index), self._settlement, "requestWithdrawal", amount_n)

    def release(self, index: int) -> None:
        """Queue the operator's waiver of the notice."""
        self._client.send(self._operator, self._settlement, "release", self._keys.account(index).address)

    def withdraw(self, index: int) -> None:
        """Queue the payment of a requested withdrawal to the account's wallet."""
        self._client.send(self._keys.account(index), self._settlement, "withdraw")

    def block(self, timestamp: int) -> BlockReceipt:
        """Put all that is queued on chain; embedded, in a block at `timestamp` [Unix s].

        Raises ContractRevert with the contract's "module: reason" if a call failed.
        """
        block = self._client.block(timestamp)
        gas: dict[str, int] = {}
        for receipt in block.receipts:
            gas[receipt.kind] = gas.get(receipt.kind, 0) + receipt.gas_used
            self._gas.count(receipt.kind, receipt.gas_used)
        if "finalise" in gas:
            self._words = None
        return BlockReceipt(block.number, block.hash, block.timestamp, gas)

    def at(self, timestamp: int) -> BlockReceipt | None:
        """Block of this run at `timestamp` [Unix s], or None if the chain has not come so far.

        An interrupted run asks before it repeats a step. Raises ChainError if the chain is beyond without such a block.
        """
        found = self._client.block_at(timestamp)
        if found is None:
            return None
        return BlockReceipt(found.number, found.hash, timestamp, gas_in(self._client, self._settlement, found.number))

    @property
    def pending(self) -> bool:
        """Whether a netting is proposed and not yet paid or void."""
        return bool(self._client.read(self._settlement, "isPending"))

    @property
    def ready_at(self) -> int | None:
        """Time [Unix s] from which the pending netting can be finalised; None without one."""
        return int(self._client.read(self._settlement, "proposal")[1]) if self.pending else None

    @property
    def settled_period(self) -> int:
        """Newest period that was paid; 0 before the first."""
        return int(self._client.read(self._settlement, "settledPeriod"))

    def balances_n(self) -> list[int]:
        """Settled balance of every account [n¤], as the contract has it."""
        words = [self._client.read(self._settlement, "balances", j) for j in range(words_for(self.accounts))]
        return decode_balances(words)[: self.accounts]

    def wallet_n(self, index: int) -> int:
        """What the account holds outside the settlement contract [n¤]."""
        return int(self._client.read(self._currency, "balanceOf", self._keys.account(index).address))

    def commitments(self) -> list[Commitment]:
        """All slot commitments on chain, oldest first: what an auditor compares the books with."""
        return commitments(self._client, self._settlement)

    @property
    def last_slot(self) -> int | None:
        """Number of the newest committed slot; None before the first. An interrupted run goes on after it."""
        latest = self._client.read(self._settlement, "latestPeriod")
        return int(self._client.read(self._settlement, "lastSlot", latest)) if latest else None

    @property
    def slot_commits(self) -> int:
        """Slot commitments so far."""
        return len(self._gas.slot_commits)

    @property
    def nettings(self) -> int:
        """Periods paid so far."""
        return len(self._gas.nettings)

    @property
    def gas_slot_commits(self) -> list[int]:
        """Gas of each slot commitment."""
        return list(self._gas.slot_commits)

    @property
    def gas_nettings(self) -> list[int]:
        """Gas of each netting: proposals and payment."""
        return list(self._gas.nettings)
