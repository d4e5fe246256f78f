"""Benches by name; a bench's module, and whatever it needs, is imported only when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import TypeAlias

from transactive.bench.measure import BenchTimer
from transactive.bench.report import Row
from transactive.core.errors import InputError

MODULES = {
    "clearing": "transactive.bench.markets.clearing",
    "trades": "transactive.bench.markets.trades",
    "continuous": "transactive.bench.markets.continuous",
    "radial": "transactive.bench.markets.radial",
    "meshed": "transactive.bench.markets.meshed",
    "losses": "transactive.bench.markets.losses",
    "kinds": "transactive.bench.markets.kinds",
    "preferences": "transactive.bench.markets.preferences",
    "direct": "transactive.bench.markets.direct",
    "chain": "transactive.bench.proofs.chain",
    "leaves": "transactive.bench.proofs.leaves",
    "carbon": "transactive.bench.proofs.carbon",
    "governance": "transactive.bench.proofs.governance",
    "year": "transactive.bench.runs.year",
    "demo": "transactive.bench.runs.demo",
    "plans": "transactive.bench.intelligence.plans",
    "community": "transactive.bench.intelligence.community",
    "schedules": "transactive.bench.intelligence.schedules",
    "sessions": "transactive.bench.markets.sessions",
    "grid": "transactive.bench.runs.grid",
    "intelligence": "transactive.bench.intelligence.forecasts",
    "forecasts": "transactive.bench.intelligence.pool",
    "insights": "transactive.bench.intelligence.insights",
    "agents": "transactive.bench.intelligence.agents",
    "autonomy": "transactive.bench.runs.autonomy",
    "shifting": "transactive.bench.intelligence.shifting",
    "detection": "transactive.bench.intelligence.detection",
    "import": "transactive.bench.readings.imports",
    "doubts": "transactive.bench.readings.doubts",
    "bills": "transactive.bench.runs.bills",
    "extension": "transactive.bench.runs.extension",
    "simulation": "transactive.bench.runs.simulation",
    "store": "transactive.bench.runs.store",
    "shards": "transactive.bench.runs.shards",
    "country": "transactive.bench.runs.country",
    "downtime": "transactive.bench.live.downtime",
    "live": "transactive.bench.live.boxes",
    "communities": "transactive.bench.live.rehearsal",
    "openadr": "transactive.bench.live.vens",
    "pages": "transactive.bench.runs.pages",
    "papers": "transactive.bench.runs.papers",
}
"""Module of each bench, in the order in which they run."""
ON_REQUEST = (
    "direct",
    "forecasts",
    "governance",
    "store",
    "shards",
    "country",
    "downtime",
    "live",
    "communities",
    "openadr",
    "pages",
    "papers",
)
"""Benches that take minutes and gigabytes, or a broker: they run only when they are named."""

BenchFunction: TypeAlias = Callable[[BenchTimer], Iterable[Row]]


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
