"""Avoided emissions of a community's own assets, counted with care, and never for a Wh that has a certificate.

    avoided = Σ Wh × marginal factor − project emissions − leakage

The marginal factor is the lower bound of its interval; an asset is additional if it is younger than the rule says or is
named in it; a Wh is a certificate or an avoided-emission credit, never both. Storage counts discharge less charge, each
at the marginal factor of its slot, and what is negative is carried forward.
Sources: CDM TOOL07 (combined margin), PEC Alliance, issuance document (gross avoided = MWh x marginal rate).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from transactive.core.errors import CertificateError
from transactive.core.units import PPM, IntArray

MG_PER_KG = 1_000_000
MONTH_MOST = 36
"""Months after its commissioning for which an asset counts as additional: 26 CFR 1.45V-4 (incrementality)."""


def combined_margin_g(operating_g: int, build_g: int, operating_ppm: int) -> int:
    """Combined margin [g/kWh], rounded down: operating and build margin by the weight of the operating margin [ppm]."""
    return (operating_g * operating_ppm + build_g * (PPM - operating_ppm)) // PPM


def avoided_mg(delivered_wh: IntArray, drawn_wh: IntArray, lowest_marginal_g: IntArray) -> int:
    """Gross avoided emissions of a span [mg], all (slots,): what an asset gave less what it drew, at its slot's factor.

    Negative when the drawn energy was the dirtier one.
    """
    net = (int(out) - int(taken) for out, taken in zip(delivered_wh, drawn_wh, strict=True))
    return sum(wh * int(factor) for wh, factor in zip(net, lowest_marginal_g, strict=True))


def is_additional(age_months: int, asset: str, named: Collection[str]) -> bool:
    """Whether an asset would not be there anyway: young enough, or named by the community's governance."""
    return 0 <= age_months <= MONTH_MOST or asset in named


def lower_bound_g(marginal_g: int, uncertainty_ppm: int) -> int:
    """Lower bound of a marginal factor [g/kWh], rounded down: less by half the width of its interval [ppm of it]."""
    return marginal_g * (PPM - uncertainty_ppm) // PPM


def counted_wh(generation_wh: int, baseline_ppm: int) -> int:
    """Generation beyond what there would be anyway [Wh], rounded down."""
    return generation_wh - -(-generation_wh * baseline_ppm // PPM)


@dataclass(slots=True)
class AvoidedLedger:
    """Which Wh of which device and slot were turned into avoided emissions, and what is carried forward [mg]."""

    certified: set[tuple[str, int]] = field(default_factory=set)
    credited: set[tuple[str, int]] = field(default_factory=set)
    carried_mg: int = 0

    def certify(self, device: str, slot: int) -> None:
        """Note that certificates were issued. Raises CertificateError where the Wh already avoided emissions."""
        if (device, slot) in self.credited:
            raise CertificateError(f"{device}, slot {slot}: credited as avoided emissions; it gives no certificate")
        self.certified.add((device, slot))

    def credit(self, device: str, slots: IntArray, gross_mg: int, project_mg: int, leakage_mg: int) -> int:
        """Turn a device's slots into whole kg of credits; the rest, or what is owed, is carried forward.

        Raises CertificateError where a Wh has a certificate or was credited before, and for negative deductions.
        """
        if min(project_mg, leakage_mg) < 0:
            raise CertificateError(f"{device}: project emissions and leakage cannot be below 0; correct them")
        for slot in np.asarray(slots).tolist():
            if (device, slot) in self.certified:
                raise CertificateError(f"{device}, slot {slot}: has certificates; it gives no avoided-emission credit")
            if (device, slot) in self.credited:
                raise CertificateError(f"{device}, slot {slot}: already credited; periods must not overlap")
        self.credited.update((device, slot) for slot in np.asarray(slots).tolist())
        total = self.carried_mg + gross_mg - project_mg - leakage_mg
        kg = max(total, 0) // MG_PER_KG
        self.carried_mg = total - kg * MG_PER_KG
        return kg
