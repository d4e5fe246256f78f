"""What a validation of a file complains of, in words of the file."""

from __future__ import annotations

import difflib
import re
from typing import Any, get_args

import msgspec


def explained(message: str, record: type[msgspec.Struct]) -> str:
    """A message with the key in words and, for an unknown key, the nearest known one; record: of the whole file."""
    match = re.fullmatch(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.*)`)?", message)
    if not match:
        return message.replace(" - at `$.", " at `").replace("Object", "Table")
    key, place = match.group(1), match.group(2) or ""
    fields = msgspec.structs.fields(record)
    for part in re.sub(r"\[.*?\]", "", place).split("."):
        if part:
            kinds = _records(next(f for f in fields if f.name == part).type)
            fields = tuple(field for kind in kinds for field in msgspec.structs.fields(kind))
    known = list(dict.fromkeys(field.encode_name for field in fields))
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"unknown key {f'{place}.' if place else ''}{key}; {hint}"


def _records(annotation: Any) -> list[type[msgspec.Struct]]:  # noqa: ANN401 - a type of any form
    """The records in a field's type: the type itself, that of its elements, or those that it may be."""
    waiting, found = [annotation], []
    for part in waiting:  # grows while it is walked
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            found.append(part)
        waiting += get_args(part)
    return found
