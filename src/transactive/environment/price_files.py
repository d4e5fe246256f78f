"""A series of prices as an exchange or a supplier publishes it: any dress of a table, local times, any step.

Prices and times are read as `price_rows` tells; here they become prices of slots. A row holds until the next one, and
one before a gap no longer than the row before it did: an exchange that went from hours to quarters is read across.
"""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, time_text
from transactive.core.units import IntArray
from transactive.environment.price_rows import PriceFile, price_rows


def read_price_file(of: PriceFile, starts: IntArray, length: int) -> IntArray:
    """Price of each slot [µ¤/kWh], (slots,), rounded half away from zero; starts [Unix s], length of a slot [s].

    Raises DataError naming file, row and column, or the first slot without a price.
    """
    times, prices = price_rows(of)
    order = np.argsort(times, kind="stable")
    times, prices = times[order], prices[order]
    once = np.append(0, np.flatnonzero((np.diff(times) != 0) | (np.diff(prices) != 0)) + 1)  # equal rows count once
    times, prices = times[once[: len(times)]], prices[once[: len(times)]]
    double = np.flatnonzero(np.diff(times) == 0)
    if len(double):
        raise DataError(
            f"{of.path.name}: {time_text(int(times[double[0]]))} stands there twice and differs; keep one row"
        )
    held = np.full(len(times), DAY, np.int64) if of.repeats else _held(times, length)
    place = np.searchsorted(times, starts, side="right") - 1
    lacking = (place < 0) | (starts - times[np.maximum(place, 0)] >= held[np.maximum(place, 0)])
    if lacking.any():
        at = time_text(int(starts[np.argmax(lacking)]))
        hint = "add it" if of.repeats else 'add it, or say gaps = "repeat" where the file leaves equal prices out'
        raise DataError(f"{of.path.name}: no price at {at} in {of.column!r}; {hint}")
    if len(starts):
        _refuse_within(of, times, starts, length)
    found: IntArray = prices[place]
    return found


def _held(times: IntArray, length: int) -> IntArray:
    """How long each row holds at most [s]: the shorter of its distances to the rows beside it."""
    if len(times) < 2:
        return np.full(len(times), length, np.int64)
    steps = np.diff(times)
    held: IntArray = np.minimum(np.append(steps, steps[-1]), np.insert(steps, 0, steps[0]))
    return held


def _refuse_within(of: PriceFile, times: IntArray, starts: IntArray, length: int) -> None:
    """Raise DataError where a price changes inside a slot."""
    next_row = np.searchsorted(times, starts, side="right")
    before_end = np.searchsorted(times, starts + length, side="left")
    if (before_end > next_row).any():
        step = int(np.diff(times).min())
        raise DataError(
            f"{of.path.name}: prices change every {step // 60} minutes and a slot takes {length // 60}; choose"
            f" market.slot_minutes = {step // 60}, or give prices of whole slots"
        )
