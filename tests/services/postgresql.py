"""A PostgreSQL server of its own, as somebody without rights, on a free port, in a folder that goes with it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools import missing
from tests.waiting import until

PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/pgsql")
NOBODY = "nobody"
"""PostgreSQL refuses to run as root."""


class PostgresServer:
    """A server that can be killed and started again on the same port."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._user = NOBODY if os.getuid() == 0 else None
        if self._user:
            shutil.chown(folder, NOBODY)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"postgresql://market@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", folder / "data", "-U", "market", "--auth=trust", "--no-sync", "--encoding=UTF8")
        self._process: subprocess.Popen[bytes] | None = None

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        subprocess.run(command, check=True, user=self._user, cwd=self._folder, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        options = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "log_min_messages=log")
        settings = [word for option in options for word in ("-c", option)]
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port), *settings]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, cwd=self._folder, stdout=log, stderr=log)
        until(self._answers, "a server on its port")

    def _answers(self) -> bool:
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0

    def said(self) -> str:
        """The last words of the server's log."""
        return (self._folder / "server.log").read_text()[-2_000:]

    def kill(self) -> None:
        """End at once, as by a power failure."""
        if self._process:
            self._process.kill()
            self._process.wait()
        until(lambda: not self._answers(), "the server to be gone")


def programs() -> Path:
    """Folder of the server's programs; without it tests are skipped, in CI they fail."""
    found = sorted(found for place in PLACES for found in Path(place).glob("**/bin/initdb"))
    if not found:
        missing("PostgreSQL", "as root on Debian or Ubuntu `make test-tools` brings it, elsewhere the system does")
    return found[-1].parent


@contextmanager
def postgresql() -> Iterator[PostgresServer]:
    """A server that is up."""
    folder = Path(tempfile.mkdtemp(prefix="transactive-database-"))
    server = PostgresServer(programs(), folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
