"""Drafts of rules: numbers and the slot that they would hold from, with the consequences that were rehearsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transactive.core.errors import InputError
from transactive.core.governance.consequences import Document
from transactive.core.governance.numbers import NUMBERS
from transactive.core.slots import parse_time
from transactive.services.governing.kept import digests, document_of

MOST = 6
"""Drafts that are shown, those made last."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft. digest: of its consequences, by which it is named; numbers: by name; since: slot [Unix s]."""

    digest: str
    numbers: Mapping[str, int]
    since: int
    document: Document


def drafts(folder: Path) -> list[Draft]:
    """Drafts of a state folder, those made last first; consequences that were kept without a slot are none."""
    found = (draft_of(folder, digest) for digest in list(digests(folder))[:MOST])
    return [one for one in found if one is not None and one.since > 0]


def draft_of(folder: Path, digest: str) -> Draft | None:
    """A draft by the SHA-256 of its consequences; None where they are not kept."""
    document = document_of(folder, digest)
    if document is None:
        return None
    return Draft(digest, numbers_of(document.change), parse_time(str(document.change["slot"])), document)


def numbers_of(change: Mapping[str, Any]) -> dict[str, int]:
    """Numbers that a block of changes sets, by name. Raises InputError for a block that sets something else."""
    levy = (change.get("carbon") or {}).get("levy") or {}
    parts = {"tariff": change.get("tariff") or {}, "sharing": change.get("sharing") or {}, "levy": levy}
    values = {}
    for number in NUMBERS:
        said = parts[number.part].get(number.key)
        if said is not None:
            values[number.name] = number.read(str(said))
    if len(values) != sum(map(len, parts.values())):
        raise InputError("the change sets more than numbers that members can decide on")
    return values
