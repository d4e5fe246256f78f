"""Forecasts of a run: what orders and plans are made of, what members are told of the day to come, and who says it.

Told at the first gate of each day, of each of its slots: consumption and generation of every member, net load of the
community, and the price. Of each slot at its gate: the net load that orders were made of. Both are kept beside what was
metered, and the maintenance judges them when the day is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from transactive.config.checks import AUTO
from transactive.config.setting import Setting
from transactive.core.ports import PastReadings
from transactive.core.slots import DAY
from transactive.core.tables import Clearing, Forecast
from transactive.core.units import PPM, IntArray
from transactive.engine.devices.fleet import LOOK_AHEAD
from transactive.engine.models.active_models import WEEK, DayTold, ForecastTarget, whole
from transactive.engine.models.maintenance import ModelMaintenance
from transactive.engine.models.model_files import FOLDER, ModelFiles
from transactive.engine.models.net_load import EMPIRICAL, NetLoadForecast
from transactive.engine.models.target_histories import (
    COMMUNITY,
    CONSUMPTION,
    GENERATION,
    ORDERS,
    PLANS,
    PRICE,
    TargetHistories,
)
from transactive.forecasting.evaluation.contest import Rhythm
from transactive.forecasting.series import LEVELS, History, Quantiles
from transactive.insight.summary import ForecastSummary, TargetSummary
from transactive.store import Store
from transactive.store.model_records import ActiveModelRecord, Ahead, ModelLog, ToldForecast
from transactive.store.read import models as kept

UNITS = {PRICE: "µ¤/kWh"}
WON_IN_MONEY = "cost the members less on the fortnight before the run"


class RunForecasts:
    """Forecasts of a run over `slots`, and who makes them.

    past: what meters have said. forecaster: of net load for orders and plans. Without a store nothing is told to
    anybody; then only a named model for orders and plans is looked after.
    """

    def __init__(
        self, setting: Setting, slots: range, past: PastReadings, forecaster: str, store: Store | None
    ) -> None:
        self._setting, self._slots, self._store = setting, slots, store
        self._clock = setting.community.clock
        rules = setting.community.forecast
        self._name = forecaster
        self._weekly = rules.maintain == "weekly"
        self._trades = self._weekly and self._name != EMPIRICAL
        self._histories = TargetHistories(setting.community, past)
        self._said: dict[tuple[str, Ahead, int], ToldForecast] = {}
        files = ModelFiles(store.path.parent / FOLDER if store else None)
        self._maintenance = ModelMaintenance(list(self._targets()), self._histories.history, files)
        self._begun = not self._maintenance.targets
        before = slots[0] - 2 * DAY  # no gate closes earlier
        told = self._told if self._trades else None
        self.net_load_forecast = NetLoadForecast(self._name, past, self._clock, before, told)

    @property
    def maintenance(self) -> ModelMaintenance:
        """Who forecasts what, from the first gate on or from where an interrupted run stopped."""
        if not self._begun:
            self._begun = True
            if self._store and self._store.snapshot() is not None:
                self._resume(self._store)
            else:
                trusted = (ORDERS, PLANS) if self._setting.community.forecast.model == AUTO else ()
                self._maintenance.begin(self._clock.gate(self._slots[0]), dict.fromkeys(trusted, WON_IN_MONEY))
        return self._maintenance

    def take_up(self, now: int) -> ModelMaintenance:
        """Maintenance as far as a folder has come; where it holds none, empirical quantiles are active from `now`."""
        if self._store:
            self._maintenance.resume(
                kept.models(self._store), kept.events(self._store), kept.active_records(self._store)
            )
        self._maintenance.open(now)
        self._begun = True
        return self._maintenance

    def at_gate(self, slot: int, near: Forecast, clearing: Clearing) -> ModelLog:
        """Keep what is forecast at the gate of a slot. near: samples that its orders were made of, ending with it."""
        if not self._maintenance.targets:
            return ()
        self._histories.price[slot] = float(clearing.price) if clearing.traded_wh else np.nan
        rows = list(self._for_orders(slot, near.net_load_wh[-1]))
        if slot == self._slots[0] or slot % DAY == 0:
            for name in (*self._told_of, *((PLANS,) if self._trades else ())):
                rows += self._of_day(name, slot, near.known_until)
        for row in rows:
            self._said[row.target, row.ahead, row.slot] = row
        return rows

    def after(self, slot: int) -> ModelLog:
        """Judge a day with its last slot, once it is delivered, and begin another week of models where one is due."""
        end, last = slot + self._clock.length, slot == self._slots[-1]
        if end % DAY and not last:
            return self._maintenance.changes()
        begin = max((slot // DAY) * DAY, self._slots[0])
        day = range(begin, end, self._clock.length)
        maintenance = self.maintenance  # takes up first what an interrupted run had said of this day
        judged = {name: told for name in maintenance.targets if (told := self._judged(name, day)) is not None}
        begun = -(-self._slots[0] // DAY) * DAY
        due = self._weekly and not last and end > begun and (end - begun) // DAY % WEEK == 0
        maintenance.day_over(end, judged, train=due)
        self._said = {key: said for key, said in self._said.items() if said.slot >= end}
        return maintenance.changes()

    def summary(self) -> ForecastSummary:
        """What became of the forecasts of the whole run."""
        maintenance = self.maintenance
        kinds = [event.kind for event in maintenance.events]
        targets = {
            name: TargetSummary(maintenance.forecaster(own[-1]), _covered_ppm(own))
            for name, own in maintenance.courses()
        }
        return ForecastSummary(len(maintenance.models), kinds.count("promoted"), kinds.count("drift"), targets)

    # -- targets --------------------------------------------------------------------------------

    @property
    def _told_of(self) -> tuple[str, ...]:
        """What members are told of the day to come."""
        return tuple(name for name in (CONSUMPTION, GENERATION, COMMUNITY, PRICE) if name in self._maintenance.targets)

    def _targets(self) -> Iterator[ForecastTarget]:
        """What is looked after in this run."""
        community, lead = self._setting.community, self._clock.lead
        per_day = DAY // self._clock.length
        told = community.forecast.challengers if self._weekly else ()
        trades = (self._name,) if self._trades else ()
        ids = tuple(community.ids)
        day = Rhythm(lead, per_day)
        if self._store:
            with_pv = tuple(ids[k] for k in self._histories.with_pv.tolist())
            for name, series in ((CONSUMPTION, ids), (GENERATION, with_pv), (COMMUNITY, ("all",)), (PRICE, ("all",))):
                if series:
                    yield ForecastTarget(name, series, day, day.horizon, told, UNITS.get(name, "Wh"))
        if self._store or self._trades:
            near = Rhythm(lead, 1, issues=4)
            yield ForecastTarget(ORDERS, ids, near, near.horizon, trades, "Wh", as_it_is=True)
        if self._trades:
            most = max(lead, community.market.day_ahead_lead or 0) + self._clock.slots_per_period
            slots = most + LOOK_AHEAD // self._clock.length
            yield ForecastTarget(PLANS, ids, day, -(-slots // per_day) * per_day, trades, "Wh", as_it_is=True)

    def history(self, name: str, now: int) -> History | None:
        """What is known of a target at a time: of the slots that have ended by then."""
        return self._histories.history(name, now)

    # -- what is said ---------------------------------------------------------------------------

    def _for_orders(self, slot: int, samples: IntArray) -> Iterator[ToldForecast]:
        """Quantiles of the samples that orders are made of: of each member, and of all together."""
        gate = self._clock.gate(slot)
        model = self.maintenance.active(ORDERS, gate).model
        together = ((ORDERS, samples), (COMMUNITY, samples.sum(axis=1, keepdims=True)))
        for target, each in together if self._store else together[:1]:
            values = np.quantile(each, LEVELS, axis=0).T[None]
            figures = whole(Quantiles(values, each.mean(axis=0)[None]))[0]
            yield ToldForecast(slot=slot, target=target, ahead="slot", issued=gate, model=model, figures=figures)

    def _of_day(self, name: str, slot: int, seen: int) -> Iterator[ToldForecast]:
        """A target's forecast of the rest of the day that a slot begins, from what was known `seen` [Unix s]."""
        length, gate = self._clock.length, self._clock.gate(slot)
        day = range(slot, min((slot // DAY + 1) * DAY, self._slots.stop), length)
        forecast = self.maintenance.forecast(name, seen, (slot - seen) // length + len(day))
        if forecast is None:
            return
        model = self.maintenance.active(name, gate).model
        for start, figures in zip(day, whole(forecast)[-len(day) :], strict=True):
            yield ToldForecast(slot=start, target=name, ahead="day", issued=gate, model=model, figures=figures)

    def _told(self, now: int, horizon: int, homes: slice) -> Quantiles | None:
        """Quantiles of net load for orders and plans; None where the samples of empirical ones stand."""
        name = ORDERS if horizon <= self._maintenance.targets[ORDERS].learnt else PLANS
        if self.maintenance.active(name, now).model is None:
            return None
        return self._maintenance.forecast(name, now, horizon, homes)

    def _judged(self, name: str, day: range) -> DayTold | None:
        """What was said of a target on a day, and what came; None where nothing was said."""
        ahead: Ahead = "slot" if name == ORDERS else "day"
        said = [self._said[name, ahead, slot] for slot in day if (name, ahead, slot) in self._said]
        if not said:
            return None
        values = np.stack([one.figures[:, : len(LEVELS)] for one in said]).astype(np.float64)
        came = self._histories.came(name, [one.slot for one in said])
        return DayTold(values, came, said[-1].model)

    def _resume(self, store: Store) -> None:
        """Take up what an interrupted run had said and decided."""
        self._maintenance.resume(kept.models(store), kept.events(store), kept.active_records(store))
        for slot, price in kept.prices(store).items():
            self._histories.price[slot] = np.nan if price is None else float(price)
        delivered = max(active.since for active in kept.active_records(store))
        for row in kept.said(store, delivered, self._slots[-1]):
            self._said[row.target, row.ahead, row.slot] = row


def _covered_ppm(active_records: Sequence[ActiveModelRecord]) -> int | None:
    """Share of all judged slots inside the 90 % interval [ppm]."""
    days = [active.day for active in active_records if active.day]
    counted = sum(day.counted for day in days)
    return sum(day.inside for day in days) * PPM // counted if counted else None
