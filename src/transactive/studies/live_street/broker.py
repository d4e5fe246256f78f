"""A broker for the street: the one that is given, or a Mosquitto of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transactive.core.errors import InputError, StateError

PLACES = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto")
PATIENCE_SECONDS = 20.0


@contextmanager
def broker_of_its_own(folder: Path) -> Iterator[str]:
    """Run a Mosquitto that this machine alone reaches; yields its address. Raises InputError where there is none."""
    program = shutil.which("mosquitto") or next((place for place in PLACES if Path(place).exists()), None)
    if program is None:
        raise InputError(
            "demo --live needs the broker Mosquitto, which is not here: install it (`apt install mosquitto`, `brew"
            " install mosquitto`), or name another with --broker mqtt://HOST"
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    setting = folder / "mosquitto.conf"
    setting.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with (folder / "mosquitto.log").open("ab") as log:
        command = [program, "-c", str(setting)]
        running = subprocess.Popen(  # noqa: S603 - found above; Ctrl-C is not for it: boxes still say goodbye to it
            command, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(running, port, folder)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


def _wait(running: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait until it answers. Raises StateError where it does not."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and running.poll() is None:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise StateError(f"{folder / 'mosquitto.log'}: Mosquitto does not answer on port {port}; it says why there")
