"""How long a withdrawal waits, which the delay of a registry has to cover; and the address of none."""

from __future__ import annotations

NOBODY = "0x" + "00" * 20
"""In place of the registry of a settlement that has none."""
QUIET_DAYS = 7
"""Days without a commitment after which anyone may close the books, if nothing else is agreed."""


def notice_of(slot_seconds: int, slots_per_period: int, lead: int, window: int) -> int:
    """Seconds from a gate to the end of its slot, one period and one window: how long a withdrawal waits at most."""
    return slot_seconds * (slots_per_period + lead + 1) + window


def silence_of(notice: int) -> int:
    """Seconds without a commitment after which anyone may close the books, by the notice [s]: at least as long."""
    return max(notice, QUIET_DAYS * 86400)
