"""Reference of the command line, from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import docstring_parser
from cyclopts import App, Parameter

from transactive.cli import app

HEAD = """# Commands

`transactive COMMAND --help` says the same in the terminal. Every command that prints figures takes `--json`: one object
on stdout, nothing else there. Progress and errors go to stderr; an error is one line.

| exit code | means |
|---|---|
| 0 | done |
| 1 | done, and the answer is no: a target missed, a statement that does not hold |
| 2 | the command line is wrong |
| 3 | the input is wrong; the message names file, row or key, and the next step |
| 4 | the state folder cannot be used |
| 5 | the chain or its node |
| 70 | a rule that must never break is broken; please report it |
| 130 | stopped with Ctrl-C |
"""
WORDS = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}


def command_reference() -> str:
    """All commands as Markdown: a list, then a section each."""
    found = list(_commands(app, ()))
    rows = [f"| [`{_name(path)}`](#{_name(path).replace(' ', '-')}) | {_summary(command)} |" for path, command in found]
    listing = "\n".join(["| command | does |", "|---|---|", *rows])
    sections = [_section(path, command) for path, command in found]
    return "\n".join([HEAD, listing, "", *sections])


def _commands(parent: App, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command that does something, in the order of the help, with the words that call it."""
    for name in parent:
        if name.startswith("-"):
            continue
        command = parent[name]
        if command.default_command is not None:
            yield (*path, name), command
        yield from _commands(command, (*path, name))


def _name(path: tuple[str, ...]) -> str:
    return " ".join(("transactive", *path))


def _docstring(command: App) -> docstring_parser.Docstring:
    return docstring_parser.parse(inspect.getdoc(command.default_command) or "")


def _summary(command: App) -> str:
    return _docstring(command).short_description or ""


def _section(path: tuple[str, ...], command: App) -> str:
    """One command: how it is called, what it does, its arguments."""
    said = _docstring(command)
    texts = {parameter.arg_name: " ".join((parameter.description or "").split()) for parameter in said.params}
    arguments = command.assemble_argument_collection()
    places = [argument for argument in arguments if argument.field_info.kind != argument.field_info.KEYWORD_ONLY]
    call = " ".join([_name(path), *(_place(argument) for argument in places)])
    lines = [f"## {_name(path)}", "", said.short_description or "", ""]
    if said.long_description:
        lines += [" ".join(said.long_description.split()), ""]
    lines += ["```", call + (" [OPTIONS]" if len(places) < len(arguments) else ""), "```", ""]
    if len(arguments):
        lines += ["| argument | default | means |", "|---|---|---|"]
        lines += [_row(argument, texts) for argument in arguments]
        lines.append("")
    return "\n".join(lines)


def _place(argument: Any) -> str:  # noqa: ANN401 - a type that the library does not name
    """A positional argument in a call."""
    name = argument.name.removeprefix("--").upper()
    if argument.field_info.kind == argument.field_info.VAR_POSITIONAL:
        return f"[{name}…]"
    return str(name) if argument.required else f"[{name}]"


def _row(argument: Any, texts: dict[str, str]) -> str:  # noqa: ANN401 - as above
    """One argument as a row of the table."""
    field = argument.field_info
    if field.kind != field.KEYWORD_ONLY:
        called = f"`{_place(argument)}`"
    else:
        kind = _kind(argument.hint)
        called = ", ".join(f"`{name}`" for name in argument.names) + (f" {kind}" if kind else "")
    text = texts.get(field.name) or argument.parameter.help or _help(argument.hint)
    return f"| {called} | {_default(argument)} | {text.replace('|', '&#124;')} |"


def _default(argument: Any) -> str:  # noqa: ANN401 - as above
    default = argument.field_info.default
    if argument.required:
        return "needed"
    if default in (None, False, (), inspect.Parameter.empty):
        return ""
    return "on" if default is True else f"`{default}`"


def _kind(hint: Any) -> str:  # noqa: ANN401 - any type
    """What a value is, in a word; nothing for a switch."""
    if get_origin(hint) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(hint))
    inner = [part for part in get_args(hint) if part not in (type(None), Ellipsis) and not isinstance(part, Parameter)]
    return _kind(inner[0]) if inner else WORDS.get(hint, "")


def _help(hint: Any) -> str:  # noqa: ANN401 - any type
    """Help that stands in an annotation instead of a docstring."""
    found = [part.help for part in getattr(hint, "__metadata__", ()) if isinstance(part, Parameter) and part.help]
    return found[0] if found else ""
