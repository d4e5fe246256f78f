"""One door for every kind of mechanism: orders in; clearing, positions and money out, at however many prices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transactive.core.community.community import Community
from transactive.core.community.limits import Limits
from transactive.core.community.network import Network, network_of
from transactive.core.community.rules import DirectRules
from transactive.core.community.sharing_rules import SHARING
from transactive.core.errors import ConfigError
from transactive.core.tables import Clearing, Orders, stacked
from transactive.core.tariff import PriceGrid
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.market import fills as market_fills
from transactive.market import registry
from transactive.market.auction import preferences, uniform
from transactive.market.deals import Deals, Traffic, in_book, rest_of
from transactive.market.fills import OrderFills, check_fills
from transactive.market.network.line_flows import line_flows
from transactive.market.network.locational import losses_n
from transactive.market.nodal import NodalClearing
from transactive.market.registry import AnyMechanism, ByDeal, ByNode, ByOrder, ByTrade
from transactive.market.rules import check_clearing


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Where members are on a network. node: of each member, counted from 0, (members,)."""

    node: IntArray
    network: Network


@dataclass(frozen=True, slots=True, eq=False)
class Cleared:
    """What one clearing did. money_n: received − paid by each order [n¤], (orders,). nodal: what a network did.

    added: orders that deals of members added below those of the book; clearing and money have rows for them too.
    deals, traffic: what members agreed on with each other, and what it took.
    """

    clearing: Clearing
    positions: Positions
    money_n: IntArray
    nodal: NodalClearing | None = None
    added: Orders | None = None
    deals: Deals | None = None
    traffic: Traffic | None = None

    def book(self, orders: Orders) -> Orders:
        """The orders that were cleared, with those that deals added."""
        return orders if self.added is None else stacked(orders, self.added)

    def asked(self, book: Orders) -> Orders:
        """The orders of such a book without those that deals added."""
        return book if self.added is None else book.only(np.arange(len(book) - len(self.added)))


def site_of(community: Community) -> Site | None:
    """The community's network and its members' nodes; None if it names none. Raises DataError as `network_of` does."""
    if community.network is None:
        return None
    network = network_of(community.network)
    number = {name: position for position, name in enumerate(network.names)}
    return Site(np.array([number[member.node or ""] for member in community.members], np.int64), network)


def at_flow_of(site: Site, net_wh: IntArray) -> Site:
    """The site whose lines lose the parts that they have at the flow of what members take on balance [Wh], (members,).

    A line that loses a part whatever flows keeps it.
    """
    network = site.network
    if network.loss_at_limit_ppm is None:
        return site
    return Site(site.node, network.at_flow(line_flows(network).of_members(site.node, net_wh)))


def mechanism_of(community: Community) -> AnyMechanism:
    """The community's mechanism, with its members' wishes where it hears them. Raises ConfigError as `load` does."""
    if community.market.mechanism == SHARING:
        return registry.load("uniform")  # for the empty books that sharing has
    mechanism = registry.load(community.market.mechanism)
    if isinstance(mechanism, ByDeal):
        return mechanism.under(community.direct or DirectRules())
    return preferences.heard(community.members) if mechanism is preferences.MECHANISM else mechanism


def join(first: Cleared, second: Cleared) -> Cleared:
    """Two clearings of one slot as one: each trade at its price, and what members shall take and give on balance.

    The price is what buyers paid on average, halves up, and the traded energy is what somebody shall deliver.
    """
    positions = first.positions.and_then(second.positions).netted()
    money = np.concatenate((first.money_n, second.money_n))
    bought = int((positions.energy_wh * positions.is_buy).sum())
    paid = int((positions.energy_wh * positions.price * positions.is_buy).sum())
    clearing = Clearing(
        slot=positions.slot,
        price=(2 * paid + bought) // (2 * bought) if bought else 0,
        traded_wh=int(positions.bought_wh.sum()),
        allocated_wh=np.concatenate((first.clearing.allocated_wh, second.clearing.allocated_wh)),
        bought_wh=positions.bought_wh,
        sold_wh=positions.sold_wh,
    )
    return Cleared(clearing, positions, money)


