"""The life of a granular certificate: which states there are and which step leads where.

A certificate is a bundle: a half-open range of Wh, [first, end), that one device produced in one slot. Steps that are
not in the table are refused; end states are absorbing. In particular nothing that was cancelled can be locked, reserved
or withdrawn, so that no Wh is claimed twice. Terms: EnergyTag, Granular Certificate Scheme Standard v2.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from transactive.core.errors import CertificateError
from transactive.core.slots import time_text

Wh = Annotated[int, Meta(ge=0, lt=2**62)]


class State(StrEnum):
    """State of a bundle."""

    ACTIVE = "active"
    LOCKED = "locked"
    RESERVED = "reserved"
    IN_TRANSIT = "in-transit"
    CANCELLED = "cancelled"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    EXPORTED = "exported"
    STORED = "stored"


END = frozenset({State.CLAIMED, State.EXPIRED, State.WITHDRAWN, State.EXPORTED, State.STORED})
"""States that nothing leaves."""


class BundleStep(StrEnum):
    """What can be done to a bundle."""

    TRANSFER = "transfer"
    LOCK = "lock"
    UNLOCK = "unlock"
    RESERVE = "reserve"
    RELEASE = "release"
    CANCEL = "cancel"
    CLAIM = "claim"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    EXPORT = "export"
    HAND_OVER = "hand-over"
    RECALL = "recall"
    STORE = "store"


LEADS_TO: dict[tuple[BundleStep, State], State] = {
    (BundleStep.TRANSFER, State.ACTIVE): State.ACTIVE,
    (BundleStep.LOCK, State.ACTIVE): State.LOCKED,
    (BundleStep.UNLOCK, State.LOCKED): State.ACTIVE,
    (BundleStep.RESERVE, State.ACTIVE): State.RESERVED,
    (BundleStep.RELEASE, State.RESERVED): State.ACTIVE,
    (BundleStep.CANCEL, State.ACTIVE): State.CANCELLED,
    (BundleStep.CANCEL, State.RESERVED): State.CANCELLED,
    (BundleStep.CLAIM, State.CANCELLED): State.CLAIMED,
    (BundleStep.EXPIRE, State.ACTIVE): State.EXPIRED,
    (BundleStep.EXPIRE, State.RESERVED): State.EXPIRED,
    (BundleStep.WITHDRAW, State.ACTIVE): State.WITHDRAWN,
    (BundleStep.WITHDRAW, State.LOCKED): State.WITHDRAWN,
    (BundleStep.EXPORT, State.ACTIVE): State.EXPORTED,
    (BundleStep.HAND_OVER, State.ACTIVE): State.IN_TRANSIT,
    (BundleStep.RECALL, State.IN_TRANSIT): State.ACTIVE,
    (BundleStep.EXPORT, State.IN_TRANSIT): State.EXPORTED,
    (BundleStep.STORE, State.ACTIVE): State.STORED,
}
"""The state that a step leads to; a pair that is missing is refused.

What is in transit waits for the answer of another register: it ends here, or is active again, and nothing else.
"""


class Bundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The Wh [first, end) that `device` produced in `slot` [Unix s], and who has them in which state.

    beneficiary: in whose name they were cancelled, and why: reason. meter: whose consumption they were claimed against,
    if they were. carbon_mg: what their generation emitted, market-based.
    """

    device: str
    slot: int
    first_wh: Wh
    end_wh: Wh
    owner: str
    state: State = State.ACTIVE
    beneficiary: str = ""
    reason: str = ""
    meter: str = ""
    carbon_mg: Wh = 0

    @property
    def energy_wh(self) -> int:
        """Energy [Wh]."""
        return self.end_wh - self.first_wh

    @property
    def serial(self) -> str:
        """Name for people: device, slot and the first and last of its Wh, counted from 0."""
        return f"{self.device}/{time_text(self.slot)}/{self.first_wh}-{self.end_wh - 1}"

    def after(self, step: BundleStep, **changes: str) -> Bundle:
        """The bundle after a step. Raises CertificateError naming serial and state if the step is not allowed."""
        state = LEADS_TO.get((step, self.state))
        if state is None:
            allowed = ", ".join(sorted(s for s, begins in LEADS_TO if begins == self.state)) or "nothing"
            raise CertificateError(f"{self.serial} is {self.state}: cannot {step} it; allowed: {allowed}", "state")
        return msgspec.structs.replace(self, state=state, **changes)

    def split(self, energy_wh: int, carbon_mg: int | None = None) -> tuple[Bundle, Bundle]:
        """The first `energy_wh` Wh and the rest; both keep state and owner. Raises CertificateError out of range.

        carbon_mg: what the first part takes along; without it its share, rounded down.
        """
        if not 0 < energy_wh < self.energy_wh:
            raise CertificateError(
                f"{self.serial}: cannot split {energy_wh} Wh off {self.energy_wh}; give less than all", "range"
            )
        mg = self.carbon_mg * energy_wh // self.energy_wh if carbon_mg is None else carbon_mg
        if not 0 <= mg <= self.carbon_mg:
            raise CertificateError(f"{self.serial}: cannot split {mg} mg off {self.carbon_mg}; give no more", "range")
        middle, replace = self.first_wh + energy_wh, msgspec.structs.replace
        return replace(self, end_wh=middle, carbon_mg=mg), replace(self, first_wh=middle, carbon_mg=self.carbon_mg - mg)

    def joined(self, other: Bundle) -> Bundle | None:
        """Both as one, if the other goes on where this one ends, alike in everything but its carbon."""
        both = msgspec.structs.replace(self, end_wh=other.end_wh, carbon_mg=self.carbon_mg + other.carbon_mg)
        alike = msgspec.structs.replace(both, first_wh=other.first_wh, carbon_mg=other.carbon_mg)
        return both if self.end_wh == other.first_wh and alike == other else None
