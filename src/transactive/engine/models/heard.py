"""Forecasts of a community total that others submit: heard by the pool, scored by meters, paid from what they saved.

At a slot's gate: what everybody has shown of it goes into one pool with the market's own forecast, given by the samples
that orders are made of. Where the community forecasts with the pool, these samples are moved to what it says. When the
slot is over each is scored against the market's own forecast of the same total.

What passes from one slot to the next (weights, gains of the period) follows from what was said and what came, which are
both in the database: an interrupted run makes it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from transactive.config.setting import Setting
from transactive.core.ports import Ports
from transactive.core.tables import Forecast, Readings
from transactive.core.units import IntArray
from transactive.engine.models.said_of_total import SaidOfTotal, accounts_of, heard_in, rows_of, scored
from transactive.forecasting.pool.bonuses import BonusPot
from transactive.forecasting.pool.totals import OWN, TotalsPool, total_figures, with_mean
from transactive.forecasting.samples import moved_together
from transactive.forecasting.series import LEVELS
from transactive.store import Store
from transactive.store.model_records import ToldForecast
from transactive.store.read.models import said
from transactive.store.read.stages import last_delivered

POOL = "pool"
"""Forecaster of a community whose orders hear the pool."""
NEWSVENDOR = 100
"""Twentieths of a Wh, summed over five levels, in a Wh of mean pinball loss."""


class HeardForecasts:
    """Submitted forecasts of a run over `slots`. setting: that it is settled by; forecaster: of its orders.

    said: what is kept of the slot whose gate closed last.
    """

    def __init__(
        self,
        setting: Setting,
        slots: range,
        ports: Ports,
        forecaster: str,
        store: Store | None,
    ) -> None:
        community = setting.community
        self._setting, self._slots, self._ports, self._store = setting, slots, ports, store
        self._clock, self._members = community.clock, len(community.members)
        self._accounts = accounts_of(community)
        self._is_heard = forecaster == POOL
        self.said: list[ToldForecast] = []
        self._pool: TotalsPool | None = None
        self._told: dict[int, SaidOfTotal] = {}
        self._over: list[tuple[int, SaidOfTotal, int]] = []
        self._pot = BonusPot()

    # -- before delivery ------------------------------------------------------------------------

    def near(self, slot: int, near: Forecast) -> Forecast:
        """Samples that orders of a slot are made of, once its gate is closed.

        near: as the market's own models have them; the slot is their last.
        """
        if not self._accounts:
            return near
        pool = self._taken_up()
        self._learn(pool, near.known_until)
        samples, gate = near.net_load_wh[-1], self._clock.gate(slot)
        shown = {n: q for n, q in sorted(self._ports.forecasts.of(slot, gate).items()) if n in self._accounts}
        of = self._said(samples, shown)
        made = pool.mixed({OWN: of.own, **of.whole}, slot)
        of = self._told[slot] = replace(of, made=made)
        if self._is_heard:
            moved = moved_together(samples, of.own[: len(LEVELS)], made[: len(LEVELS)])
            near = replace(near, net_load_wh=np.concatenate((near.net_load_wh[:-1], moved[None])))
        self.said = list(rows_of(slot, gate, of))
        return near

    def _said(self, samples: IntArray, shown: Mapping[str, tuple[int, ...] | None]) -> SaidOfTotal:
        """What was said beside the samples: who has a meter forecasts the total without it."""
        own, whole, references = total_figures(samples), {}, {}
        for name, quantiles in shown.items():
            account = self._accounts[name]
            rest = samples if account is None else np.delete(samples, account, axis=1)
            of_rest = total_figures(rest)[: len(LEVELS)]
            references[name] = tuple(of_rest.tolist())
            if quantiles is not None:
                whole[name] = own + with_mean(quantiles) - with_mean(references[name])
        return SaidOfTotal(own, own, shown, whole, references)

    def _learn(self, pool: TotalsPool, known: int) -> None:
        """Learn from the slots that were known to have ended by a time [Unix s]."""
        ended = [each for each in self._over if self._clock.end(each[0]) <= known]
        self._over = self._over[len(ended) :]
        for slot, of, came in ended:
            pool.learn({OWN: of.own, **of.whole}, of.made, came, slot)

    # -- after delivery -------------------------------------------------------------------------

    def delivered(self, readings: Readings) -> None:
        """Score a slot that is over; one whose meters were not all read scores nobody."""
        if not self._accounts:
            return
        self._taken_up()
        of = self._told.pop(readings.slot, None)
        if of is None or readings.estimated.any():
            return
        net_load = readings.consumption_wh - readings.generation_wh
        slot, tariff = scored(of, net_load, self._accounts), self._setting.tariff(readings.slot)
        worth = max(tariff.supply - tariff.feed_in, 0) if self._is_heard else 0
        paid = {name: gain for name, gain in slot.gains.items() if self._accounts[name] is not None}
        self._pot.add(paid, slot.copies, slot.saved * worth // NEWSVENDOR)
        self._over.append((readings.slot, of, int(net_load.sum())))

    def bonuses_n(self, slot: int, balance_n: int) -> IntArray:
        """What each member gets for its forecasts in the last slot of a period [n¤], (members,); nothing in others.

        balance_n: what the community account has. At most half of what the pool saved since it paid last: a Wh of mean
        pinball loss less is worth what supply and feed-in are apart, as orders at prices between them would have cost
        (the newsvendor).
        """
        paid = np.zeros(self._members, np.int64)
        if not self._accounts or not self._clock.ends_period(slot):
            return paid
        for name, amount in self._pot.paid_n(balance_n).items():
            account = self._accounts[name]
            if account is not None:
                paid[account] += amount
        return paid

    # -- after an interruption ------------------------------------------------------------------

    def _taken_up(self) -> TotalsPool:
        """The pool, and with it all that an interrupted run had heard and scored."""
        if self._pool is None:
            self._pool = TotalsPool(self._usual_size(), self._clock.length)
            done = None if self._store is None else last_delivered(self._store)
            if self._store is not None and done is not None:
                self._resume(self._store, done)
        return self._pool

    def _usual_size(self) -> float:
        """Mean total before the run, whichever way it flowed [Wh]; 1 where nothing is known."""
        past = self._ports.meters.history(self._clock.gate(self._slots[0]) - self._clock.length)
        total = np.abs(past.net_load_wh.sum(axis=1))
        return float(total.mean()) or 1.0 if len(total) else 1.0

    def _resume(self, store: Store, done: int) -> None:
        """Hear and score again what was heard and scored up to a slot."""
        for slot, of in heard_in(said(store, self._slots[0], self._slots[-1])):
            self._told[slot] = of
        for slot in sorted(self._told):
            if slot <= done:
                self.delivered(store.readings(slot, self._members))
                if self._clock.ends_period(slot):
                    self._pot.paid_n(0)  # it was paid then
