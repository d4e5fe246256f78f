"""What a block of a run says: the one that holds a settled slot, and the gas of its calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transactive.chain.nodes.receipts import Receipt


@dataclass(frozen=True, slots=True)
class BlockReceipt:
    """A block that holds what was queued. timestamp [Unix s]; gas: gas used, summed by called function."""

    number: int
    hash: bytes
    timestamp: int
    gas: dict[str, int]


def summed_gas(receipts: Iterable[Receipt]) -> dict[str, int]:
    """Gas that was used, summed by called function."""
    gas: dict[str, int] = {}
    for receipt in receipts:
        gas[receipt.kind] = gas.get(receipt.kind, 0) + receipt.gas_used
    return gas
