"""Steps that people take with certificates, appended to their log."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from transactive.core.errors import StateError
from transactive.store.database import Database
from transactive.store.read.certificates import LoggedStep
from transactive.store.schema import CERTIFICATE_LOG
from transactive.store.sealing import seal


def add_steps(store: Database, first: int, steps: Sequence[LoggedStep]) -> None:
    """Append steps from number `first` on. Raises StateError if somebody else appended since `first` was read."""
    with store.transaction() as connection:
        put_steps(connection, first, steps)


def put_steps(connection: sa.Connection, first: int, steps: Sequence[LoggedStep]) -> None:
    """The same within a transaction."""
    if not steps:
        return
    rows = [
        {"number": number, "slot": step.slot, "entry": msgspec.json.encode(step.entry).decode(), "digest": step.digest}
        for number, step in enumerate(steps, first)
    ]
    try:
        connection.execute(sa.insert(CERTIFICATE_LOG), rows)
        seal(connection, CERTIFICATE_LOG, {step.slot for step in steps})
    except sa.exc.IntegrityError:
        raise StateError("the register of certificates changed meanwhile; look at it and repeat") from None
