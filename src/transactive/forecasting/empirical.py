"""Empirical quantiles: what happened at the same hour of the last days is what may happen next.

The honest baseline that every later model has to beat: no fitting, no weather, calibrated by construction as long
as tomorrow is like the last four weeks.
"""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, time_text
from transactive.core.tables import Forecast
from transactive.core.units import IntArray

SAMPLE_DAYS = 28


def forecast(
    net_load_wh: IntArray, first_slot: int, length: int, slots: range, sample_days: int = SAMPLE_DAYS
) -> Forecast:
    """Sample the net load of coming slots from the same hour of the last `sample_days` days.

    net_load_wh: known net load [Wh], (known slots, members), from `first_slot` [Unix s] in steps of `length` [s]; it
    ends with the newest reading that may be seen. slots: starts of the coming slots. Sample k of every slot is k days
    older than its sample 0, so the samples of one slot go with those of its neighbours. Raises DataError when less
    than one day is known.
    """
    per_day = DAY // length
    known = len(net_load_wh)
    target = (np.asarray(slots, np.int64) - first_slot) // length
    days_back = np.maximum((target - known) // per_day + 1, 1)
    newest = target - days_back * per_day
    samples = min(sample_days, int(newest.min()) // per_day + 1)
    if samples < 1:
        raise DataError(
            f"no reading at the same hour before {time_text(int(slots[0]))}: give at least one day of history"
        )
    rows = newest[:, None] - per_day * np.arange(samples)
    return Forecast(np.asarray(slots, np.int64), first_slot + known * length, net_load_wh[rows])
