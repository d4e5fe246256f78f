"""What all who trade a slot directly agree on beforehand: the roll, the prices, and what makes a message theirs."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.proofs.deals.allowances import Allowance, Roll
from transactive.core.proofs.deals.quotes import DemandCurve
from transactive.core.tariff import PriceGrid

MOST_STEPS = 128
"""Steps of a curve: as many as an order may have both ways."""
MOST_CONTACT = 64
"""Bytes of a contact."""


@dataclass(frozen=True)
class SlotTerms:
    """Terms of one slot. domain: EIP-712 separator of the settlement; operator: address that signs the roll.

    sealed_below: with fewer keys than this all commit to their curves before any is shown. slack_ticks: by how much a
    bid may be below the price that the seller found itself, as both may know different quotes.
    """

    roll: Roll
    domain: bytes
    operator: str
    grid: PriceGrid
    sealed_below: int = 8
    slack_ticks: int = 0

    @property
    def slot(self) -> int:
        """Number of the slot."""
        return self.roll.slot

    @property
    def is_sealed(self) -> bool:
        """Whether curves are shown only after all have committed to theirs."""
        return len(self.roll.allowances) < self.sealed_below

    def allowance(self, seat: int) -> Allowance:
        """Allowance of the key at a seat."""
        return self.roll.allowances[seat]

    def is_price(self, price: int) -> bool:
        """Whether a price is one of the market's."""
        return self.grid.floor <= price <= self.grid.cap and (price - self.grid.floor) % self.grid.tick == 0

    def takes(self, curve: DemandCurve) -> bool:
        """Whether a curve can count: falling steps with energy, not too many, at prices of the market."""
        few = len(curve.prices) <= MOST_STEPS and len(curve.contact) <= MOST_CONTACT
        return few and curve.is_meant and all(map(self.is_price, curve.prices))
