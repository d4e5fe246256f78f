"""What an environment file may say of the grid's mix beyond one intensity, checked before anything is used.

grid_free_ppm: carbon-free part of the residual mix [millionths]. grid_marginal_g_per_kwh: what one more kWh emits.
grid_NAME_wh: what a source gave in the zone, and grid_NAME_claimed_wh: what of it was claimed by somebody; for each
source that the community names with its factor, instead of grid_carbon_g_per_kwh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.tabular.columns import refuse

if TYPE_CHECKING:
    import polars as pl

CARBON, FREE, MARGINAL = "grid_carbon_g_per_kwh", "grid_free_ppm", "grid_marginal_g_per_kwh"
LARGEST_WH = 10**12
"""Most that a source of a zone gives in a slot [Wh]: beyond what the largest grid has of any."""
NEEDED = re.compile(r"grid_[a-z0-9]+_wh")
A_SOURCE = re.compile(r"grid_([a-z][a-z0-9]*)(?:_claimed)?_wh")


def check_names(columns: Sequence[str], sources: Mapping[str, int], path: Path) -> None:
    """Raise DataError for a source without a factor, one without energy, and for two ways to say the same."""
    for column in columns:
        named = A_SOURCE.fullmatch(column)
        if named and named[1] not in sources:
            raise DataError(
                f"{path.name}: column {column}: source {named[1]!r} has no emission factor; name it in"
                " carbon.grid_sources with its g_per_kwh, or take the column out"
            )
    for name in sources:
        if f"grid_{name}_wh" not in columns:
            raise DataError(f"{path.name}: column grid_{name}_wh is missing; carbon.grid_sources names {name!r}")
    for column in (CARBON, FREE):
        if sources and column in columns:
            raise DataError(
                f"{path.name}: column {column} stands beside those of sources, from which it follows; take one out"
            )


def spare_numbers(sources: Mapping[str, int]) -> list[str]:
    """Columns that may be there."""
    return [FREE, MARGINAL, *(f"grid_{name}{claimed}_wh" for name in sources for claimed in ("", "_claimed"))]


def series(frame: pl.DataFrame, column: str, path: Path, most: int | None = None) -> IntArray:
    """A column of numbers from 0 to `most`, or nothing where the file has none."""
    import polars as pl

    if frame[column].is_null().all() and not NEEDED.fullmatch(column):
        return np.empty(0, np.int64)
    refuse(frame, pl.col(column).is_null(), column, path, "a value is missing; fill it in, or drop the column")
    refuse(frame, pl.col(column) < 0, column, path, "is below 0; correct it")
    if most is not None:
        refuse(frame, pl.col(column) > most, column, path, f"is above {most:,}; correct it")
    return frame[column].to_numpy()


def by_source(frame: pl.DataFrame, sources: Mapping[str, int], path: Path) -> tuple[IntArray, IntArray]:
    """What each source gave and what of it was claimed [Wh], each (slots, sources); all of it is never claimed."""
    import polars as pl

    generated, claimed = np.zeros((2, len(frame), len(sources)), np.int64)
    for place, name in enumerate(sources):
        energy, taken = f"grid_{name}_wh", f"grid_{name}_claimed_wh"
        generated[:, place] = series(frame, energy, path, LARGEST_WH)
        if len(column := series(frame, taken, path)):
            claimed[:, place] = column
        beyond = pl.col(taken) > pl.col(energy)
        refuse(frame, beyond, taken, path, f"more is claimed than {energy} has; correct the claims")
    nothing = np.flatnonzero(generated.sum(axis=1) <= claimed.sum(axis=1))
    if len(sources) and len(nothing):
        row = frame["row"][int(nothing[0])]
        raise DataError(f"{path.name}: row {row}: no grid energy is left without a claim; leave some, or correct it")
    return generated, claimed


def intensity(generated_wh: IntArray, sources: Mapping[str, int]) -> IntArray:
    """Average intensity of what was generated, to the nearest g/kWh, (slots,): for plans and pictures."""
    carbon, energy = generated_wh @ np.array(list(sources.values()), np.int64), generated_wh.sum(axis=1)
    nearest: IntArray = (2 * carbon + energy) // (2 * energy)
    return nearest
