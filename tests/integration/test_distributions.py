"""The two distributions: versions agree, what is pinned fits what is asked for, and the core runs by itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, requires
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import transactive

ROOT = Path(__file__).parents[2]
CORE = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHOLE = tomllib.loads((ROOT / "distributions" / "transactive" / "pyproject.toml").read_text())
PINNED = {
    "runtime": ("build",),
    "dev": ("build", "dev"),
    "bench": ("build", "dev", "bench"),
    "installer": ("installer",),
    "node": ("node",),
}
"""Files of requirements, and the dependency groups that each holds."""
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$")


def pins(name: str) -> dict[str, list[Version]]:
    """Versions of a file, by name; several where they differ by Python or system."""
    found: dict[str, list[Version]] = {}
    for line in (ROOT / "requirements" / f"{name}.txt").read_text().splitlines():
        if pin := PIN.match(line):
            found.setdefault(canonicalize_name(pin[1]), []).append(Version(pin[2]))
    return found


def test_the_version_is_one():
    version = transactive.__version__
    assert CORE["project"]["version"] == WHOLE["project"]["version"] == version
    assert distribution("transactive").version == distribution("transactive-core").version == version
    asked = [*WHOLE["project"]["dependencies"], *chain(*WHOLE["project"]["optional-dependencies"].values())]
    assert all(str(Requirement(text).specifier) == f"=={version}" for text in asked)
    assert CORE["project"]["requires-python"] == WHOLE["project"]["requires-python"]


def test_the_whole_has_every_extra_of_the_core():
    extras = CORE["project"]["optional-dependencies"].keys()
    passed_on = {name: [f"transactive-core[{name}]=={transactive.__version__}"] for name in extras}
    whole = WHOLE["project"]
    assert whole["dependencies"] == passed_on["all"]
    kept = whole["optional-dependencies"]
    assert kept == {name: passed_on[name] for name in kept}
    (everything,) = CORE["project"]["optional-dependencies"]["all"]
    assert Requirement(everything).extras | kept.keys() | {"all"} == set(extras)


@pytest.mark.parametrize("name", PINNED)
def test_what_is_asked_for_is_pinned_at_a_version_that_fits(name):
    asked = [text for group in PINNED[name] for text in CORE["dependency-groups"][group]]
    if "build" in PINNED[name]:
        extras = CORE["project"]["optional-dependencies"]
        asked += CORE["project"]["dependencies"] + [
            text for one in ("chain", "forecast", "market", "web") for text in extras[one]
        ]
    pinned = pins(name)
    for requirement in map(Requirement, asked):
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in requirements/{name}.txt; run make lock"
        assert all(version in requirement.specifier for version in versions), f"{requirement}; run make lock"


def test_each_file_of_requirements_holds_the_smaller_ones_at_the_same_versions():
    runtime, dev, bench = (pins(name) for name in ("runtime", "dev", "bench"))
    assert runtime.items() <= dev.items() <= bench.items()


@pytest.mark.parametrize("name", PINNED)
def test_requirements_are_hashed_and_name_no_place(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"(?m)^#.*\n", "", text))[1:]
    assert blocks
    for block in blocks:
        first, *hashes = block.rstrip().split(" \\\n")
        assert PIN.match(first + " \\"), first
        assert hashes, first
        assert all(re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}", line) for line in hashes), first
    assert not re.search(r"--(extra-)?index-url|--find-links|://|@ ", text)


@pytest.fixture(scope="module")
def core_alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment that has the wheel of the core, what that asks for, and nothing else.

    What it asks for is linked from here, so that no index is needed; that nothing is missing is pip's to say.
    """
    folder = tmp_path_factory.mktemp("core")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    for name in closure(CORE["project"]["dependencies"]):
        link(name, site)
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-compile", wheel)
    return python


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Output of a command that must succeed."""
    result = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def closure(asked: list[str]) -> set[str]:
    """Names of the distributions that requirements bring, with what those bring."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in asked]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        found.add(canonicalize_name(requirement.name))
        for text in requires(requirement.name) or []:
            further = Requirement(text)
            names = ["", *requirement.extras]
            waiting += [
                (further, name) for name in names if not further.marker or further.marker.evaluate({"extra": name})
            ]
    return found


def link(name: str, site: Path) -> None:
    """Show a distribution of this environment to another."""
    for file in distribution(name).files or []:
        top = file.parts[0]
        if top != ".." and top != "__pycache__" and not (site / top).exists():
            (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))


def test_the_core_by_itself_has_its_command_and_the_words_of_the_edge(core_alone):
    command = core_alone.with_name("transactive")
    assert "clear" in run(command, "--help")
    assert run(command, "--version").strip() == transactive.__version__
    code = "import transactive, transactive.metering.gateway, transactive.core.proofs.signed_orders"
    run(core_alone, "-c", code)
    asked = "from importlib.metadata import version; print(version('transactive-core'))"
    assert run(core_alone, "-c", asked).strip() == transactive.__version__


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("chain status --node http://127.0.0.1:1 --deployment none.json", "chain"),
        ("clear orders.csv -o out.csv", "market"),
        ("serve --state .", "market"),
    ],
)
def test_the_core_by_itself_names_the_extra_that_a_command_needs(core_alone, tmp_path, command, extra):
    (tmp_path / "orders.csv").write_text("id,side,price_micro_per_kwh,energy_wh,member\na,buy,1,1,x\n")
    words = [core_alone.with_name("transactive"), *command.split()]
    result = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    wanted = f"transactive: extra: needs the extra '{extra}': pip install 'transactive-core[{extra}]'\n"
    assert (result.returncode, result.stderr) == (3, wanted)
