"""Bags of gradient-boosted trees: in each one set of trees for each level, and one for the mean.

Source of the method: LightGBM (Ke et al., NeurIPS 2017) with the pinball loss of Koenker and Bassett (Econometrica
46(1), 1978).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from transactive.core.errors import DataError
from transactive.core.installed import advice
from transactive.forecasting.models.training_rows import Rows
from transactive.forecasting.series import LEVELS, FloatArray

if TYPE_CHECKING:
    import lightgbm


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Bags that were learnt with other draws, averaged."""

    bags: tuple[tuple[lightgbm.Booster, ...], ...]

    @classmethod
    def grown(cls, rows: Rows, leaves: int, trees: int, seeds: list[int]) -> Trees:
        """Learn a bag for each seed. Raises DataError where trees cannot grow."""
        lightgbm = library()
        options = _options(leaves, len(rows.target))
        data = lightgbm.Dataset(rows.table, rows.target, weight=rows.weight, params=options, free_raw_data=False)
        losses = [{"objective": "quantile", "alpha": level} for level in LEVELS] + [{"objective": "regression"}]
        return cls(
            tuple(
                tuple(lightgbm.train(options | loss | {"seed": seed}, data, trees) for loss in losses) for seed in seeds
            )
        )

    @classmethod
    def read(cls, bags: list[list[str]]) -> Trees:
        """Trees that `texts` wrote; LightGBM reads them from text and runs nothing in it."""
        grow = library().Booster
        return cls(tuple(tuple(grow(model_str=text) for text in bag) for bag in bags))

    def texts(self) -> list[list[str]]:
        """The trees as LightGBM's own text, with all digits."""
        return [[booster.model_to_string() for booster in bag] for bag in self.bags]

    def said(self, table: FloatArray) -> FloatArray:
        """Levels and mean of rows of features, (rows, levels and mean)."""
        said = [[booster.predict(table, num_threads=1) for booster in bag] for bag in self.bags]
        raw: FloatArray = np.mean(said, axis=0).T
        return raw


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
