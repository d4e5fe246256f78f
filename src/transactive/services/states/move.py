"""A state from its folder onto a server, or from there into its folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from transactive.core.errors import InputError, StateError
from transactive.store import FILE, Store, database_of, holds_state
from transactive.store.copies import copy_rows, held_still
from transactive.store.databases import postgresql
from transactive.store.databases.place import POINTER, is_pointer
from transactive.store.folder import hold, write_private

MOVING = ".moving"


def move(folder: Path, url: str | None) -> Path:
    """Move a state to a server's database, or with None into its folder; what was there is kept, its path returned.

    Killed, the state is where it was or where it shall be. Raises InputError where it is there already, StateError for
    a folder without a run, or where the rows cannot be written.
    """
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    with hold(folder):
        earlier = database_of(folder)
        here = postgresql.pointer(earlier).url if is_pointer(earlier) else None
        if here == url:
            raise InputError(f"{folder}: its state is {'in the folder' if url is None else 'there'} already")
        fresh = folder / MOVING / (FILE if url is None else POINTER)
        fresh.parent.mkdir(mode=0o700, exist_ok=True)
        for left in fresh.parent.iterdir():
            left.unlink()
        if url is not None:
            postgresql.point(fresh, url)
        with closing(Store(folder)) as store, held_still(store.engine) as read:
            copy_rows(read, fresh)
        kept = earlier.with_name(f"{earlier.name}.before-move")
        return _exchange(earlier, fresh, kept)


def _exchange(earlier: Path, fresh: Path, kept: Path) -> Path:
    """Let the fresh database count in place of the earlier one. A pointer counts before a file, so it comes first."""
    target = earlier.parent / fresh.name
    for place in (kept, target) if target != earlier else (kept,):
        for beside in _beside(place):
            beside.unlink(missing_ok=True)  # a log that is not of this file would be played into it
    if target == earlier:
        write_private(kept, earlier.read_bytes())
        fresh.replace(target)
    else:
        fresh.replace(target)
        for source, place in zip((earlier, *_beside(earlier)), (kept, *_beside(kept)), strict=True):
            if source.exists():
                source.replace(place)
    fresh.parent.rmdir()
    return kept


def _beside(database: Path) -> tuple[Path, ...]:
    """Files that SQLite lays beside one, and leaves there while somebody reads it."""
    return tuple(database.with_name(f"{database.name}{end}") for end in ("-wal", "-shm"))
