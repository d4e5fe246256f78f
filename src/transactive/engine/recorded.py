"""A run on recorded data: its forecaster is chosen, then the kernel is built, with chain and database or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transactive.config.setting import Setting
from transactive.core.ports import Ports
from transactive.core.slot_book import SlotBook
from transactive.core.slots import DAY
from transactive.core.units import NANO
from transactive.engine.books.logged_acts import LoggedActs, NoActs
from transactive.engine.books.signed_run import Gateway
from transactive.engine.devices.building import fleet_of
from transactive.engine.devices.fleet import IN_TURN, Prices, Work
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.devices.replayed import ReplayedDevices
from transactive.engine.grid.line_book import LineBook, NoLineBook
from transactive.engine.grid.operator import GridOperator
from transactive.engine.grid.unwatched import Unwatched
from transactive.engine.kernel import Kernel
from transactive.engine.models import choice
from transactive.engine.models.recorded_submissions import RecordedSubmissions
from transactive.engine.planning.period_plans import Planners
from transactive.forecasting.series import FloatArray
from transactive.market import mechanisms
from transactive.trading.devices.energy_value import inside_prices, tariff_prices

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.store import Store


def recorded_run(
    setting: Setting,
    slots: range,
    gateway: Gateway | None = None,
    *,
    chain: CommunityChain | None = None,
    store: Store | None = None,
    prices: Prices = inside_prices,
    work: Work = IN_TURN,
    billed: Setting | None = None,
) -> Kernel:
    """Kernel of a run over recorded slots, with the forecaster that the community names or the days before chose.

    billed: the same data under other rules, by which what people do is settled.
    """
    community = setting.community
    clock = ReplayClock(community.clock.gate(slots[0]))
    past, site = RecordedHistory.of(setting, clock), mechanisms.site_of(community)
    sharing = community.sharing_in_force
    alone = sharing is not None and sharing.incentive is not None  # the supplier then bills every meter as if alone
    expected = tariff_prices if alone else prices
    fleet = fleet_of(community, expected, work, community.carbon_price, among=community.plans_among)
    baseline = fleet_of(community, tariff_prices, work)
    lines = LineBook(store) if store else NoLineBook()
    operator = GridOperator(site, community, fleet, lines) if site else Unwatched(fleet)
    devices = ReplayedDevices(past, fleet, baseline, operator)
    acts, heard = LoggedActs(store) if store else NoActs(), RecordedSubmissions(setting.submitted)
    ports = Ports(clock, meters=devices, commands=devices, acts=acts, forecasts=heard)
    planners = Planners(fleet, baseline, operator)
    chosen = forecaster_of(setting, slots)
    return Kernel(setting, slots, ports, planners, chosen, gateway, chain=chain, store=store, billed=billed)


def forecaster_of(setting: Setting, slots: range) -> str:
    """Name of a run's forecaster; with auto the days before it are run under each candidate."""
    return choice.forecaster(setting, slots, daily_cost)


def daily_cost(setting: Setting, slots: range, name: str) -> FloatArray:
    """What all members together pay on each day under a forecaster [¤], (days,); a gain is below 0."""
    paid: list[int] = []
    accounts = setting.community.chart

    def count(record: SlotBook) -> None:
        paid.append(-int(record.postings.net_n(accounts.total)[: accounts.members].sum()))

    recorded_run(choice.under(setting, name), slots).run(count)
    per_day = DAY // setting.community.clock.length
    cost: FloatArray = np.array(paid, np.float64).reshape(-1, per_day).sum(axis=1) / NANO
    return cost
