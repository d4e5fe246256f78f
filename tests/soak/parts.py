"""What hours of work consist of: each part is a command of its own, and its last line says what came of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "soak"
MINORS = (11, 12, 13)


@dataclass(frozen=True, slots=True)
class Part:
    """One campaign. typed: how people start it alone; command: what is run for it."""

    name: str
    what: str
    typed: str
    command: tuple[str, ...]


def parts(minutes: float, tests: str) -> list[Part]:
    """All parts. minutes: at most, of each campaign; tests: what other Pythons are given to run."""
    limit = ("--minutes", str(minutes))
    here = [
        Part(
            "calls",
            "random calls on contracts and their twins, and by dishonest roles ([report](fuzz.md))",
            'make fuzz ARGS="--report docs/fuzz.md"',
            (sys.executable, "-m", "tests.fuzz", "--report", "docs/fuzz.md", *limit),
        ),
        Part(
            "faults",
            "each kept fault put back, and hunted for ([table](fuzz.md#faults-put-back))",
            'make fuzz ARGS="--faults --report docs/fuzz.md"',
            (sys.executable, "-m", "tests.fuzz", "--faults", "--report", "docs/fuzz.md", *limit),
        ),
        Part(
            "power",
            "power failures during a run: what SQLite wrote and did not sync is lost, kept or torn by chance",
            "python -m tests.power --kills 0",
            (sys.executable, "-m", "tests.power", "--kills", "0", *limit),
        ),
        Part(
            "kills",
            "SIGKILL at drawn moments of a run, which then goes on",
            "python -m tests.power --failures 0 --kills 1000",
            (sys.executable, "-m", "tests.power", "--failures", "0", "--kills", "1000", *limit),
        ),
        Part(
            "tests",
            "tests that take hours",
            "pytest -m soak",
            (sys.executable, "-m", "pytest", "-q", "-m", "soak", "--numprocesses", "0", "-p", "no:cacheprovider"),
        ),
    ]
    return here + [_python(minor, path, tests) for minor, path in pythons()]


def pythons() -> Iterator[tuple[int, str]]:
    """Supported Pythons of this machine beside the one that runs: minor version and interpreter."""
    for minor in MINORS:
        if minor != sys.version_info.minor:
            places = [shutil.which(f"python3.{minor}"), *_from_uv(minor)]
            found = next((place for place in places if place and _is_python(place, minor)), None)
            if found:
                yield minor, found


def _python(minor: int, path: str, tests: str) -> Part:
    """`make test` of a copy of the sources with another Python."""
    given = f' ARGS="{tests}"' if tests else ""
    command = f"""
        set -e
        mkdir -p {BUILD}/3.{minor}
        git archive HEAD | tar -x -C {BUILD}/3.{minor}
        make --no-print-directory -C {BUILD}/3.{minor} test PYTHON={path}{given} || exit 1
    """
    return Part(
        f"3.{minor}", f"tests on Python 3.{minor}", f"make test PYTHON=python3.{minor}{given}", ("sh", "-c", command)
    )


def _is_python(path: str, minor: int) -> bool:
    """Whether a path really runs: a shim may stand for a Python that is not there."""
    code = f"import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
    return subprocess.run([path, "-c", code], capture_output=True, check=False).returncode == 0


def _from_uv(minor: int) -> list[str]:
    """Interpreters that uv knows without fetching one."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if not uv:
        return []
    asked = [uv, "python", "find", "--managed-python", "--no-python-downloads", f"3.{minor}"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    return found.stdout.split()[:1]
