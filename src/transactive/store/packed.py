"""Columns of whole numbers packed into one block: what a slot has many of, a few bytes each, checked when it is read.

A block is a byte with the version of its format, 16 bytes of BLAKE2b over that byte and the rest, and the rest. In
version 1 that is MessagePack of `_Body`: a head, the columns and the tail. A column is what is above its least value,
or the steps from row to row above the least step, whichever needs fewer bytes, in 0, 1, 2, 4 or 8 bytes a row; first
all low bytes, then the next, as equal bytes beside each other are deflated best. The tail is not deflated: signatures
do not get smaller. The format knows nothing of the database that holds it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from transactive.core.errors import StateError
from transactive.core.units import IntArray

VERSION = 1
DIGEST_BYTES = 16
EFFORT = 4
"""How hard columns are deflated: 6 takes two thirds longer, for 3 % of a slot's bytes less."""
WIDTHS = (0, 1, 2, 4, 8)
"""Bytes of a row in a column."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedBlock:
    """What a block holds: columns of one length, single whole numbers, and bytes as they are."""

    columns: Mapping[str, IntArray]
    numbers: Mapping[str, int] = field(default_factory=dict)
    tail: bytes = b""


class _Column(msgspec.Struct, frozen=True, array_like=True):
    """How a column lies in the data. steps: whether it holds what each row adds to the one before."""

    name: str
    width: int
    least: int
    steps: bool


class _Body(msgspec.Struct, frozen=True, array_like=True):
    """A block of version 1; data: the columns one after the other, deflated."""

    rows: int
    columns: tuple[_Column, ...]
    numbers: dict[str, int]
    data: bytes
    tail: bytes


def digest_of(data: bytes) -> bytes:
    """What is kept beside data to know it again."""
    return hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()


def pack(block: PackedBlock) -> bytes:
    """Pack columns of int64 of one length, with what belongs to them."""
    lengths = {len(column) for column in block.columns.values()}
    rows = lengths.pop() if lengths else 0
    if lengths:
        raise ValueError("columns of a block have one length")
    packed = [_packed(name, np.ascontiguousarray(column, np.int64)) for name, column in block.columns.items()]
    data = zlib.compress(b"".join(data for _, data in packed), EFFORT)
    body = msgspec.msgpack.encode(
        _Body(rows, tuple(column for column, _ in packed), dict(block.numbers), data, block.tail)
    )
    version = bytes([VERSION])
    return version + digest_of(version + body) + body


def unpack(data: bytes, what: str, names: Collection[str] | None = None) -> PackedBlock:
    """What a block holds, with all columns or those of some names.

    what: names the block in messages. Raises StateError where it is damaged or of a newer format.
    """
    version, digest, body = data[:1], data[1 : 1 + DIGEST_BYTES], data[1 + DIGEST_BYTES :]
    if digest_of(version + body) != digest:
        raise StateError(f"{what}: is not as it was written; take the folder from a copy, or run anew")
    reader = _READERS.get(version[0])
    if reader is None:
        raise StateError(
            f"{what}: is of format {version[0]}, and this program reads up to {VERSION}; install a newer TransActive"
        )
    return reader(body, names)


def _packed(name: str, column: IntArray) -> tuple[_Column, bytes]:
    """A column in the way that takes fewer bytes."""
    if not len(column):
        return _Column(name, width=0, least=0, steps=False), b""
    least, width = _span(column)
    values, by_step = column, False
    if width:
        steps = column.copy()
        steps[1:] -= column[:-1]  # beyond int64 it wraps, and back again when it is summed
        least_step, narrower = _span(steps)
        if narrower < width:
            values, by_step, least, width = steps, True, least_step, narrower
    above = (values - np.int64(least)).astype("<i8", copy=False)  # wraps likewise
    planes = above.view(np.uint8).reshape(-1, 8)[:, :width]
    return _Column(name, width, least, by_step), planes.T.tobytes()


def _span(values: IntArray) -> tuple[int, int]:
    """Least value, and the bytes that the span of values takes."""
    least = int(values.min())
    span = int(values.max()) - least
    return least, next(width for width in WIDTHS if span < 256**width)


def _read_first(body: bytes, names: Collection[str] | None) -> PackedBlock:
    """A block of version 1."""
    found = msgspec.msgpack.decode(body, type=_Body)
    data, place = zlib.decompress(found.data), 0
    columns = {}
    for column in found.columns:
        size = column.width * found.rows
        if names is not None and column.name not in names:
            place += size
            continue
        planes = np.zeros((found.rows, 8), np.uint8)
        planes[:, : column.width] = np.frombuffer(data, np.uint8, size, place).reshape(column.width, found.rows).T
        place += size
        above = planes.view("<u8").ravel().astype(np.uint64)
        values = (above + np.int64(column.least).view(np.uint64)).view(np.int64)
        columns[column.name] = np.cumsum(values, dtype=np.int64) if column.steps else values
    return PackedBlock(columns, found.numbers, found.tail)


_READERS: Mapping[int, Callable[[bytes, Collection[str] | None], PackedBlock]] = {1: _read_first}
