"""Which columns of a table are its times, and which end of a slot they name: by their values, then by their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import DataError, Unsaid
from transactive.metering.exports import words
from transactive.metering.exports.profile import TimeRule, Told
from transactive.metering.exports.times import INTERVAL
from transactive.tabular.moments import ZONE, date_part, looks_like_time
from transactive.tabular.sheets import Sheet

if TYPE_CHECKING:
    import polars as pl

LOOKED_AT = 10
"""Values at either end of a column of times that are looked at; the last rows may be remarks."""
CLOCK = re.compile(r"^\d{1,2}[:.]\d{2}([:.]\d{2})?( ?[AaPp][Mm])?( ?[-–] ?\d{1,2}[:.]\d{2}([:.]\d{2})?)?$")


def guessed_times(sheet: Sheet, samples: dict[str, list[str]], told: Told) -> TimeRule:
    """The columns that say when."""
    import polars as pl

    whole = [
        name
        for name in sheet.columns
        if isinstance(sheet.frame.schema[name], pl.Datetime) or _mostly(samples[name], _is_moment)
    ]
    if not whole:
        raise DataError(
            f"{sheet.name}: no column holds times like 2017-06-05T00:00Z; it has {few(sheet.columns)}; name the"
            " columns"
            " of date and time in a profile"
        )
    ends = [name for name in whole if words.plain(name) in map(words.plain, words.ENDS)]
    starts = [name for name in whole if words.plain(name) in map(words.plain, words.STARTS)]
    begins = [name for name in (*starts, *whole) if name not in ends] or whole
    named = [] if told.zone else [name for name in begins if words.zone_of(name)]
    first = next(iter(named), begins[0])
    columns: tuple[str, ...] = (first,)
    if samples[first] and all(_is_date(text) for text in samples[first]):
        clocks = [n for n in sheet.columns if n not in whole and samples[n] and all(map(CLOCK.match, samples[n]))]
        if not clocks and (hours := _hour_numbers(sheet, samples)):
            return TimeRule(columns=(first, hours), zone=_zone((first, hours), told), hour_numbers=True)
        late = [name for name in clocks if words.plain(name).split()[0] in words.ENDS]
        columns = (first, *[name for name in clocks if name not in late or len(clocks) == 1][:1])
        starts += [name for name in columns[1:] if late and name not in late]
    end = next((name for name in ends if name != first), None)
    rule = TimeRule(
        columns=columns, end=end, zone=_zone((*columns, *([end] if end else [])), told),
        zone_column=_zone_column(sheet, samples) if len(columns) == 1 else None,
    )  # fmt: skip
    others = [name for name in whole if name not in (*columns, *ends)]
    stamp = told.stamp or (
        "start" if starts or end else "end" if set(columns) & set(ends) else _stamp(sheet, columns, others)
    )
    return msgspec.structs.replace(rule, stamp=stamp)


def _zone_column(sheet: Sheet, samples: dict[str, list[str]]) -> str | None:
    """A column that says of each row by which clock its time is, as +02:00 or CEST."""
    return next((name for name in sheet.columns if samples[name] and all(map(ZONE.match, samples[name]))), None)


def _zone(columns: tuple[str, ...], told: Told) -> str | None:
    """The zone that somebody says, or that one of the columns of times names; another column is of another clock."""
    return told.zone or next((zone for name in columns if (zone := words.zone_of(name))), None)


def _stamp(sheet: Sheet, columns: tuple[str, ...], others: list[str]) -> str:
    """Which end of its slot a time names: whole days from 00:00 on, or up to 00:00 or 24:00, tell it.

    others: columns with the same times by another clock, whose days may be whole.
    """
    for alike in (columns, *((name,) for name in others)):
        if (told := _whole_days(sheet, alike)) is not None:
            return told
    values = sheet.frame[columns[-1]].drop_nulls()
    raise Unsaid(
        f"{sheet.name}: {columns[-1]} runs from {values[0]} to {values[-1]}: does a time name the start or the end"
        " of its"
        ' slot? Say --stamp start or --stamp end, or stamp = "start" under [data]',
        "stamp",
        ("start", "end"),
    )


def _whole_days(sheet: Sheet, columns: tuple[str, ...]) -> str | None:
    """Which end of a slot the times of a table name, as far as its days tell."""
    values = sheet.frame[columns[-1]].drop_nulls()
    clocks = [_first_clock(values.head(LOOKED_AT)), _first_clock(values.tail(LOOKED_AT).reverse())]
    if any(clock is None for clock in clocks) or INTERVAL.match(str(values[0])):
        return "start"
    early, late = reversed(clocks) if _backwards(sheet, columns) else clocks
    if early == "00:00" and late not in ("00:00", "24:00"):
        return "start"
    ends = early != "00:00" and (late in ("00:00", "24:00") or (values.cast(str) == "24:00").any())
    return "end" if ends else None


def _first_clock(values: pl.Series) -> str | None:
    """The first time of a day among some values; below a table stands what is none."""
    if all(map(_is_date, filter(date_part, map(str, values)))):
        return next((clock for value in values if (clock := _clock_in(str(value)))), None)
    times = ("00:00" if _is_date(str(value)) and date_part(str(value)) else _clock_in(str(value)) for value in values)
    return next((clock for clock in times if clock), None)


def _clock_in(text: str) -> str | None:
    """Hours and minutes in a time."""
    found = re.search(r"(?:^|[T ,])(\d{1,2})[:.h](\d{2})(?:.*?([AaPp])[Mm])?", _after_date(text.strip()))
    if found is None:
        return None
    hour = int(found[1]) % 12 + (12 if found[3] in "Pp" else 0) if found[3] else int(found[1])
    return f"{hour:02d}:{found[2]}"


def _backwards(sheet: Sheet, columns: tuple[str, ...]) -> bool:
    """Whether the newest row stands first: most times of one date fall from row to row, however dates are written."""
    rows = sheet.frame.select(columns).drop_nulls().head(LOOKED_AT * LOOKED_AT).unique(maintain_order=True)
    said = [" ".join(map(str, row)) for row in rows.head(2 * LOOKED_AT).rows()]
    pairs = [
        (_clock_in(text) or "", _clock_in(after) or "")
        for text, after in pairwise(said)
        if date_part(text) == date_part(after)
    ]
    if not pairs:
        return bool(said and said[0][:10] > said[-1][:10] and said[0][:4].isdigit())
    return 2 * sum(clock > after for clock, after in pairs) > len(pairs)


def _is_moment(text: str) -> bool:
    return looks_like_time(text) or bool(INTERVAL.match(text) and date_part(text))


def _mostly(sample: list[str], test: Callable[[str], bool]) -> bool:
    """Whether most values pass: one that does not is a fault to be named, not another kind of column."""
    return sum(map(test, sample)) * 2 > len(sample)


def _is_date(text: str) -> bool:
    """Whether a text is a date alone, or one with a midnight that a spreadsheet added."""
    return not _after_date(text) or bool(re.fullmatch(r"[T ]00:00(:00)?", _after_date(text)))


def _after_date(text: str) -> str:
    """What follows the date in a text."""
    return text[len(date_part(text)) :]


def _hour_numbers(sheet: Sheet, samples: dict[str, list[str]]) -> str | None:
    """A column that counts the hours of a day from 1 to 24, or to 25 once a year, or from 0 to 23."""
    for name in sheet.columns:
        if re.search(r"\b(hour|hora|ora|stunde|heure|time|uur|h)\b", words.plain(name)):
            values = {text for text in samples[name] if text.isdigit()}
            if len(values) >= 20 and ("24" in values) != ("0" in values):
                return name
    return None


def few(names: list[str]) -> str:
    """Names of columns for a message, and how many more there are."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
