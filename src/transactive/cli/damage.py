"""Damage of a state behind an error: what a command failed on is named by file and table.

A process may run several commands, so each begins without the folders of the ones before. Nothing here imports the
store: where it was not imported, no state was opened, and it may not even be installed.
"""

from __future__ import annotations

import sys

from transactive.core.errors import ChainError, RuleBroken, TransactiveError, UnreadableState

OPENER = "transactive.store.folder"


def forget_states() -> None:
    """Begin a command: it has opened no state yet."""
    if OPENER in sys.modules:
        from transactive.store.folder import forget_used

        forget_used()


def damage_of(error: Exception) -> str | None:
    """What is damaged in a state that this command opened, if the error may come from that; None without any."""
    told = isinstance(error, TransactiveError) and not isinstance(error, RuleBroken | ChainError | UnreadableState)
    if told or OPENER not in sys.modules:
        return None
    from transactive.store.folder import used

    if not used():
        return None
    from transactive.services.states.check import damage_behind

    return damage_behind(used())
