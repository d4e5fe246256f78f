"""Rounding of bills: to hundredths of the currency, half away from zero, in whole numbers."""

from __future__ import annotations

from transactive.core.units import NANO, PPM

CENT_N = NANO // 100
"""n¤ in a hundredth of a ¤."""


def half_away(numerator: int, denominator: int) -> int:
    """A fraction as the nearest whole number, halves away from zero. Denominator > 0."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def cents_of(amount_n: int) -> int:
    """Money [n¤] in whole hundredths."""
    return half_away(amount_n, CENT_N)


def vat_of(base_cents: int, rate_ppm: int) -> int:
    """VAT of a category in whole hundredths: its base times its rate [millionths], rounded once.

    Source: EN 16931-1, BR-CO-17.
    """
    return half_away(base_cents * rate_ppm, PPM)


def whole_cents(amount_n: int) -> int:
    """Whole hundredths in an amount [n¤], toward zero: what of a rounding account can be paid."""
    size = abs(amount_n) // CENT_N
    return size if amount_n >= 0 else -size


def decimal(cents: int) -> str:
    """Hundredths as a decimal number with a point, as files for machines have it."""
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02d}"
