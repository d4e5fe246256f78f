"""The operator's receipt for a deal: it has seen it, and settles it.

    DealReceipt(bytes32 deal)          in the settlement's domain; `deal` is the deal's hash

It has a type of its own. A deal is no order: a receipt for it as for an order would show the judge of orders that one
was left out (`challengeOmission` in `chain/contracts/disputes.vy`). Both parties hold it, and each shows it to the
judge of deals (`chain/contracts/deals.vy`). Source: EIP-712 (typed structured data).
"""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak

DEAL_RECEIPT_TYPE = b"DealReceipt(bytes32 deal)"
DEAL_RECEIPT_HASH = keccak(DEAL_RECEIPT_TYPE)


@dataclass(frozen=True, slots=True)
class DealReceipt:
    """That the operator accepted a deal, by its hash (32 bytes)."""

    deal: bytes

    @property
    def hash(self) -> bytes:
        """Hash of the struct."""
        return keccak(DEAL_RECEIPT_HASH + self.deal)

    def sign(self, operator: bytes, domain: bytes) -> bytes:
        """The operator's signature, by its private key (32 bytes)."""
        return signing.sign(signing.digest(domain, self.hash), operator)

    def check(self, signature: bytes, operator: str, domain: bytes) -> None:
        """Refuse a receipt that `operator` (address) did not sign. Raises SignatureError."""
        what = f"receipt of deal 0x{self.deal.hex()}"
        if signing.signer(signing.digest(domain, self.hash), signature, what) != operator.lower():
            raise SignatureError(f"{what} is not the operator's; take it as {operator} gave it")
