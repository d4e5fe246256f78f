"""Anvil, a node that is not ours, on a free port."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tests.tools import missing
from tests.waiting import until

OPTIONS = ("--port", "0", "--gas-limit", "60000000", "--hardfork", "prague", "--accounts", "0")
LISTENS = re.compile(r"Listening on (\S+)\n")


def program() -> Path:
    """The binary that `make install-dev` puts into the environment; without it tests are skipped, in CI they fail."""
    found = sorted((Path(sys.prefix) / "tooling").glob("node_modules/@foundry-rs/anvil-*/bin/anvil*"))
    if not found:
        missing("Anvil")
    return found[0]


@contextmanager
def anvil(*options: str) -> Iterator[str]:
    """URL of a new Anvil. What it says goes into a file: a pipe that nobody empties would stop it."""
    command = [str(program()), *OPTIONS, *options]
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield f"http://{_address(process, said)}"
        finally:
            process.terminate()


def _address(process: subprocess.Popen[bytes], said: TextIO) -> str:
    """Where it listens, once it does."""

    def listens() -> re.Match[str] | None:
        said.seek(0)
        text = said.read()
        found = LISTENS.search(text)
        assert found or process.poll() is None, f"Anvil ended: {text}"
        return found

    return until(listens, "Anvil says where it listens").group(1)
