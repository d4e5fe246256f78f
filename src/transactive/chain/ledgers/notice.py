"""How long a withdrawal waits, which the delay of a registry has to cover; and the address of none."""

from __future__ import annotations

NOBODY = "0x" + "00" * 20
"""In place of the registry of a settlement that has none."""


def notice_of(slot_seconds: int, slots_per_period: int, lead: int, window: int) -> int:
    """Seconds from a gate to the end of its slot, one period and one window: how long a withdrawal waits at most."""
    return slot_seconds * (slots_per_period + lead + 1) + window
