"""Why an order was filled or not, in one sentence that names the figures, as its mechanism decided.

Where orders have one price, the limit against it says all. Where they have their own, a served order says what it paid,
and one that was not says what it lacked: a price within its limit, its turn, a line, or the slot's balance. A mechanism
of somebody else gets a sentence that is true of any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from transactive.store.read.runs import Row
from transactive.texts.formatting import Words, kwh_text
from transactive.texts.language import N_, _
from transactive.web.network_slot import NetworkSlot

FILLED, PARTLY, UNFILLED, REFUSED = N_("filled"), N_("partly"), N_("not filled"), N_("refused")


@dataclass(frozen=True, slots=True)
class Fate:
    """An order with what became of it. price: its limit [µ¤/kWh], energy [Wh]."""

    is_buy: bool
    price: int
    energy_wh: int
    allocated_wh: int
    state: str
    reason: str

    @property
    def state_text(self) -> str:
        """The state in words."""
        return _(self.state)


@dataclass(frozen=True, slots=True)
class MemberOrders:
    """One member's orders for a slot, and their sums [Wh]."""

    member: int
    fates: list[Fate]

    def wh(self, *, buys: bool, allocated: bool) -> int:
        """Energy asked for or allocated on one side."""
        rows = (fate for fate in self.fates if fate.is_buy == buys and fate.state != REFUSED)
        return sum(fate.allocated_wh if allocated else fate.energy_wh for fate in rows)

    def count(self, state: str) -> int:
        """How many orders ended in a state."""
        return sum(fate.state == state for fate in self.fates)


@dataclass(frozen=True, slots=True)
class SlotMarket:
    """What explains the orders of a slot. Prices [µ¤/kWh]; pairs are of buys and of sells.

    best: highest buy limit, lowest sell limit. last: lowest limit of a served buy, highest of a served sell.
    single: whether all that was served has the slot's price. network: with the prices of nodes, where prices have a
    place.
    """

    mechanism: str
    price: int
    traded: bool
    single: bool
    best: tuple[int | None, int | None]
    last: tuple[int | None, int | None]
    network: NetworkSlot | None
    words: Words

    @classmethod
    def of(
        cls, mechanism: str, slot: Row, orders: Sequence[Row], network: NetworkSlot | None, words: Words
    ) -> SlotMarket:
        """Market of a slot from its rows."""
        buys, sells = ([row for row in orders if bool(row["is_buy"]) == side] for side in (True, False))
        served = [[row["price"] for row in side if row["allocated_wh"]] for side in (buys, sells)]
        limits = [[row["price"] for row in side] for side in (buys, sells)]
        best = (max(limits[0], default=None), min(limits[1], default=None))
        last = (min(served[0], default=None), max(served[1], default=None))
        single = has_one_price(slot, orders)
        return cls(mechanism, slot["price"], bool(slot["traded_wh"]), single, best, last, network, words)

    def text(self, micro_per_kwh: int) -> str:
        """A price for people."""
        return self.words.price(micro_per_kwh, 2)


def books(
    mechanism: str,
    slot: Row,
    orders: Sequence[Row],
    refusals: Sequence[Row],
    words: Words,
    network: NetworkSlot | None = None,
) -> list[MemberOrders]:
    """Orders of a slot by member, each with its reason; a member's best limits first."""
    market = SlotMarket.of(mechanism, slot, orders, network, words)
    fates = [(row["member"], _fate(row, market)) for row in orders]
    fates += [(row["member"], _refused(row, words)) for row in refusals]
    fates.sort(key=lambda pair: (pair[0], not pair[1].is_buy, -pair[1].price if pair[1].is_buy else pair[1].price))
    return [
        MemberOrders(member, [fate for _member, fate in pairs])
        for member, pairs in groupby(fates, key=lambda pair: pair[0])
    ]


def state_of(allocated_wh: int, energy_wh: int) -> str:
    """What became of an admitted order."""
    return FILLED if allocated_wh == energy_wh else PARTLY if allocated_wh else UNFILLED


def has_one_price(slot: Row, orders: Sequence[Row]) -> bool:
    """Whether all that was served has the slot's price."""
    return all(abs(row["money_n"]) == abs(row["allocated_wh"] * slot["price"]) for row in orders)


