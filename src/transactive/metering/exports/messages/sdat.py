"""SDAT-CH: validated readings of a metering point, as Swiss distributors send them to customers and communities.

After the industry's document of data exchange (VSE/AES, SDAT-CH), message E66, `ValidatedMeteredData` in ebIX XML: each
block has an interval in UTC, a resolution, a metering point of consumption or production, a product, and observations
that are numbered from the interval's begin. Product 8716867000030 is active energy as the meter counted it; the parts
of it that a local community's distributor works out have numbers of their own and are not read. An observation with a
condition is no metered value.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

from transactive.core.errors import DataError
from transactive.core.slots import HOUR, time_text
from transactive.core.tables import ReadingQuality
from transactive.metering.exports.messages.collected import Collected
from transactive.tabular.text_files import as_utf8

if TYPE_CHECKING:
    import polars as pl

ACTIVE_ENERGY = "8716867000030"
POINTS = {"ConsumptionMeteringPoint": "import", "ProductionMeteringPoint": "export"}
SECONDS = {"MIN": 60, "HOUR": HOUR}
UNITS_WH = {"KWH": 1_000, "MWH": 1_000_000, "WH": 1}


def is_one(start: bytes) -> bool:
    """Whether a file begins like a message of SDAT-CH."""
    return start.lstrip().startswith(b"<") and b"www.strom.ch" in start and b"MeteredData" in start


def read(path: Path) -> tuple[pl.DataFrame, int]:
    """Rows of meter, start, registers in Wh and quality, and the length of a slot [s]. Raises DataError."""
    data = as_utf8(path.read_bytes())
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataError(f"{path.name}: declares entities of its own; a message of SDAT-CH has none")
    try:
        message = ET.fromstring(data)  # noqa: S314 - without a document type nothing can expand
    except (ET.ParseError, ExpatError, ValueError, LookupError) as error:  # the last two: no such encoding
        raise DataError(f"{path.name}: is not well-formed XML: {error}") from None
    if not _bare(message).startswith("ValidatedMeteredData"):
        raise DataError(
            f"{path.name}: is {_bare(message)}, sums of a community; give the messages E66 of each metering point"
        )
    rows, seen = Collected(path.name), set[tuple[str, str, int]]()
    for number, block in enumerate((part for part in message if _bare(part) == "MeteringData"), 1):
        _block(rows, block, number, seen, path.name)
    return rows.frame()


def _block(rows: Collected, block: ET.Element, number: int, seen: set[tuple[str, str, int]], name: str) -> None:
    """Add the observations of a block, unless it is of another product. seen: what was added before."""
    register = next((kind for part in block for tag, kind in POINTS.items() if _bare(part) == tag), None)
    product = _under(block, "Product", "ID", "ebIXCode") or _under(block, "Product", "ID")
    if register is None or product != ACTIVE_ENERGY:
        return
    where = f"{name}: block {number}"
    point = next(part for part in block if POINTS.get(_bare(part)) == register)
    meter, unit = _said(point, where, "VSENationalID"), _said(block, where, "Product", "MeasureUnit")
    step = SECONDS.get(_under(block, "Resolution", "Unit") or "MIN")
    if unit not in UNITS_WH or step is None:
        raise DataError(f"{where}: unit {unit}, resolution in {_under(block, 'Resolution', 'Unit')}: not known")
    try:
        length = int(_said(block, where, "Resolution", "Resolution")) * step
        begin, end = (_utc(_said(block, where, "Interval", side), where) for side in ("StartDateTime", "EndDateTime"))
        found = [(int(_said(one, where, "Position", "Sequence")), one) for one in block if _bare(one) == "Observation"]
    except ValueError:
        raise DataError(f"{where}: a number of it is none; ask for the message again") from None
    rows.begin(meter, register, UNITS_WH[unit], length)
    for sequence, one in found:
        start = begin + (sequence - 1) * length
        if not begin <= start < end or (meter, register, start) in seen:
            why = "stands there twice" if begin <= start < end else "is outside its interval"
            raise DataError(f"{where}: {time_text(start)} of {meter} {why}; ask for the message again")
        seen.add((meter, register, start))
        quality = ReadingQuality.ESTIMATED if _under(one, "Condition") else ReadingQuality.METERED
        rows.add(number, start, [_said(one, where, "Volume")], quality)


def _bare(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _under(element: ET.Element, *tags: str) -> str | None:
    """Text of the element at the end of a path, without its space; None where there is none."""
    found: ET.Element | None = element
    for tag in tags:
        found = next((part for part in found if _bare(part) == tag), None) if found is not None else None
    return None if found is None else (found.text or "").strip() or None


def _said(element: ET.Element, where: str, *tags: str) -> str:
    """The same where it must be there. Raises DataError."""
    text = _under(element, *tags)
    if text is None:
        raise DataError(f"{where}: has no {tags[-1]}; ask for the message again")
    return text


def _utc(text: str, where: str) -> int:
    """A time with its zone in Unix seconds."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise DataError(f"{where}: {text} has no zone; an interval of SDAT-CH is in UTC")
    return int(moment.timestamp())
