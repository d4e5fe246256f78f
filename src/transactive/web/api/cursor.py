"""Cursors: where a page of results ended, as a text that means nothing to anybody else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import msgspec

from transactive.core.errors import InputError


def encode(resource: str, key: Sequence[int]) -> str:
    """Cursor after the row with this key."""
    return base64.urlsafe_b64encode(msgspec.json.encode([resource, *key])).rstrip(b"=").decode()


def decode(resource: str, text: str, parts: int) -> tuple[int, ...]:
    """Key of a cursor of this resource, of `parts` whole numbers. Raises InputError for any other text."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        name, *key = msgspec.json.decode(base64.b64decode(padded, altchars=b"-_", validate=True), type=list[str | int])
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError, ValueError):
        raise _refused() from None
    numbers = tuple(part for part in key if isinstance(part, int) and abs(part) < 2**63)
    if name != resource or len(numbers) != parts or len(key) != parts:
        raise _refused()
    return numbers


def _refused() -> InputError:
    return InputError("cursor: not one that this resource gave; start without a cursor")
