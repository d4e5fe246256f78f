"""What all records of a community file share: their base, and kinds of numbers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(gt=0)]
NotNegative = Annotated[int, Meta(ge=0)]
Identifier = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="letters, digits, '_', '.' or '-', a letter or digit first, 64 at most; name takes free text,"
        " and meters the names that the readings have",
    ),
]
"""Name of a member or device in files; descriptions here say what a pattern wants, in words for messages."""
Money = Annotated[int, Meta(ge=0, le=10**18)]
"""n¤ of one account: below the 2**62 that a lane of the contract holds."""


class CommunityRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the records of a community file."""
