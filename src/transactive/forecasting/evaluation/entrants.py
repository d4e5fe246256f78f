"""Who takes part in a back-test: whom somebody asks for, or those that suit the series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from transactive.forecasting import registry
from transactive.forecasting.evaluation.issue_plan import LONG_DAYS
from transactive.forecasting.evaluation.pool_along import POOL
from transactive.forecasting.registry import Forecaster
from transactive.forecasting.series import History

AUTO = "auto"
"""As if nobody was named."""
ALWAYS = (*registry.TRIVIAL, "climatology", "boosted-shallow")
MANY = ("boosted",)
"""Beside those where there are several series."""
SINGLE = ("boosted", "seasonal-smoothing", "linear")
"""Beside those where there is one."""
LONG = ("last-week", "mean-of-week", "empirical-fading", "climatology", "boosted-year")
"""In place of all for more than a week ahead, where trees on the last weeks alone are slower and worse."""


@dataclass(frozen=True, slots=True)
class Entrants:
    """Names of the forecasters, and whether their pool is in charge instead of the champion among them."""

    names: tuple[str, ...]
    pool: bool

    @classmethod
    def of(cls, asked: Sequence[str], history: History, horizon: int) -> Self:
        """Those asked for; with nobody but `pool` or `auto`, or nobody at all, those that suit the series."""
        named = tuple(name for name in asked if name not in (POOL, AUTO))
        return cls(named or suited(history, horizon), POOL in asked or not named)

    def recipes(self) -> dict[str, Forecaster]:
        """Their recipes. Raises ConfigError for one that is not installed."""
        return {name: registry.load(name) for name in self.names}


def suited(history: History, horizon: int) -> tuple[str, ...]:
    """Forecasters that suit a series."""
    if horizon > LONG_DAYS * history.per_day:
        return LONG
    return (*ALWAYS, *(SINGLE if history.values.shape[1] == 1 else MANY))
