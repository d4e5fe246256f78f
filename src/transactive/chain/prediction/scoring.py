"""Forecasts that are staked on, to the last bit as `contracts/forecast_pool.vy` scores and pays them.

Eight quantiles of a total [Wh]; the loss is the CRPS by these levels; pay is weighted score wagering (Lambert and
others 2008, "Self-financed wagering mechanisms for forecasting").
"""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.errors import InputError
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word

LEVELS = 8
QUANTILE_BITS = 32
WEIGHT = 64
"""Of all levels together: what a Wh adds to the loss before it is divided."""
LARGEST_WH = (1 << QUANTILE_BITS) - 1
Forecast = tuple[int, ...]


def level_ppm(level: int) -> int:
    """Probability of a level [ppm]: 1/16, 3/16 … 15/16."""
    return (2 * level + 1) * 10**6 // (2 * LEVELS)


def packed(forecast: Sequence[int]) -> int:
    """Quantiles [Wh] as one word, the lowest first. Raises InputError naming what is wrong."""
    if len(forecast) != LEVELS:
        raise InputError(f"a forecast has {LEVELS} quantiles (1/16, 3/16 … 15/16); there are {len(forecast)}")
    if any(not 0 <= one <= LARGEST_WH for one in forecast) or list(forecast) != sorted(forecast):
        raise InputError(f"quantiles rise from 0 to {LARGEST_WH:,} Wh; put them in order")
    return sum(one << (QUANTILE_BITS * level) for level, one in enumerate(forecast))


def unpacked(content: int) -> Forecast:
    """Quantiles [Wh] in a word."""
    return tuple((content >> (QUANTILE_BITS * level)) & LARGEST_WH for level in range(LEVELS))


def sealed(forecast: Sequence[int], salt: bytes, member: int, period: int) -> bytes:
    """Hash that is staked on before the gate: nobody can read it, copy it for itself, or change it."""
    return keccak(word(packed(forecast)) + salt + word(member) + word(period))


def loss(forecast: Sequence[int], outcome: int) -> int:
    """CRPS of a forecast by its quantiles, rounded down [Wh]."""
    total = 0
    for level, quantile in enumerate(forecast):
        above = 2 * level + 1
        total += above * (outcome - quantile) if outcome >= quantile else (2 * LEVELS - above) * (quantile - outcome)
    return total // WEIGHT


def score(forecast: Sequence[int] | None, outcome: int, scale: int) -> int:
    """From 0 to `scale` [Wh]; the worst for what was not shown."""
    return 0 if forecast is None else scale - min(loss(forecast, outcome), scale)


def paid_n(stakes: Sequence[int], forecasts: Sequence[Forecast | None], outcome: int, scale: int) -> list[int]:
    """What each agent gets of all stakes together [n¤]: its stake times one plus its score less the mean by stake.

    What rounding leaves, less n¤ than there are agents, is the last one's.
    """
    scores, total = [score(one, outcome, scale) for one in forecasts], sum(stakes)
    weighted = sum(stake * one for stake, one in zip(stakes, scores, strict=True))
    paid = [
        stake * (total * (scale + one) - weighted) // (total * scale) for stake, one in zip(stakes, scores, strict=True)
    ]
    return paid and [*paid[:-1], total - sum(paid[:-1])]
