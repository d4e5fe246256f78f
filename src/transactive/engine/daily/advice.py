"""What a run tells each member of its own meter, made anew at the end of each day from what is known then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from transactive.config.setting import Setting
from transactive.core.ports import MeterHistory, PastReadings
from transactive.core.slots import DAY, MarketClock
from transactive.core.units import IntArray
from transactive.engine.observer import Observer
from transactive.insight.advice import always_on, bill, change, charging, cheapest, temperature, words
from transactive.insight.advice.insight import Insight
from transactive.store import Store
from transactive.store.read.advice import daily_bills, paid_prices
from transactive.store.write.advice import save_advice

PAST_DAYS = 180
"""Days from which the errors of a bill's forecast are learnt."""
YEAR = 365
"""Days whose temperature is looked at."""
MONTH = change.MONTH_DAYS


@dataclass(frozen=True, slots=True)
class Outdoors:
    """Daily energy [Wh], (days, members), temperatures [°C], (days,), and what follows them, None if it is not told."""

    daily_wh: IntArray
    outdoors: temperature.FloatArray
    regimes: temperature.Regimes | None

    def parts_ppm(self) -> tuple[IntArray, IntArray]:
        """What heats and what cools of each member's energy [ppm], each (members,); 0 where it cannot be told."""
        if self.regimes is None:
            none = np.zeros(self.daily_wh.shape[1], np.int64)
            return none, none
        whole = self.daily_wh.sum(axis=0)
        heats, cools = (
            always_on.share_ppm(energy.sum(axis=0).astype(np.int64), whole)
            for energy in (self.regimes.heating_wh(self.outdoors), self.regimes.cooling_wh(self.outdoors))
        )
        return heats, cools


