"""What README and docs tell people to type works as typed."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cyclopts import CycloptsError

from tests.integration.conftest import call
from tests.waiting import LIMIT_SECONDS
from transactive.cli import app
from transactive.cli.community.actions import write_example
from transactive.config.membership import check_membership
from transactive.config.shipped import EXAMPLE
from transactive.config.storage import taken_out
from transactive.core.community.community import Community
from transactive.core.community.network import NetworkRules
from transactive.core.spelling.records import in_base_units
from transactive.metering.exports.profile import Profile

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"  # written by the program, with forms of calls that nobody types
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.parent != REFERENCE)]
OURS = (*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md")))
PACKAGE = ROOT / "src" / "transactive"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    (transactive .*)$", re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/(?:enter)?")
ORDERS = "id,side,price_micro_per_kwh,energy_wh,member\n1,sell,80000,2000,a\n2,buy,250000,1500,b\n"
OURSELVES = ".venv/bin/transactive "
SHELL = re.compile(r"[<>|&;$*]")
GOLDEN = ROOT / "tests" / "integration" / "golden" / "hashes.json"
WEEK = "demo --no-serve --json"
A_DAY = re.compile(r"transactive demo --days 1 --no-serve --state (\S+)$")
STAYS = re.compile(r" serve | --stay\b")


def commands(page: Path) -> list[str]:
    """Commands of a page's console blocks, in their order."""
    return [command for block in CONSOLE.findall(page.read_text()) for command in COMMAND.findall(block)]


def blocks(page: Path, kind: str) -> list[str]:
    """Blocks of code of one kind."""
    return [text for name, text in FENCE.findall(page.read_text()) if name == kind]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return checkout(tmp_path_factory.mktemp("reader"))


