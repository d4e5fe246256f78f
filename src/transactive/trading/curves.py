"""Orders that are curves: how a forecast's quantiles become a member's merit order.

Under netted settlement a Wh that a member needs but did not buy ahead costs n, and a Wh that it has but did not
sell ahead brings g (µ¤/kWh, g <= n; the fee is the same either way). With D the uncertain net load of the slot, the
best position t at price x satisfies

    P(D > t) = (x − g) / (n − g)

so t(x) falls from the highest sample at x = g to the lowest at x = n. Where t is positive it is a stack of buys, where
negative a stack of sells, one step between two neighbouring samples. With S samples in rising order the step from
sample k − 1 to sample k is wanted below the price n − k (n − g) / S: it is a buy up to the last tick below that price,
or a sell from the next tick on. Nothing has to be tuned, and a better calibrated forecast earns more.

Source: the newsvendor's critical ratio, as used for wind power bids under two-price imbalance (Pinson,
Chevallier, Kariniotakis 2007, IEEE Trans. Power Systems 22(3)).
"""

from __future__ import annotations

import numpy as np

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.units import IntArray
from transactive.trading.escrow import lock_price


def curve_orders(
    slot: int,
    net_load_wh: IntArray,
    most_export_wh: IntArray,
    tariff: Tariff,
    grid: PriceGrid,
    premium: IntArray | None = None,
) -> Orders:
    """Orders of all members for one slot, each with what it locks.

    net_load_wh: equally likely samples after the device's action [Wh], (samples, members). most_export_wh: what the
    devices can give in the slot at most [Wh], (members,). premium: what a member pays beyond for energy with a
    certificate [µ¤/kWh], (members,), up to the highest price of the grid. The orders stand member by member, buys from
    the dearest down, then sells from the cheapest up.
    """
    position = np.sort(np.maximum(net_load_wh, -most_export_wh), axis=0)
    ahead = np.concatenate((np.zeros((1, position.shape[1]), np.int64), position))  # position before each step
    buy_limit, sell_limit = _limits(len(position), tariff, grid)

    buys = np.maximum(ahead[1:], 0) - np.maximum(ahead[:-1], 0)
    buys[0] = np.maximum(position[0], 0)
    # sells in the order of rising price: the sure surplus first, then the steps from the top down
    lowest_first = position[::-1]
    above = np.concatenate((np.zeros((1, position.shape[1]), np.int64), lowest_first))
    sells = np.maximum(-lowest_first, 0) - np.maximum(-above[:-1], 0)

    energy = np.concatenate((buys, sells)).T
    price = np.broadcast_to(np.concatenate((buy_limit, sell_limit)), energy.shape)
    is_buy = np.broadcast_to(np.arange(energy.shape[1]) < len(position), energy.shape)
    member = np.broadcast_to(np.arange(len(energy))[:, None], energy.shape)
    if premium is not None:
        dearer = np.minimum(price + (premium // grid.tick * grid.tick)[:, None], grid.cap)
        price = np.where(is_buy & (price <= grid.cap), dearer, price)
    real = (energy > 0) & (price >= grid.floor) & (price <= grid.cap)
    price, is_buy, energy = price[real], is_buy[real], energy[real]
    return Orders(slot, member[real], is_buy, price, energy, energy * lock_price(is_buy, price, tariff))


def remaining_orders(
    slot: int,
    net_load_wh: IntArray,
    most_export_wh: IntArray,
    held_wh: IntArray,
    tariff: Tariff,
    grid: PriceGrid,
    premium: IntArray | None = None,
) -> Orders:
    """Orders of members that hold a position of the slot from an earlier session, as `curve_orders` otherwise.

    held_wh: bought − sold [Wh], (members,). They lead from there to the best position, so that both sessions together
    never sell more than the devices can give: what was sold is not there again, what was bought may be sold.
    """
    return curve_orders(slot, net_load_wh - held_wh, most_export_wh + held_wh, tariff, grid, premium)


def _limits(samples: int, tariff: Tariff, grid: PriceGrid) -> tuple[IntArray, IntArray]:
    """Limit of each buy step from the lowest sample up, and of each sell step from the highest down [µ¤/kWh]."""
    needs, gives = tariff.needs_pay, tariff.gives_receive
    step = np.arange(samples)
    threshold = samples * needs - step * (needs - gives)  # times 1 / samples
    last_below = np.where(step == 0, needs, (threshold - 1) // samples)
    buy_limit = grid.floor + (last_below - grid.floor) // grid.tick * grid.tick
    first_above = buy_limit[1:] + grid.tick
    sure = grid.floor + -(-(gives - grid.floor) // grid.tick) * grid.tick
    return buy_limit, np.concatenate(([np.int64(sure)], first_above[::-1]))
