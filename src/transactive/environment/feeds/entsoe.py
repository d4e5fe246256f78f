"""Day-ahead prices of the ENTSO-E Transparency Platform: a Publication_MarketDocument of type A44.

A period has an interval in UTC, a resolution and points by position, counted from 1; a position that is left out has
the price of the one before (curve type A03). Source: ENTSO-E, "Transparency Platform RESTful API user guide".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from xml.etree import ElementTree as ET

from transactive.core.errors import DataError
from transactive.environment.feeds.numbers import exact_number

RESOLUTIONS = {"PT15M": 900, "PT30M": 1_800, "PT60M": 3_600}
MOST_STEPS = 400 * 96
DOCUMENT = "Publication_MarketDocument"


def read_entsoe(raw: bytes) -> tuple[list[tuple[int, Fraction]], int]:
    """Start [Unix s] and price of each step, and its length [s]. Raises DataError, with the platform's own reason.

    Where hours and quarter hours are told side by side, the finer ones count.
    """
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise DataError("the feed's document declares entities; a price document has none")
    try:
        document = ET.fromstring(raw)  # noqa: S314 - entities were refused
    except ET.ParseError as error:
        raise DataError(f"the feed says no XML ({error}); is the address right?") from None
    if _name(document) != DOCUMENT:
        reason = next((part.text for part in document.iter() if _name(part) == "text"), _name(document))
        raise DataError(f"the feed tells no prices: {reason}")
    found: dict[int, list[tuple[int, Fraction]]] = {}
    for period in (part for part in document.iter() if _name(part) == "Period"):
        step = RESOLUTIONS.get(_text(period, "resolution"))
        if step is None:
            raise DataError(f"resolution {_text(period, 'resolution')} is none of {', '.join(RESOLUTIONS)}")
        found.setdefault(step, []).extend(_points(period, step))
    if not found:
        raise DataError("the feed tells no period; ask for other days")
    return found[min(found)], min(found)


def _points(period: ET.Element, step: int) -> Iterator[tuple[int, Fraction]]:
    """Every step of a period with its price."""
    try:
        start, end = (int(datetime.fromisoformat(_text(period, name)).timestamp()) for name in ("start", "end"))
        prices = dict(_point(point) for point in period if _name(point) == "Point")
    except ValueError as error:
        raise DataError(f"a period of the feed has a wrong time or number ({error})") from None
    steps = (end - start) // step
    if 1 not in prices or not max(prices) <= steps <= MOST_STEPS:
        raise DataError(f"a period of the feed has {steps} steps, and prices that do not fit them")
    price = prices[1]
    for position in range(1, steps + 1):
        price = prices.get(position, price)
        yield start + (position - 1) * step, price


def _point(point: ET.Element) -> tuple[int, Fraction]:
    """Position and price of a point. Raises ValueError."""
    price = exact_number(_text(point, "price.amount"))
    if price is None:
        raise ValueError(_text(point, "price.amount"))
    return int(_text(point, "position")), price


def _text(part: ET.Element, name: str) -> str:
    """Text of the first element of a name inside another. Raises DataError if there is none."""
    for inner in part.iter():
        if _name(inner) == name and inner.text:
            return inner.text.strip()
    raise DataError(f"the feed's {_name(part)} has no {name}")


def _name(part: ET.Element) -> str:
    """Name of an element without its namespace, which changes with each version of the document."""
    return part.tag.rpartition("}")[2]
