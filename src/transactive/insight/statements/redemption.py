"""A redemption statement: in whose name certificates were cancelled, why, for which time, and which they were."""

from __future__ import annotations

import msgspec

KIND = "transactive/redemption/1"


class Redeemed(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle: who generated it, and whose consumption it was claimed against, if it was. Carbon in mg."""

    serial: str
    energy_wh: int
    carbon_mg: int
    source: str
    technology: str
    device: str
    commissioned: str
    location: str
    zone: str
    support: str
    factor_source: str
    state: str
    meter: str


class Redemption(msgspec.Struct, frozen=True, kw_only=True):
    """The whole statement; times in UTC, register the SHA-256 over the registers of its slots."""

    kind: str = KIND
    community: str
    beneficiary: str
    reason: str
    first_slot: str
    end: str
    energy_wh: int
    carbon_mg: int
    claimed_wh: int
    register: str
    bundles: tuple[Redeemed, ...]


def encode(redemption: Redemption) -> bytes:
    """Canonical JSON of a redemption, with a line end."""
    return msgspec.json.encode(redemption, order="sorted") + b"\n"
