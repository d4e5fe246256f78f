"""Electric vehicles and heat as stores, and appliances that run once: what a home can shift besides its battery."""

from __future__ import annotations

import numpy as np

from transactive.core.errors import InputError
from transactive.core.units import PPM, IntArray, Whole
from transactive.trading.devices.stores import PlanHorizon, Stores


def electric_vehicles(
    slots: int,
    arrival: IntArray,
    departure: IntArray,
    needed_wh: IntArray,
    power_wh: IntArray,
    efficiency_ppm: IntArray,
) -> Stores:
    """Vehicles that charge from slot `arrival` to before slot `departure`, when they must hold `needed_wh`.

    Columns, (vehicles,). power_wh: most drawn at the meter in a slot; efficiency_ppm: held Wh for a million drawn. A
    vehicle begins with nothing: needed is what its trip takes beyond what it came with. Raises InputError for one that
    leaves before it came or after the last slot.
    """
    wrong = np.flatnonzero((arrival < 0) | (departure <= arrival) | (departure > slots))
    if len(wrong):
        which = int(wrong[0])
        raise InputError(
            f"vehicle {which}: arrival {arrival[which]}, departure {departure[which]}: it must arrive first and leave"
            f" within the {slots} slots planned"
        )
    slot = np.arange(slots)[:, None]
    here = (slot >= arrival) & (slot < departure)
    nothing = np.zeros((slots, len(arrival)), np.int64)
    whole = np.full_like(needed_wh, PPM)
    return Stores(
        draw_wh=power_wh * here,
        give_wh=nothing,
        least_wh=needed_wh * (slot == departure - 1),
        most_wh=np.broadcast_to(needed_wh, nothing.shape),
        drain_wh=nothing,
        gain_ppm=efficiency_ppm,
        efficiency_ppm=whole,
        keep_ppm=whole,
        grid_fill_wh=needed_wh,
        grid_give_wh=np.zeros_like(needed_wh),
    )


def heat_stores(
    power_wh: IntArray, band_wh: IntArray, drain_wh: IntArray, performance_ppm: IntArray, keep_ppm: IntArray
) -> Stores:
    """Boilers or heated houses: heat held above the least comfortable temperature, up to the highest.

    drain_wh: heat that use and weather take in each slot, (slots, devices); the others (devices,). band_wh: heat
    between the two temperatures, capacity [Wh/K] x their distance [K]. performance_ppm: heat for a million Wh drawn,
    three million for a heat pump of COP 3. keep_ppm: of a million held Wh, what is there a slot later.
    """
    shape = drain_wh.shape
    nothing = np.zeros(shape, np.int64)
    return Stores(
        draw_wh=np.broadcast_to(power_wh, shape),
        give_wh=nothing,
        least_wh=nothing,
        most_wh=np.broadcast_to(band_wh, shape),
        drain_wh=drain_wh,
        gain_ppm=performance_ppm,
        efficiency_ppm=np.full_like(band_wh, PPM),
        keep_ppm=keep_ppm,
        grid_fill_wh=band_wh,
        grid_give_wh=np.zeros_like(band_wh),
    )


def best_start(profile_wh: IntArray, ahead: PlanHorizon, earliest: int, latest: int) -> tuple[IntArray, IntArray]:
    """Cheapest start of an appliance that runs once, and what each start costs more than not to run [n¤].

    profile_wh: what it draws in slot after slot of its run, the same appliance in each home. Starts from `earliest` to
    `latest` are weighed: of those with the fewest Wh above the connection's limit the cheapest, and of these the first.
    Gives (homes,) and (starts, homes), means over the samples. Raises InputError if the last run would not end in time.
    """
    slots, homes = ahead.need_price.shape
    if not 0 <= earliest <= latest or latest + len(profile_wh) > slots:
        raise InputError(f"starts from {earliest} to {latest}: a run of {len(profile_wh)} slots must fit in {slots}")
    costs = np.empty((latest - earliest + 1, homes), np.int64)
    over = np.empty_like(costs)
    for start in range(earliest, latest + 1):
        run = slice(start, start + len(profile_wh))
        idle_wh, limit_wh = ahead.net_load_wh[run], ahead.most_import_wh
        need, spare = ahead.need_price[run, None], ahead.spare_price[run, None]
        grid_wh = idle_wh + profile_wh[:, None, None]
        more_n = _cost(grid_wh, need, spare) - _cost(idle_wh, need, spare)
        costs[start - earliest] = more_n.sum(axis=(0, 1)) // idle_wh.shape[1]
        over[start - earliest] = np.maximum(grid_wh - limit_wh, 0).sum(axis=(0, 1))
    fitting = np.where(over == over.min(axis=0), costs, costs.max(axis=0) + 1)
    starts: IntArray = earliest + fitting.argmin(axis=0)
    return starts, costs


def _cost(grid_wh: Whole, need_price: Whole, spare_price: Whole) -> IntArray:
    """As `grid_cost`, with prices of their own for each slot and home."""
    cost: IntArray = np.maximum(grid_wh, 0) * need_price + np.minimum(grid_wh, 0) * spare_price
    return cost
