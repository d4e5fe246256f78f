"""Shares that change by the hour, from a file: what each member is allotted of what is given.

A table with the columns member, share and one of slot_start (RFC 3339) and hour: the number of the hour in the year,
from 1, as the clock of the community counts it. Each hour that is shared has a share of somebody, from 0 to 1; who has
none in it is not named. Source: the hourly coefficients of Spanish collective self-consumption (RD 244/2019, annex I,
as Orden TED/1247/2021 has it), and the keys that French communities send for each step.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import HOUR, time_text
from transactive.core.units import PPM, IntArray
from transactive.metering.homes import MeterOwners
from transactive.tabular.columns import read_columns, refuse
from transactive.tabular.decimals import millionths
from transactive.tabular.sheets import read_sheet
from transactive.tabular.source import FrameSource, Source

if TYPE_CHECKING:
    import polars as pl

MEMBER, SHARE, SLOT, HOUR_OF_YEAR = "member", "share", "slot_start", "hour"


def read_coefficients(source: Source, owners: MeterOwners, starts: IntArray, zone: ZoneInfo) -> IntArray:
    """Shares of each slot [ppm], (slots, members). starts: of the slots [Unix s]; zone: of the numbered hours.

    A member's meters are added up. Raises DataError naming file, row and column, or the first slot without a share.
    """
    import polars as pl

    sheet = read_sheet(source)
    by_time = SLOT in sheet.columns
    frame = _table(source, by_time=by_time)
    name = source.name
    share = millionths(frame[SHARE], comma_parts_columns=not sheet.decimal_comma)
    frame = frame.with_columns(share.alias("ppm"))
    where = FrameSource(frame, name)
    whole = pl.col("ppm").is_null() | ~pl.col("ppm").is_between(0, PPM)
    refuse(frame, whole, SHARE, where, "a share is a number from 0 to 1, such as 0.25")
    index = {meter: owners.members.index(member) for meter, member in owners.meters}
    index |= {member: number for number, member in enumerate(owners.members)}
    refuse(frame, ~pl.col(MEMBER).is_in(list(index)), MEMBER, where, "is no member of the community; correct it")
    key = SLOT if by_time else HOUR_OF_YEAR
    doubled = pl.struct(MEMBER, key).is_duplicated()
    refuse(frame, doubled, MEMBER, where, f"has two shares in the same {key}; keep one")
    hours = starts - starts % HOUR if by_time else _numbers_in_year(starts, zone)
    found = dict[int, IntArray]()
    values = (frame[column].to_list() for column in (key, MEMBER, "ppm"))
    for hour, member, ppm in zip(*values, strict=True):
        found.setdefault(int(hour), np.zeros(len(owners.members), np.int64))[index[member]] += ppm
    _refuse_more_than_all(found, key, name)
    table = np.zeros((len(starts), len(owners.members)), np.int64)
    for slot, hour in enumerate(hours.tolist()):
        at = int(starts[slot]) if by_time and int(starts[slot]) in found else hour
        if at not in found:
            place = f"{time_text(int(starts[slot]))} ({key} {_shown(at, key)})"
            raise DataError(f"{name}: no share for {place}; add its rows")
        table[slot] = found[at]
    return table


def _table(source: Source, *, by_time: bool) -> pl.DataFrame:
    """Rows with their time or the number of their hour."""
    if by_time:
        return read_columns(source, [SLOT], [], [MEMBER, SHARE])
    return read_columns(source, [], [HOUR_OF_YEAR], [MEMBER, SHARE])


def _refuse_more_than_all(found: dict[int, IntArray], key: str, name: str) -> None:
    """Refuse an hour whose shares make more than a whole."""
    for hour, shares in found.items():
        if int(shares.sum()) > PPM:
            whole, part = divmod(int(shares.sum()), PPM)
            made = f"{whole}.{part:06d}, more than 1"
            raise DataError(f"{name}: the shares of {key} {_shown(hour, key)} make {made}; lower one")


def _shown(hour: int, key: str) -> str:
    """An hour as the file writes it."""
    return time_text(hour) if key == SLOT else str(hour)


def _numbers_in_year(starts: IntArray, zone: ZoneInfo) -> IntArray:
    """Number of the hour in the local year in which each slot starts, from 1: hours that were, whatever clocks did."""
    years = dict[int, int]()
    numbers = []
    for start in starts.tolist():
        year = datetime.fromtimestamp(start, UTC).astimezone(zone).year
        first = years.setdefault(year, int(datetime(year, 1, 1, tzinfo=zone).timestamp()))
        numbers.append((start - first) // HOUR + 1)
    return np.array(numbers, np.int64)
