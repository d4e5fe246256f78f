"""A book in shards: every way to spread them gives what one process gives, to the Wh."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest

from transactive.bench.markets.clearing import TICKS
from transactive.bench.runs.shards import drawn, traded
from transactive.core.errors import DataError, InputError
from transactive.engine.pools import processes, ray_cluster, threads
from transactive.market.auction.allocation import PLAIN, allocate
from transactive.market.auction.compiled import SOME, passes
from transactive.market.auction.crossing import find_crossing
from transactive.market.auction.shards import clear_shards, plain
from transactive.market.book import CHUNK, histogram, pack_keys

LOADS = [partial(drawn, number, CHUNK + number) for number in range(5)]


@pytest.fixture(scope="module")
def whole():
    """Price of the whole book at once, and what each part of it gets."""
    books = [load() for load in LOADS]
    keys, energy = (np.concatenate(column) for column in zip(*books, strict=True))
    crossing = find_crossing(histogram(keys, energy, TICKS))
    given = allocate(keys, energy, crossing, before=0)
    ends = np.cumsum([len(own) for own, _ in books])[:-1]
    return crossing, tuple(map(traded, np.split(keys, ends), np.split(energy, ends), np.split(given, ends)))


@pytest.mark.parametrize(
    ("way", "kind"),
    [(threads, plain), (threads, passes), (processes, plain)],
    ids=("threads", "threads, compiled", "processes"),
)
def test_shards_in_a_pool_clear_like_the_whole_book_in_one_process(whole, way, kind):
    with way(2) as spread:
        result = clear_shards(LOADS, TICKS, traded, spread=spread, passes=kind)
    crossing, parts = whole
    assert crossing.rationed is not None
    assert result.crossing == crossing
    assert result.parts == parts
    assert sum(part.bought_wh for part in parts) == sum(part.sold_wh for part in parts) == crossing.volume > 0


def test_what_a_shard_refuses_is_said_where_the_pool_was_asked():
    def heavy():
        return np.zeros(2, np.uint16), np.full(2, 2**62)

    with threads(1) as spread, pytest.raises(DataError, match="look for a wrong unit"):
        clear_shards([heavy], TICKS, traded, spread=spread)


@pytest.mark.parametrize("energy_type", [np.int32, np.int64])
@pytest.mark.parametrize("ticks", [1, 40, 1 << 15, 1 << 16])
def test_compiled_passes_are_the_plain_ones(ticks, energy_type):
    """Also on a grid whose last key is the largest of 16 bits, and where nothing trades or nobody is rationed."""
    random = np.random.default_rng(ticks)
    tick = random.integers(max(ticks - 40, 0), ticks, 2 * SOME + 3)
    is_buy = random.random(len(tick)) < 0.5
    energy = random.integers(1, 5000, len(tick)).astype(energy_type)
    for sides in (is_buy, np.zeros_like(is_buy), np.ones_like(is_buy)):
        keys = pack_keys(tick, sides, ticks)
        outcomes = []
        for way in (PLAIN, passes()):
            total = histogram(keys, energy, ticks, way.add)
            outcomes.append((total, allocate(keys, energy, find_crossing(total), serve=way.serve)))
        (plain_total, plain_given), (total, given) = outcomes
        assert np.array_equal(plain_total, total)
        assert np.array_equal(plain_given, given)
        assert given.dtype == energy_type


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"transactive-core\[ray\]"), ray_cluster():
        pass
