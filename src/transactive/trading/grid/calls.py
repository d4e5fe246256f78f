"""Flexibility by price: a line at risk is given a price, and the batteries on its far side plan with it.

A price of a line stands for a Wh that crosses it, from its start to its end, or below 0 the other way. It reaches a
member as far as a Wh that the member takes loads the line. Where the sum is above 0 what a home needs is dearer, so its
battery keeps energy for that slot; where it is below 0 what a home has to spare brings less, so its battery keeps room.

The member is paid the price for each Wh by which the line is relieved, against a twin of its battery that follows the
plan without the price. A price is raised step by step, the worst line and slot first, and a step is only kept if the
forecast says that it pays: a Wh less beyond a limit is worth the most that the network pays for a Wh moved. Without
that test batteries that hear one price would empty together before the priced slot, and make a new peak there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transactive.core.congestion import Congestion
from transactive.core.units import PPM, IntArray

STEPS = 4
"""In so many steps a price reaches the most that the network pays."""
TRIES = 32
"""Steps that are tried in a period: each is a plan of all batteries."""


@dataclass(frozen=True, slots=True, eq=False)
class CallOutcome:
    """What prices are expected to do: lines of a period, and relief that is paid for [Wh], (slots, members)."""

    seen: Congestion
    relief_wh: IntArray


def find_prices(
    without: Congestion, try_prices: Callable[[IntArray], CallOutcome], at_members: Callable[[IntArray], IntArray],
    risk_ppm: int, most: int,
) -> tuple[IntArray, Congestion]:  # fmt: skip
    """Prices of lines [µ¤/kWh], (slots, lines), and what is expected with them.

    without: the forecast without prices. try_prices: plans with some. at_members: what prices of lines come to there.
    Where a line is at risk both ways, the likelier one counts.
    """
    price, step = np.zeros(without.over_ppm.shape, np.int64), -(-most // STEPS)
    way = np.where(without.over_ppm >= without.back_ppm, step, -step)
    open_ = without.passed_ppm > risk_ppm
    seen, least = without, most * int(without.beyond_wh.sum())
    for _ in range(TRIES):
        worst = np.where(open_ & (np.abs(price) < most), seen.beyond_wh, 0)
        if not worst.any():
            break
        place = np.unravel_index(int(worst.argmax()), worst.shape)
        tried = price.copy()
        tried[place] = np.clip(price[place] + way[place], -most, most)
        outcome = try_prices(tried)
        paid = int((np.abs(at_members(tried)) * outcome.relief_wh).sum())
        cost = most * int(outcome.seen.beyond_wh.sum()) + paid
        if cost < least:
            price, seen, least = tried, outcome.seen, cost
        else:
            open_[place] = False
    return price, seen


def at_members(price: IntArray, sensitivity_ppm: IntArray) -> IntArray:
    """What prices of lines [µ¤/kWh], (slots, lines), come to at members, (slots, members).

    sensitivity_ppm: by how much a Wh that a member takes loads each line, (lines, members).
    """
    come: IntArray = price @ sensitivity_ppm // PPM
    return come


def relief_wh(price: IntArray, twin_wh: IntArray, own_wh: IntArray) -> IntArray:
    """By how much members relieve their lines [Wh]: what their twin would take, or give, beyond them.

    price: at the members [µ¤/kWh]; twin_wh, own_wh: taken on balance, below 0 given; shapes broadcast.
    """
    less: IntArray = np.sign(price) * (twin_wh - own_wh)
    return np.maximum(less, 0)
