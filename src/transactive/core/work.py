"""How independent pieces of work are spread: the word that rooms and engine share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Spread: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Applies a function to each item and gives the results in order: `map`, or the map of a pool (see `engine.pools`)."""
