"""The contract `carbon_credits` for a register: the same steps, each signed by whoever takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.receipts import Block

COINS = 10**18
"""What an account without coins gets for gas on an embedded or development chain [wei]."""
MOST_OTHERS = 32
"""Batches beside its own whose buffer one reversal can reach."""


@dataclass(frozen=True, slots=True)
class BatchOnChain:
    """A batch as the contract has it [kg]."""

    issued: int
    buffer: int
    retired: int
    reversed: int


class CreditContract:
    """Queues steps on `carbon_credits`; `block` sends them."""

    def __init__(self, client: ChainClient, owner: LocalAccount, contract: Contract) -> None:
        self._client, self._owner, self._contract = client, owner, contract

    @classmethod
    def deploy(cls, client: ChainClient, owner: LocalAccount, buffer_ppm: int) -> CreditContract:
        """Queue the deployment of a new contract."""
        return cls(client, owner, client.deploy(owner, "carbon_credits", buffer_ppm))

    @classmethod
    def attach(cls, client: ChainClient, owner: LocalAccount, address: str) -> CreditContract:
        """Contract that is there. Raises ChainError if it is not."""
        return cls(client, owner, client.contract("carbon_credits", address))

    @property
    def address(self) -> str:
        """Where it is."""
        return str(self._contract.address)

    def fund(self, accounts: Sequence[LocalAccount]) -> bool:
        """Queue coins for accounts without any, who could pay no gas; returns whether there were such."""
        poor = [account for account in accounts if not self._client.coins(account.address)]
        for account in poor:
            self._client.pay(self._owner, account.address, COINS)
        return bool(poor)

    def register(self, project: str, auditor: LocalAccount, *, removal: bool, description: str) -> None:
        """Queue the registration of a project: the owner."""
        text = description.encode()[:160].decode(errors="ignore")
        self._send(self._owner, "registerProject", keccak(project.encode()), auditor.address, removal, text)

    def issue(
        self, auditor: LocalAccount, project: str, vintage: int, serial: str, kg: int, owner: LocalAccount
    ) -> None:
        """Queue the issue of a batch: its auditor."""
        facts = keccak(project.encode()), vintage, keccak(serial.encode()), kg, owner.address
        self._send(auditor, "issue", *facts)

    def transfer(self, seller: LocalAccount, buyer: LocalAccount, batch: int, kg: int) -> None:
        """Queue a sale: its seller."""
        self._send(seller, "transfer", buyer.address, batch, kg)

    def retire(self, holder: LocalAccount, batch: int, kg: int, words: tuple[str, str, str]) -> None:
        """Queue a retirement: its holder. words: beneficiary, reason, period."""
        self._send(holder, "retire", batch, kg, *words)

    def reverse(self, auditor: LocalAccount, batch: int, kg: int, others: Sequence[int]) -> None:
        """Queue a reversal: the auditor; others: batches whose buffers follow."""
        self._send(auditor, "reverse", batch, kg, list(others)[:MOST_OTHERS])

    def block(self, timestamp: int) -> Block:
        """Send what is queued in the step at `timestamp` [Unix s]. Raises ContractRevert, ChainError."""
        return self._client.block(timestamp)

    def batch(self, number: int) -> BatchOnChain:
        """A batch as the contract has it."""
        *_, issued, buffer, retired, back = self._client.read(self._contract, "batches", number)
        return BatchOnChain(int(issued), int(buffer), int(retired), int(back))

    def counts(self) -> tuple[int, int]:
        """Batches and receipts so far."""
        batches, receipts = (self._client.read(self._contract, name) for name in ("batchCount", "receiptCount"))
        return int(batches), int(receipts)

    def balance(self, holder: LocalAccount, batch: int) -> int:
        """What an account holds of a batch [kg]."""
        return int(self._client.read(self._contract, "balanceOf", holder.address, batch))

    def receipt(self, number: int) -> bytes:
        """Hash of a receipt."""
        return bytes(self._client.read(self._contract, "receipts", number))

    def _send(self, sender: LocalAccount, function: str, *arguments: object) -> None:
        self._client.send(sender, self._contract, function, *arguments)


def receipt_hash(batch: int, first: int, end: int, holder: str, words: tuple[str, str, str]) -> bytes:
    """Hash of a receipt as the contract makes it: holder is an address, words are beneficiary, reason and period."""
    types = ["uint256", "uint256", "uint256", "address", "string", "string", "string"]
    return keccak(encode(types, [batch, first, end, holder, *words]))
