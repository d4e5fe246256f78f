"""The register of one slot of a run: its meters, and its certificates with the steps that the run took with them.

No step joins two slots, so a register of a run falls apart into one for each. The steps here are those that people can
take, so whatever the run did is held to the same rules: issued ≤ metered, claimed ≤ consumed, zones that reach.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.carbon.certificates.entries import DeviceAttributes
from transactive.carbon.certificates.lifecycle import BundleStep
from transactive.carbon.certificates.register import Register
from transactive.core.certificates import Certificates, CertificateState
from transactive.core.community.certificate_rules import ONE_ZONE
from transactive.core.community.community import Community
from transactive.core.slots import DAY
from transactive.core.tables import Readings

MATCHED = "used in the same slot"
"""Why a run cancels what is claimed."""
SUPPLIER = "supplier"


def empty_register(community: Community) -> Register:
    """Register of a community's devices and meters, with no slot metered."""
    devices: dict[str, DeviceAttributes] = {}
    for member, battery in zip(community.members, community.device_ids[1::2], strict=True):
        generator = community.generator(member)
        own = DeviceAttributes(
            id=generator.id or "",
            source=generator.source or "",
            technology=generator.technology or "",
            commissioned=generator.commissioned or "",
            zone=zone_of(member.zone, community),
            capacity_w=member.pv_w,
            location=generator.location or "",
            support=generator.support or "none",
            factor_g_per_kwh=generator.factor_g_per_kwh or 0,
            factor_source=generator.factor_source or "",
        )
        storage = DeviceAttributes(
            id=battery,
            source="storage",
            technology="battery",
            commissioned="",
            zone=own.zone,
            capacity_w=member.battery_w,
            location=own.location,
            factor_g_per_kwh=0,
            factor_source="of the lots it was charged with, losses included",
            allocation=member.battery_allocation,
        )
        devices |= {own.id: own, storage.id: storage}
    return Register(
        devices=devices,
        zone_of_meter={member.id: zone_of(member.zone, community) for member in community.members},
        reachable=community.carbon.certificates.reaches(),
        validity=community.carbon.certificates.validity_days * DAY,
    )


def zone_of(zone: str | None, community: Community) -> str:
    """Zone of a member for certificates; one for all where the community names none."""
    return zone if zone and community.carbon.certificates.zones else ONE_ZONE


def take_up(register: Register, readings: Readings, certificates: Certificates, community: Community) -> None:
    """Enter a slot of a run into a register: meter, issue, and do to each bundle what the run did.

    Raises CertificateError where the run broke a rule of the register.
    """
    devices, ids = community.device_ids, community.ids
    metered = np.where(readings.estimated, 0, readings.generation_wh)  # an estimate gives no certificates
    produced = np.stack((metered, readings.discharge_wh), axis=1).ravel().tolist()
    register.meter(
        readings.slot,
        {device: wh for device, wh in zip(devices, produced, strict=True) if wh},
        {member: wh for member, wh in zip(ids, readings.consumption_wh.tolist(), strict=True) if wh},
    )
    owners, c = [*ids, SUPPLIER], certificates
    rows = list(zip(*(col.tolist() for col in (c.device, c.energy_wh, c.owner, c.state, c.market_mg)), strict=True))
    start = 0
    while start < len(rows):
        end = next((k for k in range(start, len(rows)) if rows[k][0] != rows[start][0]), len(rows))
        number = rows[start][0]
        _issue(register, readings.slot, (devices[number], ids[number // 2]), rows[start:end], owners)
        start = end


def _issue(
    register: Register,
    slot: int,
    producer: tuple[str, str],
    rows: Sequence[tuple[int, int, int, int, int]],
    owners: Sequence[str],
) -> None:
    """Issue what a device produced as one bundle, split it into its parts, and move each to where it ended."""
    device, holder = producer
    rest = register.issue(device, slot, sum(row[1] for row in rows), holder, sum(row[4] for row in rows))
    for _, energy_wh, owner, state, carbon_mg in rows:
        part = rest
        if energy_wh < rest.energy_wh:
            part, rest = register.split(rest.serial, energy_wh, carbon_mg)
        if owners[owner] != holder:
            register.transfer(part.serial, owners[owner])
        if state == CertificateState.STORED:
            register.move(part.serial, BundleStep.STORE)
        elif state == CertificateState.CLAIMED:
            register.cancel(part.serial, owners[owner], MATCHED)
            register.claim(part.serial, owners[owner])
