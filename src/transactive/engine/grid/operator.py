"""Who watches the lines of a community's network in a run, and, if it says so, keeps them within their limits.

Three moments of a slot. As plans are made: the forecast of each line; lines at risk get a price that batteries plan
with. At its gate: the forecast again, with what is known by then. At delivery: what meters put on each line; before a
line passes its limit, batteries move beyond their plan, and what they cannot take is held back at the PV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.community.community import Community
from transactive.core.congestion import Congestion, Interventions, LineLoads, Measure, tabled
from transactive.core.ports import Command
from transactive.core.postings import Postings
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import BoolArray, IntArray
from transactive.engine.devices.fleet import Fleet
from transactive.engine.grid.line_book import LineBook, NoLineBook
from transactive.engine.grid.line_limits import within_limits
from transactive.forecasting.congestion import congestion
from transactive.insight.tally import Tally
from transactive.market.mechanisms import Site
from transactive.market.network.line_flows import beyond_wh, line_flows
from transactive.settlement.flexibility import flexibility
from transactive.trading.grid.calls import CallOutcome, at_members, find_prices, relief_wh
from transactive.trading.grid.redispatch import OwnPlans

Told = Callable[[Congestion, bool], None]
"""Hears each forecast of lines, and whether it is one of the day ahead."""
TWIN = 0
"""Key of the twin's charge levels in the state; the others are slots."""
Make = Callable[[IntArray | None], None]
"""Makes the fleet's plan anew, with what lines' prices add at members [µ¤/kWh], (slots, members), or without."""


@dataclass(slots=True, eq=False)
class Asked:
    """What was asked of homes in the slot that is delivered [Wh], (members,); call_price: of `called_wh` [µ¤/kWh]."""

    loads: LineLoads
    called_wh: IntArray
    call_price: IntArray
    moved_wh: IntArray
    curtailed_wh: IntArray


