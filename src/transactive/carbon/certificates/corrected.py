"""Certificates after a corrected reading: issued late, or withdrawn, or short.

What the first reading lacked is issued behind the Wh that there are, in the slot in which it was produced. What it had
too much is withdrawn as far as the producer still has it, the last Wh first. What had left the producer by then stays
valid to its holder and is a shortfall of the device, which later readings pay back: so much of what they would have
issued is not. Over all slots of a device:

    issued − withdrawn ≤ metered + open shortfall

and no issue adds to the shortfall.
"""

from __future__ import annotations

from typing import NamedTuple

from transactive.carbon.certificates.entries import Entry
from transactive.carbon.certificates.lifecycle import Bundle, BundleStep, State
from transactive.carbon.certificates.register import NOT_MADE, Register
from transactive.core.errors import CertificateError
from transactive.core.slots import time_text

CORRECTED = "corrected"
"""Step of a corrected reading in the log of a register."""


class Corrected(NamedTuple):
    """What a corrected reading did to certificates [Wh]: issued from `first_wh` on, withdrawn, short."""

    first_wh: int
    issued_wh: int
    withdrawn_wh: int
    shortfall_wh: int


def correct(
    register: Register, device: str, slot: int, energy_wh: int, owner: str, g_per_kwh: int = 0, repaid_wh: int = 0
) -> Corrected:
    """Take a corrected reading of a device [Wh] into the register of its slot. owner: its producer.

    repaid_wh: what of a higher reading is not issued, as the device has a shortfall. Raises CertificateError.
    """
    place = (device, slot)
    more = energy_wh - register.produced_wh.get(place, 0)
    if device not in register.devices or energy_wh < 0 or not 0 <= repaid_wh <= max(more, 0):
        raise CertificateError(
            f"{device}, {time_text(slot)}: {energy_wh} Wh with {repaid_wh} Wh paid back is no corrected reading",
            "metered",
        )
    first = max((b.end_wh for b in register.bundles.values() if (b.device, b.slot) == place), default=0)
    register.produced_wh[place] = energy_wh
    issued = max(more, 0) - repaid_wh
    if issued:
        late = Bundle(
            device=device, slot=slot, first_wh=first, end_wh=first + issued, owner=owner, carbon_mg=issued * g_per_kwh
        )
        register.issued.add(place)
        register.bundles[late.serial] = late
    withdrawn = _withdraw(register, place, owner, max(-more, 0))
    short = max(-more, 0) - withdrawn
    register.short_wh[place] = register.short_wh.get(place, 0) + short
    register.log.append(
        Entry(
            step=CORRECTED, device=device, slot=slot, energy_wh=energy_wh, to=owner, carbon_mg=g_per_kwh,
            at=register.now, repaid_wh=repaid_wh,
        )
    )  # fmt: skip
    return Corrected(first if issued else 0, issued, withdrawn, short)


def _withdraw(register: Register, place: tuple[str, int], owner: str, energy_wh: int) -> int:
    """Withdraw so much of what `owner` can still use of a device and slot, the last Wh first; returns how much."""
    left = energy_wh
    usable = [
        b for b in register.bundles.values()
        if (b.device, b.slot) == place and b.owner == owner and b.state == State.ACTIVE
    ]  # fmt: skip
    for bundle in sorted(usable, key=lambda b: -b.first_wh):
        if not left:
            break
        gone = bundle
        del register.bundles[bundle.serial]
        if bundle.energy_wh > left:
            stays, gone = bundle.split(bundle.energy_wh - left)
            register.bundles[stays.serial] = stays
        register.bundles[gone.serial] = gone.after(BundleStep.WITHDRAW, reason=NOT_MADE)
        left -= gone.energy_wh
    return energy_wh - left
