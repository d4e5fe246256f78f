"""Acts of members in a live session: out of the log of its state, through its journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from transactive.core.proofs.members.member_acts import MemberAct
from transactive.store.database import Database
from transactive.store.live.acts import acts_after
from transactive.store.live.journal import ArrivalKind, JournalReader


class JournaledAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An act with the gate [Unix s] that it counts from."""

    gate: int
    act: MemberAct


class GateBook(Protocol):
    """Which gates a session has closed."""

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        ...

    def seen(self, gate: int) -> int | None:
        """None as long as a gate [Unix s] is open."""
        ...


class JournaledActs:
    """Of a live session: an act counts from the gate beside which it stands in the journal, before that one closes.

    So an interrupted session and the replay of its journal count with the same acts from the same gates on.
    """

    def __init__(self, journal: JournalReader, gates: GateBook, store: Database) -> None:
        self._journal, self._gates, self._store = journal, gates, store
        self._acts: dict[int, list[MemberAct]] = {}
        self._last = 0
        for entry in journal.all_after(0):
            if entry.kind is ArrivalKind.ACT:
                self._put(msgspec.json.decode(entry.body, type=JournaledAct))

    def by(self, gate: int) -> Sequence[MemberAct]:
        """What counts from a gate on; while it is open, also what is new in the log of the state."""
        if not self._journal.is_only_read and self._gates.seen(gate) is None:
            fresh = [JournaledAct(gate, act) for act in acts_after(self._store, self._last)]
            self._journal.append(self._gates.now, ArrivalKind.ACT, [msgspec.json.encode(each) for each in fresh])
            for each in fresh:
                self._put(each)
        return self._acts.get(gate, ())

    def _put(self, journaled: JournaledAct) -> None:
        """Let an act count from its gate on."""
        self._acts.setdefault(journaled.gate, []).append(journaled.act)
        self._last = journaled.act.number
