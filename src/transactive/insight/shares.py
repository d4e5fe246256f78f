"""Shares of whole numbers, for people: the only place where a summary divides."""

from __future__ import annotations

from transactive.core.units import PPM


def ratio(part: int, whole: int) -> float:
    """Share to six decimals, from whole numbers; 0 of nothing."""
    return part * PPM // whole / PPM if whole else 0.0
