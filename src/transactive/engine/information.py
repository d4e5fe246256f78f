"""What is known in a run at a time: tariffs, grids and intensities of slots, forecasts and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Protocol

import numpy as np

from transactive.carbon.footprints.grid import GridMix
from transactive.config.setting import Setting
from transactive.core.slots import DAY
from transactive.core.tables import Forecast
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.engine.carbon.levies import Levies
from transactive.forecasting.intensity import CARBON_DAYS, intensity
from transactive.trading.devices.energy_value import carbon_value

HOMES_AT_ONCE = 2048
"""Homes whose samples for a plan are in memory together: for two days of quarter hours 90 MB."""


class ExpectedNetLoad(Protocol):
    """Who says what net load to expect; name: of the forecaster."""

    name: str

    def forecast(self, now: int, slots: range, homes: slice = slice(None)) -> Forecast:
        """Samples of coming slots from what is known at `now` [Unix s]."""
        ...


class InformationSet:
    """What a run knows. Rows are those of the environment; a forecast sees the readings before its time."""

    def __init__(self, setting: Setting, levies: Levies, net_load_forecast: ExpectedNetLoad) -> None:
        self._setting, self._levies, self.net_load_forecast = setting, levies, net_load_forecast
        self._certified_g = int(setting.community.generation_g.max())  # a certificate saves this much less, or more
        self._clock, self._carbon_price = setting.community.clock, setting.community.carbon_price

    def forecast(self, now: int, slots: range, homes: slice = slice(None)) -> Forecast:
        """Forecast of coming slots from the readings of slots that ended by `now` [Unix s]."""
        return self.net_load_forecast.forecast(now, slots, homes)

    def tariff(self, slot: int) -> Tariff:
        """Tariff of a slot, with the most that a Wh of grid energy can be levied."""
        most_g = ceil(self.grid_mix(slot).residual.g_per_kwh)
        return replace(self._setting.tariff(slot), levy=self._levies.most_per_wh(slot, most_g))

    def grid_g(self, slot: int) -> int:
        """Average carbon intensity of the grid in a slot, to the nearest whole one [g/kWh]."""
        return int(self._setting.environment.grid_g_per_kwh[self.row(slot)])

    def grid_mix(self, slot: int) -> GridMix:
        """Mixes of the grid in a slot, as exactly as the data say."""
        environment, row = self._setting.environment, self.row(slot)
        if sources := self._setting.community.carbon.grid_sources:
            given = environment.generated_wh[row], environment.claimed_wh[row]
            return GridMix.of_sources(sources, *(column.tolist() for column in given))
        free = int(environment.free_ppm[row]) if len(environment.free_ppm) else None
        return GridMix.of_intensity(int(environment.grid_g_per_kwh[row]), free)

    def slot(self, row: int) -> int:
        """Slot of a row of the environment."""
        return self._setting.first_slot + row * self._clock.length

    def row(self, slot: int) -> int:
        """Row of a slot in the environment."""
        return (slot - self._setting.first_slot) // self._clock.length

    def grid(self, tariff: Tariff) -> PriceGrid:
        """Price grid of a slot."""
        return PriceGrid.of(tariff, self._setting.community.market.tick_micro_per_kwh)

    def ahead(self, now: int, slots: range) -> tuple[Forecast, Forecast]:
        """Forecasts for a plan: samples of the community's sum, and those of the homes with a battery.

        Some homes at a time, as all samples of all homes would take more memory than everything else.
        """
        total, kept = np.zeros(1, np.int64), []
        for start in range(0, len(self._setting.community.members), HOMES_AT_ONCE):
            homes = slice(start, start + HOMES_AT_ONCE)
            some = self.forecast(now, slots, homes)
            total = total + some.net_load_wh.sum(axis=2, keepdims=True)
            kept.append(some.net_load_wh[:, :, self._setting.community.devices.capacity_wh[homes] > 0])
        times = some.slots, some.known_until
        return Forecast(*times, total), Forecast(*times, np.concatenate(kept, axis=2))

    def of_homes(self, now: int, planned: IntArray, homes: IntArray) -> tuple[Forecast | None, Forecast]:
        """Samples of some members: from `now` to the first planned slot, None if that is now, and of all planned."""
        length = self._clock.length
        slots = range(int(planned[0]), int(planned[-1]) + length, length)
        before = range(now, slots[0], length)
        near = self.forecast(now, before).of(homes) if before else None
        return near, self.forecast(now, slots).of(homes)

    def carbon_value(self, now: int, ahead: Forecast) -> IntArray | None:
        """What a Wh is expected to save in coming slots [mg], (slots,), as known at `now` [Unix s]."""
        if self._carbon_price is None:
            return None
        day = DAY // self._clock.length
        known = self.row(now)
        past = self._setting.environment.grid_g_per_kwh[max(known - CARBON_DAYS * day, 0) : known]
        expected = intensity(past, self.slot(known - len(past)), self._clock.length, ahead.slots)
        return carbon_value(ahead, expected)

    def premiums(self, now: int, ahead: Forecast) -> Sequence[IntArray | None]:
        """What members pay beyond its worth for energy with a certificate [µ¤/kWh], slot by slot, each (members,)."""
        saved = self.carbon_value(now, ahead)
        if saved is None or self._carbon_price is None:
            return [None] * len(ahead.slots)
        return [self._carbon_price * max(mg - self._certified_g, 0) for mg in saved.tolist()]
