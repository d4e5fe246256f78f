"""The Makefile on machines that are not as they should be: real make, stand-ins for Python and uv."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tools import missing
from tests.waiting import LIMIT_SECONDS

ROOT = Path(__file__).parents[2]
TOOLS = (
    "cat",
    "cksum",
    "cp",
    "cut",
    "date",
    "dirname",
    "du",
    "find",
    "grep",
    "make",
    "mkdir",
    "rm",
    "sed",
    "sh",
    "sleep",
)


@pytest.fixture(autouse=True)
def _make() -> None:
    if shutil.which("make") is None:
        missing("make", "the system's package manager brings it")


@dataclass(frozen=True)
class Machine:
    """A checkout and a PATH with the tools of the Makefile and whatever a test adds."""

    checkout: Path
    bin: Path

    @property
    def log(self) -> str:
        """Calls that reached an installer, one a line."""
        path = self.checkout / "log"
        return path.read_text() if path.exists() else ""

    def program(self, name: str, script: str) -> Path:
        """Put an executable shell script on PATH."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def python(self, name: str, version: str, *, venv: bool = True, installs: bool = True) -> Path:
        """Put a stand-in for an interpreter on PATH; it makes virtual environments by copying itself."""
        return self.program(
            name,
            f"""
            case "$*" in
            *sys.version_info*) echo {version} ;;
            "-c import ensurepip, venv") exit {0 if venv else 1} ;;
            "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
            "-m pip --version") ;;
            "-m pip"*) echo "{version} $*" >>log; exit {0 if installs else 1} ;;
            *) exit 9 ;;
            esac""",
        )

    def uv(self, *, works: bool = True) -> Path:
        """Put a stand-in for uv on PATH."""
        return self.program(
            "uv",
            f"""
            case "$*" in
            "pip install --help") echo "      --require-hashes" ;;
            venv*) echo "uv $*" >>log; mkdir -p .venv/bin; cp "{self.bin}/python3.12" .venv/bin/python ;;
            *) echo "uv $*" >>log; exit {0 if works else 1} ;;
            esac""",
        )

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """Start make as a newcomer would."""
        env = {"PATH": str(self.bin), "HOME": str(self.checkout), "LC_ALL": "C"}
        command = [str(self.bin / "make"), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.checkout, env=env, stdout=pipe, stderr=pipe, text=True)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make to its end."""
        with self.started(*arguments) as process:
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def refusal(self, *arguments: str) -> str:
        """Run make, which must fail before it installs, and return the line that says why."""
        result = self.make(*arguments)
        assert result.returncode != 0
        assert result.stdout == ""
        assert self.log == ""
        errors = [line for line in result.stderr.splitlines() if not line.startswith("make")]
        assert len(errors) == 1, result.stderr
        assert errors[0].startswith("error: ")
        return errors[0]


def installing(installer: str, kind: str) -> list[str]:
    """Calls that install the pinned dependencies of a kind, then the project and nothing that it would bring."""
    project = f"{installer} --no-deps --no-build-isolation --editable"
    return [
        f"{installer} --require-hashes -r requirements/{kind}.txt",
        f"{project} distributions/transactive",
        f"{project} .",
    ]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with make and no Python; the checkout's path has a space."""
    checkout, tools = tmp_path / "a checkout", tmp_path / "bin"
    (checkout / "scripts").mkdir(parents=True)
    tools.mkdir()
    for name in ("Makefile", "pyproject.toml", "scripts/environment.sh", "scripts/browser.sh"):
        shutil.copy(ROOT / name, checkout / name)
    for name in ("distributions", "requirements"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in TOOLS:
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    return Machine(checkout, tools)


def test_no_python_is_named_with_the_fix(machine: Machine) -> None:
    line = machine.refusal("install")
    assert "needs Python 3.11 to 3.13, and PATH has none;" in line
    assert "sudo apt install python3 python3-venv" in line
    assert "uv" in line


@pytest.mark.parametrize("version", ["2.7.18", "3.10.13", "3.14.0"])
def test_wrong_python_is_named(machine: Machine, version: str) -> None:
    machine.python("python3", version)
    assert f"(python3 is {version})" in machine.refusal("demo")


def test_wrong_python_asked_for_is_named(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4")
    machine.python("python3.9", "3.9.18")
    assert "PYTHON=python3.9 is Python 3.9.18" in machine.refusal("install", "PYTHON=python3.9")
    assert "PYTHON=/nowhere/python does not run" in machine.refusal("install", "PYTHON=/nowhere/python")


def test_missing_venv_is_named_with_the_package_of_that_python(machine: Machine) -> None:
    machine.python("python3", "3.11.2", venv=False)
    line = machine.refusal("test")
    assert "python3 has no venv module" in line
    assert "sudo apt install python3.11-venv" in line
    assert "uv" in line


def test_shims_and_pythons_without_venv_are_passed_over(machine: Machine) -> None:
    machine.program("python3.13", "echo 'not enabled' >&2; exit 127")
    machine.python("python3.12", "3.12.4", venv=False)
    machine.python("python3.11", "3.11.9")
    machine.python("python3", "3.8.10")
    assert machine.make("install", "INSTALLER=pip").returncode == 0
    assert machine.log.splitlines() == installing("3.11.9 -m pip install", "runtime")


def test_uv_on_path_needs_no_venv_module(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4", venv=False)
    machine.uv()
    assert machine.make("install").returncode == 0
    assert machine.log.splitlines() == [
        "uv venv --quiet --allow-existing --python python3.12 .venv",
        *installing("uv pip install --python .venv/bin/python", "runtime"),
    ]
    assert machine.make("install-dev").returncode == 0
    assert machine.log.splitlines()[4:] == installing("uv pip install --python .venv/bin/python", "dev")


def test_uv_is_put_into_the_environment_where_there_is_none(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4")
    assert machine.make("install").returncode == 0
    wanted = "3.12.4 -m pip install --quiet --require-hashes -r requirements/installer.txt"
    assert machine.log.splitlines()[0] == wanted


def test_pip_takes_over_where_uv_fails(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4")
    machine.uv(works=False)
    result = machine.make("install")
    assert result.returncode == 0
    assert "going on with pip" in result.stderr
    assert machine.log.splitlines()[-3:] == installing("3.12.4 -m pip install", "runtime")


def test_a_failed_installation_is_not_taken_for_a_good_one(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4", installs=False)
    for _ in range(2):
        result = machine.make("install")
        assert result.returncode != 0
        assert "error: the packages could not be installed" in result.stderr
    machine.python("python3.12", "3.12.4")
    assert machine.make("install").returncode == 0


def test_second_run_installs_nothing_and_stdout_stays_free(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4")
    first = machine.make("-j2", "install", "install-dev", "INSTALLER=pip")
    assert first.returncode == 0
    assert first.stdout == ""
    assert "installed in " in first.stderr
    assert " MB" in first.stderr
    before = machine.log
    second = machine.make("-j2", "install", "install-dev")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert machine.log == before


def test_development_tools_are_pinned_too(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4")
    assert machine.make("install-dev", "INSTALLER=pip").returncode == 0
    assert machine.log.splitlines() == installing("3.12.4 -m pip install", "dev")
    assert machine.make("install").stderr == ""  # they include the program


@pytest.mark.parametrize("name", ["pyproject.toml", "distributions/transactive/pyproject.toml", "requirements/dev.txt"])
def test_a_changed_project_file_installs_again_into_the_same_environment(machine: Machine, name: str) -> None:
    machine.python("python3.12", "3.12.4")
    machine.make("install-dev", "INSTALLER=pip")
    kept = machine.checkout / ".venv" / "kept"
    kept.touch()
    project = machine.checkout / name
    before = project.read_text()
    project.write_text(before + "# changed\n")
    assert "installed in" in machine.make("install", "INSTALLER=pip").stderr
    project.write_text(before)  # what the development tools were installed for is not what is installed now
    assert "installed in" in machine.make("install-dev", "INSTALLER=pip").stderr
    assert kept.exists()


@pytest.mark.parametrize("damage", ["killed", "moved", "python gone", "python too old", "another python"])
def test_an_unusable_environment_is_made_anew(machine: Machine, damage: str) -> None:
    machine.python("python3.11", "3.11.9")
    machine.python("python3.12", "3.12.4")
    machine.make("install", "INSTALLER=pip")
    venv = machine.checkout / ".venv"
    (venv / "old").touch()
    asked = "PYTHON="
    if damage == "killed":
        (venv / ".installed").unlink()
        (venv / ".installing").write_text("999999999\n")
    elif damage == "moved":
        machine = Machine(machine.checkout.rename(machine.checkout.with_name("elsewhere")), machine.bin)
        venv = machine.checkout / ".venv"
    elif damage == "python gone":
        (venv / "bin" / "python").unlink()
    elif damage == "python too old":
        shutil.copy(machine.python("python3.10", "3.10.13"), venv / "bin" / "python")
    else:
        asked = "PYTHON=python3.11"
    result = machine.make("install", "INSTALLER=pip", asked)
    assert result.returncode == 0, result.stderr
    assert "making .venv" in result.stderr
    assert not (venv / "old").exists()
    assert machine.make("install").stderr == ""


def test_an_environment_made_by_hand_is_kept(machine: Machine) -> None:
    python = machine.python("python3.12", "3.12.4")
    (machine.checkout / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(python, machine.checkout / ".venv" / "bin" / "python")
    kept = machine.checkout / ".venv" / "kept"
    kept.touch()
    assert "installed in" in machine.make("install", "INSTALLER=pip").stderr
    assert kept.exists()


def test_a_running_installation_is_waited_for(machine: Machine) -> None:
    machine.python("python3.12", "3.12.4")
    machine.make("install", "INSTALLER=pip")
    installing = machine.checkout / ".venv" / ".installing"
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        installing.write_text(f"{other.pid}\n")
        with machine.started("install") as waiting:
            assert waiting.stderr is not None
            assert f"process {other.pid} is installing" in waiting.stderr.readline()
            installing.unlink()
            assert "making" not in waiting.stderr.read()
            assert waiting.wait(LIMIT_SECONDS) == 0
        assert other.poll() is None  # it was not gone: what was waited for is its mark


@pytest.fixture
def tooling(machine: Machine) -> Path:
    """The list of what tests need from npm, in the checkout; where it is installed."""
    machine.python("python3.12", "3.12.4")
    shutil.copytree(ROOT / "tests" / "tooling", machine.checkout / "tests" / "tooling")
    return machine.checkout / ".venv" / "tooling"


def test_the_node_of_the_tests_comes_from_npm_once(machine: Machine, tooling: Path) -> None:
    machine.program("npm", 'echo "npm $*" >>../../log; mkdir node_modules')
    result = machine.make("install-dev", "INSTALLER=pip")
    assert result.returncode == 0, result.stderr
    assert machine.log.splitlines()[-1].startswith("npm ci --ignore-scripts")
    assert (tooling / "node_modules").is_dir()
    assert machine.make("install-dev").stderr == ""
    assert machine.make("install").stderr == ""  # a user has no need of it


@pytest.mark.parametrize("npm", [None, "exit 1"], ids=["none", "one that fails"])
def test_without_npm_one_from_a_wheel_is_tried_and_a_failure_is_said_and_not_kept(
    machine: Machine, tooling: Path, npm: str | None
) -> None:
    if npm:
        machine.program("npm", npm)
    for _ in range(2):
        result = machine.make("install-dev", "INSTALLER=pip")
        assert result.returncode == 0
        assert "Anvil could not be installed" in result.stderr
        assert machine.log.splitlines()[-1].endswith(
            "--target .venv/tooling/node --require-hashes -r requirements/node.txt"
        )
    assert not (tooling / "node").exists()


def test_help_is_the_default_and_lists_every_target(machine: Machine) -> None:
    text = machine.make().stdout
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert [line.split()[0] for line in text.splitlines()] == phony.split()[1:]
    assert machine.make("help").stdout == text


def test_clean_removes_the_environment_and_keeps_the_sources(machine: Machine) -> None:
    cache = machine.checkout / "src" / "package" / "__pycache__"
    cache.mkdir(parents=True)
    (machine.checkout / "tests").mkdir()
    (machine.checkout / ".venv").mkdir()
    assert machine.make("clean").returncode == 0
    assert not (machine.checkout / ".venv").exists()
    assert not cache.exists()
    assert cache.parent.exists()


JUDGED = {
    "every day": "not long and not service and not soak",
    "service": "service and not soak and not home_assistant and not judge",
}
"""Tests that the judge runs, in its order, by what they are told."""


@pytest.mark.parametrize("failing", ["types", *JUDGED, "nothing"])
def test_the_judge_runs_all_tests_and_lets_none_be_skipped(machine: Machine, failing: str) -> None:
    (machine.checkout / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", machine.checkout / ".ci" / "run")
    machine.python("python3.12", "3.12.4")
    machine.make("install-dev", "INSTALLER=pip")
    pytest_stub = machine.checkout / ".venv" / "bin" / "pytest"
    pytest_stub.write_text(
        f"""#!/bin/sh
        while [ "$1" != -m ]; do shift; done
        echo "$2, CI=$CI"
        [ "$2" != "{JUDGED.get(failing)}" ]
        """
    )
    pytest_stub.chmod(0o755)
    for name in ("ruff", "mypy", "lint-imports"):
        stub = pytest_stub.with_name(name)
        stub.write_text(f"#!/bin/sh\nexit {int((name, failing) == ('mypy', 'types'))}\n")
        stub.chmod(0o755)
    env = {"PATH": str(machine.bin)}
    command = [shutil.which("bash") or "/bin/bash", ".ci/run"]
    result = subprocess.run(
        command,
        cwd=machine.checkout,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    kinds = list(JUDGED)
    ran = [] if failing == "types" else kinds[: kinds.index(failing) + 1] if failing in kinds else kinds
    assert result.stdout.splitlines() == [f"{JUDGED[kind]}, CI=true" for kind in ran]
    assert (result.returncode == 0) == (failing == "nothing")
