"""MSCONS, the meter readings of German and Austrian market partners in EDIFACT.

After BDEW/edi@energy, "MSCONS" message implementation guides: LOC+172 names the market location, LIN a line, PIA+5 its
OBIS register, QTY the energy, in kWh unless it names another unit, with its status (220 true, 67 and 201 substitute and
forecast values), DTM+163 and DTM+164 begin and end with their offset in format 303. BGM says by 1 that a message takes
back what an earlier one said; of what several messages say of a slot the last counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import HOUR
from transactive.core.tables import ReadingQuality
from transactive.metering.exports.messages.collected import Collected
from transactive.tabular.text_files import as_utf8

if TYPE_CHECKING:
    import polars as pl

TRUE_VALUE = "220"
STATUSES = (TRUE_VALUE, "67", "201", "187", "Z18")
UNUSABLE = "20"
UNITS_WH = {"KWH": 1_000, "MWH": 1_000_000, "WHR": 1}
"""Codes of UN/ECE recommendation 20."""
WITHDRAWN = "1"
"""Function of a message that takes readings back."""
MARKS = "\x01\x02\x03\x04"
"""What stands for a released sign while a text is parted."""
TIME = re.compile(r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)([+-]\d{2})$")
OBIS = re.compile(r"^1-\d+:(\d+)\.(\d+)\.")


def is_one(start: bytes) -> bool:
    """Whether a file begins like an interchange of MSCONS."""
    head = start.lstrip()[:2_000]
    return head.startswith((b"UNA", b"UNB")) and b"MSCONS" in head


def read(path: Path) -> tuple[pl.DataFrame, int]:
    """Rows of meter, start, registers in Wh and quality, and the length of a slot [s]. Raises DataError."""
    text = as_utf8(path.read_bytes()).decode()
    name, rows = path.name, Collected(path.name)
    meter, register, value, begin = "", None, None, None
    version, withdrawn, stream = 0, False, ""
    for number, parts in _segments(text):
        tag, code = parts[0][0], parts[1][0] if len(parts) > 1 else ""
        where = f"{name}: segment {number}"
        if tag == "UNH":
            version, withdrawn, meter, register = version + 1, False, "", None
        elif tag == "BGM":
            withdrawn = parts[3:4] == [[WITHDRAWN]]
        elif tag == "LOC" and code in ("172", "107"):
            meter, register = _cell(parts, 2, 0, where), None
        elif tag == "PIA":
            register, stream = _register(parts), ":".join(parts[2]) if len(parts) > 2 else ""
        elif tag == "QTY" and code in (*STATUSES, UNUSABLE):
            value, begin = (_cell(parts, 1, 1, where), code, _unit_wh(parts[1], register, where)), None
        elif tag == "DTM" and code == "163":
            begin = _moment(parts[1], name, number)
        elif tag == "DTM" and code == "164" and value and begin is not None:
            end = _moment(parts[1], name, number)
            rows.begin(meter, register, value[2], end - begin, stream)
            flag = ReadingQuality.METERED if value[1] == TRUE_VALUE else ReadingQuality.ESTIMATED
            said = None if withdrawn or value[1] == UNUSABLE else value[0]
            rows.add(number, begin, [said], flag, version=version)
            value = None
    return rows.frame()


def _segments(text: str) -> list[tuple[int, list[list[str]]]]:
    """Segments by number, each as parts of components; UNA names the signs if they are others."""
    component, part, release, end = ":", "+", "?", "'"
    if text.lstrip().startswith("UNA"):
        signs = text.lstrip()[3:9]
        component, part, release, end = signs[0], signs[1], signs[3], signs[5]
        text = text.lstrip()[9:]
    released = (release, component, part, end)
    for mark, sign in zip(MARKS, released, strict=True):  # a released sign is a sign no more until all is parted
        text = text.replace(f"{release}{sign}", mark)
    segments = (segment.strip() for segment in text.split(end))
    back = str.maketrans(dict(zip(MARKS, released, strict=True)))
    return [
        (
            number,
            [
                cell.split(component) if cell.isprintable() else _parted(cell, component, back)
                for cell in segment.split(part)
            ],
        )
        for number, segment in enumerate(segments, 1)
        if segment
    ]


def _parted(cell: str, component: str, back: dict[int, str]) -> list[str]:
    """Components of a cell in which signs were released."""
    return [text if text.isprintable() else text.translate(back) for text in cell.split(component)]


def _cell(parts: list[list[str]], part: int, component: int, where: str) -> str:
    """A component of a segment. Raises DataError if it ends before."""
    if len(parts) <= part or len(parts[part]) <= component:
        raise DataError(f"{where}: {parts[0][0]} is cut short; ask for the message again")
    return parts[part][component]


def _unit_wh(cell: list[str], register: str | None, where: str) -> int:
    """Wh of a quantity's unit. Raises DataError for energy in one that is none."""
    unit = cell[2].upper() if len(cell) > 2 and cell[2] else "KWH"
    if register and unit not in UNITS_WH:
        raise DataError(f"{where}: QTY is in {unit}, which is no unit of energy; it takes {', '.join(UNITS_WH)}")
    return UNITS_WH.get(unit, 1)


def _register(parts: list[list[str]]) -> str | None:
    """Register of an OBIS number: 1-1:1.29.0 is energy taken in slots, 1-1:2.29.0 energy given."""
    found = OBIS.match(":".join(parts[2]) if len(parts) > 2 else "")
    return {"1": "import", "2": "export"}.get(found[1]) if found else None


def _moment(cell: list[str], name: str, number: int) -> int:
    """Unix seconds of a time of format 303, CCYYMMDDHHMMZZZ with an offset in hours."""
    text = "".join(cell[1:2])
    found = TIME.match(text)
    try:
        if found:
            year, month, day, hour, minute, offset = map(int, found.groups())
            return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) - offset * HOUR
    except ValueError:
        pass
    raise DataError(f"{name}: segment {number}: {text}: a time of format 303 is like 202405312200+00")
