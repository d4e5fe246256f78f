"""One mechanism on trial: a walk under it, and in every slot what somebody would gain who did not tell the truth.

The walk has every room on but neither chain nor database, so the mechanism's prices reach funds, settlement and bills
as they would in a run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from transactive.chain.gas import settlement_gas
from transactive.config.setting import Setting
from transactive.core.community.network import Network
from transactive.core.errors import require
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.engine.kernel import Kernel
from transactive.engine.observer import Observer
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import bills_of
from transactive.insight.shares import ratio
from transactive.insight.studies import comparison
from transactive.insight.studies.comparison import MechanismFigures, Variant
from transactive.market import incentives, mechanisms
from transactive.market.mechanisms import Cleared
from transactive.market.network.line_flows import line_flows

MOST_ALTERED = 30
"""Orders of a slot that are altered: with more served ones, so many spread evenly over the book."""
SHADE_PARTS = 20
"""A limit is understated by this part of the slot's allowed prices, in whole ticks and one at least."""


def under(setting: Setting, variant: Variant) -> Setting:
    """The same community and data under another mechanism, and another price of carbon or levy where it has one."""
    changed, community = msgspec.structs.replace, setting.community
    community = changed(community, market=changed(community.market, mechanism=variant.name))
    if (price := variant.carbon_price_per_t) is not None:
        members = tuple(changed(member, carbon_price_per_t=price) for member in community.members)
        community = changed(community, members=members)
    if variant.levy is not None:
        levy = changed(community.carbon.levy, mode=variant.levy)
        community = changed(community, carbon=changed(community.carbon, levy=levy))
    return replace(setting, community=community)


def trial(
    setting: Setting, slots: range, variant: Variant, timer: Callable[[], float], after_slot: Callable[[], None]
) -> MechanismFigures:
    """Walk through the slots under one variant and sum up; timer: a clock in seconds for clearing."""
    walk = recorded_run(under(setting, variant), slots)
    seen = Seen(walk, timer)
    walk.observers.append(seen)

    walk.run(lambda _: after_slot())
    return seen.figures(variant)


@dataclass(slots=True)
class Seen(Observer):
    """What the sessions and slots of one walk gave. Gains: one entry for each member that traded in a session.

    flow_wh: of the lines in slots that are not settled yet, (lines,).
    """

    walk: Kernel
    timer: Callable[[], float]
    prices: list[int | None] = field(default_factory=list)
    welfare_n: int = 0
    buyers_n: int = 0
    turnover_n: int = 0
    left_over_n: int = 0
    flow_wh: dict[int, IntArray] = field(default_factory=dict)
    congested: int | None = None
    seconds: float = 0.0
    sessions: int = 0
    withheld_n: list[int] = field(default_factory=list)
    shaded_n: list[int] = field(default_factory=list)
    altered: int = 0
    datagrams: int = 0
    sent_bytes: int = 0

    def cleared(self, orders: Orders, grid: PriceGrid, cleared: Cleared) -> None:
        """Count a session as it clears, and clear it again with untrue orders.

        Members that negotiate would do so anew for each untrue order, which takes too long: their gains are not sought.
        """

        def clear(book: Orders) -> Cleared:
            walk, limits = self.walk, self.walk.gates.limits(book.slot)
            return mechanisms.clear(walk.mechanism, book, grid, walk.accounts.members, walk.site, limits)

        began = self.timer()
        again = clear(cleared.asked(orders))
        self.seconds += self.timer() - began
        self.sessions += 1
        require(again.clearing.digest() == cleared.clearing.digest(), "equal orders clear equally")
        if cleared.traffic is not None:
            self.datagrams += cleared.traffic.datagrams
            self.sent_bytes += cleared.traffic.sent_bytes
        surplus = incentives.surplus_n(orders, cleared, orders.price)
        left_over = cleared.positions.surplus_n
        self.welfare_n += int(surplus.sum()) + left_over
        self.buyers_n += int(surplus[orders.is_buy].sum())
        self.turnover_n -= int(cleared.money_n[orders.is_buy].sum())
        self.left_over_n += left_over
        if cleared.traffic is None:
            step = max(grid.size // SHADE_PARTS, 1) * grid.tick
            gains = incentives.gains(clear, orders, cleared, grid, step, MOST_ALTERED)
            self.withheld_n += gains.withheld_n
            self.shaded_n += gains.shaded_n
            self.altered += gains.altered
        if site := self.walk.site:
            if cleared.nodal:
                flow = cleared.nodal.flow_wh
            else:
                net = cleared.positions.bought_wh - cleared.positions.sold_wh
                flow = line_flows(site.network).of_members(site.node, net)
            self.flow_wh[orders.slot] = self.flow_wh.get(orders.slot, 0) + flow

    def settled(self, book: SlotBook) -> None:
        """Count a settled slot."""
        self.prices.append(book.clearing.price if book.clearing.traded_wh else None)
        flow = self.flow_wh.pop(book.slot, None)
        if flow is not None and self.walk.site:
            self.congested = (self.congested or 0) + congested(self.walk.site.network, flow)

    def figures(self, variant: Variant) -> MechanismFigures:
        """Everything in one row."""
        walk, tally, slots = self.walk, self.walk.tally, len(self.prices)
        bills = bills_of(walk)
        saved = [bill.saved_n for bill in bills]
        return MechanismFigures(
            **msgspec.structs.asdict(variant),
            bill_n=str(sum(bill.with_market_n - bill.with_market_credit_n for bill in bills)),
            levy_n=str(int(tally.levy_n.sum()) if walk.levies.posted(walk.slots[-1]) else 0),
            location_mg=int(tally.location_mg.sum()),
            market_mg=int(tally.market_mg.sum()),
            orders=tally.orders,
            refused=tally.refused,
            traded_wh=tally.traded_wh,
            trading_slots=sum(price is not None for price in self.prices),
            welfare_n=str(self.welfare_n),
            buyers_share=ratio(self.buyers_n, self.welfare_n),
            left_over_n=str(self.left_over_n),
            congested_slots=self.congested,
            price=comparison.rounded(self.turnover_n, tally.traded_wh),
            price_jump=comparison.jump(self.prices),
            saved_n=str(sum(saved)),
            saved_least_n=str(min(saved)),
            saved_median_n=str(comparison.median(saved)),
            saved_most_n=str(max(saved)),
            members_worse_off=sum(part < 0 for part in saved),
            gini=comparison.gini(saved),
            gas=settlement_gas(walk.accounts.on_chain, slots, walk.clock.slots_per_period),
            withheld_mean_n=str(comparison.mean(self.withheld_n) or 0),
            withheld_most_n=str(max(self.withheld_n, default=0)),
            shaded_mean_n=str(comparison.mean(self.shaded_n) or 0),
            shaded_most_n=str(max(self.shaded_n, default=0)),
            altered=self.altered,
            datagrams=self.datagrams or None,
            sent_bytes=self.sent_bytes or None,
            clearing_ms=round(1_000 * self.seconds / self.sessions, 3),
            prices=tuple(self.prices),
            saved=tuple(map(str, saved)),
        )


def congested(network: Network, flow_wh: IntArray) -> bool:
    """Whether a line is full or beyond its limit."""
    return bool(((flow_wh > 0) & (flow_wh >= network.limit_wh) | (flow_wh < 0) & (-flow_wh >= network.back_wh)).any())
