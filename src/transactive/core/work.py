"""How work is done that takes long: spread over what computes, seldom stopped for garbage, and ended where it waits."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

Spread: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Applies a function to each item and gives the results in order: `map`, or the map of a pool (see `engine.pools`)."""

FRESH_OBJECTS = 100_000
"""So many more objects than before let the collector look; by itself it does after 700, and dozens of times a slot."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage seldom, and not at all in what there is already: objects in circles, which few are.

    A run makes many objects that vanish by themselves; what stays (programs, prices, contracts) is looked through each
    time. Within another such block, or where something else is left out already, no more is left out.
    """
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    if not frozen:
        gc.freeze()
    gc.set_threshold(FRESH_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()


_ENDINGS: list[Callable[[], None]] = []


@contextmanager
def ended_by(end_if_asked: Callable[[], None]) -> Iterator[None]:
    """Let `end_if_asked` end the block, by what it raises, also where something waits for long inside it."""
    _ENDINGS.append(end_if_asked)
    try:
        yield
    finally:
        _ENDINGS.pop()


def may_end_here() -> None:
    """End here if somebody asked for it: for a place that waits for long, where nothing is half done."""
    for end_if_asked in _ENDINGS:
        end_if_asked()
