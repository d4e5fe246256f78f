"""The state of a run in its folder: `write` and `read` hold the only SQL, `schema` names the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from transactive.store.databases.place import FILE, database_of, holds_state, settle
from transactive.store.read.slots import SlotReader
from transactive.store.write.slots import SlotWriter

__all__ = ["FILE", "Store", "database_of", "holds_state"]


class Store(SlotWriter, SlotReader):
    """One run's database in a folder: its settings, and its slots written and read again."""

    @classmethod
    def settled(cls, folder: Path, url: str | None) -> Self:
        """The state in a folder, or a new one where its community file wants it; None: in the folder itself.

        Raises StateError for one that lies elsewhere.
        """
        settle(folder, url)
        return cls(folder)
