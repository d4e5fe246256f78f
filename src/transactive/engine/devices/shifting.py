"""Loads that can wait, of all members, under one pair of prices: planned once a period, followed in real time.

A home's devices are planned one after the other, each with the net load that those before it leave, and its battery
after them. What they draw is metered as consumption. No device draws its home beyond the connection's limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.shiftable import Appliance
from transactive.core.ports import Command
from transactive.core.slots import DAY
from transactive.core.tables import Forecast
from transactive.core.units import PPM, IntArray
from transactive.trading.devices.plan import EVERY, rules
from transactive.trading.devices.shiftable import drawn, first_held_wh, forgives, run_slots, runs, stores_of
from transactive.trading.devices.stores import PlanHorizon, Stores

Allow = Callable[[IntArray], IntArray]
"""From what loads that can wait would draw [Wh], (members,), to what they may."""
MOST_OWED = 7 * DAY
"""Nothing owes more than it could draw in this time [s]."""
NO_LIMIT = 1 << 40


class Shifting:
    """Vehicles, heaters and appliances of a community, (devices,), and what they hold.

    homes: members that have any, rising. held_wh: after the last delivered slot; negative is owed. rules: of slots not
    yet delivered, each (4, devices). runs_wh: of appliances that begin in such a slot, each (devices,).
    """

    def __init__(self, community: Community) -> None:
        placed = [(number, device) for number, member in enumerate(community.members) for device in member.devices]
        self.devices = [device for _, device in placed]
        self.member = np.array([number for number, _ in placed], np.int64)
        self.homes = np.unique(self.member)
        self._length, self._clock = community.clock.length, community.clock
        self._most_import_wh = community.most_import_wh[self.member]
        first = np.searchsorted(self.member, self.member)
        rank = np.arange(len(placed)) - first
        self._ranks = [np.flatnonzero(rank == number) for number in range(int(rank.max(initial=-1)) + 1)]
        self.held_wh, self._forgives = first_held_wh(self.devices), forgives(self.devices)
        self.rules: dict[int, IntArray] = {}
        self.runs_wh: dict[int, IntArray] = {}

    def plan(self, near: Forecast | None, homes: Forecast, need: IntArray, spare: IntArray) -> IntArray:
        """Make the rules of a period; returns what is drawn in all planned slots [Wh], (slots, samples, homes).

        near, homes: samples of the members that have devices, from the time of the plan to the first planned slot (None
        if that begins then), and of the planned slots. need, spare: prices of the planned slots, as in
        `trading.devices.plan`.
        """
        slots, loads, held = homes.slots, homes.net_load_wh.copy(), self._held_then(near)
        found = {slot: np.zeros((4, len(self.devices)), np.int64) for slot in slots.tolist()}
        for rank in self._ranks:
            column = np.searchsorted(self.homes, self.member[rank])
            shape = len(slots), len(rank)
            seen = PlanHorizon(
                net_load_wh=loads[:, ::EVERY, column],
                need_price=np.broadcast_to(need[:, None], shape),
                spare_price=np.broadcast_to(spare[:, None], shape),
                rest_price=np.full(len(rank), need.min()),
                most_import_wh=self._most_import_wh[rank],
            )
            self._choose_runs(rank, slots, seen)
            stores = self._stores(rank, slots, self.runs_wh)
            for slot, rule in zip(slots.tolist(), self.levels(stores, seen), strict=True):
                found[slot][:, rank] = rule
            self._walk(rank, column, slots, loads, found, held[rank])
        period = self._clock.period(int(slots[0]))
        self.rules |= {slot: rule for slot, rule in found.items() if self._clock.period(slot) == period}
        return loads - homes.net_load_wh

    def levels(self, stores: Stores, seen: PlanHorizon) -> IntArray:
        """Rules of a rank of devices, (slots, 4, rank)."""
        return rules(stores, seen)

    def _choose_runs(self, rank: IntArray, slots: IntArray, seen: PlanHorizon) -> None:
        """Choose when the appliances of a rank begin the runs whose windows open in the period."""
        period = self._clock.slots_per_period * self._length
        until = (int(slots[0]) // period + 1) * period
        for column, place in enumerate(rank.tolist()):
            device = self.devices[place]
            if not isinstance(device, Appliance):
                continue
            energy = run_slots(device, self._length // 60) * (device.power_w * self._length // 3600)
            for row in runs(device, slots, self._length, seen.part(slice(column, column + 1)), until):
                owed = self.runs_wh.setdefault(int(slots[row]), np.zeros(len(self.devices), np.int64))
                owed[place] += energy

    def _stores(self, rank: IntArray, slots: IntArray, runs_wh: Mapping[int, IntArray]) -> Stores:
        """A rank of devices over slots, the runs of its appliances among their drains."""
        stores = stores_of([self.devices[place] for place in rank.tolist()], slots, self._length)
        for t, slot in enumerate(slots.tolist()):
            if slot in runs_wh:
                stores.drain_wh[t] += runs_wh[slot][rank]
        return stores

    def command(self, slot: int) -> tuple[IntArray, IntArray]:
        """Levels of a slot, (4, devices), and what appliances that begin in it draw [Wh], (devices,)."""
        nothing = np.zeros(len(self.devices), np.int64)
        return self.rules[slot], self.runs_wh.get(slot, nothing)

    def _held_then(self, near: Forecast | None) -> IntArray:
        """What devices hold when the planned slots begin: the mean of the samples of the slots before."""
        if near is None:
            return self.held_wh
        loads, held = near.net_load_wh.copy(), self.held_wh.copy()
        for rank in self._ranks:
            column = np.searchsorted(self.homes, self.member[rank])
            then = self._walk(rank, column, near.slots, loads, self.rules, held[rank])
            held[rank] = then.sum(axis=0) // len(then)
        return held

    def added(self, forecast: Forecast) -> Forecast:
        """The forecast of all members with what their devices will draw, sample by sample, from what they hold now."""
        loads = forecast.net_load_wh.copy()
        for rank in self._ranks:
            self._walk(rank, self.member[rank], forecast.slots, loads, self.rules, self.held_wh[rank])
        return Forecast(forecast.slots, forecast.known_until, loads)

    def deliver(self, command: Command, net_load_wh: IntArray, allow: Allow | None = None) -> IntArray:
        """What devices draw in a slot for the real net load of all members [Wh], (members,); moves what they hold.

        allow: hears what they would draw, and says what they may.
        """
        draw, held = self._drawn(command, net_load_wh, self._most_import_wh)
        may = allow(draw) if allow else draw
        if (may < draw).any():
            limit = np.minimum(self._most_import_wh, np.where(may < draw, net_load_wh + may, NO_LIMIT)[self.member])
            draw, held = self._drawn(command, net_load_wh, limit)
        self.held_wh = held
        return draw

    def slot_over(self, slot: int, held_wh: IntArray) -> None:
        """Take up what devices hold after a slot [Wh], (devices,), whose rules are over."""
        self.held_wh = held_wh
        del self.rules[slot]
        self.runs_wh.pop(slot, None)

    def take_levels(self, member: int, told_wh: Sequence[int]) -> None:
        """Take up what a member says that its devices hold [Wh], in their order; no more than each can hold or owe."""
        own = np.flatnonzero(self.member == member)[: len(told_wh)]
        devices = [self.devices[place] for place in own.tolist()]
        stores = stores_of(devices, np.zeros(1, np.int64), self._length)
        most_owed = stores.draw_wh[0] * stores.gain_ppm // PPM * (MOST_OWED // self._length)
        self.held_wh[own] = np.clip(np.array(told_wh[: len(own)], np.int64), -most_owed, stores.most_wh[0])

    def _drawn(self, command: Command, net_load_wh: IntArray, most_import_wh: IntArray) -> tuple[IntArray, IntArray]:
        """What devices would draw, (members,), and hold after it, (devices,), for what homes may import, (devices,)."""
        load, rule, held = net_load_wh.copy(), command.waiting_wh, self.held_wh.copy()
        slots, runs_wh = np.array([command.slot]), {command.slot: command.runs_wh}
        for rank in self._ranks:
            member = self.member[rank]
            stores = self._stores(rank, slots, runs_wh)
            draw, held[rank] = drawn(
                rule[:, rank], stores, 0, held[rank], load[member], most_import_wh[rank], self._forgives[rank]
            )
            load[member] += draw
        return load - net_load_wh, held

    def left_wh(self, members: int) -> IntArray:
        """What it took, or will take, at the meter to hold what each member's devices hold [Wh], (members,)."""
        gain = stores_of(self.devices, np.zeros(1, np.int64), self._length).gain_ppm
        left = np.zeros(members, np.int64)
        np.add.at(left, self.member, self.held_wh * PPM // gain)
        return left

    def _walk(
        self,
        rank: IntArray,
        column: IntArray,
        slots: IntArray,
        loads: IntArray,
        known: Mapping[int, IntArray],
        held_wh: IntArray,
    ) -> IntArray:
        """Add what a rank of devices draws to samples of net load, in place; before the first rule nothing is drawn.

        Returns what each holds at the end, (samples, rank).
        """
        stores = self._stores(rank, slots, self.runs_wh)
        held = np.broadcast_to(held_wh, (loads.shape[1], len(rank)))
        for t, slot in enumerate(slots.tolist()):
            if slot in known:
                rule = known[slot][:, rank][:, None]
                draw, held = drawn(
                    rule, stores, t, held, loads[t][:, column], self._most_import_wh[rank], self._forgives[rank]
                )
                loads[t][:, column] += draw
        return held
