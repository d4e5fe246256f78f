"""NEM12, the interval files of Australia's market: a line 200 for each register, then a line 300 for each day.

After AEMO, "Meter Data File Format Specification NEM12 & NEM13", version 2.6. Times are Eastern Standard Time,
UTC+10, all the year. The first letter of a suffix says what it counts (National Metering Identifier Procedure):
B what the premises gave, E what they took, A and D averages of the same; C and F are check meters, the rest is
reactive. Of a day that stands there twice the later update counts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.tables import ReadingQuality
from transactive.core.units import PPM
from transactive.metering.exports.messages.collected import Collected
from transactive.tabular.text_files import as_utf8

if TYPE_CHECKING:
    import polars as pl

EAST = 10 * 3_600
"""Eastern Standard Time before UTC [s]."""
COUNTED = {"A": "export", "B": "export", "D": "import", "E": "import"}
NOT_COUNTED = "CFGHJKLMPQRSTUVWYZ"
"""First letters of check meters, reactive and apparent energy, voltages and the like."""
UNITS = {"WH": 1, "KWH": 1_000, "MWH": PPM}


def is_one(start: bytes) -> bool:
    """Whether a file begins like a NEM12."""
    return start.startswith((b"100,NEM12", b"200,"))


def read(path: Path) -> tuple[pl.DataFrame, int]:
    """Rows of meter, start, registers in Wh and quality, and length of a slot [s]. Raises DataError."""
    rows, letters = Collected(path.name), dict[tuple[str, str], str]()
    for number, line in enumerate(as_utf8(path.read_bytes()).decode().splitlines(), 1):
        cells = line.split(",")
        if cells[0] == "200":
            meter, register, unit_wh, length = _register(cells, path.name, number)
            suffix = cells[4].upper()
            if register and letters.setdefault((meter, register), suffix[0]) != suffix[0]:
                raise DataError(
                    f"{path.name}: row {number}: {meter} has {register} of a master and of an average stream; keep one"
                )
            rows.begin(meter, register, unit_wh, length, suffix)
        elif cells[0] == "300":
            _day(rows, cells, path.name, number)
        elif cells[0] == "400":
            _qualities(rows, cells, path.name, number)
    return rows.frame()


def _register(cells: list[str], name: str, number: int) -> tuple[str, str | None, int, int]:
    """Meter, register, Wh of a unit, and length of a slot [s]."""
    try:
        meter, suffix, unit, minutes = cells[1], cells[4].upper(), cells[7].upper(), int(cells[8])
    except (IndexError, ValueError):
        raise DataError(f"{name}: row {number}: a line 200 has the NMI, its suffix, unit and interval length") from None
    register = COUNTED.get(suffix[:1])
    if unit not in UNITS:
        register = None  # reactive energy and voltages are nobody's money here
    elif register is None and suffix[:1] not in NOT_COUNTED:
        raise DataError(f"{name}: row {number}: suffix {suffix}: not known; it begins with E for import, B for export")
    return meter, register, UNITS.get(unit, 1), minutes * 60


def _day(rows: Collected, cells: list[str], name: str, number: int) -> None:
    try:
        start = _midnight(cells[1]) - EAST
        count = DAY // rows.length
        values, quality = list[str | None](cells[2 : 2 + count]), cells[2 + count][:1]
    except (IndexError, ValueError, ZeroDivisionError):
        raise DataError(f"{name}: row {number}: a line 300 has a day, its values and their quality") from None
    measured = quality in ("A", "V")
    said = ReadingQuality.METERED if measured else ReadingQuality.ESTIMATED
    updated = "".join(cells[5 + count : 6 + count]).strip()
    version = int(updated) if updated.isdigit() else 0
    rows.add(number, start, [None] * count if quality == "N" else values, said, version=version)
    rows.day = start


def _midnight(date: str) -> int:
    """Midnight of a date like 20240131 [Unix s in UTC]; several times as fast as strptime. Raises ValueError."""
    if len(date) != len("20240131") or not date.isdigit():
        raise ValueError(date)
    return int(datetime(int(date[:4]), int(date[4:6]), int(date[6:]), tzinfo=UTC).timestamp())


def _qualities(rows: Collected, cells: list[str], name: str, number: int) -> None:
    """Where the quality changes within a day, a line 400 says from which interval to which, counted from 1."""
    try:
        first, last, quality = int(cells[1]), int(cells[2]), cells[3][:1]
    except (IndexError, ValueError):
        raise DataError(f"{name}: row {number}: a line 400 has first and last interval and their quality") from None
    rows.requalify(
        first - 1,
        last,
        ReadingQuality.METERED if quality == "A" else ReadingQuality.ESTIMATED,
        missing=quality == "N",
    )
