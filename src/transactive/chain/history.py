"""What the settlement contract's logs tell: commitments, gas, and the words of a pending netting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.nodes import Json
from transactive.core.errors import ChainError
from transactive.core.proofs.merkle import ZERO, word

PART = "finalise, a part"
"""A call of `finalise` that is not the last one of its netting."""
CALLS = {
    "SlotCommitted(uint256,uint256,bytes32,bytes32,uint256,uint256)": "commitSlot",
    "SlotCommitted(uint256,bytes32,bytes32,uint256,uint256)": "commitSlot",  # of release 0.1
    "PartProposed(uint256,uint256)": "propose",
    "Proposed(uint256,uint256,uint256)": "propose",
    "Proposed(uint256,bytes32,uint256)": "propose",  # of contracts from before there were parts
    "PartSettled(uint256,uint256)": PART,
    "Settled(uint256,uint256)": "finalise",
    "Rewound(uint256,uint256)": "rewind",
}
"""What left an event: one of the operator's calls, or what took commitments back."""
CALL_OF = {"0x" + keccak(text=signature).hex(): call for signature, call in CALLS.items()}
COMMITTED_BYTES = 128
"""What a log of a commitment has beside its topics, in contracts that state nothing substituted."""
OPERATOR_CALLS = ("commitSlot", "propose", PART, "finalise")


@dataclass(slots=True)
class Gas:
    """Gas of slot commitments, and of nettings from first proposal to payment. proposed: of the netting under way."""

    slot_commits: list[int] = field(default_factory=list)
    nettings: list[int] = field(default_factory=list)
    proposed: int = 0

    @classmethod
    def of(cls, client: ChainClient, settlement: Contract) -> Gas:
        """Gas of everything that is on chain."""
        gas = cls()
        calls = list(_events(client, settlement, OPERATOR_CALLS))
        used = client.gas_of_all([log["transactionHash"] for _, log in calls])
        for (call, _), gas_used in zip(calls, used, strict=True):
            gas.count(call, gas_used)
        return gas

    def count(self, call: str, used: int) -> None:
        """Add the gas of a call; those of other kinds do not count."""
        if call == "commitSlot":
            self.slot_commits.append(used)
        elif call in ("propose", PART):
            self.proposed += used
        elif call == "finalise":
            self.nettings.append(self.proposed + used)
            self.proposed = 0


def commitment_of(client: ChainClient, settlement: Contract, slot: int, first: int = 0) -> Commitment | None:
    """The newest commitment of a slot, by its number, from block `first` on; None if there is none."""
    logs = client.logs(settlement, first, topics=[topics_of("commitSlot"), "0x" + word(slot).hex()])
    return _commitment(logs[-1]) if logs else None


def _commitment(log: Json) -> Commitment:
    """Commitment that a log tells of."""
    data, word = bytes.fromhex(log["data"][2:]), int(log["topics"][1], 16)
    if len(data) > COMMITTED_BYTES:
        data, word = data[32:], int.from_bytes(data[:32], "big")
    money, energy = (int.from_bytes(data[at : at + 32], "big") for at in (64, 96))
    return Commitment.of(word, data[:32], data[32:64], money, energy, int(log["blockNumber"], 16))


def commitments(client: ChainClient, settlement: Contract) -> list[Commitment]:
    """All slot commitments that count, oldest first: without those that were taken back."""
    slots_per_period = int(client.read(settlement, "slotsPerPeriod"))
    found: list[Commitment] = []
    for call, log in _events(client, settlement, ("commitSlot", "rewind")):
        if call == "commitSlot":
            found.append(_commitment(log))
        else:
            period, first = int(log["topics"][1], 16), int(log["data"], 16)
            found = [c for c in found if c.slot // slots_per_period != period or c.slot < first]
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


def newest_opening(client: ChainClient, settlement: Contract, slot: int, last: Opening | None = None) -> Opening:
    """Opening of the newest commitment, which is of a slot (number). last: of the slot before, where it is known.

    Raises ChainError where another slot is the newest one.
    """
    per_period = int(client.read(settlement, "slotsPerPeriod"))
    if last and last.commitment.slot == slot - 1 and slot % per_period:
        found = commitment_of(client, settlement, slot, last.commitment.block)
        if found:
            return Opening(last.head, found, ())
    made = commitments(client, settlement)
    if not made or made[-1].slot != slot:
        raise ChainError(f"slot {slot} is not the last one that is committed on chain {client.chain_id}; read it again")
    return opening(made, len(made) - 1, per_period)


def attempts(client: ChainClient, settlement: Contract, slot: int) -> int:
    """How often a slot was committed, commitments that were taken back included."""
    return len(client.logs(settlement, topics=[topics_of("commitSlot"), "0x" + word(slot).hex()]))


def gas_in(client: ChainClient, settlement: Contract, block: int) -> dict[str, int]:
    """Gas of the operator's calls in one block, summed by call."""
    gas: dict[str, int] = {}
    for call, log in _events(client, settlement, OPERATOR_CALLS, block, block):
        function = "finalise" if call == PART else call
        gas[function] = gas.get(function, 0) + client.gas_of(log["transactionHash"])
    return gas


def pending_chunks(
    client: ChainClient, settlement: Contract, period: int, words_hash: bytes | None = None
) -> list[list[int]]:
    """Chunks of a period's newest proposal, or of the one with a hash, from the call of it. Raises ChainError.

    For contracts that keep only the hash of a netting: those from before there were parts.
    """
    proposals = client.logs(settlement, topics=[topics_of("propose"), "0x" + word(period).hex()])
    if words_hash is not None:
        proposals = [one for one in proposals if bytes.fromhex(one["data"][2:])[:32] == words_hash]
    if not proposals:
        raise ChainError(f"the netting of period {period} of {settlement.address} is not in the node's logs")
    _function, arguments = settlement.decode_function_input(client.input_of(proposals[-1]["transactionHash"]))
    return [[int(value) for value in chunk] for chunk in arguments["chunks"]]


def _events(
    client: ChainClient, settlement: Contract, calls: Sequence[str], first: int = 0, last: int | None = None
) -> Iterator[tuple[str, Json]]:
    """Logs of calls with the call's name, oldest first, of blocks `first` to `last`."""
    for log in client.logs(settlement, first, last, topics=[topics_of(*calls)]):
        yield CALL_OF[log["topics"][0]], log


def topics_of(*calls: str) -> list[str]:
    """First topics of what these calls leave."""
    return [topic for topic, call in CALL_OF.items() if call in calls]
