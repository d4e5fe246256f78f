"""What is wrong with a command line, in words: no type of the program, no dump of its lists."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnusedCliTokensError,
)

KINDS: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", Path: "a path", str: "text"}


def explained(error: CycloptsError) -> str:
    """One line that names the option and what it takes, with where to read on."""
    called = " ".join(("transactive", *(error.command_chain or ())))
    return f"{_said(error).rstrip('.')}; see {called} --help"


def _said(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return f"{_name(error)} needs a value" if not error.argument.required else f"{_name(error)} is missing"
    if isinstance(error, CoercionError) and error.token is not None and error.msg is None:
        return f"{error.token.keyword or _name(error)} is {error.token.value!r}; {_wanted(error.target_type)}"
    if isinstance(error, UnusedCliTokensError):
        return f"nothing takes {' '.join(error.unused_tokens or ())!r}"
    return str(error).partition(" Available commands")[0]


def _name(error: CycloptsError) -> str:
    """Option, or place of a value in the call."""
    if error.argument is None:
        return "a value"
    field = error.argument.field_info
    name = error.argument.name
    return str(name) if field.kind == field.KEYWORD_ONLY else name.removeprefix("--").upper()


def _wanted(kind: Any) -> str:  # noqa: ANN401 - a type of any form
    """What a value has to be."""
    if get_origin(kind) is Literal:
        return f"choose {', '.join(str(choice) for choice in get_args(kind))}"
    if get_origin(kind) in {Union, types.UnionType}:
        kind = next(part for part in get_args(kind) if part is not type(None))
    return f"give {KINDS.get(kind, 'a value of another form')}"
