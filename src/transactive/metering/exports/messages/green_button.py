"""Green Button: the interval readings of North American utilities, as the Atom feed of NAESB's ESPI.

After NAESB REQ.21, Energy Services Provider Interface: an IntervalReading has start and duration in UTC seconds and a
value of its reading type's unit, 72 being Wh, by a power of ten; flowDirection 1 is delivered to the customer, 19
received from it, 4 is net. Which reading type a block has, the links of the feed say: a block is below a MeterReading,
and that names its ReadingType. Entities and external references are never resolved.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

from transactive.core.errors import DataError
from transactive.core.slots import HOUR
from transactive.core.tables import ReadingQuality
from transactive.metering.exports.messages.collected import Collected
from transactive.tabular.text_files import as_utf8

if TYPE_CHECKING:
    import polars as pl

WH = "72"
FLOWS = {"0": "import", "1": "import", "4": "net", "19": "export"}
"""Registers by flow; the others are sums of these, or reactive."""
STATES = ("1", "3", "9", "12")
"""Accumulations that are the state of a register, and not the energy of a slot."""
ELECTRICITY = "0"
MEASURED = ("0", "17", "18", "19")
"""Qualities of ESPI that are no estimate: valid, verified, and the like."""

Point = tuple[str, str]
"""A customer, empty where no link says whose it is, and a usage point of it."""


@dataclass(slots=True)
class _Feed:
    """What a feed says beside its readings. types: unit, power of ten and register, by link and in their order.

    readings: the link of a MeterReading to that of its type. others: usage points that are not of electricity.
    """

    types: dict[str, tuple[str, int, str | None]] = field(default_factory=dict)
    readings: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)


def is_one(start: bytes) -> bool:
    """Whether a file begins like a feed of Green Button."""
    return start.lstrip().startswith(b"<") and b"espi" in start[:20_000]


def read(path: Path) -> tuple[pl.DataFrame, int]:
    """Rows of meter, start, registers in Wh and quality, and the length of a slot [s]. Raises DataError."""
    data = as_utf8(path.read_bytes())
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DataError(f"{path.name}: declares entities of its own; a feed of Green Button has none")
    try:
        root = ET.fromstring(data)  # noqa: S314 - without a document type nothing can expand
    except (ET.ParseError, ExpatError, ValueError, LookupError) as error:  # the last two: no such encoding
        raise DataError(f"{path.name}: is not well-formed XML: {error}") from None
    entries = [(entry, _links(entry)) for entry in root if _bare(entry) == "entry"] or [(root, _links(root))]
    rows, seen, point = Collected(path.name), False, ("", path.stem)
    try:
        names = _names(entries)
        feed = _said(entries, names)
        for entry, links in entries:
            point = next((found for link in links if (found := _point(link))), point)
            for block in (part for part in _resources(entry) if _bare(part) == "IntervalBlock"):
                name = names.get(point, point[1])
                if name not in feed.others:
                    seen = _block(rows, block, _type_of(feed, links, path.name), name) or seen
    except (KeyError, ValueError):
        raise DataError(f"{path.name}: a reading lacks start, duration or value, or one is no number") from None
    if not seen:
        raise DataError(f"{path.name}: has no interval readings of electricity in Wh")
    frame, length = rows.frame()
    return (frame.drop("net") if {"net", "import"} <= set(frame.columns) else frame), length


def _bare(element: ET.Element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def _links(entry: ET.Element) -> list[str]:
    return [part.get("href", "").rstrip("/") for part in entry if _bare(part) == "link"]


def _resources(entry: ET.Element) -> list[ET.Element]:
    """What an entry is about: the elements in its content."""
    return [one for part in entry for one in (part if _bare(part) == "content" else (part,))]


def _point(link: str) -> Point | None:
    """The usage point in a link, with its customer."""
    return (_after(link, "RetailCustomer/"), _after(link, "UsagePoint/")) if "UsagePoint/" in link else None


def _after(link: str, kind: str) -> str:
    """What follows a kind of resource in a link, up to the next one."""
    return link.partition(kind)[2].partition("/")[0]


def _names(entries: list[tuple[ET.Element, list[str]]]) -> dict[Point, str]:
    """Names of meters: the usage point, behind its customer where several have one of that number."""
    points = {found for _, links in entries for link in links if (found := _point(link))}
    count = Counter(point for customer, point in points if customer)
    return {(customer, point): f"{customer}/{point}" for customer, point in points if customer and count[point] > 1}


def _said(entries: list[tuple[ET.Element, list[str]]], names: dict[Point, str]) -> _Feed:
    """What a feed says of its reading types, and of what it meters."""
    feed = _Feed()
    for entry, links in entries:
        for part in _resources(entry):
            tag = _bare(part)
            if tag == "ReadingType":
                said = {_bare(one): (one.text or "").strip() for one in part}
                state = said.get("accumulationBehaviour", "4") in STATES
                register = None if state else FLOWS.get(said.get("flowDirection", "1"))
                kind = said.get("uom", WH), int(said.get("powerOfTenMultiplier", "0") or 0), register
                own = next((link for link in links if "/ReadingType/" in f"/{link}"), "")
                feed.types[own or str(len(feed.types))] = kind
            elif tag == "MeterReading":
                to = next((link for link in links if "/ReadingType/" in f"/{link}"), None)
                feed.readings.update({link: to for link in links if to and link != to})
            elif tag == "UsagePoint":
                kind_of = next(((one.text or "").strip() for one in part.iter() if _bare(one) == "kind"), ELECTRICITY)
                if kind_of != ELECTRICITY:
                    feed.others.update(names.get(found, found[1]) for link in links if (found := _point(link)))
    return feed


def _type_of(feed: _Feed, links: list[str], name: str) -> tuple[str, int, str | None]:
    """Unit, power and register of a block that has these links. Raises DataError where the feed does not tell."""
    kinds = set(feed.types.values())
    if len(kinds) < 2:
        return next(iter(kinds), (WH, 0, "import"))
    of = {feed.readings[reading] for reading in feed.readings for link in links if f"{link}/".startswith(f"{reading}/")}
    found = {feed.types[one] for one in of if one in feed.types}
    if len(found) != 1:
        raise DataError(f"{name}: has several reading types, and no links that tell whose an interval block is")
    return found.pop()


def _block(rows: Collected, block: ET.Element, kind: tuple[str, int, str | None], meter: str) -> bool:
    """Add the readings of a block; False if it is not energy of slots."""
    unit, power, register = kind
    if unit != WH or register is None:
        return False
    added = False
    for reading in (part for part in block if _bare(part) == "IntervalReading"):
        said = {_bare(part): part for part in reading}
        period = {_bare(part): int(part.text or 0) for part in said["timePeriod"]}
        length = period["duration"]
        if not 0 < length <= HOUR:
            continue  # sums of a day or a month beside the slots
        rows.begin(meter, register, 1, length)
        rows.add(0, period["start"], [f"{(said['value'].text or '').strip()}e{power}"], _quality(said))
        added = True
    return added


def _quality(said: dict[str, ET.Element]) -> ReadingQuality:
    found = said.get("ReadingQuality")
    quality = "0" if found is None or not len(found) else (found[0].text or "0").strip()
    return ReadingQuality.METERED if quality in MEASURED else ReadingQuality.ESTIMATED
