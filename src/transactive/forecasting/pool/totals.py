"""The pool of all who forecast what the community will use together: the market's own models, and who submits.

Weights are those of `weights`, of one series and one slot at a time. The market's own forecast has all the weight until
somebody would have made it better. Whoever submits is on trial for a day: it learns, and is not heard. After that it
moves the pool as far as it has earned, and never further than a few widths of the market's own interval: a typing
error, or a lie, costs little. In a slot of which it says nothing it has no weight and learns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from transactive.core.slots import DAY
from transactive.core.units import BoolArray, IntArray
from transactive.forecasting.pool.weights import COLUMNS, PARTS, Came, PoolWeights
from transactive.forecasting.series import LEVELS, FloatArray

OWN = "own"
"""The market's own forecast among the others, against which they are measured."""
WIDTHS = 2
"""Widths of the market's own 90 % interval that a submission moves the pool at most."""
Said = Mapping[str, IntArray]
"""Five quantiles and the mean of a total [Wh], (6,), by forecaster."""


def total_figures(net_load_wh: IntArray) -> IntArray:
    """Five quantiles and the mean of what members use together [Wh], (6,), from samples, (samples, members)."""
    total = net_load_wh.sum(axis=1)
    figures: IntArray = np.rint([*np.quantile(total, LEVELS), total.mean()]).astype(np.int64)
    return figures


def with_mean(quantiles: tuple[int, ...]) -> IntArray:
    """Five quantiles with the mean that they suggest: the submitted ones name none."""
    figures: IntArray = np.array([*quantiles, sum(quantiles) // len(quantiles)], np.int64)
    return figures


@dataclass(slots=True, eq=False)
class TotalsPool:
    """What was learnt of each forecaster, in the order in which they first said something.

    size: usual size of the total [Wh]. length: of a slot [s]. learnt: slots that each has learnt from.
    """

    size: float
    length: int
    names: list[str] = field(default_factory=list)
    learnt: dict[str, int] = field(default_factory=dict)
    weights: PoolWeights = field(default_factory=lambda: PoolWeights.of(0, 1))

    def mixed(self, said: Said, slot: int) -> IntArray:
        """The pool's forecast of a slot [Wh], (6,), from what was said of it; `OWN` is among them."""
        columns, present = self._columns(said)
        tried = np.array([self._is_tried(name) for name in self.names])
        own = np.array([name == OWN for name in self.names])
        made = self.weights.mixed(columns, present & tried, self._part(slot), own)[0, 0]
        figures: IntArray = np.rint([*np.sort(made[:-1]), made[-1]]).astype(np.int64)
        return figures

    def learn(self, said: Said, made: IntArray, came: int, slot: int) -> None:
        """Learn from a slot that is over. made: what the pool said of it; came: the total as metered [Wh]."""
        columns, present = self._columns(said)
        truth = np.array([[came]], np.float64)
        of_slot = Came(truth, self._part(slot), np.array([self.size]), self.length / DAY)
        self.weights.learn(columns, made[None, None].astype(np.float64), of_slot, present)
        self.learnt |= {name: self.learnt.get(name, 0) + 1 for name in said}

    def _is_tried(self, name: str) -> bool:
        """Whether a forecaster has learnt for a day; the market's own need not."""
        return name == OWN or self.learnt.get(name, 0) >= DAY // self.length

    def _part(self, slot: int) -> IntArray:
        """Part of the day, by UTC: which hours go together matters, not what they are called."""
        return np.array([slot % DAY * PARTS // DAY])

    def _columns(self, said: Said) -> tuple[FloatArray, BoolArray]:
        """What was said, (forecasters, 1, 1, columns), and by whom, (forecasters,); new names join."""
        new = [name for name in said if name not in self.names]
        if new:
            self.names += new
            more = PoolWeights.of(len(new), 1)
            regret = np.concatenate((self.weights.regret, more.regret))
            self.weights = PoolWeights(regret, np.concatenate((self.weights.squares, more.squares)))
        columns, present = np.zeros((len(self.names), 1, 1, COLUMNS)), np.zeros(len(self.names), np.bool_)
        own = said[OWN]
        width = WIDTHS * (own[len(LEVELS) - 1] - own[0])
        for name, figures in said.items():
            place = self.names.index(name)
            columns[place, 0, 0], present[place] = np.clip(figures, own - width, own + width), True
        return columns, present
