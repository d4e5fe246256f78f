"""Reference of the Python face: what `transactive` offers, and what a plug-in writes against, from docstrings."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import transactive

HEAD = """# Python

Names that are not here may change without notice. Tables cross the rooms as frozen columns of whole numbers; their
shapes and units stand in their docstrings.
"""
PLUG_INS = {
    "Mechanisms": (
        "transactive.market.registry:Mechanism ByOrder ByTrade ByNode",
        "transactive.market.conformance:check_mechanism",
        "transactive.market.fills:check_fills",
        "transactive.market.trades:check_trades",
        "transactive.market.network.locational:check_nodal",
    ),
    "Forecasters": (
        "transactive.forecasting.registry:Model Forecaster StorableModel Restoring",
        "transactive.forecasting.conformance:check_forecaster",
    ),
    "Agents": (
        "transactive.trading.agents.protocol:Steps Sight Heard Agent Forgetful",
        "transactive.trading.agents.conformance:check_agent",
    ),
}
TABLES = "transactive.core.tables"
SECTION = re.compile(r"^(\w+)\n-+\n", re.MULTILINE)
"""Heading of a section in a docstring, underlined."""


def python_reference() -> str:
    """The names of the package, the plug-in interfaces and the tables, as Markdown."""
    lines = [HEAD, "## transactive", "", *_module_text("transactive")]
    for name in transactive.__all__:
        lines += _entry("transactive", name)
        place = f"transactive.face.{name}"
        lines += _entry(place, inspect.signature(getattr(transactive, name)).return_annotation, made_by_people=False)
    lines += ["## Plug-ins", "", "Registered as entry points; `examples/` has a whole one of each.", ""]
    for title, places in PLUG_INS.items():
        lines += [f"### {title}", ""]
        for module, _, names in (place.partition(":") for place in places):
            for name in names.split():
                lines += _entry(module, name)
    lines += ["## Tables", "", *_module_text(TABLES)]
    for name in _public(TABLES):
        lines += _entry(TABLES, name)
    return "\n".join(lines)


def _public(module: str) -> list[str]:
    """Classes and functions that a module defines, in its order."""
    found = vars(import_module(module)).items()
    return [
        name
        for name, value in found
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == module
    ]


def _module_text(module: str) -> list[str]:
    return [inspect.getdoc(import_module(module)) or "", ""]


def _entry(module: str, name: str, *, made_by_people: bool = True) -> list[str]:
    """One name: how it is called, unless only the program makes it, what it does, its public methods."""
    value = getattr(import_module(module), name)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return [f"#### {module}.{name}", "", f"`{value!r}`", ""]
    called = ["```python", f"{name}{_signature(value)}", "```", ""] if made_by_people else []
    lines = [f"#### {module}.{name}", "", *called, *_said(value)]
    if inspect.isclass(value):
        for method, function in vars(value).items():
            function = getattr(function, "__func__", function)  # noqa: PLW2901 - a classmethod's function
            if inspect.isfunction(function) and not method.startswith("_"):
                first = (inspect.getdoc(function) or "").partition("\n")[0]
                lines.append(f"- `{method}{_signature(function)}`: {first}")
        lines.append("")
    return lines


def _signature(value: type | object) -> str:
    if getattr(value, "_is_protocol", False):
        return ""
    try:
        text = str(inspect.signature(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    return re.sub(r"'([^']*)'", r"\1", re.sub(r"\b(?:transactive|numpy|collections)(?:\.\w+)*\.(?=\w)", "", text))


def _said(value: object) -> list[str]:
    """The docstring of a class or function, as paragraphs; its sections are lists, its examples code."""
    text, *sections = SECTION.split(inspect.getdoc(value) or "")
    lines = [text.rstrip(), ""]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        lines += [f"**{title}**", ""]
        if title == "Examples":
            lines += ["```pycon", body.strip(), "```"]
        else:
            named = re.findall(r"^(\S+)\n((?: {4}.*\n?)+)", body, re.MULTILINE)
            lines += [f"- `{name}`: {' '.join(said.split())}" for name, said in named]
        lines.append("")
    return lines
