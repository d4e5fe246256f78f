"""Tables of people: Polars or pandas, taken in as one and given back as they came.

Inside, every table is a Polars frame. Whole numbers stay int64, in pandas its nullable `Int64`; text is `string` there;
times are UTC. An index of pandas that has a name, or holds times, is a column like the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from transactive.core.errors import DataError, InputError
from transactive.tabular.source import FrameSource, Source

if TYPE_CHECKING:
    import polars as pl

FLOATS = {
    "_micro_per_kwh": ("_per_kwh", 1e6),
    "_mg_per_kwh": ("_g_per_kwh", 1e3),
    "_wh": ("_kwh", 1e3),
    "_mg": ("_kg", 1e6),
    "_n": ("", 1e9),
}
"""Endings of columns of whole numbers, the ending beside them as a float, and what one is divided by for the other."""
UNITS = tuple(FLOATS)
Columns: TypeAlias = Mapping[str, Any]
Frame: TypeAlias = Any
"""A table of Polars or of pandas, which no common type says."""
Library: TypeAlias = Literal["polars", "pandas"]
Give: TypeAlias = "Callable[[pl.DataFrame], Frame]"
"""Gives a table back as the library that was asked for has it."""


def taken(data: Frame | str | PathLike[str], name: str) -> tuple[Source, Library]:
    """A table or the path of a file as a source that messages call `name`, and the library that it came in.

    A file counts as Polars. Raises DataError for what is no table.
    """
    import polars as pl

    if isinstance(data, str | PathLike):
        return Path(data), "polars"
    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        return FrameSource(data, name), "polars"
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return FrameSource(_from_pandas(data, name), name), "pandas"
    raise DataError(f"{name}: is no table; give one of Polars or pandas, or the path of a CSV or Parquet file")


def giving(frames: Library, *, floats: bool = False) -> Give:
    """How results are given back: in which library, and whether with floats beside whole numbers. Raises InputError."""
    if frames not in ("polars", "pandas"):
        raise InputError(f"--frames {frames}: is polars or pandas")
    if frames == "pandas":
        _pandas()

    def give(frame: pl.DataFrame) -> Frame:
        whole = with_floats(frame) if floats else frame
        return _to_pandas(whole) if frames == "pandas" else whole

    return give


def table(columns: Columns, numbers: Sequence[str] = (), parts: Sequence[str] = ()) -> pl.DataFrame:
    """Columns as a table, each of one type also where nothing stands in it.

    What has a unit is int64, and so are `numbers`; `parts` are float64; the others are what their values are, text
    without any. Raises DataError for a whole number beyond 64 bits.
    """
    import polars as pl

    types = dict.fromkeys(numbers, pl.Int64) | dict.fromkeys(parts, pl.Float64)
    types |= {name: pl.Int64 for name in columns if name.endswith(UNITS)}
    series = []
    for name, values in columns.items():
        try:
            one = pl.Series(name, values, dtype=types.get(name))
        except (OverflowError, TypeError):  # Polars raises one or the other, by how far beyond
            raise DataError(f"{name}: a number does not fit 64 bits; give smaller prices or energies") from None
        series.append(one.cast(pl.String) if one.dtype == pl.Null else one)
    return pl.DataFrame(series)


def timed(frame: pl.DataFrame, column: str, zone: str) -> pl.DataFrame:
    """The table with Unix seconds of a column as UTC, and beside it, as COLUMN_local, what clocks in `zone` show."""
    import polars as pl

    return local(frame.with_columns((pl.col(column) * 1_000).cast(pl.Datetime("ms", "UTC"))), column, zone)


def local(frame: pl.DataFrame, column: str, zone: str) -> pl.DataFrame:
    """The table with, beside a column of UTC, as COLUMN_local, what clocks in `zone` show."""
    other = frame[column].dt.convert_time_zone(zone).alias(f"{column}_local")
    return frame.insert_column(frame.columns.index(column) + 1, other)


def with_floats(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with floats beside its whole numbers: kWh, ¤, ¤/kWh and kg, for pictures and reports.

    x_wh gives x_kwh, x_n gives x (in ¤), x_micro_per_kwh gives x_per_kwh (in ¤), x_mg gives x_kg, x_mg_per_kwh gives
    x_g_per_kwh.
    """
    import polars as pl

    extra = []
    for name in frame.columns:
        ending = next((ending for ending in UNITS if name.endswith(ending)), None)
        if ending is not None and frame.schema[name].is_integer():
            other, divisor = FLOATS[ending]
            divided = (
                frame[name].cast(pl.Float64).to_numpy() / divisor
            )  # polars would multiply by a rounded 1 / divisor
            extra.append(pl.Series(name.removesuffix(ending) + other, divided, nan_to_null=True))
    return frame.with_columns(extra)


