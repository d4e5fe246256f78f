"""Anvil, a node that is not ours, on a free port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OPTIONS = ("--port", "0", "--gas-limit", "60000000", "--hardfork", "prague", "--accounts", "0")
LISTENS = re.compile(r"Listening on (\S+)")


def program() -> Path:
    """The binary that `make install-dev` puts into the environment; without it tests are skipped, in CI they fail."""
    found = sorted((Path(sys.prefix) / "tooling").glob("node_modules/@foundry-rs/anvil-*/bin/anvil*"))
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Anvil is missing; `make install-dev` installs it")
    return found[0]


@contextmanager
def anvil(*options: str) -> Iterator[str]:
    """URL of a new Anvil."""
    command = [str(program()), *OPTIONS, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not (listens := LISTENS.search(said)):
                line = process.stdout.readline()
                assert line, f"Anvil ended: {said}"
                said += line
            yield f"http://{listens.group(1)}"
        finally:
            process.terminate()
