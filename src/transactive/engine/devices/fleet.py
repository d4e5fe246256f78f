"""The batteries of all members under one pair of prices: planned once a period, followed in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import msgspec
import numpy as np

from transactive.core.community.members import Devices
from transactive.core.community.membership import Membership
from transactive.core.ports import Command, Stored
from transactive.core.slots import MarketClock
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.core.work import Spread
from transactive.engine.devices.neighbours import Neighbours
from transactive.engine.devices.shifting import Allow, Shifting
from transactive.engine.pools import threads
from transactive.trading.devices.energy_value import PricePair
from transactive.trading.devices.follow import follow
from transactive.trading.devices.plan import LEVELS, Backward, by_columns, groups, plan

LOOK_AHEAD = 86_400
"""A plan looks one day beyond the slots that it is made for [s]."""
MOST_WEIGHED = 400_000
"""Slots times batteries whose weighing is kept: 50 MB. Larger plans are not explained."""
GROUP = 1024
"""Batteries whose samples are followed together: some 30,000 numbers a column."""


@dataclass(frozen=True, slots=True)
class Work:
    """How groups of batteries are worked through: in turn or by threads, plans by columns or compiled."""

    spread: Spread = map
    backward: Backward = by_columns


IN_TURN = Work()
"""What small communities need: nothing to start, nothing to wait for."""


@contextmanager
def compiled_work() -> Iterator[Work]:
    """Compiled plans, and a thread for each processor. Raises InputError without numba."""
    from transactive.trading.devices.compiled import backward

    way = backward()
    with threads() as spread:
        yield Work(spread, way)


Prices = Callable[[Forecast, Sequence[Tariff]], PricePair]
Seen = tuple[Forecast, Forecast]
"""Forecasts of the community's sum, and of the members with a battery."""
Weighed = tuple[list[DeviceRules], IntArray, IntArray]
"""Rules, prices that homes pay and receive (2, slots, batteries), and what held Wh are worth, as `plan` fills it."""


