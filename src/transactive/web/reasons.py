"""Why an order was filled or not, in one sentence that names the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from transactive.core.units import kwh_text
from transactive.web.network_part import NetworkSlot
from transactive.web.queries import Row
from transactive.web.words import Words

FILLED, PARTLY, UNFILLED, REFUSED = "filled", "partly", "not filled", "refused"


@dataclass(frozen=True, slots=True)
class Fate:
    """An order with what became of it. Prices [µ¤/kWh], energy [Wh]."""

    is_buy: bool
    price: int
    energy_wh: int
    allocated_wh: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Book:
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
class Quote:
    """The price [µ¤/kWh] that decides an order, and its name; elsewhere: a better one that full lines keep from it."""

    price: int
    name: str = "the price"
    elsewhere: int | None = None


def books(
    slot: Row, orders: Sequence[Row], refusals: Sequence[Row], words: Words, network: NetworkSlot | None = None
) -> list[Book]:
    """Orders of a slot by member, each with its reason; a member's best limits first."""
    best = _best(orders)
    fates = [(row["member"], _fate(row, slot, best, words, network)) for row in orders]
    fates += [(row["member"], _refused(row, words)) for row in refusals]
    fates.sort(key=lambda pair: (pair[0], not pair[1].is_buy, -pair[1].price if pair[1].is_buy else pair[1].price))
    return [Book(member, [fate for _, fate in pairs]) for member, pairs in groupby(fates, key=lambda pair: pair[0])]


def state_of(allocated_wh: int, energy_wh: int) -> str:
    """What became of an admitted order."""
    return FILLED if allocated_wh == energy_wh else PARTLY if allocated_wh else UNFILLED


def _best(orders: Sequence[Row]) -> tuple[int | None, int | None]:
    """Highest buy and lowest sell limit [µ¤/kWh]."""
    buys = [row["price"] for row in orders if row["is_buy"]]
    sells = [row["price"] for row in orders if not row["is_buy"]]
    return max(buys, default=None), min(sells, default=None)


def _fate(row: Row, slot: Row, best: tuple[int | None, int | None], words: Words, network: NetworkSlot | None) -> Fate:
    buy = bool(row["is_buy"])
    state = state_of(row["allocated_wh"], row["energy_wh"])
    if network:
        reason = _reason(row, _quote(row, network), words, state)
    else:
        reason = _reason(row, Quote(slot["price"]), words, state) if slot["traded_wh"] else _no_trade(buy, best, words)
    return Fate(buy, row["price"], row["energy_wh"], row["allocated_wh"], state, reason)


def _quote(row: Row, network: NetworkSlot) -> Quote:
    """Price at an order's node, and a better one for it elsewhere where full lines are in the way."""
    name, price = network.of_member(row["member"])
    best = int(network.price.min() if row["is_buy"] else network.price.max())
    suits = best < price and row["price"] >= best if row["is_buy"] else best > price and row["price"] <= best
    return Quote(price, f"the price at {name}", best if suits and network.congested else None)


def _reason(row: Row, quote: Quote, words: Words, state: str) -> str:
    """The limit against the price."""
    buy, price = bool(row["is_buy"]), f"{quote.name} {words.price(quote.price, 2)}"
    gain = (row["price"] - quote.price) * (1 if buy else -1)
    better, worse = ("above", "below") if buy else ("below", "above")
    if state == FILLED:
        return f"limit at {price}: marginal, served in full" if not gain else f"limit {better} {price}"
    if state == PARTLY:
        given = f"{kwh_text(row['allocated_wh'], 3)} of {kwh_text(row['energy_wh'], 3)} kWh"
        return f"marginal, shared pro rata: {given}"
    if gain < 0:
        held = "" if quote.elsewhere is None else f"; {words.price(quote.elsewhere, 2)} elsewhere, behind full lines"
        return f"limit {worse} {price}{held}"
    return f"limit at {price}: marginal, nothing left for it"


def _no_trade(buy: bool, best: tuple[int | None, int | None], words: Words) -> str:
    """Where nothing traded: the other side's best limit."""
    bid, ask = best
    other = ask if buy else bid
    if other is None:
        return "nobody offered" if buy else "nobody asked"
    side = "lowest offer" if buy else "highest bid"
    return f"no price suits both sides: {side} {words.price(other, 2)}"


def _refused(row: Row, words: Words) -> Fate:
    reason = f"{words.money(row['missing_n'], 4)} short of its lock"
    return Fate(bool(row["is_buy"]), row["price"], row["energy_wh"], 0, REFUSED, reason)
