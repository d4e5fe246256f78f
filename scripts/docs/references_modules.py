"""The reference of modules: what each file of the package is for, in the first line of its own text."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

SOURCE = Path("src/transactive")
ROOT = Path(__file__).resolve().parents[2]
TITLE = "# Modules"
LEAD = (
    "A line for each file of the package, folder by folder, as the file itself begins. [ARCHITECTURE.md]"
    "(../../ARCHITECTURE.md) says in which order they work and which may import which; search this page for a word."
)


def module_reference() -> str:
    """Folders and modules of the package with what each is for."""
    folders: dict[Path, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted((ROOT / SOURCE).rglob("*.py")):
        folders[path.parent].append((path.name, _first_line(path)))
    return "\n".join(
        (TITLE, "", LEAD, *(line for folder in sorted(folders) for line in _lines(folder, folders[folder])))
    )


def _lines(folder: Path, modules: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Lines of one folder: its head with what the whole is for, then its modules."""
    told = dict(modules)
    yield from ("", f"## `{folder.relative_to(ROOT / SOURCE.parent)}/`", "", told.pop("__init__.py", ""))
    if told:
        yield from ("", *(f"- `{name}`: {text}" for name, text in sorted(told.items())))


def _first_line(path: Path) -> str:
    """The first line of a module's text."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
