"""Forecasters by name: ours and those of others, through one group of entry points.

A package offers one in its pyproject.toml, as a function without arguments that gives the recipe::

    [project.entry-points."transactive.forecasters"]
    boosted = "transactive.forecasting.models.boosted:Boosted"

A recipe learns, what it learnt predicts; a foundation model learns nothing and returns itself. What was learnt can be
kept in a file where the model has `to_bytes` and its recipe `from_bytes`.
"""

from __future__ import annotations

from typing import Protocol, cast, runtime_checkable

import numpy as np

from transactive.core import installed
from transactive.core.errors import ConfigError
from transactive.forecasting.series import History, Quantiles

GROUP = "transactive.forecasters"
TRIVIAL = ("last-day", "last-week", "mean-of-week", "empirical", "empirical-14", "empirical-fading")
"""Forecasters that learn nothing; a champion is measured by the best of them."""


class Model(Protocol):
    """What was learnt. It sees a history that ends at the time of issue, and gives the same answer for the same one."""

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots of all members. Raises DataError when the history is too short."""
        ...


class Forecaster(Protocol):
    """A recipe for models."""

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Model:
        """Learn to forecast up to `horizon` slots. Raises DataError when the history is too short."""
        ...


@runtime_checkable
class StorableModel(Protocol):
    """A model that can be written to a file; without it a model is made anew in each run and is in no registry."""

    def to_bytes(self) -> bytes:
        """The model as bytes: the same for the same model, and nothing in it that runs when it is read."""
        ...


@runtime_checkable
class Restoring(Protocol):
    """A recipe whose models can be read again."""

    def from_bytes(self, content: bytes) -> Model:
        """The model that `to_bytes` wrote: it forecasts the same to the last bit."""
        ...


def names() -> tuple[str, ...]:
    """Names of the installed forecasters, sorted; nothing is imported."""
    return installed.names(GROUP)


def load(name: str) -> Forecaster:
    """Import the recipe called `name`. Raises ConfigError naming the known ones."""
    offer = installed.find(GROUP, name, "forecaster")
    recipe = offer.load()()
    if not callable(getattr(recipe, "train", None)):
        raise ConfigError(f"forecaster {name!r}: {offer.value} gives nothing that can be trained")
    return cast("Forecaster", recipe)