def checkout(folder: Path) -> Path:
    """An empty folder with the project's environment in it, as in a checkout."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "transactive").symlink_to(Path(sys.executable).with_name("transactive"))
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.mark.service  # as somebody types them, with all that they start
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_work_as_typed(page, place, monkeypatch):
    """In a shell those of the README, in this process what the others can do in it; a week is run as a day.

    A day that an earlier page has run already is copied from there.
    """
    monkeypatch.chdir(place)
    for command in commands(page):
        _works(command.replace(WEEK, f"{WEEK} --days 1"), place, anew=page.name == "README.md")
        if " run " in command or " init " in command:
            _shorten(place)


@pytest.mark.long
def test_the_weeks_of_the_readme_are_those_of_the_tests(tmp_path, monkeypatch):
    """Whole, and in a shell: another process comes to the state that `test_hashes.py` knows."""
    place = checkout(tmp_path)
    monkeypatch.chdir(place)
    for command in commands(ROOT / "README.md"):
        out = _works(command, place, anew=True)
        if command.endswith(WEEK):
            assert json.loads(out)["state_hash"] == json.loads(GOLDEN.read_text())["demo"]["state"]


def _works(command: str, place: Path, *, anew: bool) -> str:
    """Its output."""
    if STAYS.search(command):
        _stays_until_interrupted(command, place)
        return ""
    code, out, err = _typed(command, place, anew=anew)
    assert code == 0, f"{command}: {err}"
    if "--json" in command:
        assert json.loads(out)["ledger_equals_chain"] is True
    return out


def _typed(command: str, place: Path, *, anew: bool) -> tuple[int, str, str]:
    """Code, output and errors of a command; anew: in a process of its own."""
    if (of_a_day := A_DAY.search(command)) and not anew:
        kept = place / "a-day-of-the-demo"
        told = (0, "", "") if kept.exists() else _called(command.replace(of_a_day[1], kept.name))
        if kept.exists():
            shutil.copytree(kept, place / of_a_day[1])
        return told
    if anew or not command.startswith(OURSELVES) or SHELL.search(command):
        done = subprocess.run(
            command, shell=True, cwd=place, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
        )
        return done.returncode, done.stdout, done.stderr
    return _called(command)


def _called(command: str) -> tuple[int, str, str]:
    """The same of a command in this process."""
    called = call(*shlex.split(command)[1:])
    return called.code, called.out, called.err


def _shorten(place: Path) -> None:
    """Let the communities of a reader run for a day."""
    for path in place.glob("*/community.toml"):
        text = path.read_text()
        if "\ndays = " not in text:
            path.write_text(text.replace("\n[run]\n", "\n[run]\ndays = 1\n"))


def _stays_until_interrupted(command: str, place: Path) -> None:
    """A command that serves the page says where, and ends with Ctrl-C."""
    with subprocess.Popen(shlex.split(command), cwd=place, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        try:
            (address,) = ADDRESS.findall(line)
            with urllib.request.urlopen(address, timeout=LIMIT_SECONDS) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=LIMIT_SECONDS) in (0, 130)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_programs_run(page, tmp_path):
    """The blocks of a page are one program, beside an order file and the community that `init` makes."""
    (tmp_path / "orders.csv").write_text(ORDERS)
    write_example(tmp_path / "my-community")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks(page, "python"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr


def _lines(page: Path) -> list[str]:
    """Calls of the program that are shown without being run, as they need a node, keys or a folder of the reader."""
    text = page.read_text().replace("\\\n", " ")
    fenced = [line for kind, block in FENCE.findall(text) if kind in {"sh", ""} for line in block.splitlines()]
    return [line for line in [*fenced, *INDENTED.findall(text)] if line.startswith("transactive ")]


@pytest.mark.parametrize("page", [page for page in PAGES if _lines(page)], ids=lambda page: page.name)
def test_commands_that_are_only_shown_are_understood(page):
    for line in _lines(page):
        call = re.sub(r"\s+[>&].*$", "", line.partition(" #")[0])
        tokens = [token.replace("…", "example.org") for token in shlex.split(call)[1:]]
        try:
            app.parse_args(tokens, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            pytest.fail(f"{line}: {error}")


def _merged(into: Any, part: Any) -> Any:
    """A table of a file with the keys of another one; members are told apart by name, and new ones join."""
    if isinstance(into, dict) and isinstance(part, dict):
        return {**into, **{key: _merged(into.get(key), value) for key, value in part.items()}}
    if isinstance(into, list) and part and isinstance(part[0], dict) and "id" in part[0]:
        changed = {row["id"]: row for row in part}
        assert len(changed) == len(part), "a member stands there twice"
        kept = [_merged(row, changed.pop(row["id"], {})) for row in into]
        return [*kept, *changed.values()]
    return part


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")], ids=lambda page: page.name)
def test_parts_of_files_are_valid(page):
    """Each part is one of a community file, put into the example that `init` writes, or a network's or a profile's."""
    example = in_base_units(tomllib.loads(EXAMPLE.read_text()), Community, None)
    for text in blocks(page, "toml"):
        part = tomllib.loads(text)
        if "nodes" in part:
            msgspec.convert(in_base_units(part, NetworkRules, None), NetworkRules)
        elif "registers" in part:
            msgspec.convert(part, Profile)
        else:
            community, _ = taken_out(part)
            check_membership(msgspec.convert(_merged(example, in_base_units(community, Community, None)), Community))


def test_the_architecture_names_files_that_exist():
    """Every path in "Where things live" is there: below the package, or below the repository."""
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("## Where things live")[2].partition("## Units")[0]
    folder = PACKAGE
    for name in re.findall(r"`([\w./*-]+[/.][\w./*-]*)`", text):
        found = [path for base in (folder, PACKAGE, ROOT) for path in base.glob(name.rstrip("/"))]
        assert found, name
        folder = found[0] if found[0].is_dir() else found[0].parent


def test_readme_has_the_commands_that_it_is_tested_for():
    words = " ".join(commands(ROOT / "README.md"))
    for command in ("demo --no-serve --json", "init", "check", "run", "serve", "config schema"):
        assert f"transactive {command}" in words


def test_make_targets_named_in_the_papers_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"):
        for target in re.findall(r"`make ([a-z-]+)", (ROOT / name).read_text()):
            assert target in targets, f"{name}: make {target}"


def test_files_linked_from_the_papers_exist():
    for page in OURS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
