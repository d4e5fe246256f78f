"""One price for a book that no process holds whole: histograms add up, and a prefix tells each shard its marginal part.

    histogram(shard) --+                            +-- allocate(shard)
    histogram(shard) --+-- merge --> find_crossing --+-- allocate(shard)
       16 bytes a tick                 a few numbers       Wh stay where they are

The shards may be worked through one after the other, by a pool of processes or on many machines: whoever calls says
how. The result is that of `uniform.clear(..., shardable=True)` on the whole book, to the Wh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeAlias, TypeVar

from transactive.core.units import IntArray
from transactive.core.work import Spread
from transactive.market.auction.allocation import PLAIN, Passes, allocate, shard_offsets
from transactive.market.auction.crossing import Crossing, find_crossing
from transactive.market.book import Energies, Keys, histogram, merge

T = TypeVar("T")

Load: TypeAlias = Callable[[], tuple[Keys, Energies]]
"""Brings the packed columns of one shard, the same at every call; called where the shard is worked on."""
Use: TypeAlias = Callable[[Keys, Energies, Energies], T]
"""What becomes of a shard's result where it is: keys, energy and given [Wh], each (orders,)."""
PassesOf: TypeAlias = Callable[[], Passes]
"""Gives the passes where they run, as compiled code does not travel."""


@dataclass(frozen=True, slots=True)
class Sharded(Generic[T]):
    """Price and volume of the whole, and what `use` made of each shard."""

    crossing: Crossing
    parts: tuple[T, ...]


def plain() -> Passes:
    """The passes in numpy."""
    return PLAIN


def clear_shards(
    loads: Sequence[Load], ticks: int, use: Use[T], *, spread: Spread = map, passes: PassesOf = plain
) -> Sharded[T]:
    """Clear all shards at one price; each is loaded twice, for its histogram and for its allocation.

    ticks: of the grid that the keys are packed for. Raises DataError when the whole holds more than 2**62 Wh.
    """
    histograms = list(spread(partial(shard_histogram, ticks, passes), loads))
    crossing, offsets = meet(histograms)
    parts = spread(partial(_hand_out, crossing, use, passes), list(zip(loads, offsets, strict=True)))
    return Sharded(crossing, tuple(parts))


def shard_histogram(ticks: int, passes: PassesOf, load: Load) -> IntArray:
    """What one shard tells the others [Wh], (2 x ticks,)."""
    return histogram(*load(), ticks, passes().add)


def meet(histograms: Sequence[IntArray]) -> tuple[Crossing, list[int]]:
    """The part of one place: price of the sum, and the rationed Wh before each shard."""
    crossing = find_crossing(merge(histograms))
    return crossing, shard_offsets(histograms, crossing)


def _hand_out(crossing: Crossing, use: Use[T], passes: PassesOf, item: tuple[Load, int]) -> T:
    """Allocation of one shard."""
    load, before = item
    keys, energy = load()
    return use(keys, energy, allocate(keys, energy, crossing, before, serve=passes().serve))
