"""Benches by name; a bench's module, and whatever it needs, is imported only when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TypeAlias

from transactive.bench.measure import Meter
from transactive.bench.report import Row
from transactive.core.errors import InputError

MODULES = {
    "clearing": "transactive.bench.clearing",
    "trades": "transactive.bench.trades",
    "continuous": "transactive.bench.continuous",
    "radial": "transactive.bench.radial",
    "meshed": "transactive.bench.meshed",
    "kinds": "transactive.bench.kinds",
    "preferences": "transactive.bench.preferences",
    "chain": "transactive.bench.chain",
    "leaves": "transactive.bench.leaves",
    "carbon": "transactive.bench.carbon",
    "year": "transactive.bench.year",
    "demo": "transactive.bench.demo",
    "plans": "transactive.bench.plans",
    "schedules": "transactive.bench.schedules",
    "sessions": "transactive.bench.sessions",
    "grid": "transactive.bench.grid",
    "intelligence": "transactive.bench.intelligence",
    "insights": "transactive.bench.insights",
    "agents": "transactive.bench.agents",
    "autonomy": "transactive.bench.autonomy",
    "shifting": "transactive.bench.shifting",
    "detection": "transactive.bench.detection",
    "simulation": "transactive.bench.simulation",
    "shards": "transactive.bench.shards",
    "country": "transactive.bench.country",
}
"""Module of each bench, in the order in which they run."""
ON_REQUEST = ("shards", "country")
"""Benches that take minutes and gigabytes: they run only when they are named."""

BenchFunction: TypeAlias = Callable[[Meter], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A named piece of measuring: `function` measures with the meter it is given and yields one row a figure."""

    name: str
    summary: str
    function: BenchFunction


_loaded: dict[str, Bench] = {}


def bench(name: str, *, summary: str) -> Callable[[BenchFunction], BenchFunction]:
    """Register the decorated function as the bench `name`, which MODULES must list."""

    def register(function: BenchFunction) -> BenchFunction:
        _loaded[name] = Bench(name, summary, function)
        return function

    return register


def names() -> tuple[str, ...]:
    """Names of all benches, without importing any."""
    return tuple(MODULES)


def load(name: str) -> Bench:
    """Import the bench called `name`. Raises InputError naming the nearest known ones."""
    module = MODULES.get(name)
    if module is None:
        raise InputError(f"no bench is called {name!r}; {_suggestion(name, names())}")
    import_module(module)
    return _loaded[name]


def _suggestion(name: str, known: Sequence[str]) -> str:
    """Advice after a wrong name."""
    near = get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
