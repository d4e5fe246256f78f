"""What a run's batteries know of their neighbours: the worth of held energy in each open slot, and what follows.

Where the community is short, its price is near the top of what suits both sides, and where it is long near the bottom.
The k-th dearest step of a home's orders is therefore asked with the k-th lowest of its loads, and the battery does at
each step what pays at its price: so orders are of one worth with the plan, and no battery waits at a price that pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.core.work import Spread
from transactive.trading.devices.energy_value import PricePair, tariff_prices
from transactive.trading.devices.neighbours import HeldWorth, held_worth, of_owners, worths
from transactive.trading.devices.plan import Backward

KnownSlot = tuple[IntArray, IntArray, IntArray]
"""What passes on of a slot: worth, (levels, batteries), what is added to prices, (2, batteries), and `_Open.span`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A slot that is not delivered. span: supply price beside the fee, room, and fee [µ¤/kWh]."""

    held: HeldWorth
    span: IntArray


@dataclass(slots=True)
class Neighbours:
    """Plans batteries among neighbours. devices: of all members."""

    devices: Devices
    _open: dict[int, _Open] = field(init=False, default_factory=dict)
    _having: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self._having = np.flatnonzero(self.devices.capacity_wh)

    def plan(
        self,
        community: Forecast,
        forecast: Forecast,
        tariffs: Sequence[Tariff],
        inside: PricePair,
        added: IntArray | None,
        upto: int,
        spread: Spread,
        backward: Backward,
    ) -> list[DeviceRules]:
        """Rules of the batteries beyond what is traded, for the first slots of the forecasts, so many.

        inside: expected prices of deviations, each (slots,); added: what comes to both for some batteries, (2, slots,
        batteries).
        """
        own, slots = self.devices.rows(self._having), len(tariffs)
        more = np.zeros((2, slots, len(self._having)), np.int64) if added is None else added
        need, spare = (
            price[:, None] + each for price, each in zip(tariff_prices(community, tariffs), more, strict=True)
        )
        room = np.array([max(tariff.room, 0) for tariff in tariffs], np.int64)
        samples = community.net_load_wh, forecast.net_load_wh
        found = worths(*samples, own, (need, spare), room, upto, spread=spread, backward=backward)
        rules = []
        for t, (slot, tariff) in enumerate(zip(community.slots[:upto].tolist(), tariffs, strict=False)):
            held = held_worth(found[t], more[:, t], own)
            self._open[slot] = _Open(held, np.array((tariff.grid_cost, tariff.room, tariff.fee), np.int64))
            need_now, spare_now = (price[t : t + 1] for price in inside)
            rules.append(DeviceRules(slot, *held.rules(need_now, spare_now)[:, 0]))
        return rules

    def worth(self, rules: Sequence[DeviceRules]) -> IntArray:
        """What a held Wh is worth in the slots of some rules [µ¤/kWh], (slots, levels, batteries)."""
        return np.stack([self._open[rule.slot].held.worth for rule in rules])

    def at_each_price(
        self, rule: DeviceRules, load_wh: IntArray, charged_wh: IntArray, group: IntArray
    ) -> tuple[DeviceRules, IntArray]:
        """What the rule of a slot is at the price that goes with each load [Wh], (samples, group); and the charge.

        rule: of the group, members with a battery. All samples begin at the level that is expected. The rule as it is
        where no price between neighbours suits both sides.
        """
        samples = len(load_wh)
        expected = charged_wh if charged_wh.ndim == 1 else charged_wh.sum(axis=0) // samples
        charged = np.broadcast_to(expected, load_wh.shape)
        opened = self._open.get(rule.slot)
        if opened is None or (room := int(opened.span[1])) < 0:
            return rule, charged
        steps = opened.span[0] - (2 * np.arange(samples) + 1) * room // (2 * samples)
        levels = opened.held.part(np.searchsorted(self._having, group)).rules(steps + opened.span[2], steps)
        rank = np.argsort(np.argsort(load_wh, axis=0, kind="stable"), axis=0, kind="stable")
        return DeviceRules(rule.slot, *(np.take_along_axis(level, rank, axis=0) for level in levels)), charged

    def promise(self, rule: DeviceRules, held_wh: IntArray) -> DeviceRules:
        """The rule of a slot whose gate has closed. held_wh: bought − sold in it [Wh], (members,)."""
        return replace(rule, promised_wh=of_owners(self.devices, held_wh))

    def over(self, slot: int) -> None:
        """Forget a slot that was delivered, and all before it."""
        for known in [each for each in self._open if each <= slot]:
            del self._open[known]

    @property
    def state(self) -> dict[int, KnownSlot]:
        """What passes from one slot to the next."""
        return {slot: (each.held.worth, each.held.added, each.span) for slot, each in self._open.items()}

    def take_up(self, state: dict[int, KnownSlot]) -> None:
        """Take up the state of an interrupted run."""
        own = self.devices.rows(self._having)
        self._open = {slot: _Open(held_worth(worth, added, own), span) for slot, (worth, added, span) in state.items()}
