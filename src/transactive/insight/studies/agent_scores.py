"""How well a market of agents with induced values does: efficiency, price error, regret, recovery.

Each buyer has a value for its unit and each seller a cost, which the experiment gives them, so the best allocation is
known. Source of the method: Smith, Experimental Economics: Induced Value Theory (1976), American Economic Review 66(2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.units import IntArray

RECOVERED = 0.95
"""Efficiency from which on a market counts as recovered."""
LAST, FIRST = 50, 10
"""Rounds before a shock and after it that are looked at."""


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """What induced values lead to: most surplus [µ¤/kWh x units], and the range of prices that support it."""

    surplus: int
    lowest: int
    highest: int

    @classmethod
    def of(cls, values: IntArray, costs: IntArray) -> Equilibrium:
        """From what a unit is worth to each buyer and costs each seller [µ¤/kWh]."""
        value, cost = np.sort(values)[::-1], np.sort(costs)
        pairs = min(len(value), len(cost))
        trades = int((value[:pairs] > cost[:pairs]).sum())
        surplus = int((value[:trades] - cost[:trades]).sum())
        inside = (int(cost[trades - 1]), int(value[trades - 1])) if trades else (int(value[0]), int(cost[0]))
        outside_value = int(value[trades]) if trades < len(value) else inside[0]
        outside_cost = int(cost[trades]) if trades < len(cost) else inside[1]
        return cls(surplus, max(inside[0], outside_value), min(inside[1], outside_cost))

    def off(self, price: IntArray) -> IntArray:
        """How far prices are from the range that supports the best allocation [µ¤/kWh]."""
        distance: IntArray = np.maximum(np.maximum(self.lowest - price, price - self.highest), 0)
        return distance

    @property
    def price(self) -> float:
        """Middle of the range [µ¤/kWh]."""
        return (self.lowest + self.highest) / 2


@dataclass(frozen=True, slots=True)
class Round:
    """Figures of one round. alpha: as `smiths_alpha`, None without a trade; regret: None where nobody looked for it."""

    efficiency: float
    alpha: float | None
    regret: float | None


class AgentFigures(msgspec.Struct, frozen=True):
    """Figures of one agent under one mechanism, means over the seeds.

    efficiency: in the last rounds before the shock; least_efficiency: of the seed that had least. price_error, regret:
    there, in per cent. after_shock: efficiency in the first rounds after it. recovery_rounds: rounds until one reaches
    0.95 of the new optimum, the median; None if half of the seeds never do.
    """

    agent: str
    mechanism: str
    per_side: int
    seeds: int
    rounds: int
    efficiency: float
    least_efficiency: float
    first_rounds: float
    price_error: float | None
    regret: float
    after_shock: float
    recovery_rounds: int | None


def smiths_alpha(price: IntArray, energy_wh: IntArray, ideal: Equilibrium) -> float | None:
    """Root mean square distance of traded prices from the equilibrium, in per cent of it; None without a trade.

    Where a range of prices supports the best allocation, the distance is to its nearer end. Source: Smith, An
    Experimental Study of Competitive Market Behavior (1962), Journal of Political Economy 70(2).
    """
    if not energy_wh.sum():
        return None
    square = float((ideal.off(price).astype(np.float64) ** 2 * energy_wh).sum() / energy_wh.sum())
    return float(100 * square**0.5 / ideal.price)


def figures(
    agent: str, mechanism: str, per_side: int, before: Sequence[Sequence[Round]], after: Sequence[Sequence[Round]]
) -> AgentFigures:
    """Sum up seeds, each with its rounds before and after the shock."""
    last = [[each.efficiency for each in rounds[-LAST:]] for rounds in before]
    alphas = [each.alpha for rounds in before for each in rounds[-LAST:] if each.alpha is not None]
    regrets = [each.regret for rounds in before for each in rounds if each.regret is not None]
    recovery = sorted(_recovered(rounds) for rounds in after)[len(after) // 2]
    return AgentFigures(
        agent=agent,
        mechanism=mechanism,
        per_side=per_side,
        seeds=len(before),
        rounds=len(before[0]),
        efficiency=_mean([each for rounds in last for each in rounds]),
        least_efficiency=min(map(_mean, last)),
        first_rounds=_mean([each.efficiency for rounds in before for each in rounds[:FIRST]]),
        price_error=_mean(alphas) if alphas else None,
        regret=_mean(regrets),
        after_shock=_mean([each.efficiency for rounds in after for each in rounds[:FIRST]]),
        recovery_rounds=recovery if recovery <= len(after[0]) else None,
    )


def _recovered(rounds: Sequence[Round]) -> int:
    """Number of the first round, from 1, that is efficient again; one more than there are if none is."""
    good = (number for number, each in enumerate(rounds, start=1) if each.efficiency >= RECOVERED)
    return next(good, len(rounds) + 1)


def _mean(numbers: Sequence[float]) -> float:
    """Mean of some numbers, to a millionth."""
    return round(sum(numbers) / len(numbers), 6)
