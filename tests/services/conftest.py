"""Real services for tests, each on a port of its own, in a folder that goes with the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tools import missing
from tests.waiting import until

PLACES = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto")


class Broker:
    """A Mosquitto that can be killed and started again on the same port."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"mqtt://127.0.0.1:{self.port}"
        config = f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        (folder / "mosquitto.conf").write_text(config)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "mosquitto.log").open("ab") as log:
            command = [self._program, "-c", str(self._folder / "mosquitto.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, "a broker on its port")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def broker(tmp_path) -> Iterator[Broker]:
    program = shutil.which("mosquitto") or next((place for place in PLACES if Path(place).exists()), None)
    if program is None:
        missing(
            "Mosquitto", "as root on Debian or Ubuntu `make test-tools` brings it, elsewhere the system's packages do"
        )
    made = Broker(program, tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def processes() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that end with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: object, log: Path) -> subprocess.Popen[str]:
        with log.open("a") as said:
            process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=said, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
