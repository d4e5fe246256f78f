"""How often somebody may try a password, so that neither guesses nor asks for work for ever, nor keeps others out.

Who knows a name can use up the tries of that name from where it sits only: its owner comes in from elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock

from transactive.web.problems import TooMany

WINDOW = 15 * 60
"""Seconds that a try counts."""
BY_NAME, BY_ADDRESS, BY_NAME_ANYWHERE = 10, 40, 100
"""Tries of a name from one address, from an address, and of a name from all addresses together."""
LONGEST_NAME = 64
MOST_KEYS = 10_000
"""Names and addresses that are remembered; beyond, the oldest are forgotten."""


class Rates:
    """Tries of the last quarter of an hour that failed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self.clock, self._lock = clock, Lock()
        self._tries: dict[str, list[float]] = {}

    def admit(self, name: str, address: str) -> None:
        """Count a try before its work is done; without a name, by the address alone. Raises TooMany."""
        now = self.clock()
        with self._lock:
            for key, most in _limits(name, address):
                tries = [at for at in self._tries.pop(key, []) if now - at < WINDOW]
                if len(tries) >= most:
                    self._tries[key] = tries
                    raise TooMany(int(tries[0] + WINDOW - now) + 1)
                self._tries[key] = [*tries, now]
            while len(self._tries) > MOST_KEYS:
                del self._tries[next(iter(self._tries))]

    def forget(self, name: str, address: str) -> None:
        """Take back the last try of who came in, and all of that name from there."""
        with self._lock:
            for key, most in _limits(name, address):
                left = [] if most == BY_NAME else self._tries.get(key, [])[:-1]
                self._tries.pop(key, None)
                if left:
                    self._tries[key] = left


def _limits(name: str, address: str) -> list[tuple[str, int]]:
    """What a try counts towards, and how many of it there may be; the narrowest first."""
    who, place = name.strip().casefold()[:LONGEST_NAME], _place(address)
    named = [(f"name {who} at {place}", BY_NAME)] if who else []
    return [*named, (f"address {place}", BY_ADDRESS), *([(f"name {who}", BY_NAME_ANYWHERE)] if who else [])]


def _place(address: str) -> str:
    """Whose an address is: of IPv6 the network of 64 bits, in which one host has as many addresses as it likes."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(found) >> 64 << 64)) if isinstance(found, IPv6Address) else address