@dataclass(slots=True)
class Fleet:
    """Charge levels and rules.

    charged_wh: (members,), after the last delivered slot. rules: of slots not yet delivered.
    carbon_price: what a mg less is worth to each member [n¤], (members,); nothing by default. shifting: loads that can
    wait, which the batteries see. most_import_wh: what connections let in in a slot, (members,), if any is limited.
    membership: when devices may act, where somebody joins or leaves. explained: plans keep what they weigh. neighbours:
    of batteries that plan among them.
    """

    devices: Devices
    clock: MarketClock
    prices: Prices
    work: Work = IN_TURN
    carbon_price: IntArray | None = None
    shifting: Shifting | None = None
    most_import_wh: IntArray | None = None
    membership: Membership | None = None
    neighbours: Neighbours | None = None
    charged_wh: IntArray = field(init=False)
    rules: dict[int, DeviceRules] = field(init=False, default_factory=dict)
    explained: bool = field(init=False, default=False)
    weighed: Weighed | None = field(init=False, default=None)
    _groups: list[IntArray] = field(init=False)

    def __post_init__(self) -> None:
        self.charged_wh = self.devices.first_charged_wh
        self._groups = groups(self.devices, GROUP)

    def plan(
        self,
        community: Forecast,
        batteries: Forecast,
        tariffs: Sequence[Tariff],
        carbon_mg: IntArray | None = None,
        line_price: IntArray | None = None,
    ) -> None:
        """Make the rules of the forecasts' slots that have none yet; their last day only lends its value.

        community: samples of the sum of all members. batteries: samples of the members that have one. carbon_mg: what a
        Wh is expected to save [mg], (slots,), for members to whom that is worth something. line_price: what a Wh that
        a member takes is dearer for the sake of full lines, or what one that it gives brings less, below 0 [µ¤/kWh], of
        the first slots, (slots, members).
        """
        need, spare = self.prices(community, tariffs)
        members = np.flatnonzero(self.devices.capacity_wh)
        added = self._added(members, len(need), carbon_mg, line_price, self._own(members, community, tariffs))
        prices = np.stack((need, spare))
        period = [self.clock.period(slot) for slot in community.slots.tolist()]
        first = period.count(period[0])
        worth = self._worth(first, len(members))
        if self.neighbours is None:
            rules = self._planned(batteries, members, prices, added, worth)
        else:
            upto, work = len(period) if self.explained else first, (self.work.spread, self.work.backward)
            rules = self.neighbours.plan(community, batteries, tariffs, (need, spare), added, upto, *work)
            worth = None if worth is None else self.neighbours.worth(rules[:first])
        for rule in rules[:first]:
            self.rules[rule.slot] = rule.among(members, len(self.devices.capacity_wh))
        if worth is not None:
            own = prices[:, :, None] + (np.zeros(len(members), np.int64) if added is None else added)
            self.weighed = rules, own, worth

    def _worth(self, slots: int, batteries: int) -> IntArray | None:
        """Room for what a held Wh is worth, where that is kept: (slots, steps, batteries)."""
        if not self.explained or not batteries or slots * batteries > MOST_WEIGHED:
            return None
        return np.zeros((slots, LEVELS, batteries), np.int64)

    def _added(
        self,
        members: IntArray,
        slots: int,
        carbon_mg: IntArray | None,
        line_price: IntArray | None,
        own: IntArray | None,
    ) -> IntArray | None:
        """What comes to both prices for some of `members` [µ¤/kWh], (2, slots, members); None if nothing."""
        added = np.zeros((2, slots, len(members)), np.int64) if own is None else own
        if self.carbon_price is not None and carbon_mg is not None:
            added += self.carbon_price[members] * carbon_mg[:, None]
        if line_price is not None:
            added[0, : len(line_price)] += np.maximum(line_price[:, members], 0)
            added[1, : len(line_price)] += np.minimum(line_price[:, members], 0)
        return added if added.any() else None

    def _own(self, members: IntArray, community: Forecast, tariffs: Sequence[Tariff]) -> IntArray | None:
        """What members' own prices add to the common ones [µ¤/kWh], (2, slots, members); None if nobody has any."""
        if all(tariff.own is None for tariff in tariffs):
            return None
        common = np.stack(self.prices(community, tariffs))
        seen = [np.stack(self.prices(community, [tariff.of_member(n) for tariff in tariffs])) for n in members.tolist()]
        return np.stack([prices - common for prices in seen], axis=2) if seen else None

    def _planned(
        self, forecast: Forecast, members: IntArray, prices: IntArray, added: IntArray | None, worth: IntArray | None
    ) -> list[DeviceRules]:
        """Rules of all slots; members with the same prices are planned together. prices: need and spare, (2, slots).

        worth: filled as `plan` does.
        """
        own = self.devices.rows(members)
        if added is None:
            return self._plan_at(forecast, own, prices, worth)
        rules: list[DeviceRules] = []
        kinds, kind = np.unique(added.reshape(-1, len(members)), axis=1, return_inverse=True)
        for number, more in enumerate(kinds.T.reshape(-1, *prices.shape)):
            devices = msgspec.structs.replace(own, capacity_wh=np.where(kind == number, own.capacity_wh, 0))
            found = self._plan_at(forecast, devices, prices + more, worth)
            rules = [a.and_others(b) for a, b in zip(rules, found, strict=True)] if rules else found
        return rules

    def _plan_at(
        self, forecast: Forecast, devices: Devices, prices: IntArray, worth: IntArray | None
    ) -> list[DeviceRules]:
        """Rules of all slots at one pair of prices, (2, slots)."""
        (need, spare), work = prices, self.work
        rest = int(need.min())
        return plan(forecast, devices, need, spare, rest, spread=work.spread, backward=work.backward, worth=worth)

    def expected_net_load(self, forecast: Forecast, slots: int = 1) -> IntArray:
        """Samples of net load after the battery's action [Wh] in the forecast's last slots, (slots, samples, members).

        Each sample walks through the forecast's slots from today's charge level, so the level at the start of a slot is
        predicted sample by sample.
        """
        if self.shifting:
            forecast = self.shifting.added(forecast)
        expected: IntArray = forecast.net_load_wh[-slots:].copy()
        moved = self.work.spread(partial(self._moved, forecast, slots), self._groups)
        for group, net in zip(self._groups, moved, strict=True):
            expected[:, :, group] = net
        return expected

    def _moved(self, forecast: Forecast, slots: int, group: IntArray) -> IntArray:
        """Samples of a group of batteries, (slots, samples, group)."""
        devices = self.devices.rows(group)
        net: IntArray = forecast.net_load_wh[-slots:, :, group]
        charged = self.charged_wh[group]
        before = len(forecast.slots) - slots
        for place, (slot, load) in enumerate(
            zip(forecast.slots.tolist(), forecast.net_load_wh[:, :, group], strict=True)
        ):
            if slot in self.rules:  # before the first slot of the market no battery moves
                rule = self.rules[slot].rows(group)
                if self.neighbours is not None and rule.promised_wh is None:
                    rule, charged = self.neighbours.at_each_price(rule, load, charged, group)
                charge, discharge, charged = self.follow_rule(rule, devices, charged, load, group)
                if place >= before:
                    net[place - before] = load + charge - discharge
        return net

    def see_shifting(
        self,
        near: Forecast | None,
        homes: Forecast,
        community: Forecast,
        batteries: Forecast,
        tariffs: Sequence[Tariff],
    ) -> Seen:
        """Plan the loads that can wait, and add what they will draw to the forecasts of the community and of batteries.

        near, homes: as `Shifting.plan` takes them.
        """
        if self.shifting is None:
            return community, batteries
        added = self.shifting.plan(near, homes, *self.prices(community, tariffs))
        own = np.flatnonzero(self.devices.capacity_wh)
        loads = batteries.net_load_wh.copy()
        _, place, column = np.intersect1d(own, self.shifting.homes, assume_unique=True, return_indices=True)
        loads[:, :, place] += added[:, :, column]
        total = community.net_load_wh + added.sum(axis=2, keepdims=True)
        times = community.slots, community.known_until
        return Forecast(*times, total), Forecast(*times, loads)

    def command(self, slot: int, held_wh: IntArray | None = None) -> Command:
        """The rules of a slot, as they are sent; held_wh: bought − sold, which batteries among neighbours keep to."""
        if self.neighbours is not None and held_wh is not None:
            self.rules[slot] = self.neighbours.promise(self.rules[slot], held_wh)
        none = np.zeros((4, 0), np.int64)
        waiting, runs = self.shifting.command(slot) if self.shifting else (none, none[0])
        return Command(self.rules[slot], waiting, runs, self.clock.end(slot))

    def shift(self, command: Command, net_load_wh: IntArray, allow: Allow | None = None) -> IntArray:
        """What loads that can wait draw in a slot for its real net load [Wh], (members,); before the batteries act.

        allow: hears what they would draw, and says what they may.
        """
        return self.shifting.deliver(command, net_load_wh, allow) if self.shifting else np.zeros_like(net_load_wh)

    def deliver(self, command: Command, net_load_wh: IntArray) -> tuple[IntArray, IntArray]:
        """Charge and discharge in a slot for its real net load [Wh]; moves the levels."""
        charge, discharge, after = self.would_do(command.batteries, net_load_wh)
        if self.membership is not None:
            present = self.membership.present(command.slot)
            charge, discharge = (np.where(present, moved, 0) for moved in (charge, discharge))
            after = np.where(present, after, self.charged_wh)
        self.charged_wh = after
        return charge, discharge

    @property
    def stored(self) -> Stored:
        """What devices hold."""
        return Stored(self.charged_wh, self.shifting.held_wh if self.shifting else np.zeros(0, np.int64))

    def slot_over(self, slot: int, stored: Stored) -> None:
        """Take up what devices hold after a slot, whose rules are over."""
        self.charged_wh = stored.charged_wh
        del self.rules[slot]
        if self.neighbours:
            self.neighbours.over(slot)
        if self.shifting:
            self.shifting.slot_over(slot, stored.held_wh)

    def would_do(self, rule: DeviceRules, net_load_wh: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Charge, discharge and the levels after them [Wh] by a rule for a net load, nothing moved yet."""
        return self.follow_rule(rule, self.devices, self.charged_wh, net_load_wh, slice(None))

    def follow_rule(
        self, rule: DeviceRules, devices: Devices, charged: IntArray, load: IntArray, group: IntArray | slice
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Follow a rule, charging no more than the connection lets in."""
        charge, discharge, after = follow(rule, devices, charged, load)
        if self.most_import_wh is None:
            return charge, discharge, after
        less = np.minimum(charge, np.maximum(self.most_import_wh[group] - load, 0))
        return less, discharge, after - charge + less

    def left_wh(self) -> IntArray:
        """What batteries can still deliver and other devices hold, at the meter [Wh], (members,)."""
        left = self.devices.deliverable_wh(self.charged_wh)
        return left + self.shifting.left_wh(len(left)) if self.shifting else left
