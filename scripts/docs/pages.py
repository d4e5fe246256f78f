"""Which documents are pages of the site, and where each one lies in it.

The index, `docs/index.md`, is the list: its headings are the groups of the navigation, its links the pages.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scripts.docs.markdown import Document, read

INDEX = "docs/index.md"


@dataclass(frozen=True)
class Page:
    """One document: its path in the repository, its place in the site, its text, and its group in the navigation."""

    source: str
    url: str
    document: Document
    group: str


def url_of(source: str) -> str:
    """Place in the site of a document of the repository."""
    inside = source.removeprefix("docs/")
    return f"{inside.removesuffix('.md')}.html"


def resolve(source: str, target: str) -> str:
    """Path in the repository that a link of a document leads to."""
    return os.path.normpath(PurePosixPath(source).parent / target).replace(os.sep, "/")


def pages(root: Path) -> list[Page]:
    """The index, then each document that it links to, in its order; one that it names twice counts once.

    A document that is an index itself brings its own along, which the navigation does not show.
    """
    found = {INDEX: _page(root, INDEX, "")}
    for source, group in _listed(found[INDEX]):
        if source not in found:
            found[source] = _page(root, source, group)
    for index in [page for page in found.values() if page.source.endswith("/index.md") and page.source != INDEX]:
        for source, _ in _listed(index):
            found.setdefault(source, _page(root, source, ""))
    return list(found.values())


def _page(root: Path, source: str, group: str) -> Page:
    return Page(source, url_of(source), read((root / source).read_text(encoding="utf-8")), group)


def _listed(index: Page) -> Iterator[tuple[str, str]]:
    """Documents that an index links to, each with the heading that it stands under."""
    group = ""
    for line in index.document.text.splitlines():
        group = line.removeprefix("## ") if line.startswith("## ") else group
        for target in re.findall(r"\]\(([^)#]+\.md)\)", line):
            yield resolve(index.source, target), group
