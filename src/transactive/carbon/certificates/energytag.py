"""A bundle in the shape that EnergyTag's Granular Certificate Scheme Standard v2 gives it, for other registries.

The names are those of the standard's fields. A certificate stands for 1 Wh; ids are counted from 0 within device and
slot, both ends included. emissions_factor_production_device is in kg/MWh, the same number as g/kWh.
"""

from __future__ import annotations

from typing import Any

from transactive.carbon.certificates.entries import DeviceAttributes
from transactive.carbon.certificates.lifecycle import Bundle
from transactive.core.slots import time_text

STANDARD = "EnergyTag Granular Certificate Scheme Standard v2"
COLUMNS = (
    *("issuance_id", "bundle_id_range_start", "bundle_id_range_end", "bundle_quantity", "face_value"),
    *("certificate_status", "account_id", "beneficiary", "energy_carrier", "energy_source"),
    *("device_id", "device_technology_type", "device_production_start_date", "device_capacity", "device_location"),
    *("production_starting_interval", "production_ending_interval", "expiry_datestamp"),
    *("emissions_factor_production_device", "emissions_factor_source", "carbon_mg"),
    *("is_storage", "storage_allocation_method", "support_received", "issuing_body", "issue_market_zone"),
    *("issuance_post_energy_carrier_conversion", "registry_configuration"),
)
"""Fields in their order."""


def shaped(bundle: Bundle, device: DeviceAttributes, issuer: str, slot_seconds: int, validity: int) -> dict[str, Any]:
    """Fields of a bundle; issuer: who issued it. Stored energy has its factor from what it was charged with."""
    storage = bool(device.allocation)
    factor = -(-bundle.carbon_mg // bundle.energy_wh) if storage else device.factor_g_per_kwh
    values = (
        *(f"{bundle.device}/{time_text(bundle.slot)}", bundle.first_wh, bundle.end_wh - 1, bundle.energy_wh, 1),
        *(str(bundle.state), bundle.owner, bundle.beneficiary, "electricity", device.source),
        *(device.id, device.technology, device.commissioned or None, device.capacity_w, device.location or None),
        *(time_text(bundle.slot), time_text(bundle.slot + slot_seconds), time_text(bundle.slot + validity)),
        *(factor, device.factor_source, bundle.carbon_mg),
        *(storage, device.allocation or None, device.support, issuer, device.zone),
        *(False, 1),
    )
    return dict(zip(COLUMNS, values, strict=True))
