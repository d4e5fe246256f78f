"""How tests wait: for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

LIMIT_SECONDS = 600.0
"""Longest wait for anything: so long that only a fault reaches it, also on a machine with far more to do than cores."""
PAUSE_SECONDS = 0.01


def until(condition: Callable[[], Found | None], awaited: str) -> Found:
    """Look again and again until the condition holds, and return what it found; fail at the limit."""
    end = time.monotonic() + LIMIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {LIMIT_SECONDS:.0f} s in vain: {awaited}"
        time.sleep(PAUSE_SECONDS)
    return found
