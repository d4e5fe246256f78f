"""`transactive token create`: a token for the API and the page of a run."""

from __future__ import annotations

from pathlib import Path

from transactive.core.errors import StateError
from transactive.store import FILE, Store


def create_token(folder: Path, scope: str, member: str | None) -> str:
    """Make a token for a run's folder; only its hash is kept. Raises InputError, StateError."""
    from transactive.store.read.runs import Reader
    from transactive.web.access import add_token

    if not (folder / FILE).exists():
        raise StateError(f"{folder}: holds no run; give the --state folder of one")
    store = Store(folder)
    try:
        run = Reader(store).run()
    finally:
        store.close()
    return add_token(folder, scope, member, run.community.ids if run else None)
