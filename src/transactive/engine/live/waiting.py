"""How a live market passes the time: on the wall, or in a rehearsal where nothing is waited for in vain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from transactive.engine.devices.recorded_history import ReplayClock

LOOK_SECONDS = 0.2
"""How often at least the clock is looked at [s on the wall]."""


class WallClock:
    """Time that passes by itself.

    speed: seconds of the market in a second on the wall. begin: the market's time now [Unix s], None for the true one.
    steady: seconds that only rise.
    """

    def __init__(
        self, speed: float = 1.0, begin: int | None = None, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._speed, self._steady, self._origin = speed, steady, steady()
        self._begin = time.time() if begin is None else float(begin)

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        return int(self._begin + (self._steady() - self._origin) * self._speed)

    def wait_until(self, due: int) -> None:
        """Sleep until it is `due` [Unix s]."""
        while (left := (due - self.now) / self._speed) > 0:
            time.sleep(min(left, LOOK_SECONDS))


class RehearsalClock(ReplayClock):
    """Time that goes from event to event."""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self._happens: Callable[[int], None] = lambda _: None

    def happens(self, until: Callable[[int], None]) -> Callable[[], None]:
        """Let all happen that is due by a time [Unix s], whenever time passes; returns what ends it: nothing has to."""
        self._happens = until
        return lambda: None

    def wait_until(self, due: int) -> None:
        """Let all the time until `due` pass, and what happens in it."""
        super().wait_until(due)
        self._happens(self.now)


class ReportWait:
    """Waits for records until some seconds after a slot's end, by the market's clock."""

    def __init__(self, clock: WallClock | RehearsalClock, seconds: int, entered: threading.Condition) -> None:
        """entered: told whenever records have come in."""
        self._clock, self._seconds, self._entered = clock, seconds, entered

    def __call__(self, end: int) -> bool:
        """Wait for more records of a slot that ended at `end` [Unix s]; whether there is still time for them."""
        if self._clock.now >= end + self._seconds:
            return False
        if isinstance(self._clock, RehearsalClock):
            self._clock.wait_until(end + self._seconds)
        else:
            with self._entered:
                self._entered.wait(LOOK_SECONDS)
        return True
