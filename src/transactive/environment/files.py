"""What surrounds a community from a CSV or Parquet file, checked before anything is used.

Columns: slot_start, import_price_micro_per_kwh, grid_carbon_g_per_kwh or what `grid_mix` names, for a levy that follows
it carbon_price_micro_per_t, and what the tariff uses beside. Times are RFC 3339 with a zone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.tables import Environment
from transactive.core.units import PPM, IntArray
from transactive.environment import grid_mix
from transactive.environment.grid_mix import CARBON
from transactive.tabular.columns import read_columns, refuse
from transactive.tabular.sheets import read_sheet
from transactive.tabular.slots import consecutive, refuse_off_grid
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

PRICE, CARBON_PRICE = "import_price_micro_per_kwh", "carbon_price_micro_per_t"
FEED_IN, FEE, SPOT = "feed_in_micro_per_kwh", "network_fee_micro_per_kwh", "spot_price_micro_per_kwh"
TEMPERATURE = "temperature_c"
WEATHER = ("humidity_pct", "diffuse_w_m2", "direct_w_m2")
"""Further weather that may stand in the file, for whoever reads it apart from a run."""
_SAYS = "says the price itself; take one of the two out"
KEYS = {
    PRICE: f"tariff.supply_micro_per_kwh {_SAYS}",
    FEED_IN: f"tariff.{FEED_IN} {_SAYS}",
    FEE: f"tariff.{FEE} {_SAYS}",
    SPOT: 'no price names it; set tariff.feed_in_at_negative_prices = "nothing", or take it out',
    CARBON_PRICE: 'carbon.levy.mode does not follow it; set it to "oracle", or take the column out',
}
"""Why a column that a community may use is not used."""
LEFT_OUT = ', or where equal prices were left out, name the file in the price itself, with gaps = "repeat"'
PUBLISHED = re.compile(r"\w+/[kM]Wh|price|preis|prix|precio|preço|prezzo|prijs|pris\b|cena", re.IGNORECASE)
"""What columns of prices are called where nobody writes them for us."""


def read_environment(
    path: Path,
    length: int,
    *,
    carbon_price: bool = False,
    sources: Mapping[str, int] | None = None,
    prices: Sequence[str] = (PRICE,),
) -> Environment:
    """Supply price, grid intensity, what else of the grid and the weather is there and, if asked, the price of carbon.

    length: of a slot [s]. sources: factors of the grid's sources [g/kWh], where its mix is to be read. prices: columns
    that the tariff uses; the supply price is 0 where it does not use PRICE. Raises DataError naming file, row and
    column, also for a column that nothing uses.
    """
    import polars as pl

    sources = sources or {}
    here = read_sheet(path).columns
    _refuse_prices_alone(here, path)
    grid_mix.check_names(here, sources, path)
    priced = [*prices, *([CARBON_PRICE] if carbon_price else [])]
    numbers = [*priced, *([] if sources else [CARBON])]
    spare = grid_mix.spare_numbers(sources)
    frame = read_columns(path, ["slot_start"], numbers, spare_numbers=spare, spare_decimals=[TEMPERATURE])
    _refuse_unused(here, ["slot_start", CARBON, *priced, *spare, TEMPERATURE, *WEATHER], path)
    for column in {PRICE, CARBON_PRICE} - set(priced):
        frame = frame.with_columns(pl.lit(0, pl.Int64).alias(column))
    if not sources:
        refuse(frame, pl.col(CARBON) < 0, CARBON, path, "carbon intensity is not negative")
    refuse(frame, pl.col(CARBON_PRICE) < 0, CARBON_PRICE, path, "a price of carbon is not negative")
    refuse_off_grid(frame, length, path)
    frame = frame.unique([name for name in frame.columns if name != ROW], keep="first").sort("slot_start", ROW)
    twice = frame.filter(pl.col("slot_start").is_duplicated())
    if len(twice):
        first, second = twice[ROW][0], twice[ROW][1]
        raise DataError(
            f"{path.name}: row {second}: {time_text(twice['slot_start'][0])} stands there twice and differs from row"
            f" {first}; keep one row"
        )
    starts = consecutive(frame["slot_start"].to_numpy(), length, path, LEFT_OUT)
    supply, carbon = (frame[column].to_numpy() for column in (PRICE, CARBON_PRICE))
    generated, claimed = grid_mix.by_source(frame, sources, path)
    return Environment(
        int(starts[0]),
        supply,
        grid_mix.intensity(generated, sources) if sources else frame[CARBON].to_numpy(),
        carbon,
        _temperature(frame, path),
        grid_mix.series(frame, grid_mix.MARGINAL, path),
        grid_mix.series(frame, grid_mix.FREE, path, PPM),
        generated,
        claimed,
    )


def read_prices(path: Path, columns: Sequence[str]) -> dict[str, IntArray]:
    """Columns of prices [µ¤/kWh], each (slots,), of a file that `read_environment` takes."""
    frame = read_columns(path, ["slot_start"], columns).sort("slot_start")
    return {column: frame[column].to_numpy() for column in columns}


def has_column(path: Path, column: str) -> bool:
    """Whether a file has a column."""
    return column in read_sheet(path).columns


def _refuse_prices_alone(columns: Sequence[str], path: Path) -> None:
    """Refuse a file of prices as they are published, and say how it is read."""
    found = [name for name in columns if PUBLISHED.search(name)]
    if "slot_start" in columns or not found:
        return
    column = next((name for name in found if "/" in name), found[0])
    unit = re.search(r"\w+/[kM]Wh", column)
    raise DataError(
        f"{path.name}: has no column slot_start, so these are prices as somebody publishes them; name the file in the"
        f' price itself, supply = {{ file = "{path.name}", column = "{column}",'
        f' unit = "{unit.group() if unit else "EUR/MWh"}" }} under [tariff], and take it out of data.environment'
    )


def _refuse_unused(columns: Sequence[str], used: Sequence[str], path: Path) -> None:
    """Refuse a column that nothing reads: who wrote it believes that it counts."""
    for column in columns:
        if column in used:
            continue
        if column in KEYS:
            raise DataError(f"{path.name}: column {column} is not used, as {KEYS[column]}")
        near = difflib.get_close_matches(column, used, 1)
        hint = f"did you mean {near[0]}?" if near else "name it in a price of [tariff], or take it out"
        raise DataError(f"{path.name}: column {column} is not used; {hint}")


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
