"""From numbers of any unit to whole Wh of each slot: power, energy and registers that count on.

A register that falls was exchanged or set back: what flowed meanwhile is not known and becomes a gap, never energy. A
fraction of a Wh is carried to the meter's next slot of the same UTC day, so that a day's sum is right and the same day
read again gives the same.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError, Unsaid
from transactive.core.slots import DAY, HOUR, time_text
from transactive.core.units import PPM, IntArray
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.profile import MILLIWATT, Profile
from transactive.metering.exports.times import START
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

LARGEST_WH = 10**9
"""Most energy of one meter in one slot [Wh]: a megawatt for a thousand hours is a register reset, not a reading."""
GIVEN = ("export", "generation")
"""Registers of what flows out, which some files write as negative numbers."""
RISES_IN, FALLS_IN = 4, 50
"""A register rises in one of so many slots at least, and falls no more than once in so many rises."""
FIRST_PART = 4
"""A look at one row in so many, the first ones, mostly shows that nothing in a file is a register."""


def to_wh(frame: pl.DataFrame, length: int, profile: Profile, name: str, *, sure: bool) -> pl.DataFrame:
    """Rows with a column of whole Wh for each register. sure: somebody said what the numbers are.

    Raises DataError naming file, row and column for what cannot be energy of a slot.
    """
    import polars as pl

    columns = [column for column in frame.columns if column not in (ROW, METER, START, QUALITY)]
    totals = [column for column in columns if column.split(" ")[1] == "total"]
    if totals:
        frame = _differences(frame, totals, length, profile, name)
    frame = _upright(frame, columns)
    parts: dict[str, list[pl.Expr]] = {}
    by_meter: tuple[IntArray, IntArray] | None = None
    for column in columns:
        register, reading, unit = column.split(" ")
        scaled, divisor = _scaled(column, length)
        whole = not frame.select((scaled % divisor != 0).any()).item()
        if unit == "Wh" and reading == "energy" and not sure and not whole:
            _refuse_fractions(frame, column, profile, name)
        parts.setdefault(register, []).append(scaled // divisor if whole else _carried(scaled, divisor))
        if reading == "energy" and not sure and not _falls_often(frame, column, length):
            by_meter = by_meter or _by_meter(frame)
            _refuse_risers(frame, by_meter, column, profile, name)
    added = [
        (wh[0] if len(wh) == 1 else pl.sum_horizontal(wh, ignore_nulls=False)).alias(key) for key, wh in parts.items()
    ]
    return frame.select(ROW, METER, START, *added, QUALITY)


def _upright(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Rows with what was given to the grid above zero, where a file writes all of it below: its column says which."""
    import polars as pl

    given = [column for column in columns if column.startswith(GIVEN) and " total " not in column]
    below = [column for column in given if (frame[column] <= 0).all() and (frame[column] < 0).any()]
    return frame.with_columns(-pl.col(below)) if below else frame


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
    _refuse_two_states(frame, columns, profile, name)
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


def _refuse_two_states(frame: pl.DataFrame, columns: list[str], profile: Profile, name: str) -> None:
    """Refuse two states of a register at one time; rows are in order, and equal ones count once."""
    import polars as pl

    same = (pl.col(START) == pl.col(START).shift(1)) & pl.col(METER).eq_missing(pl.col(METER).shift(1))
    for column in columns:
        bad = frame.filter(same & (pl.col(column) != pl.col(column).shift(1)))
        if len(bad):
            first = bad.row(0, named=True)
            raise DataError(
                f"{name}: row {first[ROW]}: {_written(column, profile)} of {first[METER] or 'the meter'} stands there"
                f" twice at {time_text(first[START])} and differs; keep one row"
            )


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


def meter_codes(frame: pl.DataFrame) -> IntArray:
    """A number for each row's meter, −1 where the file names none."""
    import polars as pl

    codes: IntArray = frame[METER].cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    return codes


def _by_meter(frame: pl.DataFrame) -> tuple[IntArray, IntArray]:
    """Rows of each meter behind each other, in their order, and where each meter's begin among them."""
    if frame[METER].null_count() == len(frame):
        return np.arange(len(frame)), np.zeros(1, np.int64)
    codes = meter_codes(frame)
    order = np.argsort(codes.astype(np.uint16) if codes.max(initial=0) < 2**16 else codes, kind="stable")
    return order, np.flatnonzero(np.diff(codes[order], prepend=-1))


def _steps(frame: pl.DataFrame, by_meter: tuple[IntArray, IntArray], column: str) -> tuple[IntArray, IntArray]:
    """How often the numbers of each meter rise from a row to the next, and how often they fall, each (meters,)."""
    order, begins = by_meter
    there = frame[column].is_not_null().to_numpy()[order]
    steps = np.diff(frame[column].fill_null(0).to_numpy()[order], prepend=0)
    steps[1:][~(there[1:] & there[:-1])] = 0
    steps[begins] = 0
    up, down = (np.add.reduceat(found, begins) for found in (steps > 0, steps < 0))
    return up, down


def _falls_often(frame: pl.DataFrame, column: str, length: int) -> bool:
    """Whether the first rows of every meter rise and fall so often that none is a register, whatever follows."""
    first = frame.head(len(frame) // FIRST_PART)
    if first.is_empty() or first[METER].n_unique() < frame[METER].n_unique():
        return False
    most = (int(frame[START].max()) - int(frame[START].min())) // length + 1  # type: ignore[arg-type]
    return all(int(count.min()) > most // FALLS_IN for count in _steps(first, _by_meter(first), column))


def _refuse_risers(
    frame: pl.DataFrame, by_meter: tuple[IntArray, IntArray], column: str, profile: Profile, name: str
) -> None:
    """Refuse energy that never falls all day long: it is the state of a register."""
    order, begins = by_meter
    up, down = _steps(frame, by_meter, column)
    times, ends = frame[START].to_numpy()[order], np.append(begins[1:], len(order)) - 1
    forward = times[begins] <= times[ends]  # otherwise the newest row stands first
    rises, falls = np.where(forward, up, down), np.where(forward, down, up)
    spans = np.maximum.reduceat(times, begins) - np.minimum.reduceat(times, begins)
    bad = (rises * RISES_IN >= ends - begins + 1) & (falls * FALLS_IN <= rises) & (spans >= DAY)
    if bad.any():
        group = min(np.flatnonzero(bad).tolist(), key=lambda one: order[begins[one]])
        first, last = (frame.row(int(order[at[group]]), named=True) for at in (begins, ends))
        raise Unsaid(
            f"{name}: {_written(column, profile)} of {first[METER] or 'the meter'} rises all the time, from"
            f" {_plain(first[column])} in row {first[ROW]} to {_plain(last[column])}: is it a register that counts"
            " on? Say"
            ' --reading total, or reading = "total" under [data], and differences are taken; if it is energy of each'
            " slot,"
            " say energy",
            "reading",
            ("total", "energy"),
        )
