"""Gas of a settled run from the snapshot that the contract tests hold, without running a chain."""

from __future__ import annotations

from pathlib import Path

import msgspec

from transactive.core.errors import StateError

SNAPSHOT = Path(__file__).with_name("gas.json")
"""Gas of each kind of transaction; the contract tests hold it and write it anew."""
SMALL, LARGE = 14, 100
"""Accounts of the two nettings in the snapshot."""


def settlement_gas(accounts: int, slots: int, slots_per_period: int) -> int:
    """Gas of settling `slots` slots: a commitment each, and proposal and payment of the net amounts each period.

    A commitment costs the same whatever the number of accounts; a netting is taken as the straight line through the two
    nettings of the snapshot. Deployment and deposits are left out.
    """
    gas = snapshot()
    periods = -(-slots // slots_per_period)
    small, large = (gas[f"propose and finalise, {count} accounts"] for count in (SMALL, LARGE))
    netting = small + (large - small) * (accounts - SMALL) // (LARGE - SMALL)
    first, later = gas["slot commit, first of a period"], gas["slot commit, later"]
    return periods * (first + netting) + (slots - periods) * later


def snapshot() -> dict[str, int]:
    """Gas by transaction. Raises StateError if the installation lacks the file."""
    try:
        return msgspec.json.decode(SNAPSHOT.read_bytes(), type=dict[str, int])
    except OSError as error:
        raise StateError(f"{SNAPSHOT.name}: cannot be read ({error.strerror}); install the package anew") from None
