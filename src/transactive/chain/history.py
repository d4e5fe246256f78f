"""What the settlement contract's logs tell: commitments, gas, and the words of a pending netting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.client import ChainClient
from transactive.core.errors import ChainError
from transactive.core.merkle import ZERO, word

SIGNATURES = {
    "commitSlot": "SlotCommitted(uint256,bytes32,bytes32,uint256,uint256)",
    "propose": "Proposed(uint256,bytes32,uint256)",
    "finalise": "Settled(uint256,uint256)",
}
"""Event that each of the operator's calls leaves."""
TOPICS = {"0x" + keccak(text=signature).hex(): call for call, signature in SIGNATURES.items()}


@dataclass(frozen=True, slots=True)
class Commitment:
    """A slot on chain: roots of the members' tree and of the certificates (zero without any), the tree's packed totals.

    slot: its number. block: the one that holds it.
    """

    slot: int
    root: bytes
    certificates: bytes
    money: int
    energy: int
    block: int

    @property
    def content(self) -> tuple[int, bytes, bytes, int, int]:
        """What the contract hashes, in its order."""
        return self.slot, self.root, self.certificates, self.money, self.energy

    @property
    def hash(self) -> bytes:
        """Hash of the content."""
        words = (word(part) if isinstance(part, int) else part for part in self.content)
        return keccak(b"".join(words))


@dataclass(frozen=True, slots=True)
class Opening:
    """Proof that a commitment is part of its period's hash chain: the head before it, and the hashes of later ones."""

    previous: bytes
    commitment: Commitment
    later: tuple[bytes, ...]

    @property
    def content(self) -> tuple[bytes, tuple[int, bytes, bytes, int, int], list[bytes]]:
        """Argument of the contract's functions."""
        return self.previous, self.commitment.content, list(self.later)


@dataclass(slots=True)
class Gas:
    """Gas of slot commitments, and of nettings from first proposal to payment."""

    slot_commits: list[int] = field(default_factory=list)
    nettings: list[int] = field(default_factory=list)
    proposed: int = 0

    @classmethod
    def of(cls, client: ChainClient, settlement: Contract) -> Gas:
        """Gas of everything that is on chain."""
        gas = cls()
        for call, log in _events(client, settlement):
            gas.count(call, client.gas_of(log["transactionHash"]))
        return gas

    def count(self, call: str, used: int) -> None:
        """Add the gas of a call; those of other kinds do not count."""
        if call == "commitSlot":
            self.slot_commits.append(used)
        elif call == "propose":
            self.proposed += used
        elif call == "finalise":
            self.nettings.append(self.proposed + used)
            self.proposed = 0


def commitments(client: ChainClient, settlement: Contract) -> list[Commitment]:
    """All slot commitments, oldest first."""
    found = []
    for call, log in _events(client, settlement):
        if call == "commitSlot":
            data = bytes.fromhex(log["data"][2:])
            slot, money, energy = int(log["topics"][1], 16), data[64:96], data[96:128]
            sums = int.from_bytes(money, "big"), int.from_bytes(energy, "big")
            found.append(Commitment(slot, data[:32], data[32:64], *sums, int(log["blockNumber"], 16)))
    return found


def opening(found: Sequence[Commitment], position: int, slots_per_period: int) -> Opening:
    """Opening of the commitment at a place of all commitments, oldest first."""
    period = found[position].slot // slots_per_period
    same = [c for c in found if c.slot // slots_per_period == period]
    place = same.index(found[position])
    previous = ZERO
    for earlier in same[:place]:
        previous = keccak(previous + earlier.hash)
    return Opening(previous, found[position], tuple(c.hash for c in same[place + 1 :]))


def gas_in(client: ChainClient, settlement: Contract, block: int) -> dict[str, int]:
    """Gas of the operator's calls in one block, summed by call."""
    gas: dict[str, int] = {}
    for call, log in _events(client, settlement, block):
        if int(log["blockNumber"], 16) == block:
            gas[call] = gas.get(call, 0) + client.gas_of(log["transactionHash"])
    return gas


def pending_words(client: ChainClient, settlement: Contract) -> list[int]:
    """Words of the newest proposal, from the call that made it. Raises ChainError if it cannot be found."""
    proposals = [log for call, log in _events(client, settlement) if call == "propose"]
    if not proposals:
        raise ChainError(f"the pending netting of {settlement.address} is not in the node's logs")
    _function, arguments = settlement.decode_function_input(client.input_of(proposals[-1]["transactionHash"]))
    return [int(word) for word in arguments["words"]]


def _events(client: ChainClient, settlement: Contract, first: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logs of the operator's calls with the call's name, oldest first, from block `first` on."""
    for log in client.logs(settlement, first):
        if log["topics"] and log["topics"][0] in TOPICS:
            yield TOPICS[log["topics"][0]], log
