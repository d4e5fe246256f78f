"""Acts of members in a run on recorded data: from the log of its state, or none."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.core.proofs.members.member_acts import MemberAct
from transactive.store.database import Database
from transactive.store.live.acts import acts_after


class NoActs:
    """Of a run that keeps no state: nobody can do anything."""

    def by(self, gate: int) -> Sequence[MemberAct]:  # noqa: ARG002 - as the port is asked
        """Nothing."""
        return ()


class LoggedActs:
    """Of a run on recorded data: all that stands in the log of its state."""

    def __init__(self, store: Database) -> None:
        self._store, self._last = store, 0

    def by(self, gate: int) -> Sequence[MemberAct]:  # noqa: ARG002 - time passes at once, so what is there counts
        """What came since this was last asked."""
        found = acts_after(self._store, self._last)
        self._last = found[-1].number if found else self._last
        return found