def paid_price(row: Row) -> int | None:
    """Mean price of an order [µ¤/kWh], to the nearest whole one, halves up; None where it got nothing."""
    energy, money = row["allocated_wh"], -row["money_n"] if row["is_buy"] else row["money_n"]
    return (2 * money + energy) // (2 * energy) if energy else None


def _fate(row: Row, market: SlotMarket) -> Fate:
    state = state_of(row["allocated_wh"], row["energy_wh"])
    reason = EXPLAIN.get(market.mechanism, _by_itself)(row, market) if market.traded else _no_trade(row, market)
    return Fate(bool(row["is_buy"]), row["price"], row["energy_wh"], row["allocated_wh"], state, reason)


def _refused(row: Row, words: Words) -> Fate:
    reason = _("%(money)s short of its lock", money=words.money(row["missing_n"], 4))
    return Fate(bool(row["is_buy"]), row["price"], row["energy_wh"], 0, REFUSED, reason)


def _one_price(row: Row, market: SlotMarket) -> str:
    """One price a slot: the limit against it."""
    return _against(row, market.price, _("price %(price)s", price=market.text(market.price)))


def _by_node(row: Row, market: SlotMarket) -> str:
    """One price a node: the limit against that of the member's node, and a better one that full lines keep away."""
    if market.network is None:
        return _by_itself(row, market)
    name, price = market.network.of_member(row["member"])
    reason = _against(row, price, _("price at %(node)s %(price)s", node=name, price=market.text(price)))
    best = int(market.network.price.min() if row["is_buy"] else market.network.price.max())
    suits = best < price and row["price"] >= best if row["is_buy"] else best > price and row["price"] <= best
    if row["allocated_wh"] or not suits or not market.network.congested:
        return reason
    return f"{reason}; {_('%(price)s elsewhere, behind full lines', price=market.text(best))}"


def _as_bid(row: Row, market: SlotMarket) -> str:
    """Who trades is what one price would find; a buy pays its limit, a sell has what its buyers pay."""
    buy = bool(row["is_buy"])
    last = market.last[not buy]
    if row["allocated_wh"]:
        paid = market.text(paid_price(row) or 0)
        if _whole(row):
            return _(N_("pays its limit") if buy else N_("its buyers pay %(price)s"), price=paid)
        shared = N_("marginal, shared pro rata: %(part)s, pays its limit")
        sold = N_("marginal, shared pro rata: %(part)s, its buyers pay %(price)s")
        return _(shared if buy else sold, part=_part(row), price=paid)
    if last is None or row["price"] == last:
        left = N_("at the limit of the last buy served: nothing left for it")
        return _(left if buy else N_("at the limit of the last sell served: nothing left for it"))
    below = N_("limit below that of the last buy served, %(price)s")
    return _(below if buy else N_("limit above that of the last sell served, %(price)s"), price=market.text(last))


def _in_turn(row: Row, market: SlotMarket) -> str:
    """A continuous book: who comes first at the best price."""
    buy = bool(row["is_buy"])
    if row["allocated_wh"]:
        values = {"price": market.text(paid_price(row) or 0), "part": _part(row)}
        if _whole(row):
            return _(N_("met offers at %(price)s") if buy else N_("met bids at %(price)s"), **values)
        offers = N_("met offers at %(price)s for %(part)s, then none within its limit was left")
        return _(
            offers if buy else N_("met bids at %(price)s for %(part)s, then none within its limit was left"), **values
        )
    if not _other_side_within(row, market):
        return _nothing_within(row, market)
    offers = N_("offers within its limit met earlier orders, or better ones")
    return _(offers if buy else N_("bids within its limit met earlier orders, or better ones"))


def _listed(row: Row, market: SlotMarket) -> str:
    """Fixed-price offers: sells stand first, buys take the cheapest one by one."""
    buy = bool(row["is_buy"])
    if row["allocated_wh"]:
        values = {"price": market.text(paid_price(row) or 0), "part": _part(row)}
        if _whole(row):
            return _(N_("took listings at %(price)s") if buy else N_("sold at its price"), **values)
        took = N_("took listings at %(price)s: %(part)s, no other listing within its limit was left")
        return _(took if buy else N_("sold at its price: %(part)s, nobody took the rest"), **values)
    if not _other_side_within(row, market):
        return _nothing_within(row, market)
    taken = N_("listings of others within its limit were taken")
    return _(taken if buy else N_("buyers took cheaper or earlier listings"))


