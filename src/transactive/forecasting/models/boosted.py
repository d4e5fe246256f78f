"""A global model: gradient-boosted trees, one for each quantile and one for the mean, learnt from all members at once.

Source of the method: LightGBM (Ke et al., NeurIPS 2017) with the pinball loss of Koenker and Bassett (Econometrica
46(1), 1978); one model for all series: Montero-Manso and Hyndman, Int. J. Forecasting 37(4), 2021. Each row counts
with its member's scale, so that the loss is that of the unscaled energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.models.features import WINDOW, features, known_ahead
from transactive.forecasting.models.training_rows import rows_of, with_ahead
from transactive.forecasting.models.trees import Trees, library
from transactive.forecasting.series import History, Quantiles, in_order, lowest_of

MOST_ROWS = 150_000
"""Rows that a model learns from; more are sampled."""
TREES = 120


@dataclass(frozen=True, slots=True)
class Boosted:
    """The recipe. leaves: of a tree at most; rows: to learn from at most; bags: models of other draws, averaged."""

    leaves: int = 31
    trees: int = TREES
    rows: int = MOST_ROWS
    bags: int = 2

    def train(self, history: History, horizon: int, random: np.random.Generator) -> BoostedModel:
        """Learn from every day of a history. Raises DataError when it is shorter than 35 days, or trees cannot grow."""
        library()  # says at once where it cannot be loaded
        rows = rows_of(history, horizon, self.rows, random)
        seeds = random.integers(1 << 30, size=self.bags).tolist()
        return BoostedModel(Trees.grown(rows, self.leaves, self.trees, seeds), lowest_of(history))

    def from_bytes(self, content: bytes) -> BoostedModel:
        """The model that `to_bytes` wrote."""
        stored = msgspec.json.decode(content, type=BoostedFile)
        return BoostedModel(Trees.read(stored.bags), stored.lowest if stored.lowest is not None else -np.inf)


def shallow() -> Boosted:
    """The recipe for few or smooth series, where large trees learn the past by heart."""
    return Boosted(leaves=7, bags=1)


class BoostedFile(msgspec.Struct, frozen=True):
    """A model as text: LightGBM's own, with all digits; lowest is null where nothing bounds the series."""

    bags: list[list[str]]
    lowest: float | None


@dataclass(frozen=True, slots=True, eq=False)
class BoostedModel:
    """What was learnt."""

    trees: Trees
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots of all members at once."""
        recent = history.last(WINDOW + 2)
        series = on_clock(recent)
        steps = steps_on_clock(recent, horizon)
        known = features(recent, series, len(series.values), steps)
        table = with_ahead(known.table, known_ahead(recent, len(recent.values) + np.arange(horizon)))
        flat = table.reshape(-1, table.shape[2])
        scaled = self.trees.said(flat).reshape(horizon, len(known.scale), -1) * known.scale[:, None]
        return in_order(scaled[:, :, :-1], scaled[:, :, -1], self.lowest)

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        return msgspec.json.encode(BoostedFile(self.trees.texts(), self.lowest if np.isfinite(self.lowest) else None))
