"""From numbers of any unit to whole Wh of each slot: power, energy and registers that count on.

A register that falls was exchanged or set back: what flowed meanwhile is not known and becomes a gap, never energy. A
fraction of a Wh is carried to the meter's next slot of the same UTC day, so that a day's sum is right and the same day
read again gives the same.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from transactive.core.errors import Unsaid
from transactive.core.slots import DAY, HOUR, time_text
from transactive.core.units import PPM
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.profile import MILLIWATT, Profile
from transactive.metering.exports.times import START
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

LARGEST_WH = 10**9
"""Most energy of one meter in one slot [Wh]: a megawatt for a thousand hours is a register reset, not a reading."""
RISES_IN = 4
"""A register rises in one of so many slots at least."""


def to_wh(frame: pl.DataFrame, length: int, profile: Profile, name: str, *, sure: bool) -> pl.DataFrame:
    """Rows with a column of whole Wh for each register. sure: somebody said what the numbers are.

    Raises DataError naming file, row and column for what cannot be energy of a slot.
    """
    import polars as pl

    columns = [column for column in frame.columns if column not in (ROW, METER, START, QUALITY)]
    totals = [column for column in columns if column.split(" ")[1] == "total"]
    if totals:
        frame = _differences(frame, totals, length, profile, name)
    parts: dict[str, list[pl.Expr]] = {}
    for column in columns:
        register, reading, unit = column.split(" ")
        scaled, divisor = _scaled(column, length)
        if unit == "Wh" and reading == "energy" and not sure:
            _refuse_fractions(frame, column, profile, name)
        whole = not frame.filter(scaled % divisor != 0).height
        parts.setdefault(register, []).append(scaled // divisor if whole else _carried(scaled, divisor))
        if reading == "energy" and not sure:
            _refuse_risers(frame, column, profile, name)
    added = [
        (wh[0] if len(wh) == 1 else pl.sum_horizontal(wh, ignore_nulls=False)).alias(key) for key, wh in parts.items()
    ]
    return frame.select(ROW, METER, START, *added, QUALITY)


def _scaled(column: str, length: int) -> tuple[pl.Expr, int]:
    """A column as multiples of a part of a Wh, and how many of them a Wh has."""
    import polars as pl

    _, reading, unit = column.split(" ")
    factor = MILLIWATT[unit] * (length if reading == "power" else 1)
    divisor = PPM * (HOUR if reading == "power" else 1)
    common = gcd(factor, divisor)
    return pl.col(column) * (factor // common), divisor // common


def has_fractions(frame: pl.DataFrame, length: int) -> bool:
    """Whether rows, as `to_wh` takes them, have energy or power that is no whole Wh of a slot."""
    columns = [column for column in frame.columns if column not in (ROW, METER, START, QUALITY)]
    scales = (_scaled(column, length) for column in columns if column.split(" ")[1] != "total")
    return any(frame.filter(scaled % divisor != 0).height for scaled, divisor in scales)


def _carried(scaled: pl.Expr, divisor: int) -> pl.Expr:
    """Whole Wh of slots, the fractions carried within a meter's day; rows are in the order of time."""
    import polars as pl

    keys = [METER, pl.col(START) // DAY]
    until = (scaled.fill_null(0).cum_sum().over(keys, order_by=START) + divisor // 2) // divisor
    before = (scaled.fill_null(0).cum_sum().over(keys, order_by=START) - scaled.fill_null(0) + divisor // 2) // divisor
    return pl.when(scaled.is_not_null()).then(until - before)


def _differences(frame: pl.DataFrame, columns: list[str], length: int, profile: Profile, name: str) -> pl.DataFrame:
    """What registers counted from a row to the next; the last row of a meter only closes the one before."""
    import polars as pl

    frame = frame.sort(METER, START, maintain_order=True)
    nearby = pl.col(START).shift(-1).over(METER) - pl.col(START) == length
    steps = []
    for column in columns:
        step = pl.col(column).shift(-1).over(METER) - pl.col(column)
        if profile.digits is not None:
            turn = 10**profile.digits * 1000 * PPM // MILLIWATT[column.split(" ")[2]]
            step = (
                pl.when((step < 0) & (pl.col(column) * 10 > turn * 9) & (step + turn < turn // 10))
                .then(step + turn)
                .otherwise(step)
            )
        fallen = frame.with_columns(step.alias("step"), pl.col(column).shift(-1).over(METER).alias("next")).filter(
            pl.col("step") < 0
        )
        if len(fallen) and not profile.exchanged:
            first = fallen.row(0, named=True)
            raise Unsaid(
                f"{name}: row {first[ROW]}: {_written(column, profile)}: the register of"
                f" {first[METER] or 'the meter'} falls after"
                f" {time_text(first[START])} from {_plain(first[column])} to {_plain(first['next'])}: was the meter"
                " exchanged or set back? Say --exchanged, or exchanged = true in the profile, and that slot is a"
                " gap; if it"
                " rolled over, say digits in the profile",
                "exchanged",
                ("yes",),
            )
        steps.append(pl.when(nearby & (step >= 0)).then(step).alias(column))
    frame = frame.with_columns(steps)
    return frame.filter(pl.any_horizontal(pl.col(column).is_not_null() for column in columns))


def _written(column: str, profile: Profile) -> str:
    """Name of a column as the file has it."""
    return next(rule.column for rule in profile.registers if column.startswith(f"{rule.register} {rule.reading}"))


def _plain(millionths: int) -> str:
    whole, rest = divmod(millionths, PPM)
    return f"{whole:,}" + (f".{rest:06d}".rstrip("0") if rest else "")


def _refuse_fractions(frame: pl.DataFrame, column: str, profile: Profile, name: str) -> None:
    """Energy named Wh is whole; a fraction says that it is another unit."""
    import polars as pl

    bad = frame.filter(pl.col(column) % PPM != 0)
    if len(bad):
        first = bad.row(0, named=True)
        raise Unsaid(
            f"{name}: row {first[ROW]}: {_written(column, profile)} = {_plain(first[column])}: not a whole number of"
            " Wh; if it is"
            ' kWh, say --unit kWh, or unit = "kWh" under [data]',
            "unit",
            ("Wh", "kWh", "MWh"),
        )


def _refuse_risers(frame: pl.DataFrame, column: str, profile: Profile, name: str) -> None:
    """Refuse energy that never falls all day long: it is the state of a register."""
    import polars as pl

    steps = pl.col(column).diff()
    judged = frame.group_by(METER, maintain_order=True).agg(
        pl.col(ROW).first(), pl.col(column).first().alias("from"), pl.col(column).last().alias("to"),
        (steps > 0).sum().alias("rises"), (steps < 0).sum().alias("falls"), pl.len().alias("rows"),
        (pl.col(START).max() - pl.col(START).min()).alias("span"), pl.col(START).first().alias("begins"),
        pl.col(START).last().alias("ends"),
    )  # fmt: skip
    backwards = pl.col("begins") > pl.col("ends")  # the newest row stands first
    rises = pl.when(backwards).then("falls").otherwise("rises")
    falls = pl.when(backwards).then("rises").otherwise("falls")
    bad = judged.filter((rises * RISES_IN >= pl.col("rows")) & (falls * 50 <= rises) & (pl.col("span") >= DAY))
    if len(bad):
        first = bad.row(0, named=True)
        raise Unsaid(
            f"{name}: {_written(column, profile)} of {first[METER] or 'the meter'} rises all the time, from"
            f" {_plain(first['from'])} in row {first[ROW]} to {_plain(first['to'])}: is it a register that counts"
            " on? Say"
            ' --reading total, or reading = "total" under [data], and differences are taken; if it is energy of each'
            " slot,"
            " say energy",
            "reading",
            ("total", "energy"),
        )
