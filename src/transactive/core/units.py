"""Units of the project and the few places where a whole number is split.

Energy is whole Wh, price whole µ¤/kWh (the same number as n¤/Wh), money whole n¤ = Wh x price, carbon whole
mg = Wh x g/kWh. Products are therefore exact; only the splits below round, and what they round stays in
the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

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


def split_pair(total: IntArray, first: IntArray, second: IntArray) -> IntArray:
    """First part of whole numbers split pro rata in two, elementwise: `share` of (first, second) for whole columns."""
    whole = np.maximum(first + second, 1)
    quotient, remainder = np.divmod(total * first, whole)
    part: IntArray = quotient + ((remainder > 0) & (2 * remainder >= whole))
    return part


def share_capped(total: int, weights: Sequence[int], caps: Sequence[int]) -> list[int]:
    """Split `total` pro rata to `weights` with nobody above its cap.

    Where the largest remainder would pass a cap, the part is cut there and what is left over goes, pro rata again,
    to those that still have room. Needs sum(caps) >= total; the parts sum to `total`.
    """
    parts = [0] * len(caps)
    open_weights = [weight if cap else 0 for weight, cap in zip(weights, caps, strict=True)]
    left = total
    while left:
        if not any(open_weights):  # only members without a weight have room: serve them alike
            open_weights = [int(part < cap) for part, cap in zip(parts, caps, strict=True)]
            if not any(open_weights):
                raise ValueError("the caps are smaller than the total")
        for i, more in enumerate(share(left, open_weights)):
            given = min(more, caps[i] - parts[i])
            parts[i] += given
            left -= given
            if parts[i] == caps[i]:
                open_weights[i] = 0
    return parts


def money_text(amount_n: int, currency: str = "", digits: int = 2) -> str:
    """Money [n¤] for people: rounded half away from zero, thin thousands, a real minus sign."""
    unit = 10 ** (9 - digits)
    rounded = (abs(amount_n) + unit // 2) // unit
    whole, part = divmod(rounded, 10**digits)
    sign = "−" if amount_n < 0 and rounded else ""
    tail = f".{part:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{tail}{' ' + currency if currency else ''}"


def kwh_text(energy_wh: int, digits: int = 1) -> str:
    """Energy [Wh] for people, in kWh."""
    unit = 10 ** (3 - digits)
    rounded = (abs(energy_wh) + unit // 2) // unit
    whole, part = divmod(rounded, 10**digits)
    sign = "−" if energy_wh < 0 and rounded else ""
    return f"{sign}{whole:,}.{part:0{digits}d}" if digits else f"{sign}{whole:,}"
