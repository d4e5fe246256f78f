"""The log of what people did with certificates: one row a step, in order, with the hash of the slot's register."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from transactive.carbon.certificates.register import Entry
from transactive.core.errors import StateError
from transactive.store.schema import CERTIFICATE_LOG


class LoggedStep(NamedTuple):
    """A step in a slot [Unix s], and the digest of the slot's register after it."""

    slot: int
    entry: Entry
    digest: str


def read_steps(connection: sa.Connection, slot: int) -> list[LoggedStep]:
    """Steps of a slot, in order."""
    c = CERTIFICATE_LOG.c
    rows = connection.execute(sa.select(c.entry, c.digest).where(c.slot == slot).order_by(c.number))
    return [LoggedStep(slot, msgspec.json.decode(entry, type=Entry), digest) for entry, digest in rows]


def slots_with_steps(connection: sa.Connection) -> list[int]:
    """Slots that people did something in, in order."""
    c = CERTIFICATE_LOG.c
    return list(connection.scalars(sa.select(c.slot).distinct().order_by(c.slot)))


def head(connection: sa.Connection) -> tuple[int, int]:
    """Number of steps so far, and the time of the last one [Unix s], 0 without any."""
    last = connection.execute(sa.select(CERTIFICATE_LOG).order_by(CERTIFICATE_LOG.c.number.desc()).limit(1)).first()
    return (last.number + 1, msgspec.json.decode(last.entry, type=Entry).at) if last else (0, 0)


def add_steps(connection: sa.Connection, first: int, steps: Sequence[LoggedStep]) -> None:
    """Append steps from number `first` on. Raises StateError if somebody else appended since `first` was read."""
    rows = [
        {"number": number, "slot": step.slot, "entry": msgspec.json.encode(step.entry).decode(), "digest": step.digest}
        for number, step in enumerate(steps, first)
    ]
    try:
        connection.execute(sa.insert(CERTIFICATE_LOG), rows)
    except sa.exc.IntegrityError:
        raise StateError("the register of certificates changed meanwhile; look at it and repeat") from None
