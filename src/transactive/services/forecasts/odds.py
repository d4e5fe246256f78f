"""Odds of a question about a community's total as forecasts of its slots, to be submitted like any others.

A question is about what all took, gave or made over some slots; a forecast is of the net load of one. In between stand
the like slots of the last four weeks: what was taken, given or made in each on average, and the net load beside it. The
odds say by which factor the whole will differ from that average, and each slot's net load follows by its part. Slots
are taken to differ together, which makes each less certain than it may be. The pool weighs the result by what it earns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.errors import InputError
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.pool.odds import quantiles_of
from transactive.forecasting.series import FloatArray
from transactive.store.read.history.submitted import lane_totals
from transactive.store.read.runs import Reader
from transactive.texts.predictions import Quantity

DAYS = 28
SIGNS = {"imported": 1, "exported": -1, "produced": -1}
"""Whether more of a quantity is more net load, or less."""


@dataclass(frozen=True, slots=True)
class AskedTotal:
    """What a question is about, and how its outcomes are priced: bounds rise [Wh], prices in any unit."""

    quantity: Quantity
    slots: range
    bounds: Sequence[int]
    prices: Sequence[int]


def odds_forecasts(reader: Reader, asked: AskedTotal, last: int) -> dict[int, tuple[int, ...]]:
    """Quantiles of the net load of each slot [Wh], by slot, as a question's odds say.

    last: newest delivered slot [Unix s]. Raises InputError where the run has no like slots, or nothing of the quantity.
    """
    past = dict(lane_totals(reader, last - DAYS * DAY, last))
    usual = [_usual(past, asked.quantity, slot) for slot in asked.slots]
    whole = sum(lane for lane, _ in usual)
    if not whole > 0:
        raise InputError(f"nothing was {asked.quantity} in like slots of the last {DAYS} days, so odds say nothing")
    factor: FloatArray = quantiles_of(asked.bounds, asked.prices) / whole
    found = {}
    for slot, (lane, net_load) in zip(asked.slots, usual, strict=True):
        figures: IntArray = np.rint(net_load + SIGNS[asked.quantity] * (factor - 1) * lane).astype(np.int64)
        found[slot] = tuple(sorted(figures.tolist()))
    return found


def _usual(past: Mapping[int, Mapping[str, int]], quantity: Quantity, slot: int) -> tuple[float, float]:
    """Means of a quantity and of the net load [Wh] in slots at the same time of day. Raises InputError without any."""
    like = [totals for each, totals in past.items() if (each - slot) % DAY == 0]
    if not like:
        raise InputError(f"the run has no slots of the last {DAYS} days at the same time of day; let it run for a day")
    lane, net_load = (float(np.mean([totals[name] for totals in like])) for name in (quantity, "net_load"))
    return lane, net_load
