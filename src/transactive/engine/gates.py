"""Gates: what agents see when a market closes in a run, and how they are asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.limits import Limits
from transactive.core.proofs.members.member_acts import MemberAct
from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.engine.authorisations import Authorisations
from transactive.engine.devices.fleet import Fleet
from transactive.trading.agents.order_gathering import OrderGatherer
from transactive.trading.agents.protocol import MarketSight
from transactive.trading.curves import remaining_orders


class Gates:
    """The members' side of each market: their wishes, agents and limits."""

    def __init__(self, community: Community, fleet: Fleet, authorisations: Authorisations) -> None:
        self.agents = OrderGatherer(community.agents)
        self._fleet, self._authorisations = fleet, authorisations
        self._most_export_wh = community.devices.pv_wh + community.devices.power_wh
        self._gate: MarketSight | None = None

    def take_up(self, slot: int, acts: Sequence[MemberAct]) -> None:
        """Take up what members did, before a market for a slot closes. Raises SignatureError."""
        self._authorisations.take_up(slot, acts)

    def limits(self, slot: int) -> Limits:
        """What members allow in a slot."""
        return self._authorisations.limits(slot)

    def orders(
        self,
        slot: int,
        expected: IntArray,
        held: IntArray | None,
        tariff: Tariff,
        grid: PriceGrid,
        premium: IntArray | None,
        *,
        is_void: bool = False,
    ) -> Orders:
        """Orders of a slot, from what is held [Wh] after an earlier session of it, None without one.

        There is none where no price between neighbours suits both sides, and none for a gate that is void.

        expected: samples of net load [Wh], (samples, members). premium: as `curve_orders` takes it.
        """
        if is_void or not tariff.meets:
            self._gate = None
            nothing = np.empty(0, np.int64)
            return Orders(slot, nothing, nothing.astype(np.bool_), nothing, nothing, nothing)
        holding = np.zeros(expected.shape[1], np.int64) if held is None else held
        wish = remaining_orders(slot, expected, self._most_export_wh, holding, tariff, grid, premium)
        self._gate = MarketSight(
            session=0 if held is None else 1,
            chances=0,
            wish=wish,
            expected_wh=expected - holding,
            held_wh=holding,
            most_export_wh=self._most_export_wh + holding,
            plan_wh=self._fleet.rules[slot].levels_wh,
            charged_wh=self._fleet.charged_wh,
            tariff=tariff,
            grid=grid,
            limits=self.limits(slot).suiting(tariff.own),
            prices=self.agents.prices,
        )
        return self.agents.orders(self._gate)

    def cleared(self, orders: Orders, clearing: Clearing) -> None:
        """Tell the agents what became of the orders that entered."""
        if self._gate is not None:
            self.agents.learn(self._gate, orders, clearing)
