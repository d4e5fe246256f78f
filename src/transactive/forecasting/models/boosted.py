"""A global model: gradient-boosted trees, one for each quantile and one for the mean, learnt from all members at once.

Source of the method: LightGBM (Ke et al., NeurIPS 2017) with the pinball loss of Koenker and Bassett (Econometrica
46(1), 1978); one model for all series: Montero-Manso and Hyndman, Int. J. Forecasting 37(4), 2021. Each row counts
with its member's scale, so that the loss is that of the unscaled energy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.installed import advice
from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.models.features import WINDOW, features, known_ahead
from transactive.forecasting.models.training_rows import rows_of, with_ahead
from transactive.forecasting.series import LEVELS, History, Quantiles, in_order, lowest_of

if TYPE_CHECKING:
    import lightgbm

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
        lightgbm = library()
        rows = rows_of(history, horizon, self.rows, random)
        options = _options(self.leaves, len(rows.target))
        data = lightgbm.Dataset(rows.table, rows.target, weight=rows.weight, params=options, free_raw_data=False)
        losses = [{"objective": "quantile", "alpha": level} for level in LEVELS] + [{"objective": "regression"}]
        bags = tuple(
            tuple(lightgbm.train(options | loss | {"seed": seed}, data, self.trees) for loss in losses)
            for seed in random.integers(1 << 30, size=self.bags).tolist()
        )
        return BoostedModel(bags, lowest_of(history))

    def from_bytes(self, content: bytes) -> BoostedModel:
        """The model that `to_bytes` wrote; LightGBM reads trees from text and runs nothing in it."""
        stored = msgspec.json.decode(content, type=BoostedFile)
        grow = library().Booster
        bags = tuple(tuple(grow(model_str=text) for text in bag) for bag in stored.bags)
        return BoostedModel(bags, stored.lowest if stored.lowest is not None else -np.inf)


def shallow() -> Boosted:
    """The recipe for few or smooth series, where large trees learn the past by heart."""
    return Boosted(leaves=7, bags=1)


class BoostedFile(msgspec.Struct, frozen=True):
    """A model as text: LightGBM's own, with all digits; lowest is null where nothing bounds the series."""

    bags: list[list[str]]
    lowest: float | None


@dataclass(frozen=True, slots=True, eq=False)
class BoostedModel:
    """What was learnt: in each bag one set of trees a level, and one for the mean."""

    bags: tuple[tuple[lightgbm.Booster, ...], ...]
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots of all members at once."""
        recent = history.last(WINDOW + 2)
        series = on_clock(recent)
        steps = steps_on_clock(recent, horizon)
        known = features(recent, series, len(series.values), steps)
        table = with_ahead(known.table, known_ahead(recent, len(recent.values) + np.arange(horizon)))
        flat = table.reshape(-1, table.shape[2])
        said = [[booster.predict(flat, num_threads=1) for booster in bag] for bag in self.bags]
        raw = np.mean(said, axis=0).T
        scaled = raw.reshape(horizon, len(known.scale), -1) * known.scale[:, None]
        return in_order(scaled[:, :, :-1], scaled[:, :, -1], self.lowest)

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        bags = [[booster.model_to_string() for booster in bag] for bag in self.bags]
        return msgspec.json.encode(BoostedFile(bags, self.lowest if np.isfinite(self.lowest) else None))


def library() -> Any:  # noqa: ANN401 - a module
    """LightGBM. Raises DataError where it cannot be loaded, so that the other forecasters go on without it."""
    try:
        import lightgbm
    except ModuleNotFoundError as error:
        raise DataError(f"the boosted model {advice(error) or error}") from None
    except (ImportError, OSError) as error:
        raise DataError(
            f"the boosted model cannot be loaded ({error}); install OpenMP, which is libgomp1 on Debian and Ubuntu"
        ) from None
    return lightgbm


def _options(leaves: int, rows: int) -> dict[str, Any]:
    """Parameters of LightGBM: one thread and, given beside them, a seed, so that the same data give the same trees."""
    return {
        "num_leaves": leaves, "learning_rate": 0.05, "min_data_in_leaf": min(max(rows // 400, 5), 200), "max_bin": 63,
        "feature_fraction": 0.5, "bagging_fraction": 0.25, "bagging_freq": 1, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbose": -1,
    }  # fmt: skip
