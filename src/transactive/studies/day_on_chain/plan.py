"""What each gate of a day on the balance market knows, the curve that follows from it, and what members order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transactive.config.setting import Setting
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Readings
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.engine.observer import Observer
from transactive.engine.recorded import recorded_run
from transactive.market.balance.pricing import PriceCurve

if TYPE_CHECKING:
    from transactive.studies.day_on_chain.twin import OpenSlot

SLIPPAGE = 10


@dataclass(frozen=True, slots=True, eq=False)
class GatePlan:
    """What is known at a slot's gate, and what its meters say later.

    net_load_wh: equally likely samples after the batteries' action, within what devices can give, sorted [Wh],
    (samples, members).
    """

    net_load_wh: IntArray
    readings: Readings
    tariff: Tariff

    @property
    def expected_wh(self) -> IntArray:
        """Median net load [Wh], (members,)."""
        median: IntArray = self.net_load_wh[len(self.net_load_wh) // 2]
        return median


class _Planned(Observer):
    """Keeps what each gate expected, within what devices can give, and what its meters said."""

    def __init__(self, most_export_wh: IntArray) -> None:
        self.most_export_wh, self.expected_wh, self.plans = most_export_wh, dict[int, IntArray](), dict[int, GatePlan]()

    def expected(self, slot: int, net_load_wh: IntArray) -> None:
        self.expected_wh[slot] = np.sort(np.maximum(net_load_wh, -self.most_export_wh), axis=0)

    def settled(self, book: SlotBook) -> None:
        self.plans[book.slot] = GatePlan(self.expected_wh.pop(book.slot), book.readings, book.tariff)


def gate_plans(setting: Setting, slots: range) -> dict[int, GatePlan]:
    """Run the slots, and keep of each what its gate expected and what its meters said."""
    run = recorded_run(setting, slots)
    planned = _Planned(run.devices.pv_wh + run.devices.power_wh)
    run.observers.append(planned)
    run.run()
    return planned.plans


def curve_of(plan: GatePlan) -> PriceCurve:
    """Curve of a slot from its forecast alone: the base lies between floor and cap as energy is likely to be short.

    That is the value of a Wh to the community: the cap where it is sure to need it, the floor where it is sure to have
    too much. Without local production the base is the cap, at which the network can buy outside.
    """
    floor, samples = plan.tariff.feed_in, plan.net_load_wh
    cap = floor + max(plan.tariff.room, 0)
    met = int((samples.sum(axis=1) <= 0).sum())
    base = cap - (cap - floor) * met // len(samples)
    load = max(1, *(int(np.maximum(side, 0).sum()) for side in (plan.expected_wh, -plan.expected_wh)))
    return PriceCurve.for_load(min(max(base, floor + 1), cap - 1), floor, cap, load)


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order of a member: up to `most_wh`, within a limit on their total [n¤]."""

    producing: bool
    most_wh: int
    limit_n: int


def wish(plan: GatePlan, member: int, there: OpenSlot) -> PlannedOrder | None:
    """What a member orders at the quotes of its turn: its best position there, less what it has promised.

    What was not promised trades outside at floor or cap, what was promised and is missing costs their span. So one Wh
    more, sold at price x, gains x − floor if it is delivered and costs the span if not: the best position is the
    quantile of net load that is exceeded with probability (x − floor) / (x − floor + span). For a buyer it is the one
    below which net load falls with probability (cap − x) / (cap − x + span). The price moves with the order; it may do
    so by a SLIPPAGE-th of the span.
    """
    curve, held = there.curve, there.positions.get(member)
    q, span, samples = there.balance.surplus_wh, curve.cap_n - curve.floor_n, plan.net_load_wh[:, member]
    bid, ask = curve.production_price(q), curve.consumption_price(q)
    slip = span // SLIPPAGE
    for producing, price in ((True, bid), (False, ask)):
        if held and held.producing != producing:
            continue
        gain = price - curve.floor_n if producing else curve.cap_n - price
        level = min((span if producing else gain) * len(samples) // (gain + span), len(samples) - 1)
        position = int(-samples[level] if producing else samples[level])
        most = position - (held.energy_wh if held else 0)
        if most > 0:
            limit = max(curve.floor_n, price - slip) if producing else min(curve.cap_n, price + slip)
            return PlannedOrder(producing, most, limit * most)
    return None
