"""The balance price: a network that is the counterpart of every order quotes a price that steers a slot to balance.

Units: energy Wh, price n¤/Wh (= µ¤/kWh), money n¤; whole Python integers of any size. With q = energy sold to the
network − energy bought from it, and a scale K that is fixed before the slot opens, the price of the next Wh is

    p(q) = floor                      q >= K       more production: cheaper
         = base − (base − floor) q/K  0 <= q <= K
         = base + (cap − base) (−q)/K −K <= q <= 0
         = cap                        q <= −K      more consumption: dearer

and an order that moves q to q' is paid C(q') − C(q), the integral of p, rounded in favour of the network. So what a
slot has paid depends on where it is, not on the way. `docs/papers/balance_price.md` proves what follows from this:
splitting or cycling orders never gains, the money the network needs and the most it can lose are known before the slot
opens. A promised Wh that no meter shows costs its owner cap − floor, wherever the price was: cap − p is what the
network loses by it, p − floor the most that its promise can have cost all others together.
`balance_market.vy` is the same on a chain, to the n¤; this module is the oracle of its tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from transactive.core.errors import DataError

PRICE_END = 2**40
ENERGY_END = 2**56
"""Prices and energies are below; then no amount on chain reaches 2**96 n¤ and no product 2**160."""


class PricingRefusal(StrEnum):
    """Why an order or a cancellation changes nothing."""

    AMOUNT = "bad amount"
    CAPACITY = "capacity reached"
    PRICE = "price beyond the limit"


@dataclass(frozen=True, slots=True)
class Balance:
    """What the open orders of a slot promise [Wh]."""

    produced_wh: int = 0
    consumed_wh: int = 0

    @property
    def surplus_wh(self) -> int:
        """Promised production − promised consumption; may be negative."""
        return self.produced_wh - self.consumed_wh

    def moved(self, energy_wh: int, *, producing: bool) -> Balance:
        """Balance with more, or less, production or consumption."""
        if producing:
            return Balance(self.produced_wh + energy_wh, self.consumed_wh)
        return Balance(self.produced_wh, self.consumed_wh + energy_wh)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a participant has promised: energy, and the money for all of it, to receive or to pay."""

    producing: bool
    energy_wh: int
    money_n: int


