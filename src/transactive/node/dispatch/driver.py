"""The battery of a box at work: looks at meter and battery, follows the rule that holds, and lets go when none does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from pathlib import Path

from transactive.node.dispatch.battery import ModbusBattery
from transactive.node.dispatch.control import Levels, Power, power_w
from transactive.node.dispatch.rulebook import RuleBook

PAUSED_FILE = "paused"
"""The member's switch: while this file is in the box's folder, the box neither trades nor moves anything."""
WINDOW_SECONDS = 30
"""Over how long at least the home's power is taken from what its registers rose [s]."""
SILENT_SECONDS = 90
"""After what silence of the meter nobody knows what the home needs [s]."""


class HomePower:
    """What a home takes from the grid, from its registers."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()

    def see(self, at: int, registers: tuple[int, ...]) -> bool:
        """See import and export [Wh] at a time [Unix s]; returns whether that is news."""
        if self._seen and at <= self._seen[-1][0]:
            return False
        self._seen.append((at, registers[0] - registers[1]))
        while len(self._seen) > 2 and at - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        return True

    @property
    def grid_w(self) -> int | None:
        """What it takes from the grid, below 0 what it gives [W]; None before that is known."""
        if len(self._seen) < 2:
            return None
        (since, before), (now, after) = self._seen[0], self._seen[-1]
        return (after - before) * 3_600 // (now - since)


class BatteryDriver:
    """Drives one battery. plan: the box's own levels at a time, which stand before those that it was told.

    held_wh: what it held last, None while it does not answer. power_w: what it was told last. failures: how often it
    did not answer; failure: why, while it does not.
    """

    def __init__(
        self,
        folder: Path,
        battery: ModbusBattery,
        most: Power,
        book: RuleBook,
        tell: Callable[[str], None],
    ) -> None:
        self._switch, self._battery, self._most, self._book = folder / PAUSED_FILE, battery, most, book
        self._tell = tell
        self.plan: Callable[[int], Levels | None] = lambda _: None
        self._home, self._heard = HomePower(), 0.0
        self.held_wh: int | None = None
        self.power_w, self.failures, self.failure = 0, 0, ""

    def step(self, at: int, registers: tuple[int, ...] | None, wall: float) -> None:
        """Do what is to be done at a time of the meter [Unix s]; wall: a clock that only rises [s]."""
        if registers is not None and self._home.see(at, registers):
            self._heard = wall
        try:
            self.held_wh = self._battery.held_wh()
            wanted = self._wanted(at, self.held_wh, wall)
            self._battery.lease(wanted, wall)
        except OSError as error:
            self.held_wh, self.failures = None, self.failures + 1
            self._let_rest(wall)
            if self.failure != str(error):
                self.failure = str(error)
                self._tell(f"not followed: the battery does not do what was planned: {error}")
            return
        if wanted != self.power_w:
            self._tell(f"battery at {self.held_wh} Wh: {_words(wanted)}")
        self.power_w, self.failure = wanted, ""

    def _let_rest(self, wall: float) -> None:
        """Let a battery rest that does not say how full it is: what it was told last must not outlast its reason."""
        try:
            self._battery.lease(0, wall)
        except OSError:
            return  # why it does not answer is told already; it is tried again at the next look
        self.power_w = 0

    def let_go(self) -> None:
        """Let the battery rest, as the box ends."""
        try:
            self._battery.lease(0, 0.0)
        except OSError as error:
            self._tell(f"not followed: the battery cannot be let go: {error}")
        self.power_w = 0

    def _wanted(self, at: int, held_wh: int, wall: float) -> int:
        """What the battery shall draw now, below 0 give [W]."""
        grid_w, limit = self._home.grid_w, self._book.most_import_w(at)
        if grid_w is None or wall - self._heard > SILENT_SECONDS:
            return 0
        is_paused = self._switch.exists()
        levels = None if is_paused else self.plan(at) or self._book.levels(at)
        return power_w(levels, held_wh, grid_w - self.power_w, self._most, None if is_paused else limit)


def _words(power: int) -> str:
    """Power in words."""
    if not power:
        return "rests"
    return f"charges with {power} W" if power > 0 else f"gives {-power} W"
