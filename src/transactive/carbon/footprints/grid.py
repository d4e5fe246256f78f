"""What energy of the grid emits in a slot: on average, and what is left of it once claims are taken out.

The average serves location-based footprints, the residual mix what nobody claimed. Neither is a marginal factor: that
one says what a further kWh would emit, and is for avoided emissions only (`avoided`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactive.carbon.footprints.mixes import Mix, average_mix, residual_mix
from transactive.core.community.carbon_rules import GridSource
from transactive.core.errors import DataError
from transactive.core.units import PPM


@dataclass(frozen=True, slots=True)
class GridMix:
    """Mixes of a slot, and the carbon-free part of the residual one [ppm], None where nobody said it."""

    average: Mix
    residual: Mix
    free_ppm: int | None = None

    @classmethod
    def of_intensity(cls, g_per_kwh: int, free_ppm: int | None = None) -> GridMix:
        """Mixes where one intensity is known: nothing is known of claims, so the residual mix is the average."""
        mix = Mix(1, g_per_kwh)
        return cls(mix, mix, free_ppm)

    @classmethod
    def of_sources(
        cls, sources: Sequence[GridSource], generated_wh: Sequence[int], claimed_wh: Sequence[int]
    ) -> GridMix:
        """Mixes of what each source gave and what of it was claimed [Wh]; the carbon-free part is rounded down.

        Raises DataError where more was claimed than generated, or nothing is left.
        """
        names, factors = [source.name for source in sources], {source.name: source.g_per_kwh for source in sources}
        generated, claimed = (dict(zip(names, map(int, wh), strict=True)) for wh in (generated_wh, claimed_wh))
        residual = residual_mix(generated, claimed, factors)
        free = sum(generated[s.name] - claimed[s.name] for s in sources if s.carbon_free)
        if residual.energy_wh <= 0:
            raise DataError("all of the grid's energy is claimed, so no residual mix is left; correct what is claimed")
        return cls(average_mix(generated, factors), residual, free * PPM // residual.energy_wh)