@dataclass(frozen=True, slots=True)
class Fill:
    """An order that was taken: energy [Wh], money [n¤] and the balance after it."""

    energy_wh: int
    money_n: int
    after: Balance


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Part of a position undone: the rest, what undoing cost [n¤, at least 0], and the balance after it."""

    rest: Promise
    cost_n: int
    after: Balance


@dataclass(frozen=True, slots=True)
class PriceCurve:
    """Price curve of one slot: prices [n¤/Wh], scale K and most energy on each side [Wh].

    Raises DataError unless 0 <= floor < base < cap and scale and limit are positive and in range. A floor below zero
    is not offered: with it, unused energy could cost more than was locked for it.
    """

    base_n: int
    floor_n: int
    cap_n: int
    scale_wh: int
    limit_wh: int

    def __post_init__(self) -> None:
        if not 0 <= self.floor_n < self.base_n < self.cap_n < PRICE_END:
            raise DataError(f"balance price: need 0 <= floor < base < cap < {PRICE_END} n¤/Wh")
        if not (0 < self.scale_wh < ENERGY_END and 0 < self.limit_wh < ENERGY_END):
            raise DataError(f"balance price: need scale and limit from 1 to {ENERGY_END - 1} Wh")

    @classmethod
    def for_load(cls, base_n: int, floor_n: int, cap_n: int, load_wh: int, share_ppm: int = 250_000) -> PriceCurve:
        """Curve for an expected load [Wh]: the load is the limit of each side, K a share of it in millionths.

        The same share of the load moves the price alike in a village and in a nation.
        """
        return cls(base_n, floor_n, cap_n, max(1, load_wh * share_ppm // 1_000_000), load_wh)

    def potential(self, q: int) -> int:
        """2 K C(q) [n¤ Wh], whole for every whole q: twice K times what the network has paid when the surplus is q."""
        k = self.scale_wh
        if q >= 0:
            inside, swing, bound = min(q, k), self.base_n - self.floor_n, self.floor_n
        else:
            inside, swing, bound = max(q, -k), self.cap_n - self.base_n, self.cap_n
        return 2 * k * (self.base_n * inside + bound * (q - inside)) - swing * inside * inside

    def payment(self, q: int, q_after: int) -> int:
        """n¤ from the network for moving the surplus from q to q_after, negative if it is paid; never rounded up."""
        return (self.potential(q_after) - self.potential(q)) // (2 * self.scale_wh)

    def production_price(self, q: int) -> int:
        """n¤ paid for the next Wh produced at surplus q."""
        return self.payment(q, q + 1)

    def consumption_price(self, q: int) -> int:
        """n¤ charged for the next Wh consumed at surplus q."""
        return -self.payment(q, q - 1)

    def cash_needed(self) -> int:
        """n¤ with which the network can pay whatever is ordered, cancelled and delivered, or not: C(limit)."""
        return -(-self.potential(self.limit_wh) // (2 * self.scale_wh))

    def worst_loss(self) -> int:
        """Most n¤ the network can lose if it trades the slot's surplus or deficit outside at floor and cap."""
        swing = max(self.base_n - self.floor_n, self.cap_n - self.base_n)
        return -(-swing * self.scale_wh // 2)

    def order(
        self, balance: Balance, least_wh: int, most_wh: int, limit_n: int, *, producing: bool
    ) -> Fill | PricingRefusal:
        """Take `least_wh` to `most_wh`: all that the slot has room for if its total price keeps to the limit.

        `limit_n` [n¤] is for `most_wh`, of less pro rata: the least a producer wants, the most a consumer pays. Where
        the whole amount would break it, the order gets as much as has every single Wh at limit / most or better.
        """
        if not 0 < least_wh <= most_wh < ENERGY_END or limit_n < 0:
            return PricingRefusal.AMOUNT
        taken = balance.produced_wh if producing else balance.consumed_wh
        energy = min(most_wh, self.limit_wh - taken)
        if energy < least_wh:
            return PricingRefusal.CAPACITY
        fill = self._fill(balance, energy, producing=producing)
        if self._keeps(fill, most_wh, limit_n, producing=producing):
            return fill
        energy = min(energy, self._reach(balance.surplus_wh, most_wh, limit_n, producing=producing))
        if energy < least_wh:
            return PricingRefusal.PRICE
        return self._fill(balance, energy, producing=producing)

    def cancel(self, balance: Balance, held: Promise, energy_wh: int) -> Cancellation | PricingRefusal:
        """Undo part of a position, at the difference between what it was taken for and the current quote.

        Where the quote is worse for its holder, a cancellation would gain without this cost. Where it is better, others
        have traded at a price that the promise moved, and the difference is what it cost them in all. The lock that
        becomes free covers either.
        """
        if not 0 < energy_wh <= held.energy_wh:
            return PricingRefusal.AMOUNT
        after = balance.moved(-energy_wh, producing=held.producing)
        quote = self.payment(balance.surplus_wh, after.surplus_wh)
        if held.producing:
            part = -(-held.money_n * energy_wh // held.energy_wh)
            cost = abs(-quote - part)
        else:
            part = held.money_n * energy_wh // held.energy_wh
            cost = abs(part - quote)
        rest = Promise(held.producing, held.energy_wh - energy_wh, held.money_n - part)
        return Cancellation(rest, cost, after)

    def lock(self, held: Promise) -> int:
        """n¤ that a position can cost its holder at worst, locked while it is open."""
        fine = self._fine(held.energy_wh)
        return fine if held.producing else max(fine, held.money_n)

    def outcome(self, held: Promise, certified_wh: int, *, complete: bool = True) -> int:
        """n¤ to the holder once the meter has spoken, negative if the holder pays.

        The price holds, pro rata, for what was delivered or used; each Wh of the rest costs cap − floor. What goes
        beyond the promise is not this market's. Unless `complete`, a meter was not read, and the promise counts
        against its holder: nothing more delivered; used or not, whichever costs more.
        """
        kept = min(held.energy_wh, certified_wh)
        fine = self._fine(held.energy_wh - kept)
        if held.producing:
            return held.money_n * kept // held.energy_wh - fine
        paid = -(-held.money_n * kept // held.energy_wh) + fine
        return -paid if complete else -max(paid, held.money_n)

    def _fine(self, missing_wh: int) -> int:
        """n¤ that promised energy costs which is not there, on any part of the curve."""
        return (self.cap_n - self.floor_n) * missing_wh

    def _fill(self, balance: Balance, energy_wh: int, *, producing: bool) -> Fill:
        after = balance.moved(energy_wh, producing=producing)
        payment = self.payment(balance.surplus_wh, after.surplus_wh)
        return Fill(energy_wh, payment if producing else -payment, after)

    def _keeps(self, fill: Fill, most_wh: int, limit_n: int, *, producing: bool) -> bool:
        """Whether the money keeps to the limit pro rata."""
        money, bound = fill.money_n * most_wh, limit_n * fill.energy_wh
        return money >= bound if producing else money <= bound

    def _reach(self, q: int, most_wh: int, limit_n: int, *, producing: bool) -> int:
        """Most Wh of which each has the price limit / most or better; may be negative.

        Called only where some Wh is worse, so a producer's limit is above the floor and a consumer's below the cap.
        """
        price = -(-limit_n // most_wh) if producing else limit_n // most_wh
        if price > self.cap_n if producing else price < self.floor_n:
            return 0
        below = self.base_n - price
        swing = self.base_n - self.floor_n if below >= 0 else self.cap_n - self.base_n
        if producing:  # the largest q with p(q) >= price
            return below * self.scale_wh // swing - q
        return q + -below * self.scale_wh // swing  # down to the smallest q with p(q) <= price
