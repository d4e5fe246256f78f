"""Plugin for pytest: every state that a test makes lies on PostgreSQL, at the URL in the environment.

`pytest -p tests.services.on_postgresql` with TRANSACTIVE_TEST_DATABASE set runs the suite of the store there.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from transactive import store
from transactive.store import database
from transactive.store.databases import place, postgresql

URL = "TRANSACTIVE_TEST_DATABASE"


def pointed(folder: Path) -> Path:
    """The folder's database; a pointer to the server for a folder that has none."""
    if not place.holds_state(folder):
        postgresql.point(folder / place.POINTER, os.environ[URL])
    return place.database_of(folder)


@pytest.fixture(autouse=True, scope="session")
def _on_server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "database_of", pointed)
        patch.setattr(store, "settle", lambda _folder, _url: None)
        yield
