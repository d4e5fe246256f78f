"""How much of a home's energy follows the temperature outdoors: heating below one, cooling above another.

The model is the change-point regression of daily energy on daily mean temperature,
E = base + heat · max(Th − T, 0) + cool · max(T − Tc, 0), as in the Princeton scorekeeping method (M. Fels, Energy and
Buildings 9, 1986) and ASHRAE Guideline 14. It cannot tell heating from what else comes with the cold, such as light in
the evening; so a part counts only if it also predicts weeks that it was not fitted on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from transactive.core.units import IntArray

FloatArray = NDArray[np.float64]
LEAST_DAYS = 120
"""Days without which nothing is said."""
LEAST_SPAN = 6.0
"""Kelvin between the 5 % coldest and the 5 % warmest days without which nothing is said."""
LEAST_GAIN = 0.1
"""Part of the variance of unseen weeks that a part of the model has to explain, beyond what the other one does."""
HEAT_FROM = np.arange(8.0, 19.0)
COOL_FROM = np.arange(17.0, 28.0)
WEEK = 7
SHAPES = ((True, False), (False, True), (True, True))
"""Models beside the constant one: whether they heat, whether they cool."""


@dataclass(slots=True, eq=False)
class Regimes:
    """What follows the temperature, (members,): energy a day and kelvin [Wh/K], and from which temperature on [°C].

    explained: part of the variance of unseen weeks that it explains, 0 where nothing follows the temperature.
    """

    base_wh: FloatArray
    heat_wh_per_k: FloatArray
    heat_from: FloatArray
    cool_wh_per_k: FloatArray
    cool_from: FloatArray
    explained: FloatArray

    def heating_wh(self, temperature: FloatArray) -> FloatArray:
        """Energy for heating [Wh], (days, members), at daily mean temperatures [°C]."""
        energy: FloatArray = self.heat_wh_per_k * np.maximum(self.heat_from - temperature[:, None], 0)
        return energy

    def cooling_wh(self, temperature: FloatArray) -> FloatArray:
        """Energy for cooling [Wh], (days, members), at daily mean temperatures [°C]."""
        energy: FloatArray = self.cool_wh_per_k * np.maximum(temperature[:, None] - self.cool_from, 0)
        return energy

    def energy_wh(self, temperature: FloatArray) -> FloatArray:
        """All energy of a day [Wh], (days, members)."""
        return self.base_wh + self.heating_wh(temperature) + self.cooling_wh(temperature)

    def take(self, better: NDArray[np.bool_], other: Regimes) -> None:
        """Take over the members whom another fit suits better."""
        for name in self.__slots__:
            getattr(self, name)[better] = getattr(other, name)[better]


def regimes(daily_wh: IntArray, temperature: FloatArray) -> Regimes | None:
    """Fit daily energy [Wh], (days, members), to daily mean temperatures [°C], (days,).

    None where the days are too few or too alike to tell. Heating or cooling that does not help to predict unseen weeks
    is left out.
    """
    low, high = np.quantile(temperature, (0.05, 0.95)) if len(temperature) else (0.0, 0.0)
    if len(temperature) < LEAST_DAYS or high - low < LEAST_SPAN:
        return None
    energy = daily_wh.astype(np.float64)
    best = _constant(energy)
    for shape in SHAPES:
        fitted = _fit(energy, temperature, *shape)
        fitted.explained = _explained(energy, temperature, *shape)
        best.take(fitted.explained >= best.explained + LEAST_GAIN, fitted)
    return best


def _constant(energy: FloatArray) -> Regimes:
    """The model in which nothing follows the temperature."""
    none = [np.zeros(energy.shape[1]) for _ in range(5)]
    return Regimes(energy.mean(axis=0), *none)


def _fit(energy: FloatArray, temperature: FloatArray, heats: bool, cools: bool) -> Regimes:
    """Least squares of one shape over all change points; slopes are not negative.

    By the normal equations, whose products with the energy are made once for all change points.
    """
    best = _constant(energy)
    total = (energy**2).sum(axis=0)
    least = total - len(energy) * best.base_wh**2
    none = np.zeros(energy.shape[1])
    cold, warm = (np.maximum(HEAT_FROM[:, None] - temperature, 0), np.maximum(temperature - COOL_FROM[:, None], 0))
    terms = np.concatenate((np.ones((1, len(temperature))), cold, warm))
    products, moments = terms @ terms.T, terms @ energy
    for heat, cool in _change_points(temperature, heats, cools):
        chosen = [0, *([1 + heat] if heats else []), *([1 + len(HEAT_FROM) + cool] if cools else [])]
        found = np.linalg.solve(products[np.ix_(chosen, chosen)], moments[chosen])
        squares = total - (found * moments[chosen]).sum(axis=0)
        better = (found[1:] >= 0).all(axis=0) & (squares < least)
        slopes = found[1] if heats else none, found[-1] if cools else none
        here = none + HEAT_FROM[heat], none + COOL_FROM[cool]
        best.take(better, Regimes(found[0], slopes[0], here[0], slopes[1], here[1], none))
        least = np.where(better, squares, least)
    return best


def _change_points(temperature: FloatArray, heats: bool, cools: bool) -> Iterator[tuple[int, int]]:
    """Which of the temperatures to heat below and to cool above, each passed on a week of days at least."""
    last = len(HEAT_FROM) - 1, len(COOL_FROM) - 1
    colder = [k for k, t in enumerate(HEAT_FROM) if (temperature < t).sum() >= WEEK] if heats else [last[0]]
    warmer = [k for k, t in enumerate(COOL_FROM) if (temperature > t).sum() >= WEEK] if cools else [last[1]]
    return ((low, high) for low, high in product(colder, warmer) if HEAT_FROM[low] <= COOL_FROM[high])


def _explained(energy: FloatArray, temperature: FloatArray, heats: bool, cools: bool) -> FloatArray:
    """Part of the variance explained in every other week by a fit on the weeks between, both ways round, (members,)."""
    odd = np.arange(len(energy)) // WEEK % 2 == 1
    left, spread = np.zeros(energy.shape[1]), np.zeros(energy.shape[1])
    for seen in (odd, ~odd):
        fit = _fit(energy[seen], temperature[seen], heats, cools)
        left += ((energy[~seen] - fit.energy_wh(temperature[~seen])) ** 2).sum(axis=0)
        spread += ((energy[~seen] - energy[seen].mean(axis=0)) ** 2).sum(axis=0)
    explained: FloatArray = 1 - left / np.maximum(spread, 1e-9)
    return explained
