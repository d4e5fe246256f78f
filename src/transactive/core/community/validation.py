"""What the validation of a file complains of, in words of the file: key, what it takes, what stands there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
    "date": "a date",
    "datetime": "a time",
    "time": "a time of day",
}
"""What msgspec calls a kind of value, and what a person calls it."""
BOUNDS = {">=": "{} or more", "<=": "{} or less", ">": "more than {}", "<": "less than {}"}


def explained(message: str, record: type[msgspec.Struct]) -> str:
    """One line that names the key and what it takes, for a message of msgspec; record: of the whole file."""
    if match := re.fullmatch(r"Invalid enum value (.+) - at `key` in `\$\.?(.*)`", message, re.DOTALL):
        return _unknown_name(match[1], match[2], list(_at([record], match[2])))
    said, _, rest = message.partition(" - at `$")
    place = rest.removesuffix("`").removeprefix(".")
    kinds = list(_at([record], place))
    key = place or "the file"
    if match := re.fullmatch(r"Object contains unknown field `(.+)`", said):
        return _unknown(match[1], place, kinds)
    if match := re.fullmatch(r"Object missing required field `(.+)`", said):
        return f"{place}.{match[1]} is missing; add it".removeprefix(".")
    if match := re.fullmatch(r"Invalid (?:enum )?value (.+)", said, re.DOTALL):
        choices = ", ".join(_choices(kinds)) or "another value"
        return f"{key} is {match[1]}; choose {choices}"
    if match := re.match(r"Expected `([^`]+)`(.*)", said, re.DOTALL):
        return f"{key} must be {_wanted(match[1], match[2], kinds)}"
    return f"{key}: {said}" if place else said


def _wanted(kind: str, rest: str, kinds: list[Any]) -> str:
    """What a key takes, from the kind and the remark behind it."""
    names = [KINDS.get(one, one) for one in kind.split(" | ") if one != "null"]
    words = " or ".join(names)
    if "matching regex" in rest:
        return next(_forms(kinds), "written in another way")
    if match := re.fullmatch(r" of length (>=|<=)? ?(\d+).*", rest):
        count = {">=": "at least ", "<=": "at most "}.get(match[1] or "", "") + match[2]
        return f"{words} of {count} {'letters' if kind == 'str' else 'items'}"
    if match := re.fullmatch(r" (>=|<=|>|<) (-?\d+).*", rest):
        return f"{words}, {BOUNDS[match[1]].format(f'{int(match[2]):,}')}"
    if match := re.fullmatch(r", got `(.+)`", rest):
        return f"{words}, not {KINDS.get(match[1], match[1]) if match[1] != 'float' else 'one with a decimal point'}"
    return words


def _unknown_name(name: str, place: str, kinds: list[Any]) -> str:
    """What to say of a name that a table of names at a place does not take."""
    names = [get_args(bare(kind))[0] for kind in kinds if get_origin(bare(kind)) is dict]
    return f"{place} has no {name}; choose {', '.join(_choices(names))}"


def _unknown(key: str, place: str, kinds: list[Any]) -> str:
    """What to say of a key that no record at its place has: the nearest known one, or all."""
    fields = [field for kind in kinds if is_record(kind) for field in msgspec.structs.fields(kind)]
    known = list(dict.fromkeys(field.encode_name for field in fields))
    heads = {name[: len(key) + 1]: name for name in reversed(known)}  # people leave the unit out, as in supply
    begun = [heads[head] for head in difflib.get_close_matches(key, heads, 1)]
    near = difflib.get_close_matches(key, known, 1) or begun
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"unknown key {f'{place}.' if place else ''}{key}; {hint}"


def _at(kinds: list[Any], place: str) -> Iterator[Any]:
    """Types that may stand at a place of a file, such as members[0].devices: each part of a union by itself."""
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", place):
        inside = [bare(inner) for kind in kinds for inner in parts(kind)]
        if part.startswith("["):
            kinds = [argument for kind in inside for argument in get_args(kind) if argument is not Ellipsis]
            continue
        records = [kind for kind in inside if is_record(kind)]
        fields = [field for record in records for field in msgspec.structs.fields(record)]
        tags = [record.__struct_config__.tag for record in records if record.__struct_config__.tag_field == part]
        kinds = [field.type for field in fields if field.encode_name == part] or [Literal[tag] for tag in tags]
    for kind in kinds:
        yield from parts(kind)


def bare(kind: Any) -> Any:  # noqa: ANN401 - a type of any form
    """A type without what an annotation says of it."""
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def parts(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """The parts of a union, each with its annotation; any other type itself."""
    inner = bare(kind)
    if get_origin(inner) in {Union, UnionType}:
        for part in get_args(inner):
            yield from parts(part)
    else:
        yield kind


def is_record(kind: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a type is a record of a file."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _choices(kinds: list[Any]) -> Iterator[str]:
    """Values that a key may have, in the order of its type."""
    for kind in kinds:
        if get_origin(bare(kind)) is Literal:
            yield from (str(choice) for choice in get_args(bare(kind)))


def _forms(kinds: list[Any]) -> Iterator[str]:
    """How text must be written, as its type says beside its pattern."""
    for kind in kinds:
        for meta in getattr(kind, "__metadata__", ()):
            if isinstance(meta, Meta) and meta.pattern and meta.description:
                yield meta.description
