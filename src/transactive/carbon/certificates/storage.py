"""What is in the batteries: first-in first-out lots that keep their origin until they are used.

A lot holds charged Wh, how many of them are certified, and their market-based and location-based carbon [mg]. A
discharge takes charged Wh from the oldest lots and inherits all four; of a lot that is taken in part, the certified Wh
and the mg go pro rata, rounded down, and what is rounded stays in the lot. Losses therefore raise the intensity
exactly: 1000 Wh at 41 g/kWh become 900 Wh at 45.56.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.carbon.footprints.mixes import Mix
from transactive.core.errors import require
from transactive.core.units import IntArray

CHARGED, CERTIFIED, MARKET, LOCATION = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """Lots of all batteries, oldest first: (depth, members, 4) with the columns charged Wh, certified Wh, mg, mg."""

    columns: IntArray

    @classmethod
    def empty(cls, members: int) -> Lots:
        """Empty batteries."""
        return cls(np.zeros((0, members, 4), np.int64))

    @classmethod
    def uncertified(cls, charged_wh: IntArray, market: Mix, location: Mix) -> Lots:
        """Batteries with energy of unknown origin, (members,): at the residual and the average mix of the grid."""
        held = charged_wh.tolist()
        columns = [np.array([mix.of(wh) for wh in held], np.int64) for mix in (market, location)]
        return cls.empty(len(held)).put(charged_wh, np.zeros_like(charged_wh), *columns)

    @property
    def charged_wh(self) -> IntArray:
        """Charged Wh per battery, (members,)."""
        total: IntArray = self.columns[:, :, CHARGED].sum(axis=0)
        return total

    def holding(self, charged_wh: IntArray, market: Mix, location: Mix) -> Lots:
        """Lots of batteries that hold at least so much, (members,): what was charged while no meter told, as newest.

        Its origin is unknown: it counts at the residual and the average mix of the grid.
        """
        unseen = np.maximum(charged_wh - self.charged_wh, 0)
        if not unseen.any():
            return self
        columns = [np.array([mix.of(wh) for wh in unseen.tolist()], np.int64) for mix in (market, location)]
        return self.put(unseen, np.zeros_like(unseen), *columns)

    def put(self, charged_wh: IntArray, certified_wh: IntArray, market_mg: IntArray, location_mg: IntArray) -> Lots:
        """Add a slot's charging as the newest lot of each battery, all (members,)."""
        require(bool((certified_wh <= charged_wh).all()), "no more certified than charged")
        charging = np.flatnonzero(charged_wh)
        if not len(charging):
            return self
        newest = np.stack((charged_wh, certified_wh, market_mg, location_mg), axis=-1)[charging]
        place = (self.columns[:, charging, CHARGED] > 0).sum(axis=0)  # behind the lots that a battery has
        depth = max(len(self.columns), int(place.max()) + 1)
        columns = np.zeros((depth, *self.columns.shape[1:]), np.int64)
        columns[: len(self.columns)] = self.columns
        columns[place, charging] = newest
        return Lots(columns)

    def take(self, charged_wh: IntArray) -> tuple[Lots, IntArray]:
        """Take charged Wh out, oldest first; returns what is left and what came out, (members, 4)."""
        drawn = np.zeros(self.columns.shape[1:], np.int64)
        giving = np.flatnonzero(charged_wh)
        if not len(giving):
            return self, drawn
        lots, wanted = self.columns[:, giving], charged_wh[giving]
        held = lots[:, :, CHARGED]
        require(bool((wanted <= held.sum(axis=0)).all()), "a battery gives no more than it holds")
        taken = np.clip(wanted - (np.cumsum(held, axis=0) - held), 0, held)
        part = lots * taken[:, :, None] // np.maximum(held, 1)[:, :, None]
        columns = self.columns.copy()
        columns[:, giving] = _in_front(lots - part)
        drawn[giving] = part.sum(axis=0)
        depth = len(columns)
        while depth and not columns[depth - 1, :, CHARGED].any():
            depth -= 1
        return Lots(columns[:depth]), drawn


def _in_front(columns: IntArray) -> IntArray:
    """Move every battery's lots to the front, in their order, the used-up ones behind them."""
    order = np.argsort(columns[:, :, CHARGED] == 0, axis=0, kind="stable")
    return np.take_along_axis(columns, order[:, :, None], axis=0)
