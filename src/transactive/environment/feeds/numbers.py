"""Numbers as feeds write them, exactly and no longer than any that a feed means."""

from __future__ import annotations

import re
from fractions import Fraction

NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,24})?(?:[eE][+-]?[0-9])?")


def exact_number(value: object) -> Fraction | None:
    """The number of a text; None for whatever is none, or too long."""
    return Fraction(value) if isinstance(value, str) and NUMBER.fullmatch(value) else None


def nearest_whole(value: Fraction) -> int:
    """The nearest whole number, half away from zero."""
    rounded = (abs(value) * 2 + 1) // 2
    return int(-rounded if value < 0 else rounded)
