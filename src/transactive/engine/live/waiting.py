"""How a live market passes the time: on the wall, or in a rehearsal where nothing is waited for in vain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from transactive.engine.devices.recorded_history import ReplayClock
from transactive.store.folder import write_private
from transactive.store.live.journal import ArrivalKind, JournalReader

CLOCK_FILE = "clock.json"
LOOK_SECONDS = 0.2
"""How often at least the clock is looked at [s on the wall]."""


class Time(Protocol):
    """What time it is, and the wait for another."""

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        ...

    def wait_until(self, due: int) -> None:
        """Return as soon as it is `due` [Unix s]."""
        ...


class WallClock:
    """Time that passes by itself.

    speed: seconds of the market in a second on the wall. begin: the market's time [Unix s] when the wall's was `since`,
    which is now by default. look: called again and again while something is waited for; what it raises ends the wait.
    """

    def __init__(
        self,
        speed: float = 1.0,
        begin: float | None = None,
        since: float | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self.speed, self._since = speed, time.time() if since is None else since
        self._begin = self._since if begin is None else begin
        self.look = look

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        return int(self._begin + (time.time() - self._since) * self.speed)

    def note(self, folder: Path) -> None:
        """Write down in a state folder how this clock goes, for who sends orders to the market from elsewhere."""
        write_private(folder / CLOCK_FILE, msgspec.json.encode((self.speed, self._begin, self._since)))

    @classmethod
    def noted(cls, folder: Path) -> WallClock:
        """The clock of a state folder's market; the true one where none was written down."""
        path = folder / CLOCK_FILE
        return cls(*msgspec.json.decode(path.read_bytes(), type=tuple[float, float, float])) if path.exists() else cls()

    def wait_until(self, due: int) -> None:
        """Sleep until it is `due` [Unix s]."""
        while (left := (due - self.now) / self.speed) > 0:
            self.look()
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

    def __init__(
        self, clock: WallClock | RehearsalClock, seconds: int, entered: threading.Condition, catch_up: int = 0
    ) -> None:
        """entered: told whenever records have come in. catch_up: how long boxes have after the market came back [s]."""
        self._clock, self._seconds, self._entered = clock, seconds, entered
        self._back = clock.now + catch_up

    def __call__(self, end: int) -> bool:
        """Wait for more records of a slot that ended at `end` [Unix s]; whether there is still time for them."""
        due = max(end + self._seconds, self._back)
        if self._clock.now >= due:
            return False
        if isinstance(self._clock, RehearsalClock):
            self._clock.wait_until(due)
        else:
            with self._entered:
                self._entered.wait(LOOK_SECONDS)
            self._clock.look()
        return True


class SessionClock:
    """The clock of a session, whose journal says which gates were closed, and which passed while nobody was there.

    grace: how late a gate may be closed by a clock that goes on without us [s]; None where the journal alone says it.
    """

    def __init__(self, clock: Time, journal: JournalReader, grace: int | None) -> None:
        self._clock, self._journal, self._grace = clock, journal, grace
        self._void, self._closed = dict[int, int](), dict[int, int]()
        for entry in journal.all_after(0):
            if entry.kind in (ArrivalKind.GATE, ArrivalKind.VOID):
                gate, *seen = map(int, entry.body.split())
                kept = self._void if entry.kind is ArrivalKind.VOID else self._closed
                kept[gate] = seen[0] if seen else gate

    @property
    def now(self) -> int:
        """The time [Unix s]."""
        return self._clock.now

    def wait_until(self, due: int) -> None:
        """Return as soon as it is `due` [Unix s]."""
        self._clock.wait_until(due)

    def close(self, gate: int, seen: int) -> bool:
        """Close a gate, and say whether it counts; both is in the journal before anything follows from it.

        A gate that was closed before an interruption stays closed with what was known then, however late we are back.
        """
        if gate in self._closed or gate in self._void:
            return gate in self._closed
        is_void = self._grace is not None and self.now > gate + self._grace
        if not self._journal.is_only_read:
            kind = ArrivalKind.VOID if is_void else ArrivalKind.GATE
            self._journal.append(self.now, kind, [f"{gate} {seen}".encode()])
        (self._void if is_void else self._closed)[gate] = seen
        return not is_void

    def is_void(self, gate: int) -> bool:
        """Whether a gate [Unix s] passed while nobody was there."""
        return gate in self._void

    def seen(self, gate: int) -> int | None:
        """End of the slots that were known as a gate closed, or passed [Unix s]; None before."""
        return self._closed.get(gate, self._void.get(gate))
