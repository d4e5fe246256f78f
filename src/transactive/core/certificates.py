"""Certificates and footprints of one slot as columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from transactive.core.tables import Table
from transactive.core.units import IntArray


class CertificateState(IntEnum):
    """What became of a bundle in its slot."""

    HELD = 1  # by the supplier, whom the energy was exported to, or by a producer that kept it
    STORED = 2  # taken into a battery
    CLAIMED = 3  # cancelled against metered consumption


@dataclass(frozen=True, slots=True, eq=False)
class Certificates(Table):
    """Bundles (device, slot, Wh range) and where they ended, shape (bundles,).

    device: 2 x member for its PV, 2 x member + 1 for its battery. The ranges of one device and slot are disjoint and
    start at 0. owner: account. Carbon in mg.
    """

    slot: int
    device: IntArray
    first_wh: IntArray
    energy_wh: IntArray
    owner: IntArray
    state: IntArray
    market_mg: IntArray

    def __len__(self) -> int:
        return len(self.device)


@dataclass(frozen=True, slots=True, eq=False)
class Footprints(Table):
    """Both footprints of one slot, shape (members,), mg CO2e; and the slot's balance.

    location: generation + imported − exported + taken_out − put_in = sum(location_mg), each a whole number of mg.
    mix_mg_per_kwh: of what was imported at each member's node, (members,), rounded down. grid and residual mix: mg over
    Wh, as exactly as they are known. free_ppm: carbon-free part of the residual mix, −1 where nobody said it.
    """

    slot: int
    location_mg: IntArray
    market_mg: IntArray
    mix_mg_per_kwh: IntArray
    generation_mg: int
    imported_mg: int
    exported_mg: int
    taken_out_mg: int
    put_in_mg: int
    grid_mg: int
    grid_wh: int
    residual_mg: int
    residual_wh: int
    free_ppm: int
