"""What submitted forecasts earn, and how sure it is who forecasts better.

The pot is at most half of the saving that the pool measured, and never more than the community has. What the pool lost
is made up first, also from one period to the next: else days that were good by luck would pay, and bad ones not. It is
shared by gain against a reference since the last payment, so that one lucky slot is not skill. Forecasts that
hardly differ are copies of one: they share its gain, and each bears its losses alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from transactive.core.units import IntArray, share

Gains = Mapping[str, int]
"""Loss of the reference less that of each forecaster in a slot [1/20 Wh]; below zero where it was worse."""
DRAWS = 1_000
CENTRAL = (0.05, 0.95)
FEWEST_DAYS = 14
"""Days below which nothing is sure: those drawn from a few lucky ones are all lucky."""


@dataclass(frozen=True, slots=True)
class ForecasterStanding:
    """A forecaster's mean gain a day against the reference, and where it lies with 90 % [1/20 Wh]."""

    forecaster: str
    days: int
    mean: float
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether there were days enough to tell skill from luck."""
        return self.days >= FEWEST_DAYS

    @property
    def is_sure(self) -> bool:
        """Whether it is better than the reference by more than luck."""
        return self.is_told and self.low > 0


def copies(forecasts: Mapping[str, Sequence[int]], apart: int) -> dict[str, int]:
    """How many forecasters, itself included, gave each one's forecast of a slot.

    Two are the same if none of their quantiles is more than `apart` away [Wh]; so are those that others join.
    """
    groups: list[set[str]] = []
    for name, quantiles in sorted(forecasts.items()):
        near = {other for other, its in forecasts.items() if _distance(quantiles, its) <= apart} | {name}
        joined = [group for group in groups if group & near]
        groups = [group for group in groups if not group & near] + [near.union(*joined)]
    return {name: len(group) for group in groups for name in group}


def pot_n(saving_n: int, balance_n: int) -> int:
    """What a period pays for forecasts [n¤]: half of what they saved at most, and no more than the community has."""
    return max(min(saving_n // 2, balance_n), 0)


def bonuses_n(slots: Sequence[tuple[Gains, Mapping[str, int]]], pot: int) -> dict[str, int]:
    """Share of each forecaster in the pot of a period [n¤], pro rata to its gain; nothing for who did not gain.

    slots: gains of each slot, and how many gave each one's forecast (`copies`; one for who is not in it).
    """
    weights: dict[str, int] = {}
    common = math.lcm(*{count for _, shared in slots for count in shared.values()})
    for gains, shared in slots:
        for name, gain in gains.items():
            part = common // shared.get(name, 1) if gain > 0 else common  # exact, whatever the number of copies
            weights[name] = weights.get(name, 0) + gain * part
    names = sorted(weights)
    return dict(zip(names, share(pot, [max(weights[name], 0) for name in names]), strict=True))


@dataclass(slots=True)
class BonusPot:
    """Gains of the slots since the last payment, each with its copies, and what the pool saved in them [n¤]."""

    saved_n: int = 0
    slots: list[tuple[Gains, Mapping[str, int]]] = field(default_factory=list)

    def add(self, gains: Gains, shared: Mapping[str, int], saved_n: int) -> None:
        """Count a slot. shared: how many gave each one's forecast; saved_n: below zero where the pool lost."""
        self.slots.append((gains, shared))
        self.saved_n += saved_n

    def paid_n(self, balance_n: int) -> dict[str, int]:
        """Share of each forecaster as a period ends [n¤], of what the community has; none while losses stand."""
        if self.saved_n <= 0:
            return {}
        paid = bonuses_n(self.slots, pot_n(self.saved_n, balance_n))
        self.slots, self.saved_n = [], 0
        return paid


def leaderboard(daily: Mapping[str, IntArray], rng: np.random.Generator) -> list[ForecasterStanding]:
    """Forecasters by what they gain for sure, the best first: mean a day with a 90 % interval over drawn days.

    Who was there for too few days to be sure stands after those who are.

    daily: gain of each day [1/20 Wh], (days,). Days are drawn whole, because slots of one day err together.
    """
    found = []
    for name, gains in sorted(daily.items()):
        drawn = gains[rng.integers(0, len(gains), (DRAWS, len(gains)))].mean(axis=1)
        low, high = np.quantile(drawn, CENTRAL)
        found.append(ForecasterStanding(name, len(gains), float(gains.mean()), float(low), float(high)))
    return sorted(found, key=lambda one: (not one.is_sure, -one.low, one.forecaster))


def _distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Largest difference of two forecasts [Wh]."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
