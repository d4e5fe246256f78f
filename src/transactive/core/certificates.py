"""Certificates and footprints of one slot as columns, and certificates as the words that contracts read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from transactive.core.errors import CertificateError
from transactive.core.proofs.merkle import Lanes
from transactive.core.tables import Table
from transactive.core.units import IntArray

ENERGY = Lanes(("metered_wh", "issued_wh", "claimed_wh", "consumed_wh"), 64)
"""First word of a member's leaf of certificates: what its devices made, and what it consumed in the slot."""
CARBON = Lanes(("received_wh", "location_mg", "market_mg", "levy_n"), 64)
"""Second word: what it claimed of anybody's certificates, its footprints and its levy."""
BUNDLE_BITS = (32, 62, 62, 32, 8, 56)
"""Bits that the columns of a bundle's row may take; its word has room for more Wh, which no slot has."""


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
    mix_mg_per_kwh: of what was imported at each member's node, (members,), rounded down. drawn_mg, stored_mg: what came
    out of each battery and what it then holds, location-based, (members,). grid and residual mix: mg over
    Wh, as exactly as they are known. free_ppm: carbon-free part of the residual mix, −1 where nobody said it.
    """

    slot: int
    location_mg: IntArray
    market_mg: IntArray
    mix_mg_per_kwh: IntArray
    drawn_mg: IntArray
    stored_mg: IntArray
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


def bundle_words(rows: IntArray) -> NDArray[np.uint8]:
    """Rows of device, first Wh, Wh, owner, state and mg as 256-bit words, big-endian bytes (bundles, 32).

        device << 224 | owner << 192 | first Wh << 128 | Wh << 64 | state << 56 | mg

    Raises CertificateError for a number that has no place.
    """
    return words_of(rows.T)


def words_of(columns: Sequence[IntArray] | IntArray) -> NDArray[np.uint8]:
    """The same from the six columns."""
    device, first, energy, owner, state, mg = columns
    for column, bits in zip(columns, BUNDLE_BITS, strict=True):
        if len(column) and (int(column.min()) < 0 or int(column.max()) >> bits):
            raise CertificateError("a bundle has a number below 0 or too large for a slot; account for it again")
    words = np.empty((len(device), 4), ">u8")
    words[:, 0], words[:, 1], words[:, 2], words[:, 3] = device << 32 | owner, first, energy, state << 56 | mg
    return words.view(np.uint8)
