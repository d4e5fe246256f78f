"""Fixed-price listings: who has energy names a price, who wants it takes a listing, the whole or a part.

A sale stands at its price until it is sold out, taken back or expired; a buyer takes one by its number, or whatever is
cheapest within its limit, earlier ones first, never its own. A request is the other way round: a buyer's fixed price
that a seller may answer. Every deal is paid Wh x the listed price. The same steps on `trade_board.vy` have the same
results: `tests/twins/trade_board.py` is the oracle of the tests.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from transactive.core.errors import DataError
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.auction.uniform import check_orders, tick_indices
from transactive.market.registry import ByTrade
from transactive.market.trades import Trades, check_trades

NONE = -1
NEVER = 2**63 - 1
"""Time at which a listing expires that is not limited."""


class ListingRefusal(StrEnum):
    """Why a step changes nothing."""

    AMOUNT = "bad amount"
    EXPIRY = "bad expiry"
    EXPIRED = "expired"
    EMPTY = "nothing left"
    NOT_YOURS = "not yours"
    OWN = "own trade"
    UNKNOWN = "no such listing"


@dataclass(slots=True)
class Listing:
    """A sale, or a request to buy: price [µ¤/kWh], what is left of it [Wh], first time [s] at which it is over."""

    maker: int
    is_sale: bool
    price: int
    left_wh: int
    expires_s: int


@dataclass(frozen=True, slots=True)
class Deal:
    """What somebody took of a listing; the buyer pays energy_wh x price [n¤]."""

    listing: int
    buyer: int
    seller: int
    energy_wh: int
    price: int


@dataclass(slots=True)
class Board:
    """Listings of one slot, in the order in which they came; `gate_s`: no listing lasts longer."""

    gate_s: int = NEVER
    listings: list[Listing] = field(default_factory=list)
    _cheapest: list[tuple[int, int]] = field(default_factory=list)

    def put(
        self, maker: int, price: int, energy_wh: int, now: int, expires_s: int | None = None, *, is_sale: bool
    ) -> int | ListingRefusal:
        """List energy for sale, or request it; returns the number of the listing."""
        if energy_wh <= 0:
            return ListingRefusal.AMOUNT
        end = self.gate_s if expires_s is None else expires_s
        if not now < end <= self.gate_s:
            return ListingRefusal.EXPIRY
        self.listings.append(Listing(maker, is_sale, price, energy_wh, end))
        if is_sale:
            insort(self._cheapest, (price, len(self.listings) - 1))
        return len(self.listings) - 1

    def take(self, member: int, number: int, energy_wh: int, now: int) -> Deal | ListingRefusal:
        """Buy from a sale or answer a request: exactly so much of it."""
        if not 0 <= number < len(self.listings):
            return ListingRefusal.UNKNOWN
        found = self.listings[number]
        if now >= found.expires_s:
            return ListingRefusal.EXPIRED
        if member == found.maker:
            return ListingRefusal.OWN
        if not 0 < energy_wh <= found.left_wh:
            return ListingRefusal.AMOUNT
        found.left_wh -= energy_wh
        pair = (member, found.maker) if found.is_sale else (found.maker, member)
        return Deal(number, *pair, energy_wh, found.price)

    def take_cheapest(self, buyer: int, most: int, energy_wh: int, now: int) -> Iterator[Deal]:
        """Buy up to `energy_wh` from the cheapest sales of others at no more than `most` [µ¤/kWh]."""
        passed, seen = list[tuple[int, int]](), 0  # of the listings seen, those that still stand
        for place, (price, number) in enumerate(self._cheapest):
            found = self.listings[number]
            if not energy_wh or price > most:
                break
            deal = self.take(buyer, number, min(energy_wh, found.left_wh), now)
            if isinstance(deal, Deal):
                energy_wh -= deal.energy_wh
                yield deal
            if found.left_wh and now < found.expires_s:
                passed.append((price, number))
            seen = place + 1
        if len(passed) < seen:
            self._cheapest[:seen] = passed

    def cancel(self, maker: int, number: int) -> int | ListingRefusal:
        """Take back what is left of a listing; returns it [Wh]."""
        if not 0 <= number < len(self.listings):
            return ListingRefusal.UNKNOWN
        found = self.listings[number]
        if maker != found.maker:
            return ListingRefusal.NOT_YOURS
        left, found.left_wh = found.left_wh, 0
        return left or ListingRefusal.EMPTY


@dataclass(frozen=True, slots=True, eq=False)
class ListingSteps:
    """When orders arrive [s], and which listing they name, shape (orders,).

    named: row of another order, NONE for none. expires_s: of a listing, NEVER for none.
    """

    at_s: IntArray
    named: IntArray
    expires_s: IntArray

    @classmethod
    def none(cls, orders: int) -> ListingSteps:
        """All at once, naming nothing."""
        columns = (np.full(orders, value, np.int64) for value in (0, NONE, NEVER))
        return cls(*columns)


def clear(orders: Orders, grid: PriceGrid, members: int, steps: ListingSteps | None = None) -> Trades:
    """Let the orders of one slot come to a board in the order of their time.

    At one time sells that name nothing are listed first; then buys take what they name, or what is cheapest and ask for
    the rest at their limit; then sells answer the requests that they name. A named listing is taken at its price, as
    far as it is within the limit and there is enough. Raises DataError as `uniform.clear` does, and for an order that
    names one of its own side.
    """
    check_orders(orders, members)
    tick_indices(orders.price, grid)
    steps = steps or ListingSteps.none(len(orders))
    is_buy, named = orders.is_buy, steps.named
    other = named != NONE
    if (is_buy[named[other]] == is_buy[other]).any():
        raise DataError("a buy names a sell and a sell names a buy; correct the listing")
    phase = np.where(is_buy, 1, np.where(other, 2, 0))
    board, at, deals = Board(), dict[int, int](), list[tuple[int, Deal]]()
    rows = list(zip(*(c.tolist() for c in (orders.member, is_buy, orders.price, orders.energy_wh)), strict=True))
    for row in np.lexsort((phase, steps.at_s)).tolist():
        member, buying, price, energy = rows[row]
        now, expires = int(steps.at_s[row]), int(steps.expires_s[row])
        if other[row]:
            deals += _named(board, at.get(int(named[row])), rows[row], now, row)
            continue
        if buying:
            found = [(row, deal) for deal in board.take_cheapest(member, price, energy, now)]
            deals += found
            energy -= sum(deal.energy_wh for _, deal in found)
        number = board.put(member, price, energy, now, expires, is_sale=not buying)
        if not isinstance(number, ListingRefusal):
            at[row] = number
    return _trades(orders, deals, at)


def _named(
    board: Board, number: int | None, order: tuple[int, bool, int, int], now: int, row: int
) -> list[tuple[int, Deal]]:
    """Deal with a named listing, if it stands within the limit and has something left."""
    member, buying, price, energy = order
    if number is None:
        return []
    found = board.listings[number]
    if found.price > price if buying else found.price < price:
        return []
    deal = board.take(member, number, min(energy, found.left_wh), now)
    return [] if isinstance(deal, ListingRefusal) else [(row, deal)]


def _trades(orders: Orders, deals: list[tuple[int, Deal]], at: dict[int, int]) -> Trades:
    """Deals as trades between orders; `at`: number of the listing of each order."""
    row_of = {number: row for row, number in at.items()}
    pairs = []
    for row, deal in deals:
        listed = row_of[deal.listing]
        buy, sell = (row, listed) if orders.is_buy[row] else (listed, row)
        pairs.append((buy, sell, deal.energy_wh, deal.price))
    columns = np.array(pairs, np.int64).reshape(-1, 4).T
    trades = Trades(orders.slot, *columns)
    check_trades(orders, trades)
    return trades


MECHANISM = ByTrade(clear)
