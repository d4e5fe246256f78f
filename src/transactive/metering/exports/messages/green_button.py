"""Green Button: the interval readings of North American utilities, as the Atom feed of NAESB's ESPI.

After NAESB REQ.21, Energy Services Provider Interface: an IntervalReading has start and duration in UTC seconds and a
value of the reading type's unit, 72 being Wh, by a power of ten; flowDirection 1 is delivered to the customer, 19
received from it. Entities and external references are never resolved.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

from transactive.core.errors import DataError
from transactive.core.tables import ReadingQuality
from transactive.metering.exports.messages.collected import Collected
from transactive.tabular.text_files import as_utf8

if TYPE_CHECKING:
    import polars as pl

WH = "72"
FLOWS = {"1": "import", "19": "export", "4": "net"}
MEASURED = ("0", "17", "18", "19")
"""Qualities of ESPI that are no estimate: valid, verified, and the like."""


def is_one(start: bytes) -> bool:
    """Whether a file begins like a feed of Green Button."""
    return start.lstrip().startswith(b"<") and b"espi" in start[:20_000]


def read(path: Path) -> tuple[pl.DataFrame, int]:
    """Rows of meter, start, registers in Wh and quality, and the length of a slot [s]. Raises DataError."""
    data = as_utf8(path.read_bytes())
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataError(f"{path.name}: declares entities of its own; a feed of Green Button has none")
    try:
        feed = ET.fromstring(data)  # noqa: S314 - without a document type nothing can expand
    except (ET.ParseError, ExpatError) as error:
        raise DataError(f"{path.name}: is not well-formed XML: {error}") from None
    rows, kinds = Collected(path.name), _reading_types(feed)
    kind, meter = ("72", 0, "import"), None
    seen = False
    for entry in feed.iter():
        tag = _bare(entry.tag)
        if tag == "UsagePoint":
            meter = None
        elif tag == "link" and meter is None and "UsagePoint/" in entry.get("href", ""):
            meter = entry.get("href", "").split("UsagePoint/")[1].split("/")[0]
        elif tag == "IntervalBlock":
            kind = kinds[0] if kinds else kind
            seen = _block(rows, entry, kind, meter or path.stem) or seen
    if not seen:
        raise DataError(f"{path.name}: has no interval readings of electricity in Wh")
    return rows.frame()


def _bare(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _reading_types(feed: ET.Element) -> list[tuple[str, int, str]]:
    """Unit, power of ten and register of each reading type."""
    found = []
    for kind in (element for element in feed.iter() if _bare(element.tag) == "ReadingType"):
        said = {_bare(part.tag): (part.text or "").strip() for part in kind}
        register = FLOWS.get(said.get("flowDirection", "1"), "import")
        found.append((said.get("uom", WH), int(said.get("powerOfTenMultiplier", "0") or 0), register))
    return found


def _block(rows: Collected, block: ET.Element, kind: tuple[str, int, str], meter: str) -> bool:
    """Add the readings of a block; False if it is not energy."""
    unit, power, register = kind
    if unit != WH:
        return False
    for reading in (part for part in block if _bare(part.tag) == "IntervalReading"):
        said = {_bare(part.tag): part for part in reading}
        period = {_bare(part.tag): int(part.text or 0) for part in said["timePeriod"]}
        value = said["value"].text or ""
        length = period["duration"]
        rows.begin(meter, register, 1, length)
        quality = (
            (said["ReadingQuality"][0].text or "0").strip()
            if "ReadingQuality" in said and len(said["ReadingQuality"])
            else "0"
        )
        flag = ReadingQuality.METERED if quality in MEASURED else ReadingQuality.ESTIMATED
        rows.add(0, period["start"], [_scaled(value, power)], flag)
    return True


def _scaled(value: str, power: int) -> str:
    """A whole number times a power of ten, as text."""
    return f"{value.strip()}e{power}"
