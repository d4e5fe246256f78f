"""Sums over a whole run that were just made: rows of delivered slots never change, so they hold until the next slot."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from transactive.store.read.runs import Reader

Made = TypeVar("Made")
MOST = 128
"""Answers that are kept; the oldest makes room."""


class KeptSums:
    """Answers by what was asked; the key holds the newest slot that they are of. Safe to ask from several threads."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Any] = {}

    def of(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The answer to a question, made now if it is not kept. The object is shared: read it only."""
        missing: Any = object()
        found: Made = self._answers.get(key, missing)
        if found is missing:
            found = make()
            for oldest in list(self._answers)[: len(self._answers) - MOST + 1]:
                self._answers.pop(oldest, None)
            self._answers[key] = found
        return found


_KEPT: WeakKeyDictionary[Reader, KeptSums] = WeakKeyDictionary()


def kept_sums(reader: Reader) -> KeptSums:
    """What was kept of the run that a reader sees; it goes with the reader."""
    return _KEPT.setdefault(reader, KeptSums())
