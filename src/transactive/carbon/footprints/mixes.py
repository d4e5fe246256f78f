"""Mixes of sources: what a kWh of a grid, of its residual, or of a matched load emits.

A mix stays rational, mg over Wh, until somebody is charged with it: `Fraction` g/kWh is mg/Wh exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from transactive.core.errors import DataError


@dataclass(frozen=True, slots=True)
class Mix:
    """Energy [Wh] and what it emitted [mg]."""

    energy_wh: int = 0
    carbon_mg: int | Fraction = 0

    def __add__(self, other: Mix) -> Mix:
        return Mix(self.energy_wh + other.energy_wh, self.carbon_mg + other.carbon_mg)

    @property
    def g_per_kwh(self) -> Fraction:
        """Intensity [g/kWh] = [mg/Wh]. Raises DataError for a mix without energy."""
        if self.energy_wh <= 0:
            raise DataError("a mix without energy has no intensity; leave the slot out or name a source for it")
        return Fraction(self.carbon_mg) * Fraction(1, self.energy_wh)

    def of(self, energy_wh: int) -> int:
        """Carbon [mg] of so much energy of this mix, rounded down. Raises DataError for a mix without energy."""
        return int(self.g_per_kwh * energy_wh)


def average_mix(generated_wh: Mapping[str, int], factor_g: Mapping[str, Fraction | int]) -> Mix:
    """Mix of all that was generated, by source. Raises DataError for a source without a usable factor."""
    return sum((Mix(wh, wh * factor_of(source, factor_g)) for source, wh in generated_wh.items()), Mix())


def residual_mix(
    generated_wh: Mapping[str, int], claimed_wh: Mapping[str, int], factor_g: Mapping[str, Fraction | int]
) -> Mix:
    """Mix of what nobody claimed: generation − claims per source, at the source's factor [g/kWh].

    Claimed and residual mix together are the average mix, per source. Raises DataError where more was claimed than
    generated. Source: GHG Protocol, Scope 2 Guidance (2015), residual mix.
    """
    for source, wh in claimed_wh.items():
        if wh > generated_wh.get(source, 0):
            raise DataError(
                f"source {source!r}: {wh} Wh claimed of {generated_wh.get(source, 0)} Wh; correct the claims"
            )
    left = {source: wh - claimed_wh.get(source, 0) for source, wh in generated_wh.items()}
    return average_mix(left, factor_g)


def factor_of(source: str, factor_g: Mapping[str, Fraction | int]) -> Fraction | int:
    """Factor of a source [g/kWh]. Raises DataError if there is none or it is below zero."""
    if source not in factor_g:
        raise DataError(f"source {source!r} has no emission factor; add one with its origin, or correct the name")
    factor = factor_g[source]
    if factor < 0:
        raise DataError(f"source {source!r}: factor {factor} g/kWh is below 0; state removals as credits instead")
    return factor


def market_based(consumed_wh: int, claimed: Mix, unmatched_g: Fraction | int) -> Mix:
    """Footprint of a consumption with its claims; what no claim covers counts at `unmatched_g` [g/kWh].

    Raises DataError where more was claimed than consumed.
    """
    if claimed.energy_wh > consumed_wh:
        raise DataError(f"{claimed.energy_wh} Wh claimed for a consumption of {consumed_wh} Wh; claim less")
    return claimed + Mix(consumed_wh - claimed.energy_wh, (consumed_wh - claimed.energy_wh) * Fraction(unmatched_g))
