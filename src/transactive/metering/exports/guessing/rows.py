"""What stands in rows and not in the head: the unit of the numbers, and which register a row is of."""

from __future__ import annotations

import re
from collections.abc import Collection

from transactive.core.errors import DataError, Unsaid
from transactive.metering.exports import words
from transactive.metering.exports.profile import RegisterRule, Told, Unit
from transactive.tabular.decimals import millionths
from transactive.tabular.sheets import Sheet

SAMPLE = 60
LEAST_STEPS = 20
"""Values must rise so often to be a register that counts on."""
MOST_KINDS = 12
"""Kinds of rows that a file may have; a column with more values is something else."""
NO_ENERGY = re.compile(r"\b[3-9]\.\d+\.\d|rea[ck]ti|blind|\bkvarh?\b|\bgas\b|\bwater\b")
"""What a kind of row has in its name that is not active energy."""
NUMBER = re.compile(r"^[+\-]?[\d.,' ]*\d(e[+\-]?\d+)?$", re.I)
UNITS = ("Wh", "kWh", "MWh", "W", "kW")


def sample_of(sheet: Sheet, name: str) -> list[str]:
    """The first values of a column, without blanks around them."""
    return [str(value).strip() for value in sheet.frame[name].drop_nulls().head(SAMPLE) if str(value).strip()]


def is_number(sample: list[str]) -> bool:
    """Whether all values of a sample are numbers."""
    return bool(sample) and all(NUMBER.match(text) for text in sample if text not in ("-", ""))


def is_state(sheet: Sheet, name: str, sample: list[str]) -> bool:
    """Whether a column has the states of a register: its name says so, or is the code of one that counts on and does.

    Many name the energy of a slot by the code of the register, so that it has to rise as well.
    """
    import polars as pl

    if words.STATES.search(words.plain(name)):
        return is_number(sample)
    if not words.OBIS_STATE.search(words.plain(name)) or not is_number(sample):
        return False
    steps = millionths(pl.Series(sample), comma_parts_columns=not sheet.decimal_comma).diff().drop_nulls()
    few, many = sorted((int((steps < 0).sum()), int((steps > 0).sum())))  # all fall where the newest row stands first
    return len(steps) >= LEAST_STEPS and few <= 1 and many * 2 > len(steps)  # one other is an exchange of the meter


def unit_beside(sheet: Sheet, column: str | None = None, kinds: Collection[str] = ()) -> Unit | None:
    """The unit that a column names in each row, if it is the same in all, or in those where `column` is of `kinds`."""
    import polars as pl

    for name in sheet.columns:
        if words.plain(name) in words.UNIT and sheet.frame.schema[name] == pl.String:
            rows = sheet.frame if column is None else sheet.frame.filter(pl.col(column).str.strip_chars().is_in(kinds))
            found = {words.unit_of(value) for value in rows[name].drop_nulls().unique() if value.strip()}
            return found.pop() if len(found) == 1 else None
    return None


def kinds_of_rows(sheet: Sheet, rest: list[str], told: Told) -> tuple[RegisterRule, ...]:
    """Rules for one column of numbers whose register another column names row by row; none for any other table.

    Raises DataError where a kind of row, or the unit, says nothing.
    """
    for name in rest:
        if not any(words.register_of(value) for value in sample_of(sheet, name)):
            continue
        kinds = _kinds(sheet, name)
        registers = {kind: register for kind in kinds if (register := words.register_of(kind))}
        number = _only_number(sheet, [other for other in rest if other != name]) if registers else None
        if number is None:
            continue
        strange = [kind for kind in kinds if kind not in registers and not NO_ENERGY.search(words.plain(kind))]
        if strange or len(kinds) > MOST_KINDS:
            raise DataError(
                f"{sheet.name}: {name} = {(strange or kinds)[0]}: what do such rows count? name the rows that count in"
                " a profile, with where"
            )
        unit = told.unit or words.unit_of(number) or unit_beside(sheet, name, list(registers))
        if unit is None:
            raise Unsaid(
                f"{sheet.name}: column {number}: no unit stands there; say --unit Wh, kWh, MWh, W or kW", "unit", UNITS
            )
        reading = told.reading or ("power" if unit in ("W", "kW") else "energy")
        return tuple(
            RegisterRule(
                column=number, register=register, unit=unit, reading=reading,
                where={name: tuple(kind for kind, of in registers.items() if of == register)},
            )
            for register in dict.fromkeys(registers.values())
        )  # fmt: skip
    return ()


def _only_number(sheet: Sheet, columns: list[str]) -> str | None:
    """The one column of numbers, if it says no register itself."""
    found = [
        name for name in columns if is_number(sample_of(sheet, name)) and not words.MONEY.search(words.plain(name))
    ]
    return found[0] if len(found) == 1 and words.register_of(found[0]) is None else None


def _kinds(sheet: Sheet, name: str) -> list[str]:
    """Different values of a column, in their order, up to one more than kinds of rows may be."""
    import polars as pl

    if sheet.frame.schema[name] != pl.String:
        return []
    found = sheet.frame[name].str.strip_chars().drop_nulls().unique(maintain_order=True)
    return [value for value in found.head(MOST_KINDS + 1) if value]
