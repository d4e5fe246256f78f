"""Preferences: a buyer may ask for green, local, or a named partner's energy first, and pay for it up to a premium.

The energy is cleared at the uniform price p first: who buys, and how much, never depends on wishes. Then wishes choose
whose energy it is, the most particular first: partner, local, green; among equals the higher premium. In each group
(one partner, one zone, all green energy) sells that are served at p cost nothing more; those that are not, for being
dearer, ask for what they miss and replace the dearest unwished energy that is served, while

    the premium offered >= what the replacement costs more, Wh by Wh, and
    all replacements cost at most 1 % of the welfare: so at least 99 % of the optimum remains, on every book.

A group has one premium, the lowest that leaves nobody who offered more without: what the dearest seller chosen asks, or
the highest offer that went away empty. It goes to the sellers chosen, on top of p; without scarcity it is nothing. A
buyer never pays more than its limit in all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from transactive.core.community.members import Member
from transactive.core.errors import DataError
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market.auction import uniform
from transactive.market.registry import ByTrade
from transactive.market.trades import Trades, check_trades, pair

NOBODY = -1
MOST_LOST = 100
"""At most one part in so many of the welfare is given up for wishes."""


class Wish(IntEnum):
    """Whose energy a buyer wants first."""

    NONE = 0
    GREEN = 1
    LOCAL = 2
    PARTNER = 3


MOST_PARTICULAR_FIRST = (Wish.PARTNER, Wish.LOCAL, Wish.GREEN)


@dataclass(frozen=True, slots=True, eq=False)
class Wishes:
    """Wishes of buys and attributes of sells, shape (orders,).

    prefer: a `Wish` of each buy. partner: member, or NOBODY. premium: most above the uniform price [µ¤/kWh], not below
    0. green: of each sell. zone: of each order, counted from 0, or NOBODY.
    """

    prefer: IntArray
    partner: IntArray
    premium: IntArray
    green: BoolArray
    zone: IntArray

    @classmethod
    def none(cls, orders: int) -> Wishes:
        """Nobody wishes anything."""
        prefer, partner, premium, zone = (np.full(orders, value, np.int64) for value in (0, NOBODY, 0, NOBODY))
        return cls(prefer, partner, premium, np.zeros(orders, np.bool_), zone)

    def groups(self, orders: Orders, wish: Wish) -> IntArray:
        """Group of each order for one kind of wish: of buys that have it and of sells that meet it, else NOBODY."""
        if wish is Wish.PARTNER:
            asked, met = self.partner, orders.member
        elif wish is Wish.LOCAL:
            asked = met = self.zone
        else:
            asked, met = np.zeros_like(self.zone), np.where(self.green, 0, NOBODY)
        return np.where(orders.is_buy, np.where(self.prefer == wish, asked, NOBODY), met)

    def met(self, orders: Orders, trades: Trades) -> BoolArray:
        """Which trades bring a buyer what it wished, (trades,)."""
        met = np.zeros(len(trades), np.bool_)
        for wish in MOST_PARTICULAR_FIRST:
            group = self.groups(orders, wish)
            met |= (group[trades.buy] != NOBODY) & (group[trades.buy] == group[trades.sell])
        return met


def heard(members: Sequence[Member]) -> ByTrade:
    """The mechanism with the wishes of a community's members; what has PV sells green."""
    numbers = {member.id: number for number, member in enumerate(members)}
    zones = {name: number for number, name in enumerate(sorted({member.zone or "" for member in members}))}
    prefer, partner, premium, zone = (
        np.array(column, np.int64)
        for column in (
            [Wish[member.prefer.upper()] if member.prefer else Wish.NONE for member in members],
            [numbers[member.partner] if member.partner else NOBODY for member in members],
            [member.premium_micro_per_kwh for member in members],
            [NOBODY if member.zone is None else zones[member.zone] for member in members],
        )
    )
    green = np.array([member.pv_w > 0 for member in members], np.bool_)

    def clear_heard(orders: Orders, grid: PriceGrid, count: int) -> Trades:
        """Clear with the wishes of the members who order."""
        who = orders.member
        wishes = Wishes(prefer[who] * orders.is_buy, partner[who], premium[who], green[who], zone[who])
        return clear(orders, grid, count, wishes)

    return ByTrade(clear_heard)


