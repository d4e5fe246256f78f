"""Numbers as people and programs write them, exactly: no binary fraction in between.

Whether a point or a comma is the decimal sign is read from the whole column. A point groups thousands only beside a
comma, or where a number has several: 1.234 alone is a little more than one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from transactive.core.units import PPM

if TYPE_CHECKING:
    import polars as pl

MOST_WHOLE = 2**63 // PPM
"""A whole number from this on does not fit in millionths."""
EMPTY = ("", "-", "--", "nan", "na", "n/a", "null", "none")
"""How files write that there is no value."""
SAMPLE = 64
"""Values at either end of a column that show which sign parts its decimals; what does not fit is tried in all ways."""
LESS = re.compile(r"[+\-]?\d{1,3}")
"""A whole number below a thousand."""
THREE, LEAST_BARE = 3, 5
"""Digits of the numbers without a sign that show that it groups, and how many of these must be there."""
BLANKS = "[' \u00a0\u202f]"
COMMA_IS_DECIMAL = r"^[+\-]?0?,|,(\d{1,2}|\d{4,})$"
"""A number whose comma cannot group thousands."""


def millionths(values: pl.Series, *, comma_parts_columns: bool) -> pl.Series:
    """A column's numbers in millionths, int64; null where there is none or no number. Beyond six decimals it rounds.

    comma_parts_columns: commas stand between columns too, so that one in a number may group thousands.
    """
    import polars as pl

    if values.dtype != pl.String:
        if values.dtype.is_integer():
            return values.cast(pl.Int64, strict=False) * PPM
        return (values.cast(pl.Decimal(38, 6), strict=False) * PPM).cast(pl.Int64, strict=False)
    ends = [*values.head(SAMPLE).drop_nulls(), *values.tail(SAMPLE).drop_nulls()]
    sample = "".join(ends)
    for sign in (".", ","):
        if sign in sample and _groups(ends, sign) and _groups(values.drop_nulls().to_list(), sign):
            values = values.str.replace_all(sign, "", literal=True)
            sample = sample.replace(sign, "")
    if "." not in sample and "," not in sample:
        whole = values.cast(pl.Int64, strict=False)
        if whole.null_count() == values.null_count() and int(whole.abs().max() or 0) < MOST_WHOLE:  # type: ignore[arg-type]
            return whole * PPM
    usual = values
    if "," in sample and not comma_parts_columns and not values.str.contains(".", literal=True).any():
        usual = values.str.replace(",", ".", literal=True)
    if usual is not values or "," not in sample:
        bare = _six_decimals(usual)
        if bare.null_count() == values.null_count():  # the usual column, in one pass
            return bare
    return _six_decimals(with_points(values.str.strip_chars(), comma_parts_columns=comma_parts_columns))


def _groups(values: list[str], sign: str) -> bool:
    """Whether a sign in whole numbers stands between thousands.

    All numbers from 1,000 on have it, each before three digits, and several of 100 to 999 have none: decimals that end
    where they may would have one or two digits somewhere, and those that do not are in all.
    """
    grouped = re.compile(rf"[+\-]?[1-9]\d{{0,2}}({re.escape(sign)}\d{{3}})+")
    bare = 0
    for text in map(str.strip, values):
        if LESS.fullmatch(text):
            bare += len(text.lstrip("+-")) == THREE
        elif text and not grouped.fullmatch(text):
            return False
    return bare >= LEAST_BARE


def _six_decimals(text: pl.Series) -> pl.Series:
    """Numbers with a decimal point in millionths, null where there is none."""
    import polars as pl

    return text.cast(pl.Decimal(38, 6), strict=False).to_physical().cast(pl.Int64, strict=False)


def with_points(text: pl.Series, *, comma_parts_columns: bool) -> pl.Series:
    """The same numbers with a decimal point and no signs between thousands; what is none of these is left alone."""
    if text.str.contains(r"\d" + BLANKS + r"\d{3}").any():
        text = text.str.replace_all(BLANKS + r"(\d{3})", "$1")
    if text.str.contains(",", literal=True).any():
        decimal = not comma_parts_columns or text.str.contains(COMMA_IS_DECIMAL).any()
        if decimal:
            if text.str.contains(".", literal=True).any():
                grouped = r"^([+\-]?\d{1,3})((?:\.\d{3})+)(,\d*)?$"
                points = text.str.extract(grouped, 2).str.replace_all(".", "", literal=True)
                whole = text.str.extract(grouped, 1) + points + text.str.extract(grouped, 3).fill_null("")
                text = whole.fill_null(text) if whole.null_count() < len(whole) else text
            return text.str.replace(",", ".", literal=True)
        if text.str.contains(r"^[+\-]?\d{1,3}(,\d{3})+\.\d").any():
            return text.str.replace_all(r",(\d{3})", "$1")
        return text  # 1,234 may be either: nobody is billed by a guess
    if text.str.contains(r"\.\d{3}\.").any():
        return text.str.replace_all(".", "", literal=True)
    return text


def is_empty(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Whether a cell says that there is no value."""
    import polars as pl

    if dtype == pl.String:
        return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(list(EMPTY))
    return column.is_null() | (column.is_nan() if dtype.is_float() else pl.lit(value=False))
