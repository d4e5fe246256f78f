"""Redemption statements from the register of a run."""

from __future__ import annotations

import hashlib

from transactive.carbon.certificates.lifecycle import State
from transactive.core.errors import CertificateError
from transactive.core.slots import time_text
from transactive.insight.statements.redemption import Redeemed, Redemption
from transactive.services.certificates import CertificateService

USED = frozenset({State.CANCELLED, State.CLAIMED})


def redemption(
    service: CertificateService, beneficiary: str, reason: str | None, first: int | None, end: int | None
) -> Redemption:
    """What was cancelled in somebody's name, for a reason or for any, of slots from `first` up to `end` [Unix s].

    Raises CertificateError where there is nothing.
    """
    rows, reasons, slots, digests = [], set(), [], dict[int, bytes]()
    for register, bundle in service.bundles(first, end, USED):
        if bundle.beneficiary != beneficiary or reason not in (None, bundle.reason):
            continue
        device = register.devices[bundle.device]
        reasons.add(bundle.reason)
        slots.append(bundle.slot)
        digests.setdefault(bundle.slot, register.digest())
        rows.append(
            Redeemed(
                serial=service.full(bundle.serial),
                energy_wh=bundle.energy_wh,
                carbon_mg=bundle.carbon_mg,
                source=device.source,
                technology=device.technology,
                device=device.id,
                commissioned=device.commissioned,
                location=device.location,
                zone=device.zone,
                support=device.support,
                factor_source=device.factor_source,
                state=bundle.state,
                meter=bundle.meter,
            )
        )
    if not rows:
        raise CertificateError(f"nothing was cancelled in the name of {beneficiary!r}; look at the list", "name")
    return Redemption(
        community=service.community.name,
        beneficiary=beneficiary,
        reason="; ".join(sorted(reason for reason in reasons if reason)),
        first_slot=time_text(slots[0] if first is None else first),
        end=time_text(slots[-1] + service.community.clock.length if end is None else end),
        energy_wh=sum(row.energy_wh for row in rows),
        carbon_mg=sum(row.carbon_mg for row in rows),
        claimed_wh=sum(row.energy_wh for row in rows if row.state == State.CLAIMED),
        register=hashlib.sha256(b"".join(digests.values())).hexdigest(),
        bundles=tuple(rows),
    )