@dataclass(slots=True)
class _Pieces:
    """Wished trades, shape (pieces,): rows of buy and sell, Wh, kind of wish and its group."""

    buy: IntArray
    sell: IntArray
    wh: IntArray
    wish: IntArray
    group: IntArray

    def rows(self, chosen: IntArray | BoolArray | slice) -> _Pieces:
        """Some of the pieces."""
        return _Pieces(*(column[chosen] for column in (self.buy, self.sell, self.wh, self.wish, self.group)))

    def joined(self, more: _Pieces) -> _Pieces:
        """These pieces and others."""
        columns = zip(
            (self.buy, self.sell, self.wh, self.wish, self.group),
            (more.buy, more.sell, more.wh, more.wish, more.group),
            strict=True,
        )
        return _Pieces(*(np.concatenate(pair_) for pair_ in columns))


def clear(orders: Orders, grid: PriceGrid, members: int, wishes: Wishes | None = None) -> Trades:
    """Clear the orders of one slot; trades that meet wishes come first. Raises DataError as `uniform.clear` does."""
    wishes = wishes or Wishes.none(len(orders))
    if (wishes.premium < 0).any():
        raise DataError("preferences: a premium is not below 0")
    base = uniform.clear(orders, grid, members)
    price, given = base.price, base.allocated_wh
    offer = np.minimum(wishes.premium, orders.price - price)  # of served buys, which are not below the price
    ask = np.maximum(orders.price - price, 0)
    unmet = given * orders.is_buy
    served, spare = given * ~orders.is_buy, (orders.energy_wh - given) * ~orders.is_buy
    chosen = _match(orders, wishes, unmet, served, offer, ask=np.zeros_like(ask))
    entering = _match(orders, wishes, unmet, spare, offer, ask)
    entering, dropped = _replace(orders, entering, served, offer, price, given)
    np.add.at(unmet, dropped.buy, dropped.wh)
    pieces = chosen.joined(entering)
    premium = _premiums(orders, wishes, pieces, unmet, offer, ask)
    buy, sell, energy = pair(unmet + served, np.flatnonzero(unmet), np.flatnonzero(served))
    trades = Trades(
        orders.slot,
        np.concatenate([pieces.buy, buy]),
        np.concatenate([pieces.sell, sell]),
        np.concatenate([pieces.wh, energy]),
        np.concatenate([price + premium, np.full(len(energy), price, np.int64)]),
    )
    check_trades(orders, trades)
    return trades


def _match(
    orders: Orders, wishes: Wishes, unmet: IntArray, supply: IntArray, offer: IntArray, ask: IntArray
) -> _Pieces:
    """Meet wishes from `supply`, kind after kind; takes what is met off `unmet` and `supply` [Wh], (orders,)."""
    found = _Pieces(*(np.empty(0, np.int64) for _ in range(5)))
    for wish in MOST_PARTICULAR_FIRST:
        group = wishes.groups(orders, wish)
        buys = np.flatnonzero((unmet > 0) & (group != NOBODY))
        sells = np.flatnonzero((supply > 0) & (group != NOBODY))
        buys = buys[np.lexsort((-offer[buys], group[buys]))]
        sells = sells[np.lexsort((ask[sells], group[sells]))]
        buy, sell, wh = _side_by_side(buys, sells, unmet, supply, group)
        kept = offer[buy] >= ask[sell]
        buy, sell, wh = buy[kept], sell[kept], wh[kept]
        np.subtract.at(unmet, buy, wh)
        np.subtract.at(supply, sell, wh)
        found = found.joined(_Pieces(buy, sell, wh, np.full(len(wh), int(wish), np.int64), group[buy]))
    return found


