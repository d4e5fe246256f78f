"""What is known of each target that a run forecasts: series of floats that grow as slots end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.community.community import Community
from transactive.core.ports import MeterHistory, PastReadings
from transactive.core.units import IntArray
from transactive.forecasting.series import FloatArray, History

CONSUMPTION, GENERATION, COMMUNITY, PRICE = "consumption", "generation", "community", "price"
ORDERS, PLANS = "orders", "plans"
"""Net load of each member, as orders and plans are made of it."""
LEAST_PRICES = 36
"""Slots with a trade, before which a price cannot be told."""


class TargetHistories:
    """Series of all targets. price: of the slots whose gate has closed [µ¤/kWh], NaN where nothing was traded."""

    def __init__(self, community: Community, past: PastReadings) -> None:
        self._past, self._length = past, community.clock.length
        self.with_pv = np.flatnonzero(community.devices.pv_wh)
        self.price: dict[int, float] = {}
        self._series: dict[str, FloatArray] = {}
        self._filled: dict[str, int] = {}

    def history(self, name: str, now: int) -> History | None:
        """What is known of a target at a time: of the slots that have ended by then; None while it cannot be told."""
        if name == PRICE:
            return self._prices(now)
        past = self._past.history(now)
        return History(past.first_slot, self._length, self._floats(name, past))

    def came(self, name: str, slots: Sequence[int]) -> FloatArray:
        """What came in slots that have ended, (slots, series)."""
        if name == PRICE:
            return np.array([[self.price[slot]] for slot in slots])
        past = self._past.history(max(slots) + self._length)
        rows = (np.array(slots) - past.first_slot) // self._length
        came: FloatArray = self._floats(name, past)[rows]
        return came

    def _prices(self, now: int) -> History | None:
        ended = [slot for slot in self.price if slot + self._length <= now]
        if sum(np.isfinite(self.price[slot]) for slot in ended) < LEAST_PRICES:
            return None
        first = min(ended)
        prices = [self.price[slot] for slot in range(first, now, self._length)]
        return History(first, self._length, np.array(prices)[:, None])

    def _floats(self, name: str, past: MeterHistory) -> FloatArray:
        """A target's series [Wh], (slots, series): only slots that have ended since last time are made floats."""
        key, rows = ORDERS if name == PLANS else name, len(past.net_load_wh)
        filled = self._filled.get(key, 0)
        if rows > filled:
            new = self._whole(key, past, filled)
            if filled + len(new) > len(self._series.get(key, ())):
                grown = np.empty((rows + rows // 8, new.shape[1]))
                grown[:filled] = self._series[key][:filled] if filled else 0
                self._series[key] = grown
            self._series[key][filled:rows], self._filled[key] = new, rows
        return self._series[key][:rows]

    def _whole(self, name: str, past: MeterHistory, begin: int) -> IntArray:
        """A target's series from a row on, in whole Wh."""
        if name == CONSUMPTION:
            return past.consumption_wh[begin:]
        if name == GENERATION:
            return past.generation_wh[begin:, self.with_pv]
        net_load_wh = past.net_load_wh[begin:]
        return net_load_wh if name == ORDERS else net_load_wh.sum(axis=1, keepdims=True)
