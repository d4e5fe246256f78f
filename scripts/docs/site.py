"""The site: a page for each document, a navigation, a search that needs no server, and a check of every link.

It asks no other host for anything: the tokens of the program's own page give colours and type, and the index of the
search is a script beside the pages, so that it works from a folder too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.docs.markdown import html
from scripts.docs.pages import Page, pages, resolve

HERE = Path(__file__).parent
STATIC = Path("src/transactive/web/static")
ASSETS = ("tokens.css", "theme.js", "icon.svg")
ELSEWHERE = re.compile(r"[a-z]+:")


def build(root: Path, folder: Path) -> list[str]:
    """Write the site into a folder that is made anew; returns broken links, as lines of document and target."""
    found = pages(root)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ASSETS:
        shutil.copy(root / STATIC / name, folder / name)
    for name in ("style.css", "search.js"):
        shutil.copy(HERE / name, folder / name)
    site = _Site(root, folder, {page.source: page for page in found})
    template = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html")
    groups = [
        (name, list(rest))
        for name, rest in groupby((page for page in found if page.group), key=lambda page: page.group)
    ]
    for page in found:
        body = html(page.document, lambda target, page=page: site.address(page, target))  # type: ignore[misc]
        path = folder / page.url
        path.parent.mkdir(parents=True, exist_ok=True)
        up = "../" * page.url.count("/")
        path.write_text(template.render(page=page, body=body, groups=groups, up=up), encoding="utf-8")
    (folder / "search-index.js").write_text(f"window.sections = {_search_index(found)};\n", encoding="utf-8")
    return site.broken


class _Site:
    """Where the links of documents lead in the site; what leads nowhere is noted in `broken`."""

    def __init__(self, root: Path, folder: Path, found: dict[str, Page]) -> None:
        self.root, self.folder, self.found = root, folder, found
        self.broken: list[str] = []

    def address(self, page: Page, target: str) -> str:
        """Address of a link's target, seen from the page; a file that is no page is copied beside the pages."""
        if ELSEWHERE.match(target):
            return target
        path, _, anchor = target.partition("#")
        source = resolve(page.source, path) if path else page.source
        if (self.root / source).is_dir():
            source = next(
                (name for name in (f"{source}/index.md", f"{source}/README.md") if name in self.found), source
            )
        if source in self.found:
            if anchor and anchor not in self.found[source].document.anchors:
                self._note(page, target)
            url = self.found[source].url
        elif (self.root / source).is_file() and not source.endswith(".md"):
            url = f"files/{source}"
            (self.folder / url).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.root / source, self.folder / url)
        else:
            self._note(page, target)
            return target
        relative = os.path.relpath(url, Path(page.url).parent).replace(os.sep, "/")
        return f"{relative}#{anchor}" if anchor else relative

    def _note(self, page: Page, target: str) -> None:
        self.broken.append(
            f"{page.source}: {target} leads nowhere; correct the link, or name the page in docs/index.md"
        )


def _search_index(found: list[Page]) -> str:
    """Sections of all pages as JSON: address, page, heading, text."""
    rows = [
        [f"{page.url}#{section.anchor}", page.document.title, section.title, section.text]
        for page in found
        for section in page.document.sections
    ]
    return json.dumps(rows, ensure_ascii=False)
