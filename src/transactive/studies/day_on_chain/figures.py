"""What a day on chain is told as: its slots, its sums, and the gas of its calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from transactive.chain.nodes.receipts import Block


class SlotOnChain(msgspec.Struct, frozen=True, kw_only=True):
    """One slot. Prices [µ¤/kWh]: base and the two quotes at the gate. Energy [Wh]: promised, then read.

    network_n: what the slot left the network with [n¤, as text] once it has sold what remained outside at the floor, or
    bought what was missing at the cap.
    """

    slot: str
    base: int
    production_price: int
    consumption_price: int
    orders: int
    refused: int
    produced_wh: int
    consumed_wh: int
    certified_wh: int
    used_wh: int
    network_n: str


class BalanceDay(msgspec.Struct, frozen=True, kw_only=True):
    """What a day on chain did. Money [n¤] as text; gas as mean over the calls."""

    slots: int
    members: int
    transactions: int
    orders: int
    refused: int
    produced_wh: int
    consumed_wh: int
    earned_n: str
    paid_n: str
    network_n: str
    gas_per_order: int
    gas_per_reading: int
    gas_per_member_and_slot: int
    money_residual_n: str
    left_in_contract_n: str
    twin_equals_chain: bool
    head_hash: str
    url: str
    by_slot: list[SlotOnChain]
    seconds: float


@dataclass(slots=True)
class Count:
    """Gas and number of calls by kind."""

    gas: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def add(self, block: Block) -> None:
        """Count a block."""
        for receipt in block.receipts:
            self.gas[receipt.kind] = self.gas.get(receipt.kind, 0) + receipt.gas_used
            self.calls[receipt.kind] = self.calls.get(receipt.kind, 0) + 1

    def mean(self, *kinds: str) -> int:
        """Gas of a call."""
        return sum(self.gas.get(kind, 0) for kind in kinds) // max(1, sum(self.calls.get(kind, 0) for kind in kinds))
