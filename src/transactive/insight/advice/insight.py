"""An insight: a finding in words, its figures, and where they come from."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["always_on", "temperature", "car", "bill", "change"]


class Insight(msgspec.Struct, frozen=True, kw_only=True):
    """One finding for one member.

    title: the finding in a sentence. text: what it means or rests on. source: how the figures were made, from which
    days. figures: whole numbers by name, the unit at the name's end; empty where the data cannot carry an answer, and
    then the text says what is missing.
    """

    kind: Kind
    title: str
    text: str
    source: str
    figures: dict[str, int]
