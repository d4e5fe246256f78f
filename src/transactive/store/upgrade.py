"""The version of a state: written into a new one, checked in one that is opened, and moved up in an older one.

An older state is copied first, then moved in one transaction: whenever the program is killed, the database is of the
old version or of the new one. Alembic applies the steps in `migrations`; it is imported where there are any to take.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa

from transactive.core.errors import StateError
from transactive.store import files
from transactive.store.databases import dialect, postgresql
from transactive.store.databases.place import is_pointer
from transactive.store.folder import hold, is_held
from transactive.store.schema import METADATA, VERSION, VERSION_TABLE
from transactive.store.sealing import seal_all, seal_schema

STEPS = Path(__file__).with_name("migrations")
UNVERSIONED = "0000"
"""States of before they carried a version."""
PATIENCE = 10
"""How long to wait for another process that may be moving the same state up [s]."""


def prepare(engine: sa.Engine, path: Path) -> None:
    """Make the tables of a new database, or bring those of an older one up to this program's version.

    Raises StateError for a database of a newer version, and for an older one that another process is using.
    """
    found = _version(engine)
    if found is None:
        with dialect.alone(engine) as connection:
            if _version_in(connection) is None:
                METADATA.create_all(connection)
                connection.execute(sa.insert(VERSION_TABLE), [{"version_num": VERSION}])
                seal_schema(connection)
    elif found != VERSION:
        _check(found, path)
        if is_held(path.parent):
            _move_up(engine, path)
        else:
            with hold(path.parent, PATIENCE):
                _move_up(engine, path)


def _move_up(engine: sa.Engine, path: Path) -> None:
    """Copy the database and take the steps that it lacks."""
    found = _version(engine)
    if found is None or found == VERSION:  # another process was quicker
        return
    copy = path.with_name(f"{path.stem}-version-{int(found)}{path.suffix}")
    if not is_pointer(path):
        files.copy(path, copy)
    with dialect.alone(engine) as connection:
        kept = postgresql.keep(connection, int(found)) if is_pointer(path) else copy.name
        _take_steps(connection, found)
    print(
        f"transactive: {path.parent}: a state of version {int(found)} is now of version {int(VERSION)};"
        f" as it was it is kept in {kept}",
        file=sys.stderr,
    )


def _take_steps(connection: sa.Connection, found: str) -> None:
    """Take each step after a version, and write down which was taken."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(STEPS), version_locations=[str(STEPS)])
    context = MigrationContext.configure(connection)
    last = "base" if found == UNVERSIONED else found
    steps = list(script.iterate_revisions(VERSION, last))
    for step in reversed(steps):
        with Operations.context(context):
            step.module.upgrade()
        context.stamp(script, step.revision)
    seal_all(connection)


def _version(engine: sa.Engine) -> str | None:
    """Version of a database, None for a new one."""
    with engine.connect() as connection:
        return _version_in(connection)


def _version_in(connection: sa.Connection) -> str | None:
    tables = sa.inspect(connection)
    if tables.has_table(VERSION_TABLE.name):
        version: str | None = connection.scalar(sa.select(VERSION_TABLE.c.version_num))
        return version
    return UNVERSIONED if tables.get_table_names() else None


def _check(found: str, path: Path) -> None:
    """Refuse a version that this program does not know. Raises StateError."""
    if not found.isdecimal() or int(found) > int(VERSION):
        raise StateError(
            f"{path.parent}: holds a state of version {found.lstrip('0')}, and this program knows versions up to"
            f" {int(VERSION)}; install a newer TransActive, or use another --state folder"
        )
