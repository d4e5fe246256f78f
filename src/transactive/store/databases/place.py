"""Which database a state folder has: its own file, or a pointer to a server."""

from __future__ import annotations

from pathlib import Path

from transactive.core.errors import StateError
from transactive.store.databases import postgresql

FILE, POINTER = "market.sqlite", "market.database"


def database_of(folder: Path) -> Path:
    """File of a folder's database: the pointer where there is one, else the SQLite file, there or not."""
    pointed = folder / POINTER
    return pointed if pointed.is_file() else folder / FILE


def holds_state(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return database_of(folder).is_file()


def is_pointer(path: Path) -> bool:
    """Whether a database's file says where it is, in place of being it."""
    return path.name == POINTER


def settle(folder: Path, url: str | None) -> None:
    """Let a new state lie where its community file wants it; None: in the folder.

    Raises StateError where the folder's state lies elsewhere, ConfigError for a URL of no such service.
    """
    found = database_of(folder)
    if not found.is_file():
        if url is not None:
            postgresql.point(folder / POINTER, url)
        return
    here = postgresql.pointer(found).url if is_pointer(found) else None
    if here != url:
        lies = "in the folder" if here is None else f"at {postgresql.shown(here)}"
        raise StateError(
            f"{folder}: its state is {lies}, and store.url says {'nothing' if url is None else postgresql.shown(url)};"
            " `transactive state move` moves it, or use another --state folder"
        )
