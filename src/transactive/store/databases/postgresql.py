"""PostgreSQL: a schema of a server's database, for a state that other programs read too, or that others back up.

The folder keeps the URL and the schema's name; passwords are libpq's business (`~/.pgpass`, `PGPASSWORD`).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from transactive.core.errors import ConfigError, UnreadableState
from transactive.core.installed import named_extras
from transactive.store.folder import write_private

DRIVER = "postgresql+psycopg"
DURABLE = "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed"
"""Options of each connection: every commit is on the server's disk before it returns."""


class Pointer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a state lies: URL of a server's database, and the schema in it that is this state's."""

    url: str
    schema: str


def checked(url: str) -> sa.URL:
    """A URL as the driver wants it. Raises ConfigError for another service, and for one with a password."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() != "postgresql" or not parsed.database:
        raise ConfigError(f"store.url: {_shown(url)} names no database; write postgresql://user@host:5432/database")
    if parsed.password is not None or "password" in parsed.query:
        raise ConfigError("store.url: takes no password, as others read this file; put it into ~/.pgpass or PGPASSWORD")
    return parsed.set(drivername=DRIVER)


def _shown(url: str) -> str:
    """A URL without what may be a secret."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def point(path: Path, url: str) -> None:
    """Write a new pointer, to a schema that no state has yet. Raises ConfigError for a URL that is none of ours."""
    checked(url)
    made = Pointer(url, f"transactive_{secrets.token_hex(6)}")
    write_private(path, msgspec.json.format(msgspec.json.encode(made)) + b"\n")


def pointer(path: Path) -> Pointer:
    """What a pointer says. Raises UnreadableState for a file that is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pointer)
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; put a backup in its place") from None


def engine(path: Path) -> sa.Engine:
    """Engine of the schema that a pointer names. Raises MissingExtra without the driver."""
    found = pointer(path)
    options = f"-c search_path={found.schema} {DURABLE}"
    with named_extras(f"a state on PostgreSQL ({_shown(found.url)})"):
        return sa.create_engine(checked(found.url), connect_args={"options": options})


def make_schema(path: Path) -> None:
    """Make the schema that a pointer names, if it is missing; an engine asks for it when it first connects."""
    first = engine(path)
    try:
        with first.begin() as connection:
            connection.execute(sa.schema.CreateSchema(pointer(path).schema, if_not_exists=True))
    finally:
        first.dispose()


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
