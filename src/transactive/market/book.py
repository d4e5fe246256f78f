"""A book as packed columns, and its tick histogram.

One key an order holds side and tick together: `tick` for a sell, `ticks + tick` for a buy, in uint16 where that is
enough. With the energy in int32 an order takes six bytes, and each pass looks at one array of keys. A histogram
holds the Wh of every key; histograms add, so a book may be split over processes or machines and only 16 bytes a tick
travel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from transactive.core.errors import DataError, InputError
from transactive.core.units import BoolArray, IntArray

Keys: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""Side and tick of each order, uint16 or uint32, shape (orders,)."""
Energies: TypeAlias = NDArray[np.signedinteger[Any]]
"""Wh of each order, int32 or int64, shape (orders,)."""

Adding: TypeAlias = Callable[[IntArray, Keys, Energies], None]
"""Adds the energy of each order to that of its key: total, keys, energy."""

CHUNK = 1 << 16
"""Orders of one pass: their keys and energies stay in the cache."""
MOST_WH = 1 << 62
"""Largest total of a book [Wh]: sums and differences of two such totals stay inside int64."""
MOST_TICKS = 1 << 24
"""Largest grid: its histogram takes 256 MB."""


def pack_keys(tick: NDArray[np.integer[Any]], is_buy: BoolArray, ticks: int) -> Keys:
    """Pack side and tick into one key an order.

    tick: 0 <= tick < ticks, (orders,). Returns (orders,), uint16 if 2 x ticks keys fit. Raises InputError for a grid of
    more than 2**24 ticks.
    """
    if ticks > MOST_TICKS:
        raise InputError(f"a price grid of {ticks} prices is too fine, at most {MOST_TICKS}; use a larger tick")
    small = np.uint16 if 2 * ticks <= 1 << 16 else np.uint32
    keys: Keys = tick.astype(small)
    np.add(keys, np.multiply(is_buy, ticks, dtype=small), out=keys)
    return keys


def chunks(orders: int) -> Iterator[slice]:
    """Consecutive slices of at most CHUNK orders."""
    return (slice(start, start + CHUNK) for start in range(0, orders, CHUNK))


def histogram(keys: Keys, energy: Energies, ticks: int, add: Adding | None = None) -> IntArray:
    """Sum the energy [Wh] of each key, shape (2 x ticks,), exact.

    energy: > 0. add: how, plainly unless a compiled pass is given. Raises DataError when the book holds more than
    2**62 Wh.
    """
    check_total(energy)
    total = np.zeros(2 * ticks, np.int64)
    (add or add_by_key)(total, keys, energy)
    return total


def add_by_key(total: IntArray, keys: Keys, energy: Energies) -> None:
    """Add the energy of each order to that of its key."""
    # The casts matter: numpy adds in place without a buffer only where the types are its own. One pair of arrays serves
    # all chunks, as the system may take freed memory back and hand it out again page by page.
    index, weight = np.empty(min(CHUNK, len(keys)), np.intp), np.empty(min(CHUNK, len(keys)), np.int64)
    for part in chunks(len(keys)):
        size = len(keys[part])
        index[:size], weight[:size] = keys[part], energy[part]
        np.add.at(total, index[:size], weight[:size])


def merge(histograms: Iterable[IntArray]) -> IntArray:
    """Add the histograms of shards [Wh]; raises DataError when the whole holds more than 2**62 Wh."""
    parts = list(histograms)
    if not parts:
        raise ValueError("no histogram to merge")
    # Each part is below 2**62, so the running total is watched before it could leave int64.
    held, total = 0, np.zeros_like(parts[0])
    for part in parts:
        held += int(part.sum())
        refuse_beyond(held)
        total += part
    return total


def check_total(energy: Energies) -> None:
    """Raise DataError when the energies, all > 0, add up to more than 2**62 Wh."""
    most_each = int(np.iinfo(energy.dtype).max) if energy.dtype.itemsize < 8 else int(energy.max(initial=0))
    if most_each * len(energy) > MOST_WH:  # only then the sum itself could overflow
        refuse_beyond(sum(energy.tolist()))


def refuse_beyond(total_wh: int) -> None:
    """Raise DataError for a book of more than 2**62 Wh."""
    if total_wh > MOST_WH:
        raise DataError(f"the book holds {total_wh} Wh, at most {MOST_WH} can be cleared; look for a wrong unit")
