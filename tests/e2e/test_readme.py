"""What README and docs tell people to type works as typed."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
STAYS = re.compile(r" serve | --stay\b")


def commands(page: Path) -> list[str]:
    """Commands of a page's console blocks, in their order."""
    return [command for block in CONSOLE.findall(page.read_text()) for command in COMMAND.findall(block)]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """An empty folder with the project's environment in it, as in a checkout."""
    folder: Path = tmp_path_factory.mktemp("reader")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "transactive").symlink_to(Path(sys.executable).with_name("transactive"))
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_work_as_typed(page, place):
    for command in commands(page):
        if STAYS.search(command):
            _stays_until_interrupted(command, place)
        else:
            done = subprocess.run(
                command, shell=True, cwd=place, capture_output=True, text=True, check=False, timeout=120
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            if "--json" in command:
                assert json.loads(done.stdout)["ledger_equals_chain"] is True


def _stays_until_interrupted(command: str, place: Path) -> None:
    """A command that serves the page says where, and ends with Ctrl-C."""
    with subprocess.Popen(shlex.split(command), cwd=place, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert "http://127.0.0.1:" in line, line
        assert process.wait(timeout=20) in (0, 130)


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
    for page in (*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
