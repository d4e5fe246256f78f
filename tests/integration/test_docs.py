"""The documents: one index, links that lead somewhere, references that match the program, no other host."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
OWN = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
LOADS = re.compile(
    r"""(?:src|href|srcset|action|poster)\s*=\s*["']([^"']*)|url\(\s*["']?([^)"']*)|@import\s+["']([^"']*)"""
)
NAMED = re.compile(r"(?:https?:|wss?:|ftp:)?//[\w.-]+\.[a-z]{2,}[^\s\"'<>)`]*")
STATUS = re.compile(r"\d{4}-\d{2}-\d{2} · (accepted|replaced by \[\d{4}\]\(.*\.md\))( · beside \[\d{4}\]\(.*\.md\))?")


def docs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.docs", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site") / "built"
    done = docs("site", "--to", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_references_match_the_program(tmp_path):
    assert docs("references", "--to", tmp_path).returncode == 0
    for written in tmp_path.iterdir():
        kept = (DOCS / "reference" / written.name).read_text(encoding="utf-8")
        assert written.read_text(encoding="utf-8") == kept, f"{written.name}: run `make references`"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (DOCS / "reference").iterdir()}


def test_every_document_is_a_page(site):
    for path in DOCS.rglob("*.md"):
        page = site / path.relative_to(DOCS).with_suffix(".html")
        assert page.exists(), f"{path.relative_to(ROOT)} is in no index"


def test_the_site_asks_no_other_host(site):
    """Only a link that a reader follows may lead to another host: nothing that is loaded, and no script."""
    for path in site.rglob("*"):
        if path.suffix in {".html", ".css", ".js", ".svg"} and path.name != "search-index.js":
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".html":
                text = re.sub(r'<a href="https?://[^"]*"', "<a", text)
            for loaded in (next(filter(None, match), "") for match in LOADS.findall(text)):
                assert not re.match(r"[a-z]+:|//", loaded), f"{path.name} loads {loaded}"
            if path.suffix in {".css", ".js"}:
                assert NAMED.findall(text) == [], path.name


def test_every_page_has_what_it_loads_and_what_it_links_to(site):
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    for path, text in pages.items():
        for target in re.findall(r'(?:src|href)="([^"]*)"', text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = (path.parent / name).resolve() if name else path.resolve()
            assert other.exists(), f"{path.name}: {target}"
            if anchor and other.suffix == ".html":
                assert f'id="{anchor}"' in pages[other], f"{path.name}: {target}"


def test_the_search_knows_every_section(site):
    text = (site / "search-index.js").read_text(encoding="utf-8")
    rows = json.loads(text.removeprefix("window.sections = ").removesuffix(";\n"))
    assert {row[0].partition("#")[0] for row in rows} == {str(p.relative_to(site)) for p in site.rglob("*.html")}
    assert any("gate closure" in row[3] for row in rows)


def test_links_that_lead_nowhere_fail_the_site(tmp_path):
    links = ["nowhere.md", "glossary.md#nothing", "../src/nothing.py", "figures/none.svg"]
    for name in (
        "docs",
        "examples",
        "src/transactive/data/demo",
        "src/transactive/web/static",
        "src/transactive/chain",
    ):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in OWN:
        shutil.copy(ROOT / name, tmp_path / name)
    with (tmp_path / "docs" / "glossary.md").open("a") as page:
        page.writelines(f"\n[a link]({link})\n" for link in links)
    done = docs("site", "--root", tmp_path, "--to", tmp_path / "built")
    assert done.returncode == 1
    assert [link for link in links if f"docs/glossary.md: {link} leads nowhere" not in done.stderr] == []


def test_decisions_are_numbered_without_a_gap_and_have_a_status():
    names = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    listed = (DECISIONS / "index.md").read_text(encoding="utf-8")
    for name in names:
        title, empty, status = (DECISIONS / name).read_text(encoding="utf-8").splitlines()[:3]
        assert title.startswith(f"# {name[:4]} ")
        assert empty == ""
        assert STATUS.fullmatch(status), f"{name}: {status}"
        date, _, rest = status.partition(" · ")
        assert f"| [{name[:4]}]({name}) | {title[7:]} | {date} | {rest} |" in listed, name


def test_the_changelog_is_grouped_and_its_newest_release_is_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[([^\]]+)\](.*)$", text, re.MULTILINE)
    assert releases[0] == ("Unreleased", "")
    number, date = releases[1]
    assert f'version = "{number}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.fullmatch(r" - \d{4}-\d{2}-\d{2}", date)
    groups = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert groups <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Measured"}
