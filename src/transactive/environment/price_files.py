"""A series of prices as an exchange or a supplier publishes it: any separator, decimal comma, local times, any step.

A row holds from its time to that of the next one. Local times without a zone are those of the zone given; where the
clock goes back, a time that stands there twice is first the one before and then the one after the change. A row may
name its interval, `26.10.2025 02:45 - 26.10.2025 02:00`; its begin counts.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, time_text
from transactive.core.units import IntArray

SEPARATORS = ";\t,|"
DECIMAL = re.compile(r"[-−+]?\d+(?:[.,]\d+)?")
FORMATS = ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")
"""Ways to write a time beside those of ISO 8601."""


@dataclass(frozen=True, slots=True)
class PriceFile:
    """Where a series stands and what its numbers are. factor: µ¤/kWh in one of them. repeats: equal rows are left out.

    time: column of the time; None is the first one.
    """

    path: Path
    column: str
    factor: Fraction
    zone: ZoneInfo
    time: str | None = None
    repeats: bool = False


def read_price_file(of: PriceFile, starts: IntArray, length: int) -> IntArray:
    """Price of each slot [µ¤/kWh], (slots,), rounded half away from zero; starts [Unix s], length of a slot [s].

    Raises DataError naming file, row and column, or the first slot without a price.
    """
    times, prices = _rows(of)
    order = np.argsort(times, kind="stable")
    times, prices = times[order], prices[order]
    double = np.flatnonzero(np.diff(times) == 0)
    if len(double):
        raise DataError(f"{of.path.name}: {time_text(int(times[double[0]]))} stands there twice; keep one row")
    steps = np.diff(times)
    step = int(steps.min()) if len(steps) else length
    held = DAY if of.repeats else step
    place = np.searchsorted(times, starts, side="right") - 1
    lacking = (place < 0) | (starts - times[np.maximum(place, 0)] >= held)
    if lacking.any():
        at = time_text(int(starts[np.argmax(lacking)]))
        hint = "add it" if of.repeats else 'add it, or say gaps = "repeat" where the file leaves equal prices out'
        raise DataError(f"{of.path.name}: no price at {at} in {of.column!r}; {hint}")
    if step < length:
        raise DataError(
            f"{of.path.name}: prices change every {step // 60} minutes and a slot takes {length // 60}; choose"
            f" market.slot_minutes = {step // 60}, or give prices of whole slots"
        )
    return prices[place]


def _rows(of: PriceFile) -> tuple[IntArray, IntArray]:
    """Times [Unix s] and prices [µ¤/kWh] of the rows, in the order of the file."""
    head, rows = _table(of.path)
    columns = {name.strip(): place for place, name in enumerate(head)}
    for name in (of.column, *([of.time] if of.time else [])):
        if name not in columns:
            raise DataError(f"{of.path.name}: column {name!r} is missing; there are {', '.join(columns)}")
    at, price = columns[of.time] if of.time else 0, columns[of.column]
    times, prices, seen = [], [], set[datetime]()
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(at, price):
            raise DataError(f"{of.path.name}: row {number}: has {len(row)} cells; its head has {len(head)}")
        times.append(_time(row[at], of, number, seen))
        prices.append(_price(row[price], of, number))
    if not times:
        raise DataError(f"{of.path.name}: has no rows; give the prices of the slots to run")
    return np.array(times, np.int64), np.array(prices, np.int64)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Head and rows of a CSV, whatever separates its cells."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); correct the path") from None
    try:
        lines = text.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        lines = text.decode("cp1252", "replace").splitlines()
    first = next(iter(lines), "")
    separator = max(SEPARATORS, key=first.count)
    rows = list(csv.reader(lines, delimiter=separator))
    if not rows:
        raise DataError(f"{path.name}: is empty; its first line names the columns")
    return rows[0], rows[1:]


def _time(text: str, of: PriceFile, row: int, seen: set[datetime]) -> int:
    """Time of a row [Unix s]; seen: local times so far, which a clock that goes back repeats."""
    begin = re.split(r"\s+[-–]\s+", text.strip())[0]
    moment = _moment(begin)
    if moment is None:
        raise DataError(
            f"{of.path.name}: row {row}: {text!r} is no time; write it like 2026-05-01T00:00 or 01.05.2026 00:00"
        )
    if moment.tzinfo is not None:
        return int(moment.timestamp())
    local = moment.replace(tzinfo=of.zone, fold=int(moment in seen))
    seen.add(moment)
    if local.astimezone(UTC).astimezone(of.zone).replace(tzinfo=None) != moment:
        raise DataError(
            f"{of.path.name}: row {row}: the clocks of {of.zone.key} skip {begin}; correct the zone or the time"
        )
    return int(local.timestamp())


def _moment(text: str) -> datetime | None:
    """A time in one of the ways that people write it, or None."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is that of the file
        except ValueError:
            continue
    return None


def _price(text: str, of: PriceFile, row: int) -> int:
    """Price of a row [µ¤/kWh], rounded half away from zero."""
    said = text.strip()
    if not DECIMAL.fullmatch(said):
        raise DataError(f"{of.path.name}: row {row}: {of.column} = {text!r} is no number; correct it")
    exact = Fraction(said.replace("−", "-").replace(",", ".")) * of.factor
    rounded = (abs(exact) * 2 + 1) // 2
    return int(-rounded if exact < 0 else rounded)