def _pandas() -> Any:  # noqa: ANN401 - a module
    """The library pandas. Raises InputError where it is not installed."""
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise InputError("--frames pandas: pandas is not installed; install it, or leave this out for Polars") from None
    return pd


def _to_pandas(frame: pl.DataFrame) -> Frame:
    """A Polars table as a pandas one; no library beyond the two is needed."""
    pd = _pandas()
    return pd.DataFrame({series.name: _pandas_column(pd, series) for series in frame})


def _pandas_column(pd: Any, series: pl.Series) -> Any:  # noqa: ANN401 - a module and its arrays
    """One column for pandas."""
    import polars as pl

    dtype = series.dtype
    if dtype.is_integer():
        return pd.arrays.IntegerArray(series.fill_null(0).to_numpy().astype("int64"), series.is_null().to_numpy())
    if isinstance(dtype, pl.Datetime):
        times = pd.to_datetime(series.dt.epoch("ms").to_list(), unit="ms", utc=True)
        return times if dtype.time_zone in (None, "UTC") else times.tz_convert(dtype.time_zone)
    if dtype == pl.Boolean:
        return pd.array(series.to_list(), dtype="boolean")
    if dtype.is_float():
        return series.fill_null(float("nan")).to_numpy()
    return pd.array(series.to_list(), dtype="string")


def _from_pandas(data: Frame, name: str) -> pl.DataFrame:
    """A pandas table as a Polars one. Raises DataError for a column name that stands there twice."""
    import polars as pl

    pd = _pandas()
    if isinstance(data.index, pd.DatetimeIndex) and data.index.name is None:
        data = data.rename_axis("time")
    if any(part is not None for part in data.index.names):
        data = data.reset_index()
    names = [str(column) for column in data.columns]
    twice = next((column for place, column in enumerate(names) if column in names[:place]), None)
    if twice is not None:
        raise DataError(f"{name}: column {twice} stands there twice; rename or drop one")
    return pl.DataFrame([_polars_column(pd, column, data.iloc[:, place]) for place, column in enumerate(names)])


def _polars_column(pd: Any, name: str, column: Any) -> pl.Series:  # noqa: ANN401 - a module and its columns
    """One column for Polars; floats that are all whole become whole numbers, which a gap had turned into floats."""
    import polars as pl

    types = pd.api.types
    known = column.notna().to_numpy()
    if types.is_bool_dtype(column.dtype):
        return pl.Series(name, [bool(value) if there else None for value, there in zip(column, known, strict=True)])
    if types.is_integer_dtype(column.dtype):
        values = [int(value) if there else None for value, there in zip(column, known, strict=True)]
        return pl.Series(name, values, dtype=pl.Int64)
    if types.is_float_dtype(column.dtype):
        numbers = pl.Series(name, column.to_numpy(dtype="float64", na_value=float("nan"))).fill_nan(None)
        whole = numbers.drop_nulls()
        fits = whole.is_finite().all() and (whole == whole.floor()).all() and (whole.abs() < 2.0**53).all()
        return numbers.cast(pl.Int64) if fits else numbers
    if types.is_datetime64_any_dtype(column.dtype):
        zone = getattr(column.dtype, "tz", None)
        utc = column if zone is None else column.dt.tz_convert("UTC")
        micros = utc.dt.as_unit("us").astype("int64").to_list()
        times = pl.Series(
            name, [value if there else None for value, there in zip(micros, known, strict=True)], pl.Int64
        )
        return times.cast(pl.Datetime("us", None if zone is None else "UTC"))
    return pl.Series(name, [str(v) if there else None for v, there in zip(column, known, strict=True)], dtype=pl.String)