def clear(
    mechanism: AnyMechanism,
    orders: Orders,
    grid: PriceGrid,
    members: int,
    site: Site | None = None,
    limits: Limits | None = None,
) -> Cleared:
    """Clear the orders of one slot with a mechanism of any kind.

    limits: of members, which orders keep to and deals that undo others must, too; None: nobody limits anything.

    Raises DataError as the mechanism does, ConfigError where it needs a network and there is none, RuleBroken if it
    breaks the rules of `check_clearing` or `check_fills`.
    """
    if isinstance(mechanism, ByOrder):
        return _by_fills(orders, mechanism.clear(orders, grid, members), members)
    if isinstance(mechanism, ByTrade):
        return _by_fills(orders, market_fills.of_trades(mechanism.clear(orders, grid, members)), members)
    if isinstance(mechanism, ByDeal):
        return _by_deals(mechanism, orders, grid, members, limits or Limits.none(members))
    if isinstance(mechanism, ByNode):
        if site is None:
            raise ConfigError("prices by location need a network; give the community one, or choose another mechanism")
        node = site.node[orders.member]
        nodal = mechanism.clear(orders, grid, members, node, site.network)
        cleared = _by_fills(orders, market_fills.of_nodes(nodal, node), members, int(nodal.lost_wh.sum()))
        positions = cleared.positions.losing(int(nodal.lost_wh.sum()), losses_n(site.network, nodal))
        return replace(cleared, positions=positions, nodal=nodal)
    clearing = mechanism(orders, grid, members)
    check_clearing(orders, clearing)
    positions = Positions.at_one_price(clearing.slot, clearing.price, clearing.bought_wh, clearing.sold_wh)
    signed = np.where(orders.is_buy, -clearing.allocated_wh, clearing.allocated_wh)
    return Cleared(clearing, positions, signed * clearing.price)


def _by_deals(mechanism: ByDeal, orders: Orders, grid: PriceGrid, members: int, limits: Limits) -> Cleared:
    """Deals of members; what they leave goes to an auction, if the mechanism says so."""
    made = mechanism.clear(orders, grid, members, limits)
    added, fills = in_book(orders, made.deals)
    book = stacked(orders, added)
    if mechanism.rest == "auction":
        rest, rows = rest_of(book, fills)
        one_price = uniform.clear(rest, grid, members)
        got = np.flatnonzero(one_price.allocated_wh)
        price = np.full(len(got), one_price.price, np.int64)
        fills = stacked(fills, OrderFills(orders.slot, rows[got], one_price.allocated_wh[got], price))
    cleared = _by_fills(book, fills, members)
    positions = cleared.positions.netted() if len(added) else cleared.positions
    clearing = replace(
        cleared.clearing,
        traded_wh=int(positions.bought_wh.sum()),
        bought_wh=positions.bought_wh,
        sold_wh=positions.sold_wh,
    )
    return replace(cleared, clearing=clearing, positions=positions, added=added, deals=made.deals, traffic=made.traffic)


def _by_fills(orders: Orders, fills: OrderFills, members: int, lost_wh: int = 0) -> Cleared:
    """What many prices come down to; the clearing's price is what buyers pay on average, halves up."""
    check_fills(orders, fills, lost_wh)
    positions, money = fills.positions(orders, members), fills.money_n(orders)
    traded, paid = int(positions.bought_wh.sum()), -int(money[orders.is_buy].sum())
    price = (2 * paid + traded) // (2 * traded) if traded else 0
    given = fills.allocated_wh(len(orders))
    clearing = Clearing(orders.slot, price, traded, given, positions.bought_wh, positions.sold_wh)
    return Cleared(clearing, positions, money)