def _side_by_side(
    buys: IntArray, sells: IntArray, unmet: IntArray, supply: IntArray, group: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Lay the Wh of sorted buys and sells of each group beside each other: rows of both and Wh of each piece."""
    names = np.intersect1d(group[buys], group[sells])
    buys, sells = buys[np.isin(group[buys], names)], sells[np.isin(group[sells], names)]
    if not len(names):
        return buys[:0], sells[:0], buys[:0]
    ends = [_running(np.searchsorted(names, group[rows]), wh[rows]) for rows, wh in ((buys, unmet), (sells, supply))]
    length = np.minimum(*(np.maximum.reduceat(end, starts) for end, starts in ends))
    base = np.cumsum(length) - length
    tapes = []
    for (end, _), rows in zip(ends, (buys, sells), strict=True):
        place = np.searchsorted(names, group[rows])
        tapes.append(base[place] + np.minimum(end, length[place]))
    joints = np.unique(np.concatenate(tapes))
    joints = joints[joints > 0]
    wh = np.diff(joints, prepend=0)
    return buys[np.searchsorted(tapes[0], joints)], sells[np.searchsorted(tapes[1], joints)], wh


def _running(place: IntArray, wh: IntArray) -> tuple[IntArray, IntArray]:
    """Running sum of the Wh within each group, and where the groups start; `place`: rising number of the group."""
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    total = np.cumsum(wh)
    before = (total - wh)[starts]
    return total - before[place], starts


def _replace(
    orders: Orders, entering: _Pieces, served: IntArray, offer: IntArray, price: int, given: IntArray
) -> tuple[_Pieces, _Pieces]:
    """Let energy that is wished and not served replace the dearest served one that nobody wished, as far as it pays.

    Takes what is replaced off `served`. Returns the pieces that enter, and those that do not.
    """
    limit = orders.price
    value = offer[entering.buy] - np.maximum(limit[entering.sell] - price, 0)
    entering = entering.rows(np.argsort(-value, kind="stable"))
    leaving = np.flatnonzero(served)[::-1]
    leaving = leaving[np.argsort(-limit[leaving], kind="stable")]
    most, enters = _welfare(orders, given) // MOST_LOST, 0
    for new, old, wh in _beside(entering.wh, served[leaving]):
        lost = int(limit[entering.sell[new]]) - int(limit[leaving[old]])
        if int(offer[entering.buy[new]]) < lost:
            break
        part = min(wh, most // lost) if lost > 0 else wh
        most -= part * lost
        served[leaving[old]] -= part
        enters += part
        if part < wh:
            break
    return _cut(entering, enters)


def _beside(first: IntArray, second: IntArray) -> Iterator[tuple[int, int, int]]:
    """Positions on two tapes laid beside each other, and Wh, until one of them ends."""
    a, b = first.tolist(), second.tolist()
    i = j = 0
    while i < len(a) and j < len(b):
        wh = min(a[i], b[j])
        if wh:
            yield i, j, wh
        a[i] -= wh
        b[j] -= wh
        i, j = i + (not a[i]), j + (not b[j])


def _cut(pieces: _Pieces, total: int) -> tuple[_Pieces, _Pieces]:
    """The first `total` Wh of pieces, and the rest."""
    end = np.cumsum(pieces.wh)
    inside = np.clip(total - (end - pieces.wh), 0, pieces.wh)
    first = _Pieces(pieces.buy, pieces.sell, inside, pieces.wish, pieces.group)
    rest = _Pieces(pieces.buy, pieces.sell, pieces.wh - inside, pieces.wish, pieces.group)
    return first.rows(first.wh > 0), rest.rows(rest.wh > 0)


def _premiums(
    orders: Orders, wishes: Wishes, pieces: _Pieces, unmet: IntArray, offer: IntArray, ask: IntArray
) -> IntArray:
    """Premium of each piece [µ¤/kWh]: one for each group, as the module's docstring says."""
    premium = np.zeros(len(pieces.wh), np.int64)
    for wish in MOST_PARTICULAR_FIRST:
        own = np.flatnonzero(pieces.wish == wish)
        names, place = np.unique(pieces.group[own], return_inverse=True)
        group = wishes.groups(orders, wish)
        without = np.flatnonzero((unmet > 0) & np.isin(group, names) & orders.is_buy)
        highest = np.zeros(len(names), np.int64)
        np.maximum.at(highest, place, ask[pieces.sell[own]])
        np.maximum.at(highest, np.searchsorted(names, group[without]), offer[without])
        premium[own] = highest[place]
    return premium


def _welfare(orders: Orders, given: IntArray) -> int:
    """Limits of what was bought less limits of what was sold, times Wh [n¤]."""
    signed = np.where(orders.is_buy, given, -given)
    highest = int(np.abs(orders.price).max(initial=0))
    if highest.bit_length() + int(given.sum()).bit_length() <= 62:
        return int((orders.price * signed).sum())
    return sum(price * wh for price, wh in zip(orders.price.tolist(), signed.tolist(), strict=True))


MECHANISM = ByTrade(clear)