def _balanced(row: Row, market: SlotMarket) -> str:
    """The balance price: against the network, in turn, and only what ends in balance."""
    if not row["allocated_wh"]:
        return _("in its turns the price was beyond its limit, or nothing was left to balance it")
    part = N_("traded in its turn at %(price)s: %(part)s, then its limit or the balance ended it")
    text = N_("traded in its turn at %(price)s") if _whole(row) else part
    return _(text, price=market.text(paid_price(row) or 0), part=_part(row))


def _by_itself(row: Row, market: SlotMarket) -> str:
    """Whatever the mechanism: what it traded at, or that nothing within its limit was left."""
    if market.single:
        return _one_price(row, market)
    if row["allocated_wh"]:
        part = N_("traded at %(price)s: %(part)s, for the rest nothing within its limit was left")
        text = N_("traded at %(price)s") if _whole(row) else part
        return _(text, price=market.text(paid_price(row) or 0), part=_part(row))
    offer = N_("no offer within its limit was left for it")
    return _(offer if row["is_buy"] else N_("no bid within its limit was left for it"))


EXPLAIN: dict[str, Callable[[Row, SlotMarket], str]] = {
    "pay_as_bid": _as_bid,
    "continuous": _in_turn,
    "listings": _listed,
    "balance": _balanced,
    "locational": _by_node,
}
"""Ours that have more to say; uniform and preferences read as one price unless sessions or premiums make several."""


def _against(row: Row, price: int, name: str) -> str:
    """A limit against the price that held for the order."""
    gain = (row["price"] - price) * (1 if row["is_buy"] else -1)
    above = row["price"] > price
    if not gain:
        text = N_("limit at the %(price)s: marginal, nothing left for it")
        if _whole(row):
            text = N_("limit at the %(price)s: marginal, served in full")
        elif row["allocated_wh"]:
            text = N_("marginal, shared pro rata: %(part)s")
    elif _whole(row) or (gain < 0 and not row["allocated_wh"]):
        text = N_("limit above the %(price)s") if above else N_("limit below the %(price)s")
    elif row["allocated_wh"]:
        text = N_("limit above the %(price)s: %(part)s") if above else N_("limit below the %(price)s: %(part)s")
    else:
        text = N_("limit above the %(price)s, but nothing left")
        text = text if above else N_("limit below the %(price)s, but nothing left")
    return _(text, price=name, part=_part(row))


def _no_trade(row: Row, market: SlotMarket) -> str:
    """Where nothing traded: the other side's best limit, or, where limits meet, what stood between them."""
    bid, ask = market.best
    if bid is None or ask is None or bid < ask:
        return _nothing_within(row, market)
    return _(NOTHING_TRADED.get(market.mechanism, N_("limits meet, but nothing was traded")))


NOTHING_TRADED = {
    "locational": N_("limits meet, but no line between them carries anything"),
    "balance": N_("limits meet, but the slot did not come into balance"),
    "listings": N_("only listings of its own member were within its limit"),
}


def _nothing_within(row: Row, market: SlotMarket) -> str:
    """The other side is empty, or its best limit is beyond the order's."""
    buy = bool(row["is_buy"])
    other = market.best[buy]
    if other is None:
        return _("nobody offered") if buy else _("nobody asked")
    if market.traded:
        offer = N_("no offer within its limit: the best is %(price)s")
        return _(offer if buy else N_("no bid within its limit: the best is %(price)s"), price=market.text(other))
    lowest = N_("no price suits both sides: lowest offer %(price)s")
    return _(lowest if buy else N_("no price suits both sides: highest bid %(price)s"), price=market.text(other))


def _other_side_within(row: Row, market: SlotMarket) -> bool:
    """Whether any order of the other side is within the limit."""
    buy = bool(row["is_buy"])
    other = market.best[buy]
    return other is not None and (other <= row["price"] if buy else other >= row["price"])


def _whole(row: Row) -> bool:
    return bool(row["allocated_wh"] == row["energy_wh"])


def _part(row: Row) -> str:
    got, asked = kwh_text(row["allocated_wh"], 3), kwh_text(row["energy_wh"], 3)
    return _("%(got)s of %(asked)s kWh", got=got, asked=asked)
