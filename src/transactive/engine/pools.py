"""Where independent pieces of work run: threads, processes, many machines. Each gives a `map` of its own.

What crosses between pieces adds up (curves, totals), so nothing but the place changes with the pool; a function handed
to processes or machines is pickled, and so are its items and results.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import get_context
from typing import Any

from transactive.core.installed import named_extras
from transactive.core.work import Spread


@contextmanager
def threads(count: int | None = None) -> Iterator[Spread]:
    """Threads of this process, one a processor: for numpy and compiled loops, which let each other run."""
    with ThreadPoolExecutor(count or os.cpu_count()) as pool:
        yield pool.map


@contextmanager
def processes(count: int | None = None) -> Iterator[Spread]:
    """Processes of this machine, one a processor, started afresh."""
    with ProcessPoolExecutor(count or os.cpu_count(), get_context("spawn")) as pool:
        yield pool.map


@contextmanager
def ray_cluster(address: str | None = None, cpus: int | None = None) -> Iterator[Spread]:
    """Tasks of a Ray cluster at `address`, or of one that is started here. Raises MissingExtra without Ray."""
    with named_extras("a cluster"):
        ray = import_module("ray")
    ray.init(address, num_cpus=None if address else cpus, include_dashboard=False, log_to_driver=False)

    def spread(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
        """The function is stored once and fetched by each machine that needs it."""
        stored, task = ray.put(function), ray.remote(_apply)
        results: list[Any] = ray.get([task.remote(stored, item) for item in items])
        return results

    try:
        yield spread
    finally:
        ray.shutdown()


def _apply(function: Callable[[Any], Any], item: Any) -> Any:  # noqa: ANN401 - whatever the caller maps
    """One piece of work."""
    return function(item)
