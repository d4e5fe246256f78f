"""What surrounds a command: signals, closed or narrow output, a locale without umlauts, little memory, a full disk."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.samples import write_community
from tests.integration.test_crash import ended_or_delivered
from tests.waiting import until

PROGRAM = [sys.executable, "-c", "from transactive.cli import main; main()"]
LONG = pytest.mark.long
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "40"}


def one_line(error: str) -> bool:
    return error.count("\n") == 1 and "Traceback" not in error


def run(*arguments: object, shell: str = "", env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run the command line with what a shell adds to it; exit code and both outputs."""
    command = ["bash", "-c", f'"$@" {shell}', "_", *PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **(env or {})}, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "number", [signal.SIGINT, *(pytest.param(n, marks=LONG) for n in (signal.SIGTERM, signal.SIGHUP))]
)
def test_a_signal_ends_a_run_with_how_to_go_on(tmp_path, number):
    community, state = write_community(tmp_path), tmp_path / "state"
    command = [*PROGRAM, "run", str(community), "--no-page", "--json", "--state", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: ended_or_delivered(process, state, 3), "three slots are delivered")
    process.send_signal(number)
    printed, said = process.communicate()
    assert (process.returncode, printed) == (128 + number, ""), said
    assert one_line(said)
    assert f"--state {state} goes on" in said


def test_closed_and_full_outputs_are_no_traceback(tmp_path):
    community = write_community(tmp_path)
    assert run("check", community, shell=">&-") == (0, "", "")
    assert run("check", community, shell="2>&-")[0] == 0
    code, _, said = run("check", community, shell=">/dev/full")
    assert code == 71
    assert one_line(said)


def test_umlauts_in_a_locale_without_them_and_forty_columns(sample_state, tmp_path):
    folder = tmp_path / "Gemeinschaft-ä"
    folder.mkdir()
    shutil.copytree(sample_state, folder / "state")
    code, printed, said = run("run", write_community(folder), "--no-page", "--state", folder / "state", env=PLAIN)
    assert code == 0, said
    assert "Gemeinschaft-ä" in printed
    assert one_line(said)
    missing = run("check", os.fsdecode(b"no-\xe4.toml"))
    assert missing[0] == 3
    assert one_line(missing[2])


@pytest.mark.long
def test_little_memory_is_no_traceback(tmp_path):
    community = write_community(tmp_path)
    limit = 1_200_000 * 1024
    command = [*PROGRAM, "run", str(community), "--no-page", "--json", "--state", str(tmp_path / "state")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    by_native_code = {-signal.SIGABRT, -signal.SIGSEGV}  # which may end the process by itself
    assert done.returncode in {0, 71} | by_native_code, done.stderr


def test_a_path_that_is_taken_by_a_file_is_one_line(tmp_path):
    community, taken = write_community(tmp_path), tmp_path / "taken"
    Path(taken).touch()
    code, _, said = run("run", community, "--no-page", "--state", taken)
    assert code == 4
    assert one_line(said)
