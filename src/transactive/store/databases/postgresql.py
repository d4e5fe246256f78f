"""PostgreSQL: a schema of a server's database, for a state that other programs read too, or that others back up.

The folder keeps the URL and the schema's name; passwords are libpq's business (`~/.pgpass`, `PGPASSWORD`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import sqlalchemy as sa

from transactive.core.errors import ConfigError, StateError, UnreadableState
from transactive.core.installed import named_extras
from transactive.store.folder import write_private

DRIVER = "postgresql+psycopg"
DURABLE = "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed"
"""Options of each connection: every commit is on the server's disk before it returns."""


class Pointer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a state lies: URL of a server's database, and the schema in it that is this state's."""

    url: str
    schema: Annotated[str, msgspec.Meta(pattern=r"^transactive_[0-9a-f]{12}(_version_[0-9]+)?$")]


def checked(url: str) -> sa.URL:
    """A URL as the driver wants it. Raises ConfigError for another service, and for one with a password."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):  # no URL, or a port that is no number
        parsed = None
    if parsed is None or parsed.get_backend_name() != "postgresql" or not parsed.database:
        raise ConfigError(f"store.url: {shown(url)} names no database; write postgresql://user@host:5432/database")
    if parsed.password is not None or any("password" in key for key in parsed.query):
        raise ConfigError("store.url: takes no password, as others read this file; put it into ~/.pgpass or PGPASSWORD")
    return parsed.set(drivername=DRIVER)


def shown(url: str) -> str:
    """A URL without what may be a secret."""
    scheme, slashes, rest = url.partition("://")
    return f"{scheme if slashes else ''}{slashes}{(rest or url).rpartition('@')[2].partition('?')[0]}"


def point(path: Path, url: str) -> None:
    """Make a schema that no state has yet, and a pointer to it.

    Raises ConfigError for a URL that is none of ours, StateError where it cannot be made, MissingExtra without the
    driver.
    """
    made = Pointer(url, f"transactive_{secrets.token_hex(6)}")
    server = _engine(made)
    try:
        with server.begin() as connection:
            connection.execute(sa.schema.CreateSchema(made.schema))
    except sa.exc.DatabaseError as error:
        raise _refused(url, error) from error
    finally:
        server.dispose()
    write_private(path, msgspec.json.format(msgspec.json.encode(made)) + b"\n")


def _refused(url: str, error: sa.exc.DatabaseError) -> StateError:
    """What a server says that lets nobody in."""
    said = " ".join(str(error.orig).split())
    return StateError(f"{shown(url)}: {said}; see to the server and its permissions, then run the same again")


def pointer(path: Path) -> Pointer:
    """What a pointer says. Raises UnreadableState for a file that is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pointer)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; put a backup in its place") from None


def engine(path: Path) -> sa.Engine:
    """Engine of the schema that a pointer names. Raises MissingExtra without the driver."""
    return _engine(pointer(path))


def _engine(found: Pointer) -> sa.Engine:
    options = f"-c search_path={found.schema} {DURABLE}"
    with named_extras(f"a state on PostgreSQL ({shown(found.url)})"):
        return sa.create_engine(checked(found.url), connect_args={"options": options})


def require_schema(path: Path) -> None:
    """Require that the schema is there which a pointer names; without it a state would begin anew.

    Raises StateError where the server lets nobody in, UnreadableState for a schema that is gone.
    """
    found, server = pointer(path), engine(path)
    try:
        with server.connect() as connection:
            there = connection.exec_driver_sql("select current_schema()").scalar_one()
    except sa.exc.OperationalError as error:
        raise _refused(found.url, error) from error
    finally:
        server.dispose()
    if there is None:
        raise UnreadableState(
            f"{path}: {shown(found.url)} has no schema {found.schema}; correct the URL, or put a backup in its place"
        )


def keep(connection: sa.Connection, version: int) -> str:
    """Copy the schema's tables into one beside it, named after their version; returns its name."""
    schema = connection.exec_driver_sql("select current_schema()").scalar_one()
    kept, quoted = f"{schema}_version_{version}", connection.dialect.identifier_preparer.quote
    connection.execute(sa.schema.CreateSchema(kept))
    for table in sa.inspect(connection).get_table_names():
        target = f"{quoted(kept)}.{quoted(table)}"
        connection.exec_driver_sql(f"create table {target} (like {quoted(table)} including all)")
        connection.exec_driver_sql(f"insert into {target} table {quoted(table)}")
    return kept


@contextmanager
def alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction in which other such ones on the schema wait, and tables too change wholly or not at all."""
    with engine.begin() as connection:
        connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended(current_schema(), 0))")
        yield connection


def stand_still(connection: sa.Connection) -> None:
    """Read everything from now on as it is at one moment, whatever a run writes meanwhile."""
    connection.exec_driver_sql("set transaction isolation level repeatable read, read only")


def definitions(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and definition of all columns and keys, by name."""
    columns = connection.exec_driver_sql(
        "select table_name || '.' || column_name, data_type || ' ' || is_nullable from information_schema.columns"
        ' where table_schema = current_schema() order by table_name collate "C", column_name collate "C"'
    )
    keys = connection.exec_driver_sql(
        "select table_name || '.' || constraint_name, column_name || ' ' || ordinal_position"
        " from information_schema.key_column_usage where table_schema = current_schema()"
        ' order by table_name collate "C", constraint_name collate "C", ordinal_position'
    )
    found = (("column", columns), ("key", keys))
    return [(kind, str(name), str(text)) for kind, rows in found for name, text in rows]
