"""A simulated battery on Modbus TCP: its charge can be read, its power written, and it falls back by itself.

Source: Modbus Application Protocol 1.1b3, functions 3 and 16.
"""

from __future__ import annotations

import socketserver
import struct
import threading
import time

from transactive.links.modbus import HEAD, READ, WRITE

CHARGE, POWER = 0, 1
"""Addresses of its state of charge in thousandths, and of what it is to draw [W], below 0 to give."""
NO_FUNCTION, NO_ADDRESS = 1, 2
WATCHDOG_SECONDS = 20
"""After what silence it rests [s]."""


class SimulatedBattery:
    """A battery. url: where it answers."""

    def __init__(self, capacity_wh: int, most_w: int) -> None:
        self.capacity_wh, self.most_w = capacity_wh, most_w
        self._held_wh, self._told_w, self._heard = capacity_wh / 2, 0, 0.0
        self._changing = threading.Lock()
        self._server = _BatteryServer(("127.0.0.1", 0), _BatteryLine)
        self._server.battery = self
        self.url = f"modbus://127.0.0.1:{self._server.server_address[1]}/1"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def close(self) -> None:
        """Answer nothing more."""
        self._server.shutdown()
        self._server.server_close()

    def act(self, seconds: float) -> float:
        """Do what it was told for some time [s]; what it drew, below 0 what it gave [Wh]."""
        with self._changing:
            told = self._told_w if time.monotonic() - self._heard <= WATCHDOG_SECONDS else 0
            wanted = max(min(told, self.most_w), -self.most_w) * seconds / 3_600
            moved = max(min(wanted, self.capacity_wh - self._held_wh), -self._held_wh)
            self._held_wh += moved
            return moved

    def answer(self, request: bytes) -> bytes:
        """The answer to a request, from its function on."""
        function, address, count = struct.unpack_from(">BHH", request)
        if function not in (READ["holding"], WRITE):
            return bytes((function | 0x80, NO_FUNCTION))
        with self._changing:
            if function == READ["holding"] and address + count <= 2 and count:
                words = struct.pack(">Hh", round(self._held_wh * 1_000 / self.capacity_wh), self._told_w)
                found = words[2 * address : 2 * (address + count)]
                return bytes((function, len(found))) + found
            if function == WRITE and (address, count) == (POWER, 1):
                (self._told_w,) = struct.unpack_from(">h", request, 6)
                self._heard = time.monotonic()
                return struct.pack(">BHH", function, address, count)
        return bytes((function | 0x80, NO_ADDRESS))


class _BatteryServer(socketserver.ThreadingTCPServer):
    """Its lines."""

    daemon_threads, allow_reuse_address = True, True
    battery: SimulatedBattery


class _BatteryLine(socketserver.StreamRequestHandler):
    """One line to it."""

    server: _BatteryServer

    def handle(self) -> None:
        """Answer until the line ends."""
        while len(head := self.rfile.read(HEAD.size)) == HEAD.size:
            transaction, protocol, length, unit = HEAD.unpack(head)
            answer = self.server.battery.answer(self.rfile.read(length - 1))
            self.wfile.write(HEAD.pack(transaction, protocol, len(answer) + 1, unit) + answer)
