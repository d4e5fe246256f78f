"""How often somebody may try a password: by name and by address, so that neither guesses nor asks for work for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from transactive.web.problems import TooMany

WINDOW = 15 * 60
"""Seconds that a try counts."""
BY_NAME, BY_ADDRESS = 10, 40
MOST_KEYS = 10_000
"""Names and addresses that are remembered; beyond, the oldest are forgotten."""


class Rates:
    """Tries of the last quarter of an hour that failed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        self.clock, self._lock = clock, Lock()
        self._tries: dict[str, list[float]] = {}

    def admit(self, name: str, address: str) -> None:
        """Count a try before its work is done. Raises TooMany."""
        now = self.clock()
        with self._lock:
            for key, most in ((f"name {name.casefold()}", BY_NAME), (f"address {address}", BY_ADDRESS)):
                tries = [at for at in self._tries.pop(key, []) if now - at < WINDOW]
                if len(tries) >= most:
                    self._tries[key] = tries
                    raise TooMany(int(tries[0] + WINDOW - now) + 1)
                self._tries[key] = [*tries, now]
            while len(self._tries) > MOST_KEYS:
                del self._tries[next(iter(self._tries))]

    def forget(self, name: str) -> None:
        """Forget the tries of a name that came in."""
        with self._lock:
            self._tries.pop(f"name {name.casefold()}", None)
