"""The carbon levy: what unmatched grid energy pays for its carbon, and how it comes back.

What a member imports in a slot without a certificate counts at the slot's residual intensity. The rate tops the carbon
price that the import price already holds up to a floor, or is fixed, or follows a reference in bounded steps. A price
is µ¤ per tonne; 1 t = 10⁹ mg, so mg x µ¤/t is 10⁻⁶ n¤. A slot's levy is rounded down once, as a whole, and
apportioned by largest remainder: the treasury gets the sum of what is paid, and gives back what it got.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np

from transactive.core.units import PPM, IntArray, share_columns

PER_N = 1_000_000
"""mg x µ¤/t in one n¤."""


class LevyMode(StrEnum):
    """How the rate is found; `shadow` is shown and never posted."""

    OFF = "off"
    SHADOW = "shadow"
    FLOOR = "floor"
    FIXED = "fixed"
    ORACLE = "oracle"


def rate(mode: LevyMode, price_micro_per_t: int, paid_micro_per_t: int) -> int:
    """Rate of the levy [µ¤/t], never negative: price − what the import price already paid, 0 when off.

    A fixed levy subtracts what was paid as well: no mode adds to a price that holds the carbon's.
    """
    return 0 if mode == LevyMode.OFF else max(price_micro_per_t - paid_micro_per_t, 0)


def bounded(previous_micro_per_t: int, quoted_micro_per_t: int, step_ppm: int) -> int:
    """Follow a quoted price [µ¤/t], by at most `step_ppm` of the previous one, rounded down, in either direction."""
    step = previous_micro_per_t * step_ppm // PPM
    return min(max(quoted_micro_per_t, previous_micro_per_t - step), previous_micro_per_t + step)


def followed(start_micro_per_t: int, quoted_micro_per_t: Iterable[int], step_ppm: int) -> list[int]:
    """Prices of consecutive periods that follow quoted ones from a start, each in one bounded step [µ¤/t]."""
    prices = [start_micro_per_t]
    for quoted in quoted_micro_per_t:
        prices.append(bounded(prices[-1], quoted, step_ppm))
    return prices[1:]


def levy(base_mg: IntArray, rate_micro_per_t: int) -> IntArray:
    """Levy of a slot per member [n¤] on its unmatched carbon [mg], (members,)."""
    return share_columns(int(base_mg.sum()) * rate_micro_per_t // PER_N, base_mg)


def most_per_wh(residual_g: int, rate_micro_per_t: int) -> int:
    """Most that a Wh can be levied [n¤], rounded up: what an order for it has to lock."""
    return -(-residual_g * rate_micro_per_t // PER_N)


def feebate(base_mg: IntArray, consumed_wh: IntArray, rate_micro_per_t: int) -> IntArray:
    """Charge above the slot's mean intensity and pay below it, per member [n¤], received − paid; sums to zero.

    Everybody pays its levy; the sum comes back by consumption [Wh], largest remainder. Without consumption all is zero.
    """
    paid = levy(base_mg, rate_micro_per_t)
    back = share_columns(int(paid.sum()), consumed_wh)
    return np.where(consumed_wh.any(), back - paid, 0)


def storage_incentive(treasury_n: int, certified_discharge_wh: IntArray) -> IntArray:
    """Give a treasury [n¤] to those whose storage gave certified energy, (members,), by Wh; what has no taker stays."""
    return share_columns(treasury_n, certified_discharge_wh)
