"""Options that take a quantity: a whole number of the base unit, or text with a unit such as `5 kWh` or `28 ct/kWh`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from cyclopts import CoercionError, Parameter, Token

from transactive.core.errors import InputError
from transactive.core.spelling.quantities import whole

WHOLE = re.compile(r"[-+]?\d+(_\d+)*")
PLAIN = re.compile(r"[-+]?\d*\.?\d+")


def _converter(key: str) -> Callable[[Any, Sequence[Token]], int]:
    """Turns what stands at an option into base units, of the kind that `key` names by its end."""

    def convert(_: Any, tokens: Sequence[Token]) -> int:  # noqa: ANN401 - as the command line calls it
        text, option = tokens[0].value, tokens[0].keyword or key
        return int(text) if WHOLE.fullmatch(text) else _whole(text, key, option)

    return convert


def _share(_: Any, tokens: Sequence[Token]) -> float:  # noqa: ANN401 - as above
    """A part of one, as a number or in percent."""
    text, option = tokens[0].value, tokens[0].keyword
    return float(text) if PLAIN.fullmatch(text) else _whole(text, "_ppm", option) / 10**6


def _whole(text: str, key: str, option: str | None) -> int:
    """Base units of text at an option; what is wrong with it is wrong with the command line."""
    try:
        return whole(text, key, place=option)
    except InputError as error:
        raise CoercionError(msg=str(error)) from None


def price_per_t(text: str, option: str, currency: str | None = None) -> int:
    """Whole µ¤/t of a price as people write it: 75.36 or 75.36 EUR/t. Raises InputError."""
    return whole(f"{text} ¤/t" if PLAIN.fullmatch(text) else text, "_micro_per_t", currency, option)


Energy = Annotated[int, Parameter(converter=_converter("_wh"))]
"""Wh."""
Power = Annotated[int, Parameter(converter=_converter("_w"))]
"""W."""
Price = Annotated[int, Parameter(converter=_converter("_micro_per_kwh"))]
"""µ¤/kWh."""
Seconds = Annotated[int, Parameter(converter=_converter("_seconds"))]
"""s."""
Share = Annotated[float, Parameter(converter=_share)]
"""Part of one."""
