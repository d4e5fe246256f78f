"""How long kinds of data are kept: what would go, and its deletion. A run applies it daily to its database.

What is in the database is as old as its slots are beside the newest delivered one; what is in files by the clock on
the wall.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from transactive.core.errors import StateError
from transactive.core.slots import DAY
from transactive.services.complaints import drop_complaints
from transactive.services.finding_notes import drop_notes
from transactive.store import Store, holds_state
from transactive.store.read.runs import Reader
from transactive.store.write.retention import KEPT_TABLES, drop_before

IN_FILES = {"notes": drop_notes, "complaints": drop_complaints}


@dataclass(frozen=True, slots=True)
class RetainedKind:
    """A kind of data. days: how long it is kept, None as long as the run; older: how many records are older."""

    kind: str
    days: int | None
    older: int


def retain(folder: Path, now: int, *, do: bool) -> list[RetainedKind]:
    """Delete what is older than the community file says, or only count it. now: [Unix s]. Raises StateError."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    found = []
    with closing(Store(folder)) as store:
        reader = Reader(store)
        run, delivered = reader.run(), reader.position().delivered
        if run is None:
            raise StateError(f"{folder}: its run has not begun; nothing is kept yet")
        keep, slot = run.community.privacy.keep, run.first_slot if delivered is None else delivered
        for kind in (*KEPT_TABLES, *IN_FILES):
            days = getattr(keep, f"{kind}_days")
            if days is None:
                older = 0
            elif kind in IN_FILES:
                older = IN_FILES[kind](folder, now - days * DAY, do=do)
            else:
                older = drop_before(store, kind, slot - days * DAY, do=do)
            found.append(RetainedKind(kind, days, older))
        if do and any(each.older for each in found):
            store.wipe_free_pages()
    return found
