"""What a register of certificates is told: its devices, and each step that it accepted."""

from __future__ import annotations

import msgspec


class DeviceAttributes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a producing device is: the attributes that its certificates carry.

    factor_g_per_kwh with factor_source says what a kWh emitted; zone is where its energy can be used. allocation: of a
    storage, which stored energy leaves first; fixed, as is its device.
    """

    id: str
    source: str
    technology: str
    commissioned: str
    zone: str
    capacity_w: int
    location: str = ""
    support: str = "none"
    factor_g_per_kwh: int
    factor_source: str
    allocation: str = ""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One accepted step, with all that is needed to repeat it.

    action: what asked for it, where that has a name of its own. first_wh, origin: of what another register handed over.
    """

    step: str
    serial: str = ""
    device: str = ""
    slot: int = 0
    energy_wh: int = 0
    carbon_mg: int | None = None
    to: str = ""
    reason: str = ""
    at: int = 0
    repaid_wh: int = 0
    action: str = ""
    first_wh: int = 0
    origin: DeviceAttributes | None = None
