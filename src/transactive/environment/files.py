"""What surrounds a community from a CSV or Parquet file, checked before anything is used.

Columns: slot_start, import_price_micro_per_kwh, grid_carbon_g_per_kwh or what `grid_mix` names, and, for a levy that
follows it, carbon_price_micro_per_t. Times are RFC 3339 with a zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.tables import Environment
from transactive.core.units import PPM, IntArray
from transactive.environment import grid_mix
from transactive.environment.grid_mix import CARBON
from transactive.tabular.columns import read_columns, refuse
from transactive.tabular.sheets import read_sheet
from transactive.tabular.slots import consecutive, refuse_off_grid

if TYPE_CHECKING:
    import polars as pl

PRICE, CARBON_PRICE = "import_price_micro_per_kwh", "carbon_price_micro_per_t"
TEMPERATURE = "temperature_c"


def read_environment(
    path: Path, length: int, *, carbon_price: bool = False, sources: Mapping[str, int] | None = None
) -> Environment:
    """Supply price, grid intensity, what else of the grid and the weather is there and, if asked, the price of carbon.

    length: of a slot [s]. sources: factors of the grid's sources [g/kWh], where its mix is to be read. Raises DataError
    naming file, row and column.
    """
    import polars as pl

    sources = sources or {}
    grid_mix.check_names(read_sheet(path).columns, sources, path)
    numbers = [PRICE, *([] if sources else [CARBON]), *([CARBON_PRICE] if carbon_price else [])]
    spare = grid_mix.spare_numbers(sources)
    frame = read_columns(path, ["slot_start"], numbers, spare_numbers=spare, spare_decimals=[TEMPERATURE])
    frame = frame.with_columns(pl.lit(0, pl.Int64).alias(CARBON_PRICE)) if not carbon_price else frame
    if not sources:
        refuse(frame, pl.col(CARBON) < 0, CARBON, path, "carbon intensity is not negative")
    refuse(frame, pl.col(CARBON_PRICE) < 0, CARBON_PRICE, path, "a price of carbon is not negative")
    refuse_off_grid(frame, length, path)
    refuse(
        frame, pl.col("slot_start").is_duplicated(), "slot_start", path, "this slot stands there twice; keep one row"
    )
    frame = frame.sort("slot_start")
    starts = consecutive(frame["slot_start"].to_numpy(), length, path)
    prices, carbon = (frame[column].to_numpy() for column in (PRICE, CARBON_PRICE))
    generated, claimed = grid_mix.by_source(frame, sources, path)
    return Environment(
        int(starts[0]),
        prices,
        grid_mix.intensity(generated, sources) if sources else frame[CARBON].to_numpy(),
        carbon,
        _temperature(frame, path),
        grid_mix.series(frame, grid_mix.MARGINAL, path),
        grid_mix.series(frame, grid_mix.FREE, path, PPM),
        generated,
        claimed,
    )


def _temperature(frame: pl.DataFrame, path: Path) -> IntArray:
    """Temperature of each slot [0.1 °C], or nothing where the file has none."""
    import polars as pl

    if frame[TEMPERATURE].is_null().all():
        return np.empty(0, np.int64)
    refuse(
        frame, pl.col(TEMPERATURE).is_null(), TEMPERATURE, path, "a value is missing; fill it in, or drop the column"
    )
    refuse(frame, ~pl.col(TEMPERATURE).is_between(-90, 60), TEMPERATURE, path, "is no temperature outdoors [°C]")
    return frame.select((pl.col(TEMPERATURE) * 10).round().cast(pl.Int64))[TEMPERATURE].to_numpy()
