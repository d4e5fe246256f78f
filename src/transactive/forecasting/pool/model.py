"""A pool as a forecaster of its own: it trains the others, and its weights follow from the history that it is shown.

What a run would have to remember of a pool is its weights. They are a function of the readings: from the time of its
training on the pool repeats at fixed times what each forecaster would have said, and learns from what came. So an
interrupted run has the same weights again, and a back-test sees nothing later than its time of issue. What it has
learnt it keeps in memory, as long as the readings behind it stay what they were.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.units import BoolArray
from transactive.forecasting import registry
from transactive.forecasting.models.floats import Floats
from transactive.forecasting.pool.weights import (
    COLUMNS,
    Came,
    PoolWeights,
    columns_of,
    forecast_of,
    parts_of_day,
    sizes,
)
from transactive.forecasting.registry import Model, Restoring, StorableModel
from transactive.forecasting.series import FloatArray, History, Quantiles, lowest_of

OURS = (
    "last-day", "last-week", "mean-of-week", "empirical", "empirical-14", "empirical-fading", "regression",
    "boosted-shallow",
)  # fmt: skip
"""Those of ours that a pool asks in a run: different ones, none of which takes minutes."""
APART = ("pool", "pooled", "boosted", "boosted-year", "linear", "climatology", "seasonal-smoothing")
"""Those that it leaves out: itself, stand-ins for young members, and what is slow or for another kind of series."""
TRIED_DAYS = 28
"""Days on which the first weights are learnt, by models that had not seen them; a third of a shorter history."""
LEAST_TRIED_DAYS = 7
LOOK_BACK = 30
"""Days that a forecaster looks at before its time of issue."""
MOST_KEPT = 64
"""Groups of members whose weights are kept in memory."""


def agents() -> tuple[str, ...]:
    """Forecasters that a pool asks: ours, and every plug-in."""
    return (*OURS, *(name for name in registry.names() if name not in (*OURS, *APART)))


@dataclass(frozen=True, slots=True)
class Pool:
    """The recipe. asked: names of forecasters, none for ours and every plug-in."""

    asked: tuple[str, ...] = ()

    def train(self, history: History, horizon: int, random: np.random.Generator) -> PoolModel:
        """Train all that can learn from this history. Raises DataError when nobody can."""
        names = self.asked or agents()
        seeds = random.integers(1 << 30, size=(2, len(names))).tolist()
        models = _trained(names, history, horizon, seeds[0])
        if not models:
            raise DataError(f"{len(history.values)} slots of history; no forecaster of the pool can learn from so few")
        begun = PoolWeights.of(len(models), 1)
        days = min(TRIED_DAYS, len(history.values) // history.per_day // 3)
        if days >= LEAST_TRIED_DAYS:
            before = history.until(len(history.values) - days * history.per_day, horizon)
            early = _trained(tuple(models), before, horizon, seeds[1])
            tried = PoolModel({name: early.get(name) for name in models}, begun, before.issued, horizon)
            begun = tried.learnt(history).shared()
        return PoolModel(models, begun, history.issued, horizon)

    def from_bytes(self, content: bytes) -> PoolModel:
        """The model that `to_bytes` wrote."""
        stored = msgspec.json.decode(content, type=PoolFile)
        models = {name: _restored(name, data) for name, data in stored.models.items()}
        begun = PoolWeights(stored.regret.array, stored.squares.array)
        return PoolModel(models, begun, stored.since, stored.horizon)


class PoolFile(msgspec.Struct, frozen=True):
    """A pool in a file: what each forecaster wrote, empty where it learns nothing, and the weights to begin with."""

    models: dict[str, bytes]
    regret: Floats
    squares: Floats
    since: int
    horizon: int


@dataclass(slots=True, eq=False)
class LearntWeights:
    """Weights after all issues before `following`, and the readings until `seen` [Unix s] that they follow from."""

    weights: PoolWeights
    following: int
    seen: int
    digest: int


@dataclass(frozen=True, slots=True, eq=False)
class PoolModel:
    """Trained forecasters by name, None for one that is absent, and the weights that members begin with at `since`.

    horizon: slots ahead that the forecasters have learnt to forecast.
    """

    models: Mapping[str, Model | None]
    begun: PoolWeights
    since: int
    horizon: int
    _kept: dict[tuple[int, int], LearntWeights] = field(default_factory=dict)

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots. Raises DataError when no forecaster can."""
        said, present = self._said(history, horizon)
        if not present.any():
            raise DataError("no forecaster of the pool can forecast from so little history; give more")
        made = self.learnt(history).mixed(said, present, parts_of_day(history, horizon))
        return forecast_of(made, lowest_of(history))

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        models = {n: m.to_bytes() if isinstance(m, StorableModel) else b"" for n, m in self.models.items()}
        stored = PoolFile(models, Floats.of(self.begun.regret), Floats.of(self.begun.squares), self.since, self.horizon)
        return msgspec.json.encode(stored)

    def learnt(self, history: History) -> PoolWeights:
        """Weights of the members of a history, by all issues whose slots have come by its end."""
        kept = self._taken_up(history)
        apart = max(history.per_day // 4, 1) if self.horizon <= history.per_day // 4 else history.per_day
        last = history.issued - self.horizon * history.length
        first = -(-kept.following // (apart * history.length)) * apart * history.length
        for time in range(first, last + 1, apart * history.length):
            self._learn(kept.weights, history, (time - history.first_slot) // history.length, apart)
            kept.following, kept.seen = time + 1, time + self.horizon * history.length
        kept.digest = self._digest(history, kept.seen)
        return kept.weights

    def _learn(self, weights: PoolWeights, history: History, row: int, apart: int) -> None:
        """Learn from the issue at a row of the history, from what was known then and what came."""
        known = history.until(max(row, 0), self.horizon)
        said, present = self._said(known, self.horizon)
        if not present.any():
            return
        parts = parts_of_day(known, self.horizon)
        truth = history.values[row : row + self.horizon]
        came = Came(truth, parts, sizes(known.last(LOOK_BACK).values), apart / history.per_day)
        weights.learn(said, weights.mixed(said, present, parts), came, present)

    def _said(self, history: History, horizon: int) -> tuple[FloatArray, BoolArray]:
        """What each forecaster says, (forecasters, horizon, members, columns), and who says anything."""
        members = history.values.shape[1]
        said = np.zeros((len(self.models), horizon, members, COLUMNS))
        present = np.zeros(len(self.models), np.bool_)
        for k, model in enumerate(self.models.values()):
            with suppress(DataError):
                if model is not None:
                    said[k] = columns_of(model.predict(history, horizon).checked(horizon, members))
                    present[k] = True
        return said, present

    def _taken_up(self, history: History) -> LearntWeights:
        """What was learnt of these members before, where the readings behind it are the same; else the beginning."""
        members = history.values.shape[1]
        key = members, self._digest(history, self.since)
        kept = self._kept.get(key)
        if kept is None or kept.digest != self._digest(history, kept.seen):
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[key] = LearntWeights(self.begun.of_members(members), self.since, self.since, key[1])
        return kept

    def _digest(self, history: History, seen: int) -> int:
        """Digest of the readings until a time, from as long before the training as a forecaster looks back."""
        begin, end = (
            max((time - history.first_slot) // history.length, 0) for time in (self.since - LOOK_BACK * DAY, seen)
        )
        return zlib.crc32(history.values[begin:end].tobytes())


def _trained(names: Sequence[str], history: History, horizon: int, seeds: Sequence[int]) -> dict[str, Model | None]:
    """Models of all that can learn from this history and can be stored."""
    found: dict[str, Model | None] = {}
    for name, seed in zip(names, seeds, strict=False):
        recipe = registry.load(name)
        with suppress(DataError):
            model = recipe.train(history, horizon, np.random.default_rng(seed))
            storable = isinstance(model, StorableModel) and isinstance(recipe, Restoring)
            if storable or model == cast("Model", recipe):
                found[name] = model
    return found


def _restored(name: str, content: bytes) -> Model:
    """A forecaster's model again."""
    recipe = registry.load(name)
    return recipe.from_bytes(content) if content and isinstance(recipe, Restoring) else cast("Model", recipe)
