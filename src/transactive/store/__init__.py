"""The state of a run in its folder: `write` and `read` hold the only SQL, `schema` names the tables."""

from transactive.store.databases.place import FILE, database_of, holds_state
from transactive.store.read.slots import SlotReader
from transactive.store.write.slots import SlotWriter

__all__ = ["FILE", "Store", "database_of", "holds_state"]


class Store(SlotWriter, SlotReader):
    """One run's database in a folder: its settings, and its slots written and read again."""
