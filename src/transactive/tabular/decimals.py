"""Numbers as people and programs write them, exactly: no binary fraction in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transactive.core.units import PPM

if TYPE_CHECKING:
    import polars as pl

EMPTY = ("", "-", "--", "nan", "na", "n/a", "null", "none")
"""How files write that there is no value."""
GROUPED = r"^[+\-]?\d{1,3}([.'\u00a0\u202f ]\d{3})+(,\d+)?$"


def millionths(column: pl.Expr, dtype: pl.DataType, *, decimal_comma: bool) -> pl.Expr:
    """A column's numbers in millionths, int64; null where there is none or no number. Beyond six decimals it rounds.

    decimal_comma: a comma is the decimal sign, and a point, apostrophe or blank before three digits parts thousands.
    """
    import polars as pl

    if dtype != pl.String:
        exact = column.cast(pl.Int64, strict=False) * PPM if dtype.is_integer() else None
        return (
            (column.cast(pl.Decimal(38, 6), strict=False) * PPM).cast(pl.Int64, strict=False)
            if exact is None
            else exact
        )
    text = column.str.strip_chars()
    if decimal_comma:
        plain = text.str.replace_all(r"[.'\u00a0\u202f ]", "")
        text = pl.when(text.str.contains(GROUPED)).then(plain).otherwise(text).str.replace(",", ".", literal=True)
    return (text.cast(pl.Decimal(38, 6), strict=False) * PPM).cast(pl.Int64, strict=False)


def is_empty(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Whether a cell says that there is no value."""
    import polars as pl

    if dtype == pl.String:
        return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(list(EMPTY))
    return column.is_null() | (column.is_nan() if dtype.is_float() else pl.lit(value=False))
