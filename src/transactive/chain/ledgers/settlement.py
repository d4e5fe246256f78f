"""The chain as the engine sees it: a settlement contract with a deposit per account.

Plain numbers only: accounts are indices, money is whole n¤, times are Unix seconds, slots and periods are their
numbers since 1970. Calls that only queue take effect with the next `block`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import sha256

from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.history import PART, Gas, attempts, commitment_of, commitments, gas_in, newest_opening
from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers import money
from transactive.chain.ledgers.blocks import BlockReceipt, summed_gas
from transactive.chain.ledgers.committing import commitment_to
from transactive.chain.ledgers.deposits import Deposits
from transactive.chain.ledgers.member_limits import MemberLimits
from transactive.chain.ledgers.netting import NettingCalls, balances_n
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import is_as_today
from transactive.core.errors import ChainError, ContractRevert
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import SigningPlace, domain
from transactive.core.proofs.slot_tree import SlotTree

PAID = "settlement: nothing proposed"
"""What the contract says to who wants to pay a netting that somebody else has just paid."""


class ChainLedger:
    """Deposits, slot commitments and nettings of one community."""

    def __init__(
        self, client: ChainClient, keys: Keys, parts: tuple[Contract, Contract], accounts: int, group: bytes = b""
    ) -> None:
        keys.check(client)
        self._client, self._keys = client, keys
        self._currency, self._settlement = parts
        self._operator = keys.role("operator")
        self._deposits = Deposits(client, keys, self._currency, self._settlement)
        self._netting = NettingCalls(client, self._settlement, self._operator)
        self._gas: Gas | None = None
        self._paying: int | None = None
        self.accounts = accounts
        self.certificates_address: str | None = None
        # whoever has the operator's key can make the blinding again; with demo keys that is everybody
        secret = bytes(self._operator.key) + group  # no two groups of a community are blinded alike
        self._secret = sha256(b"transactive leaves" + secret).digest()
        self._carbon_secret = sha256(b"transactive carbon" + secret).digest()

    def mark_new(self, certificates: str | None, *, creates_money: bool) -> None:
        """Say what only who has just deployed it knows: its contract of certificates, and that no gas was used yet."""
        self._gas, self.certificates_address, self._deposits.creates_money = Gas(), certificates, creates_money

    @classmethod
    def attach(cls, client: ChainClient, keys: Keys, address: str, group: bytes = b"") -> ChainLedger:
        """Ledger on the settlement contract at `address`, as an earlier run left it.

        group: what its trees are blinded by beside the operator's key, if it is one of several. Raises ChainError if it
        is not there or the keys are not those it was deployed with.
        """
        settlement = client.contract("settlement", address)
        currency = client.contract("currency", client.read(settlement, "currency"))
        accounts = int(client.read(settlement, "memberCount"))
        if client.read(settlement, "operator") != keys.role("operator").address:
            raise ChainError(f"the operator of {address} has another key; open it with the seed it was deployed with")
        return cls(client, keys, (currency, settlement), accounts, group)

    @property
    def address(self) -> str:
        """Address of the settlement contract: what `attach` wants."""
        return str(self._settlement.address)

    @property
    def contract(self) -> Contract:
        """The settlement contract."""
        return self._settlement

    @property
    def disputes_address(self) -> str:
        """Address of the contract that judges evidence."""
        return str(self._client.read(self._settlement, "disputes"))

    @property
    def judges_receipts_together(self) -> bool:
        """Whether its judge takes receipts that one signature makes for all orders of a gate."""
        return is_as_today("disputes", "challengeOmission", self._client.code(self.disputes_address))

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return self._client.height

    def is_newest(self, number: int) -> bool:
        """Whether nothing of ours was put on chain after block `number`."""
        return self._client.is_newest(number)

    def ends_with(self, number: int) -> bool:
        """Whether nobody put anything on chain after block `number`; False on a node elsewhere, which others use."""
        return self._client.is_embedded and self._client.is_newest(number)

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
        self._deposits.queue(amounts_n)

    @property
    def creates_money(self) -> bool:
        """Whether money is created as it is paid in, and not taken from what the on-ramp has of an existing token."""
        return self._deposits.creates_money

    @property
    def currency_address(self) -> str:
        """Address of the token in which deposits are."""
        return str(self._currency.address)

    @cached_property
    def depth(self) -> int:
        """Height of every slot's tree."""
        return int(self._client.read(self._settlement, "depth"))

    @property
    def keys(self) -> Keys:
        """Keys of the parties, as far as this machine has them."""
        return self._keys

    @cached_property
    def domain(self) -> bytes:
        """EIP-712 domain separator of what members and operator sign for this contract."""
        return domain(self.chain_id, self.address)

    def signing_place(self, account: int) -> SigningPlace:
        """Where an account signs: under its own number."""
        return SigningPlace(account, self.domain)

    def tree(self, leaves: SlotLeaves, *, again: bool = False) -> SlotTree:
        """Tree over the leaves of a slot; the one that was committed last, or one to commit it `again`."""
        made = attempts(self._client, self._settlement, leaves.slot)
        return SlotTree(leaves, self.depth, self._secret, made if again else max(made - 1, 0))

    def shown(self, leaves: SlotLeaves, last: Opening | None = None) -> tuple[SlotTree, Opening]:
        """Tree of the slot that was committed last, and its opening. last: of the slot before, where it is known."""
        made = newest_opening(self._client, self._settlement, leaves.slot, last)
        first = SlotTree(leaves, self.depth, self._secret)
        return first if first.root == made.commitment.root else self.tree(leaves), made

    def carbon_tree(self, leaves: SlotLeaves) -> SlotTree:
        """Tree over the leaves of carbon of a slot: its root is the root of the slot's certificates."""
        return SlotTree(leaves, self.depth, self._carbon_secret)

    def certificates_root(self, leaves: Callable[[], SlotLeaves]) -> bytes:
        """Root to commit of a slot's leaves of carbon."""
        return self.carbon_tree(leaves()).root

    def commit_slot(self, leaves: SlotLeaves, certificates: bytes = ZERO, *, attempt: int = 0) -> SlotTree:
        """Queue the commitment of a slot; attempt: how often it was committed before, if it was taken back."""
        tree = SlotTree(leaves, self.depth, self._secret, attempt)
        content = commitment_to(self._client, self._settlement, tree, certificates).content
        self._client.send(self._operator, self._settlement, "commitSlot", *content)
        return tree

    def holds(self, leaves: SlotLeaves, certificates: bytes) -> bool:
        """Whether the slot of these leaves was committed with them, and with this root of certificates."""
        found = commitment_of(self._client, self._settlement, leaves.slot)
        made = commitment_to(self._client, self._settlement, self.tree(leaves), certificates)
        return found is not None and found.content == made.content

    def propose(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period, less parts that are on chain: received − paid per account [n¤], sum zero."""
        self._netting.propose(period, nets_n)

    def finalise(self, period: int) -> None:
        """Queue the payment of a period's netting, as far as it is missing. Raises ChainError if it is not proposed.

        Where the chain keeps its own time, wait first until the challenge window has passed there. Anybody can pay it:
        what somebody else does before this ledger's calls is no fault.
        """
        if (ready_at := self.ready_at) is not None:
            self._client.wait_for_window(ready_at)
        self._netting.finalise(period)
        self._paying = period
        if self._netting.is_settled(period):
            self._gas = None  # others' gas is in the chain's history

    def pay(self, period: int, windows: int, totals: SlotLeaves, nets_n: Sequence[int]) -> None:  # noqa: ARG002
        """Queue the payment of a netting; one window is all that it has."""
        self.finalise(period)

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

        Raises ContractRevert with the contract's "module: reason" if a call failed, ChainError if the token did.
        """
        paying, self._paying = self._paying, None
        try:
            block = self._client.block(timestamp)
        except ContractRevert as error:
            paid_by_others = paying is not None and str(error) == PAID and self._netting.is_settled(paying)
            if paid_by_others and (found := self.at(timestamp)):
                self._gas = None
                return found
            raise money.told(error, self.currency_address) from error
        payments = sum(receipt.kind == "finalise" for receipt in block.receipts)
        for receipt in block.receipts:
            payments -= receipt.kind == "finalise"
            if self._gas:
                self._gas.count(PART if receipt.kind == "finalise" and payments else receipt.kind, receipt.gas_used)
        return BlockReceipt(block.number, block.hash, block.timestamp, summed_gas(block.receipts))

    def at(self, timestamp: int) -> BlockReceipt | None:
        """Block of this run at `timestamp` [Unix s], or None if the chain has not come so far.

        An interrupted run asks before it repeats a step. Raises ChainError if the chain is beyond without such a block.
        """
        found = self._client.block_at(timestamp)
        if found is None:
            return None
        return BlockReceipt(found.number, found.hash, timestamp, gas_in(self._client, self._settlement, found.number))

    def limits(self, members: int) -> MemberLimits:
        """Reader of the limits that members set for themselves."""
        return MemberLimits(self._client, self._settlement, members)

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

    def balances_n(self, block: int | None = None) -> list[int]:
        """Settled balance of every account [n¤], as the contract has it, or had it at a block."""
        return balances_n(self._client, self._settlement, self.accounts, block)

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
    def _spent(self) -> Gas:
        """Gas of all calls; the chain's history is read when it is first asked for."""
        if self._gas is None:
            self._gas = Gas.of(self._client, self._settlement)
        return self._gas

    @property
    def gas_slot_commits(self) -> list[int]:
        """Gas of each slot commitment."""
        return list(self._spent.slot_commits)

    @property
    def gas_nettings(self) -> list[int]:
        """Gas of each netting: proposals and payment."""
        return list(self._spent.nettings)
