"""A book of 10^8 orders that no process holds whole: drawn, cleared and checked shard by shard.

Drawing the orders takes nearly all of the time, so seconds here say little about clearing; what counts is how little
one place has to do, how much memory is needed, and that no Wh is lost. With Ray installed the same shards are cleared
by its tasks too, and must come out the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from time import process_time
from typing import NamedTuple

from transactive.bench.markets.clearing import TICKS, random_book
from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import peak_memory
from transactive.core.errors import InputError, require
from transactive.core.work import Spread
from transactive.engine.pools import processes, ray_cluster
from transactive.market.auction.shards import Sharded, clear_shards, meet, plain, shard_histogram
from transactive.market.book import Energies, Keys, pack_keys

ORDERS, SHARDS, WORKERS = 10**8, 32, 2


class ShardResult(NamedTuple):
    """What a shard traded [Wh], and the hash of its allocation."""

    bought_wh: int
    sold_wh: int
    digest: bytes


@bench("shards", summary="10^8 orders in shards, two processes")
def shards(meter: BenchTimer) -> Iterator[Row]:
    """Measure memory and the one place's part; check that Wh bought is Wh sold."""
    found: list[Sharded[ShardResult]] = []
    once = partial(meter.time, unit="s", repeats=1, warm_up=0)
    with processes(WORKERS) as spread:
        yield once("10^8 orders, 2 processes, orders drawn", lambda: found.append(whole(spread)))
    with processes(1) as apart:  # a process that has done nothing else before
        yield Row(name="memory of 10^8 orders, 2 processes", value=next(iter(apart(memory, [WORKERS]))), unit="GB")
    yield one_place(BenchTimer(process_time))
    try:
        with ray_cluster(cpus=WORKERS) as spread:
            yield once("10^8 orders, Ray, orders drawn", lambda: found.append(whole(spread)))
    except InputError:  # Ray is not installed
        return
    require(found[0] == found[1], "Ray clears like the pool")


def memory(workers: int) -> float | None:
    """Clear all shards; returns the largest memory of this process and its workers together [GB], if not less."""
    with processes(workers) as spread:
        whole(spread)
    own, largest = peak_memory(), peak_memory(of_children=True)
    return None if own is None or largest is None else own + workers * largest


def whole(spread: Spread) -> Sharded[ShardResult]:
    """Clear all shards; raises RuleBroken where a Wh is lost."""
    loads = [partial(drawn, number) for number in range(SHARDS)]
    result = clear_shards(loads, TICKS, traded, spread=spread)
    bought, sold = sum(part.bought_wh for part in result.parts), sum(part.sold_wh for part in result.parts)
    require(bought == sold == result.crossing.volume > 0, "Wh bought = Wh sold = Wh traded over all shards")
    return result


def drawn(number: int, orders: int = ORDERS // SHARDS) -> tuple[Keys, Energies]:
    """One shard, the same at every call."""
    tick, is_buy, energy = random_book(orders, seed=number)
    return pack_keys(tick, is_buy, TICKS), energy


def traded(keys: Keys, _: Energies, given: Energies) -> ShardResult:
    """Sums of one shard."""
    bought = int(given.sum(where=keys >= TICKS, dtype="i8"))
    return ShardResult(bought, int(given.sum(dtype="i8")) - bought, sha256(given.tobytes()).digest())


def one_place(meter: BenchTimer) -> Row:
    """What the process that meets all histograms does, against what the shards did to make them."""
    shard = drawn(0)
    own = shard_histogram(TICKS, plain, lambda: shard)
    work = meter.time("one place, 32 shards", lambda: meet([own] * SHARDS), repeats=9)
    histogram = meter.time("histogram", lambda: shard_histogram(TICKS, plain, lambda: shard), repeats=3)
    driver, all_shards = float(work.value or 0), SHARDS * float(histogram.value or 0)
    return Row(
        name="one place against the histograms, processor time",
        value=driver,
        unit="ms",
        reference="histograms of 32 shards",
        reference_value=all_shards,
        ratio=driver / all_shards,
    )
