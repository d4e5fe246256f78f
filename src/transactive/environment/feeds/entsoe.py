"""Day-ahead prices of the ENTSO-E Transparency Platform: a Publication_MarketDocument of type A44.

A period has an interval in UTC, a resolution and points by position, counted from 1; a position that is left out has
the price of the one before (curve type A03). Source: ENTSO-E, "Transparency Platform RESTful API user guide".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from xml.etree import ElementTree as ET

from transactive.core.errors import DataError
from transactive.environment.feeds.numbers import exact_number

RESOLUTIONS = {"PT15M": 900, "PT30M": 1_800, "PT60M": 3_600}
MOST_STEPS = 400 * 96
DOCUMENT = "Publication_MarketDocument"
ZONES = ("in_Domain.mRID", "out_Domain.mRID")
HOLDS = "A03"
"""Curve type whose prices hold until the next one that is told."""


def read_entsoe(raw: bytes, unit: str, zone: str = "") -> tuple[list[tuple[int, Fraction]], int]:
    """Start [Unix s] and price of each step, and its length [s]. Raises DataError, with the platform's own reason.

    unit: that the prices must have, as `EUR/MWh`. zone: EIC that they must be of, where the document names one. Where
    hours and quarter hours are told side by side, the finer ones count.
    """
    if b"\0" in raw or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:  # with zeros between, as in UTF-16, they would hide
        raise DataError("the feed's document declares entities; a price document has none")
    try:
        document = ET.fromstring(raw)  # noqa: S314 - entities were refused
    except (ET.ParseError, ValueError, LookupError) as error:  # the last two for an encoding that there is not
        raise DataError(f"the feed says no XML ({error}); is the address right?") from None
    if _name(document) != DOCUMENT:
        reason = next((part.text for part in document.iter() if _name(part) == "text"), _name(document))
        raise DataError(f"the feed tells no prices: {reason}")
    found: dict[int, list[tuple[int, Fraction]]] = {}
    for series in (part for part in document.iter() if _name(part) == "TimeSeries"):
        _require_unit(series, unit)
        _require_zone(series, zone)
        for period in (part for part in series if _name(part) == "Period"):
            step = RESOLUTIONS.get(_text(period, "resolution"))
            if step is None:
                raise DataError(f"resolution {_text(period, 'resolution')} is none of {', '.join(RESOLUTIONS)}")
            found.setdefault(step, []).extend(_points(period, step, holds=_text(series, "curveType") == HOLDS))
    if not found:
        raise DataError("the feed tells no period; ask for other days")
    return found[min(found)], min(found)


def _require_unit(series: ET.Element, unit: str) -> None:
    """Require that a series tells its prices in a unit. Raises DataError."""
    said = "/".join(_text(series, name) for name in ("currency_Unit.name", "price_Measure_Unit.name"))
    if said.upper() != unit.upper():
        raise DataError(f"the feed tells prices in {said}, and the profile says {unit}; is this the right zone?")


def _require_zone(series: ET.Element, zone: str) -> None:
    """Require that a series which names its zone is of the one that was asked for. Raises DataError."""
    named = {part.text.strip() for part in series if _name(part) in ZONES and part.text}
    if zone and named - {zone}:
        raise DataError(f"the feed tells prices of {', '.join(sorted(named))}, and {zone} was asked for; ask again")


def _points(period: ET.Element, step: int, *, holds: bool) -> Iterator[tuple[int, Fraction]]:
    """Every step of a period with its price; holds: whether one that is left out has the price before it."""
    try:
        start, end = (_seconds(_text(period, name)) for name in ("start", "end"))
        points = [_point(point) for point in period if _name(point) == "Point"]
    except ValueError as error:
        raise DataError(f"a period of the feed has a wrong time or number ({error})") from None
    prices, steps = dict(points), (end - start) // step
    if len(prices) != len(points):
        raise DataError("a period of the feed tells a position twice; which price holds?")
    if 1 not in prices or not (min(prices) >= 1 and max(prices) <= steps <= MOST_STEPS):
        raise DataError(f"a period of the feed has {steps} steps, and prices that do not fit them")
    if not holds and len(prices) < steps:
        raise DataError(f"a period of the feed has {steps} steps and {len(prices)} prices; ask again for it later")
    price = prices[1]
    for position in range(1, steps + 1):
        price = prices.get(position, price)
        yield start + (position - 1) * step, price


def _seconds(text: str) -> int:
    """A time [Unix s], UTC as the platform's all are. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


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
