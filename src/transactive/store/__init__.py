"""The state of a run in its folder: `database` reads and writes it, `schema` names its tables."""

from transactive.store.database import FILE, Store

__all__ = ["FILE", "Store"]
