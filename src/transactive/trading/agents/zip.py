"""Zero intelligence plus: a profit margin on each side that follows what the market does.

    shout = worth x (1 + margin), a buyer's margin from -1 to 0, a seller's from 0 up

After a trade at price q a trader whose own shout would have done no worse raises its margin towards a price a little
beyond q, and one that missed it lowers its margin towards a price a little on the other side of q, by the Widrow-Hoff
rule with momentum. What is adapted to a call auction: there are no single shouts, so the clearing price counts as the
last shout, accepted, as a bid and as an offer; after a clearing without a trade a trader takes its own shout for the
last one, refused. A trader is active as long as it did not get all it asked for. It has one margin for all steps of a
side, and moves it by the step in their middle.

Source: Cliff, Minimal-Intelligence Agents for Bargaining Behaviors in Market-Based Environments (1997), HP Laboratories
HPL-97-91, whose ranges of parameters are used; all numbers are whole, margins and rates in millionths.
"""

from __future__ import annotations

import numpy as np

from transactive.core.tariff import PriceGrid
from transactive.core.units import PPM, IntArray
from transactive.trading.agents.protocol import Heard, Sight, Steps

BUY, SELL = 0, 1
MARGIN, MOMENTUM, RATE, INERTIA = 0, 2, 4, 5
"""Places in the memory: margins [ppm] and momenta [µ¤/kWh] of both sides; learning rate and momentum's weight [ppm]."""
FIRST_MARGIN = (50_000, 350_000)
RATES, INERTIAS = (100_000, 500_000), (0, 100_000)
BEYOND = 50_000
"""How far beyond the last price a target may lie [ppm of it]; and as much again of half the price grid's span."""


class Zip:
    """ZIP trader of Cliff (1997)."""

    beyond = 1
    """Where a trader aims that did no worse than the last price: beyond it, or with −1 just short of it."""

    def begin(self, random: np.random.Generator) -> IntArray:
        """Draw margins, learning rate and inertia."""
        buys, sells = random.integers(*FIRST_MARGIN, 2, endpoint=True)
        rate, inertia = (random.integers(*bounds, endpoint=True) for bounds in (RATES, INERTIAS))
        return np.array([-buys, sells, 0, 0, rate, inertia], np.int64)

    def orders(self, sight: Sight, memory: IntArray, random: np.random.Generator) -> Steps:  # noqa: ARG002
        """The wish with the margins on it."""
        wish, grid = sight.wish, sight.grid
        margin = np.where(wish.is_buy, memory[MARGIN + BUY], memory[MARGIN + SELL])
        return wish.at(shouts(wish, margin, grid))

    def learn(self, heard: Heard, memory: IntArray, random: np.random.Generator) -> IntArray:
        """Move the margin of each side that the member is on."""
        after = memory.copy()
        for side in (BUY, SELL):
            wish = heard.sight.wish.only(heard.sight.wish.is_buy == (side == BUY))
            if len(wish):
                missed = int(wish.energy_wh.sum() - heard.given_wh[heard.asked.is_buy == (side == BUY)].sum())
                self._move(after, side, wish, heard, active=missed > 0, random=random)
        return after

    def _move(
        self, memory: IntArray, side: int, wish: Steps, heard: Heard, *, active: bool, random: np.random.Generator
    ) -> None:
        """Move the margin of one side, in place."""
        worth = int(wish.price[len(wish) // 2])
        shout = worth + abs(worth) * int(memory[MARGIN + side]) // PPM
        up = 1 if side == SELL else -1  # the direction of a higher margin
        better = None if heard.price is None else up * (heard.price - shout)
        if better is not None and (better > 0 or (better == 0 and not active)):
            direction = up
        elif active:
            direction = -up
        else:
            return
        last = shout if heard.price is None else heard.price
        span = (heard.sight.grid.cap - heard.sight.grid.floor) // 2
        relative, absolute = random.integers(0, BEYOND, 2, endpoint=True).tolist()
        away = self.beyond if better is not None and direction == up else 1
        target = last + away * direction * (abs(last) * relative + span * absolute) // PPM
        rate, inertia, momentum = (int(memory[place]) for place in (RATE, INERTIA, MOMENTUM + side))
        momentum = (inertia * momentum + (PPM - inertia) * (rate * (target - shout) // PPM)) // PPM
        margin = (shout + momentum - worth) * PPM // max(abs(worth), 1)
        memory[MOMENTUM + side] = momentum
        memory[MARGIN + side] = max(margin, 0) if side == SELL else min(max(margin, -PPM), 0)


def shouts(wish: Steps, margin_ppm: IntArray, grid: PriceGrid) -> IntArray:
    """Prices with a margin on each step's worth [µ¤/kWh], on the grid: a buy rounds down, a sell up."""
    price = wish.price + np.abs(wish.price) * margin_ppm // PPM
    ahead = price - grid.floor
    ticks = np.where(wish.is_buy, ahead // grid.tick, -(-ahead // grid.tick))
    return grid.floor + grid.tick * np.clip(ticks, 0, grid.size - 1)


class ZipCall(Zip):
    """ZIP with one change for call auctions: who did no worse than the price aims just short of it.

    In a call everybody gets the same price, and a shout beyond it gets nothing for a whole slot; ours, not published.
    """

    beyond = -1
