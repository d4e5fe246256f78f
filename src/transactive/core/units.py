"""Units of the project and the few places where a whole number is split.

Energy is whole Wh, price whole µ¤/kWh (the same number as n¤/Wh), money whole n¤ = Wh x price, carbon whole
mg = Wh x g/kWh. Products are therefore exact; only the splits below round, and what they round stays in
the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Whole: TypeAlias = Any
"""A whole number or a column of them, which no common type says: formulas that compiled code shares take both."""

NANO = 1_000_000_000
"""n¤ in one ¤."""
PPM = 1_000_000
"""Parts in one, for efficiencies and rates."""
WH_PER_KWH = 1_000


def share(total: int, weights: Sequence[int] | IntArray) -> list[int]:
    """Split `total` pro rata to `weights`: largest remainder, ties to the lower index.

    Both are whole numbers of any unit, not negative. The parts sum to `total`; without any weight all are zero.
    """
    exact = [int(weight) for weight in weights]
    whole = sum(exact)
    if whole == 0:
        return [0] * len(exact)
    parts = [total * weight // whole for weight in exact]
    missing = total - sum(parts)
    if missing:
        order = sorted(range(len(exact)), key=lambda i: (-(total * exact[i] % whole), i))
        for i in order[:missing]:
            parts[i] += 1
    return parts


def share_columns(total: int, weights: IntArray) -> IntArray:
    """Split `total` as `share` does, for a column of weights: the same parts, without a loop where int64 suffices."""
    factor = max(total.bit_length(), len(weights).bit_length())  # products and the sum of the weights must fit
    if not len(weights) or factor + int(weights.max()).bit_length() > 62:
        return np.array(share(total, weights), np.int64)
    whole = int(weights.sum())
    if whole == 0:
        return np.zeros(len(weights), np.int64)
    parts, remainder = np.divmod(weights * total, whole)
    missing = total - int(parts.sum())
    parts[np.argsort(-remainder, kind="stable")[:missing]] += 1
    return parts


def split_pair(total: IntArray, first: IntArray, second: IntArray) -> IntArray:
    """First part of whole numbers split pro rata in two, elementwise: `share` of (first, second) for whole columns."""
    whole = np.maximum(first + second, 1)
    quotient, remainder = np.divmod(total * first, whole)
    part: IntArray = quotient + ((remainder > 0) & (2 * remainder >= whole))
    return part


def share_capped(total: int, weights: IntArray, caps: IntArray) -> IntArray:
    """Split `total` pro rata to `weights` with nobody above its cap, (members,).

    Where the largest remainder would pass a cap, the part is cut there and what is left over goes, pro rata again,
    to those that still have room; to those without a weight only when nobody else has any. Needs sum(caps) >= total,
    else ValueError; the parts sum to `total`.
    """
    parts = np.zeros(len(caps), np.int64)
    left = total
    while left:
        room = caps - parts
        open_weights = np.where(room > 0, weights, 0)
        if not open_weights.any():
            open_weights = (room > 0).astype(np.int64)
            if not open_weights.any():
                raise ValueError("the caps are smaller than the total")
        given = np.minimum(share_columns(left, open_weights), room)
        parts += given
        left -= int(given.sum())
    return parts


def money_text(amount_n: int, currency: str = "", digits: int = 2) -> str:
    """Money [n¤] for people: rounded half away from zero, thin thousands, a real minus sign."""
    unit = 10 ** (9 - digits)
    rounded = (abs(amount_n) + unit // 2) // unit
    whole, part = divmod(rounded, 10**digits)
    sign = "−" if amount_n < 0 and rounded else ""
    tail = f".{part:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{tail}{' ' + currency if currency else ''}"


def price_text(micro_per_kwh: int, currency: str = "¤") -> str:
    """Price [µ¤/kWh] for people, exact: two decimals, or as many more as it needs."""
    whole, part = divmod(abs(micro_per_kwh), PPM)
    decimals = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{'−' if micro_per_kwh < 0 else ''}{whole:,}.{decimals} {currency}/kWh"


def kwh_text(energy_wh: int, digits: int = 1) -> str:
    """Energy [Wh] for people, in kWh."""
    unit = 10 ** (3 - digits)
    rounded = (abs(energy_wh) + unit // 2) // unit
    whole, part = divmod(rounded, 10**digits)
    sign = "−" if energy_wh < 0 and rounded else ""
    return f"{sign}{whole:,}.{part:0{digits}d}" if digits else f"{sign}{whole:,}"
