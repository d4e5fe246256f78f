"""The references that the program writes itself, from commands to modules; a test holds them to it."""

from __future__ import annotations

import json
from pathlib import Path

from scripts.docs.references_api import api_reference
from scripts.docs.references_commands import command_reference
from scripts.docs.references_file import file_reference
from scripts.docs.references_modules import module_reference
from scripts.docs.references_python import python_reference
from transactive.web.openapi import description

NOTE = "\n<!-- Written by `make references` from the program; change the program. -->\n"


def references() -> dict[str, str]:
    """Name and text of each generated file in `docs/reference`."""
    openapi = description()
    texts = {
        "commands.md": command_reference(),
        "community-file.md": file_reference(),
        "api.md": api_reference(json.loads(openapi)),
        "python.md": python_reference(),
        "modules.md": module_reference(),
    }
    return {name: _marked(text) for name, text in texts.items()} | {"openapi.json": openapi + "\n"}


def write_references(folder: Path) -> None:
    """Write them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in references().items():
        (folder / name).write_text(text, encoding="utf-8")


def _marked(text: str) -> str:
    """A text with the note on where it comes from below its title."""
    title, _, rest = text.partition("\n")
    return f"{title}\n{NOTE}{rest}"