class GridOperator:
    """The network's side of a run; `twin` is the fleet as it would be without prices of lines, from each period on.

    prices: of lines [µ¤/kWh], (lines,), by slot that is planned and not delivered. report: of the slot posted last.
    told: hears of forecasts too, for those who look closer than a run needs.
    """

    report: tuple[LineLoads, Interventions]
    _asked: Asked

    def __init__(self, site: Site, community: Community, fleet: Fleet, book: LineBook | NoLineBook) -> None:
        self.site, self.rules, self.fleet = site, community.grid, fleet
        self.clock, self.accounts = community.clock, Accounts(len(community.members))
        self.flows = line_flows(site.network)
        self.sensitivity_ppm = self.flows.sensitivity_ppm()[:, site.node]
        limits = fleet.most_import_wh
        self.twin = Fleet(fleet.devices, fleet.clock, fleet.prices, fleet.work, fleet.carbon_price, None, limits)
        self.prices: dict[int, IntArray] = {}
        self._unlimited: tuple[IntArray, IntArray] | None = None
        self.book = book
        self.told: Told = lambda *_: None

    # -- before delivery ------------------------------------------------------------------------

    @property
    def state(self) -> dict[int, IntArray]:
        """What passes from one slot to the next: prices by slot, and the twin's charge levels.

        With loads that can wait also the twin's rules, under the slot's negative: no plan of theirs is made again.
        """
        rules = self.twin.rules.items() if self.fleet.shifting else ()
        return {TWIN: self.twin.charged_wh, **self.prices, **{-slot: rule.levels_wh for slot, rule in rules}}

    def take_up(self, state: dict[int, IntArray]) -> None:
        """Take up the state of an interrupted run."""
        self.twin.charged_wh = state.pop(TWIN)
        self.twin.rules = {-key: DeviceRules(-key, *levels) for key, levels in state.items() if key < 0}
        self.prices = {slot: price for slot, price in state.items() if slot > 0}

    def plan(self, slots: range, look_ahead: Callable[[], Forecast], make: Make) -> None:
        """Look at the lines of a period whose plan was made; where one is at risk, make it again with prices.

        look_ahead: gives samples of all members, up to the period's last slot. Where an interrupted run had done so,
        its prices stand.
        """
        if self.rules.manage:
            self.twin.rules |= {slot: self.fleet.rules[slot] for slot in slots}
        nothing = np.zeros(len(self.site.network.start), np.int64)
        known = any(slot in self.prices for slot in slots)
        price = np.stack([self.prices.get(slot, nothing) for slot in slots])
        if known:
            if price.any():
                make(self._at_members(price))
            return
        ahead = look_ahead()
        alone = self.fleet.expected_net_load(ahead, len(slots))
        seen = self._expected(slots, alone)

        def try_prices(price: IntArray) -> CallOutcome:
            at_homes = self._at_members(price)
            make(at_homes)
            expected = self.fleet.expected_net_load(ahead, len(slots))
            relief = relief_wh(at_homes[:, None], alone, expected).sum(axis=1) // expected.shape[1]
            return CallOutcome(self._expected(slots, expected), relief)

        if self.rules.manage:
            rules = self.rules
            price, seen = find_prices(seen, try_prices, self._at_members, rules.risk_ppm, rules.most_call_micro_per_kwh)
            make(self._at_members(price))
        self.prices |= dict(zip(slots, price, strict=True))
        self._keep(seen, ahead=True)

    def expect(self, slot: int, expected: IntArray) -> None:
        """Forecast a slot whose gate closes, from samples of net load [Wh], (samples, members)."""
        self._keep(self._expected(range(slot, slot + 1), expected[None]), ahead=False)

    def _keep(self, seen: Congestion, *, ahead: bool) -> None:
        self.told(seen, ahead)
        self.book.forecast(seen, ahead=ahead)

    def _expected(self, slots: range, net_load_wh: IntArray) -> Congestion:
        flow = self.flows.of_members(self.site.node, net_load_wh)
        network = self.site.network
        return congestion(np.array(slots, np.int64), flow, network.limit_wh, network.back_wh)

    def _at_members(self, price: IntArray) -> IntArray:
        return at_members(price, self.sensitivity_ppm)

    # -- delivery -------------------------------------------------------------------------------

    def deliver(
        self, command: Command, load_wh: IntArray, generation_wh: IntArray
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Generation, charge and discharge of a slot [Wh], (members,), for its real load and possible generation.

        The load holds what loads that can wait were allowed to draw.
        """
        fleet, net_load, slot = self.fleet, load_wh - generation_wh, command.slot
        before, price = fleet.charged_wh, self.prices.pop(slot)
        if self.rules.manage and self.clock.starts_period(slot):
            self.twin.charged_wh = before
        charge, discharge = fleet.deliver(command, net_load)
        flow = unlimited = self._flow(net_load + charge - discharge)
        call_price = self._at_members(price[None])[0]
        called = moved = curtailed = np.zeros_like(load_wh)
        if self.rules.manage:
            twin_charge, twin_discharge = self.twin.deliver(self.twin.command(slot), net_load)
            self.twin.slot_over(slot, self.twin.stored)
            called = relief_wh(call_price, twin_charge - twin_discharge, charge - discharge)
        if self.rules.manage and beyond_wh(self.site.network, flow).any():
            limits = fleet.most_import_wh
            planned = OwnPlans.of(load_wh, generation_wh, (charge, discharge), fleet.devices, before, limits)
            within, flow = within_limits(self.site, slot, planned)
            moved, curtailed = within.net_wh(planned) - within.curtailed_wh - planned.net_wh, within.curtailed_wh
            charge, discharge = within.charge_wh, within.discharge_wh
            fleet.charged_wh = before + charge - fleet.devices.drawn_wh(discharge)
        waited = np.zeros_like(load_wh)
        if self._unlimited:
            wanted, unlimited = self._unlimited
            waited, self._unlimited = wanted - load_wh, None
        self._asked = Asked(LineLoads(slot, flow, unlimited, price), called, call_price, moved - waited, curtailed)
        return generation_wh - curtailed, charge, discharge

    def allow(self, command: Command, load_wh: IntArray, generation_wh: IntArray, draw_wh: IntArray) -> IntArray:
        """What loads that can wait may draw in a slot [Wh], (members,), of what they would beside the other load."""
        if not (self.rules.manage and draw_wh.any()):
            return draw_wh
        load, fleet = load_wh + draw_wh, self.fleet
        charge, discharge, _ = fleet.would_do(command.batteries, load - generation_wh)
        flow = self._flow(load - generation_wh + charge - discharge)
        if not beyond_wh(self.site.network, flow).any():
            return draw_wh
        moved, limits = (charge, discharge), fleet.most_import_wh
        planned = OwnPlans.of(load, generation_wh, moved, fleet.devices, fleet.charged_wh, limits, draw_wh)
        waits = within_limits(self.site, command.slot, planned)[0].waits_wh
        self._unlimited = (load, flow) if waits.any() else None
        return draw_wh - waits

    def _flow(self, net_wh: IntArray) -> IntArray:
        return self.flows.of_members(self.site.node, net_wh)

    # -- after delivery -------------------------------------------------------------------------

    def post(self, slot: int, tariff: Tariff) -> Postings:
        """What the network pays for the delivered slot; its report is made with it."""
        asked = self._asked
        rate = self.rules.compensation_micro_per_kwh
        compensation = max(tariff.grid_cost, 0) if rate is None else rate
        most, call_price = self.rules.most_call_micro_per_kwh, np.abs(asked.call_price)
        moved = np.abs(asked.moved_wh)
        self.report = (asked.loads, self._interventions(asked, most, compensation))
        return flexibility(
            slot, asked.called_wh, call_price, moved, most, asked.curtailed_wh, compensation, self.accounts
        )

    def tell(self, tally: Tally) -> None:
        """Count the slot posted last, and keep it."""
        loads, done = self.report
        tally.add_grid(loads, (self.site.network.limit_wh, self.site.network.back_wh), done)
        self.book.report(loads, done)

    def _interventions(self, asked: Asked, most: int, compensation: int) -> Interventions:
        """What was asked, by the line that it was asked for."""
        network, loads = self.site.network, asked.loads
        over, left = (beyond_wh(network, flow) for flow in (loads.unlimited_wh, loads.flow_wh))
        moved, price = np.abs(asked.moved_wh), np.abs(asked.call_price)
        weights = loads.price[:, None] * self.sensitivity_ppm
        less = -over[:, None] * self.sensitivity_ppm  # above 0 where taking more relieves the line
        rows = [
            *_by_line(Measure.CALL, np.abs(weights), asked.called_wh, asked.called_wh * price),
            *_by_line(Measure.MOVE, less * np.sign(asked.moved_wh), moved, moved * most),
            *_by_line(Measure.CURTAIL, less, asked.curtailed_wh, asked.curtailed_wh * compensation),
            *((line, int(Measure.OPEN), 0, abs(int(left[line])), 0) for line in np.flatnonzero(left).tolist()),
        ]
        return tabled(loads.slot, rows)


def _by_line(
    kind: Measure, weight: IntArray, energy_wh: IntArray, amount_n: IntArray
) -> list[tuple[int, int, int, int, int]]:
    """Rows of one kind: each member's energy goes to the line of its largest weight, (lines, members)."""
    asked: BoolArray = energy_wh > 0
    line = weight.argmax(axis=0)
    return [
        (k, int(kind), int(of.sum()), int(energy_wh[of].sum()), int(amount_n[of].sum()))
        for k in np.unique(line[asked]).tolist()
        for of in [asked & (line == k)]
    ]
