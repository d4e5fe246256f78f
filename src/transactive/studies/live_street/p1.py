"""A simulated meter with a P1 port, as a converter brings it to the network."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from transactive.metering.decode.checksums import crc_p1


def telegram(at: float, import_wh: int, export_wh: int) -> bytes:
    """A P1 telegram of a meter in Ireland, whose winter time is UTC, in summer. at: its time [Unix s]."""
    local = datetime.fromtimestamp(int(at), UTC) + timedelta(hours=1)
    lines = [
        "/TST5\\2STREET",
        "",
        "1-3:0.2.8(50)",
        f"0-0:1.0.0({local:%y%m%d%H%M%S}S)",
        f"1-0:1.8.1({import_wh // 1000:06d}.{import_wh % 1000:03d}*kWh)",
        "1-0:1.8.2(000000.000*kWh)",
        f"1-0:2.8.1({export_wh // 1000:06d}.{export_wh % 1000:03d}*kWh)",
        "1-0:2.8.2(000000.000*kWh)",
        "!",
    ]
    body = "\r\n".join(lines).encode()
    return body + f"{crc_p1(body):04X}\r\n".encode()


class P1Port:
    """Sends what the meter says, every so many seconds, to whoever listens. url: where that is."""

    def __init__(self, says: Callable[[], bytes], every: float) -> None:
        self._says, self._every, self._over = says, every, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Say nothing more."""
        self._over.set()
        self._server.close()

    def _accept(self) -> None:
        """Send to each that listens."""
        with suppress(OSError):
            while True:
                line, _ = self._server.accept()
                threading.Thread(target=self._send, args=(line,), daemon=True).start()

    def _send(self, line: socket.socket) -> None:
        """Send to one."""
        with suppress(OSError), line:
            while not self._over.wait(self._every):
                line.sendall(self._says())