class Advisor(Observer):
    """Tells the members of one run; nothing after the time of telling is looked at."""

    def __init__(self, setting: Setting, past: PastReadings, store: Store, first_slot: int) -> None:
        self._setting, self._past, self._store = setting, past, store
        self._first_day = -(-first_slot // DAY) * DAY
        self._clock: MarketClock = setting.community.clock
        self._per_day = DAY // self._clock.length

    def committed(self, slot: int) -> None:
        """Tell all members what is known once `slot` is settled, if a day is over then."""
        now = slot + self._clock.length
        if now % DAY == 0:
            save_advice(self._store, now, self.advise(now))

    def advise(self, now: int) -> list[list[Insight]]:
        """Insights of each member as known at `now`, the start of a day [Unix s]."""
        past = self._past.history(now)
        known = len(past.consumption_wh)
        days = known // self._per_day
        told = slice(known - days * self._per_day, known)
        consumption_wh = past.consumption_wh[told]
        fit, members = self._fit(consumption_wh, told), range(consumption_wh.shape[1])
        follows = fit.parts_ppm()
        parts = (
            self._bill(now, past, told),
            self._change(consumption_wh, fit, self._prices(now, known), now),
            self._always_on(consumption_wh),
            [words.of_temperature(fit.regimes, member, follows, len(fit.outdoors)) for member in members],
            [words.of_car(found) for found in charging.charging(consumption_wh, self._clock.length)],
        )
        return [[part[member] for part in parts] for member in members]

    def _prices(self, now: int, known: int) -> IntArray:
        """What a Wh cost in whole days of the last two weeks [µ¤/kWh]; at the supplier's price before there is one."""
        slots = cheapest.DAYS * self._per_day
        paid = paid_prices(self._store, now - self._clock.length, slots)
        whole = len(paid) // self._per_day * self._per_day
        if whole:
            return paid[len(paid) - whole :]
        return self._setting.environment.supply_price[max(known - slots, 0) : known]

    def _always_on(self, consumption_wh: IntArray) -> list[Insight]:
        """What is always on."""
        newest = consumption_wh[-always_on.DAYS * self._per_day :]
        lowest = always_on.always_on_wh(consumption_wh, self._per_day)
        shares = always_on.share_ppm(lowest * len(newest), newest.sum(axis=0))
        days = len(newest) // self._per_day
        return [
            words.of_always_on(wh * 3_600 // self._clock.length, ppm, days)
            for wh, ppm in zip(lowest.tolist(), shares.tolist(), strict=True)
        ]

    def _fit(self, consumption_wh: IntArray, told: slice) -> Outdoors:
        """What follows the temperature in the last year."""
        measured = self._setting.environment.temperature[told]
        outdoors = (measured.reshape(-1, self._per_day).mean(axis=1) / 10)[-YEAR:]  # empty where nobody measured it
        daily_wh = self._by_day(consumption_wh)[len(consumption_wh) // self._per_day - len(outdoors) :]
        return Outdoors(daily_wh, outdoors, temperature.regimes(daily_wh, outdoors))

    def _bill(self, now: int, past: MeterHistory, told: slice) -> list[Insight]:
        """Bill of the coming thirty days."""
        members, per_day = len(self._setting.community.members), self._per_day
        first = max(self._first_day, now - bill.DAYS * DAY)  # no older bills count
        bills = daily_bills(self._store, members, first, now)
        recent = slice(max(told.start, told.stop - PAST_DAYS * per_day), told.stop)
        tariff = self._setting.environment.supply_price[recent][:, None]
        consumption, net_load = past.consumption_wh[recent], past.net_load_wh[recent]
        feed_in = self._setting.feed_in[recent][:, None]
        alone = self._by_day(np.where(net_load > 0, net_load * tariff, net_load * feed_in))
        scale = self._by_day(consumption * tariff)
        expected = bill.expected_bill(bills, scale[-len(bills) :], alone, scale, MONTH)
        currency = self._setting.community.currency
        days = min(len(bills), bill.DAYS)
        return [words.of_bill(expected, member, currency, days, len(alone)) for member in range(members)]

    def _change(self, consumption_wh: IntArray, fit: Outdoors, prices: IntArray, now: int) -> list[Insight]:
        """What one change would save."""
        usual = cheapest.expected_prices(prices, self._per_day, self._per_day)
        width = max(3 * 3_600 // self._clock.length, 1)
        low, high = cheapest.window(usual, width), cheapest.window(usual, width, dearest=True)
        moved = change.shift(high, low, (self._times(high, now), self._times(low, now)))
        mean = int(usual.mean())
        lowest = always_on.always_on_wh(consumption_wh, self._per_day)
        newest = consumption_wh[-MONTH * self._per_day :].reshape(-1, self._per_day, len(lowest))
        dear = np.arange(high.first, high.first + high.slots) % self._per_day
        dearest_wh = newest[:, dear].sum(axis=1).mean(axis=0)
        currency = self._setting.community.currency
        told_to = []
        for member, wh in enumerate(lowest.tolist()):
            possible = [change.idle_less(wh, self._per_day, mean), *_kelvins(fit, member, mean)]
            if dearest_wh[member] >= change.SHIFTED_WH:
                possible.append(moved)
            told_to.append(words.of_change(change.best(possible), currency))
        return told_to

    def _times(self, window: cheapest.Window, now: int) -> str:
        """Local times of a stretch of the coming day's slots: between 09:00 and 12:00."""
        slots, zone = (window.first, window.first + window.slots), self._setting.community.zone
        start, end = (datetime.fromtimestamp(now + k * self._clock.length, zone) for k in slots)
        return f"between {start:%H:%M} and {end:%H:%M}"

    def _by_day(self, series: IntArray) -> IntArray:
        """Sums over whole days of a series of slots, (days, members)."""
        sums: IntArray = series.reshape(-1, self._per_day, series.shape[1]).sum(axis=1)
        return sums


def _kelvins(fit: Outdoors, member: int, price: int) -> list[change.Change]:
    """A degree less of heating and of cooling, on as many days as the last thirty had."""
    if fit.regimes is None:
        return []
    last, parts = fit.outdoors[-MONTH:], fit.regimes
    cold, warm = int((last < parts.heat_from[member]).sum()), int((last > parts.cool_from[member]).sum())
    return [
        change.kelvin_less(int(parts.heat_wh_per_k[member]), cold, price, heats=True),
        change.kelvin_less(int(parts.cool_wh_per_k[member]), warm, price, heats=False),
    ]
