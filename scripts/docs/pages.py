"""Which documents are pages of the site, and where each one lies in it.

The index, `docs/index.md`, is the list: its headings are the groups of the navigation, its links the pages.
"""

from __future__ import annotations

import os
import re
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
    """The index, then each document that it links to, in its order; one that it names twice counts once."""
    index = read((root / INDEX).read_text(encoding="utf-8"))
    found = [Page(INDEX, url_of(INDEX), index, "")]
    group = ""
    for line in index.text.splitlines():
        group = line.removeprefix("## ") if line.startswith("## ") else group
        for target in re.findall(r"\]\(([^)#]+\.md)\)", line):
            source = resolve(INDEX, target)
            if source not in {page.source for page in found}:
                text = (root / source).read_text(encoding="utf-8")
                found.append(Page(source, url_of(source), read(text), group))
    return found
