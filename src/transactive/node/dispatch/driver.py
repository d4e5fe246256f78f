"""Devices of a home at work: looks at meter and devices, follows the rules that hold, and lets go when none does.

Loads come first and the battery after them, each with what the home takes without it, as their plans were made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from transactive.core.proofs.keccak import keccak
from transactive.node.dispatch.control import BLOCKED, LEFT_ALONE, Levels, Power, Task, task_of
from transactive.node.dispatch.counting import DeviceCounter
from transactive.node.dispatch.device import MovedDevice
from transactive.node.dispatch.profile import BATTERY
from transactive.node.dispatch.rulebook import RuleBook

PAUSED_FILE = "paused"
"""The member's switch: while this file is in the box's folder, the box neither trades nor moves anything."""
WINDOW_SECONDS = 30
"""Over how long at least the home's power is taken from what its registers rose [s]."""
SILENT_SECONDS = 90
"""After what silence of the meter nobody knows what the home needs [s]."""


def pause(folder: Path, is_paused: bool) -> None:
    """The member's switch: pause the box of a folder, or let it go on."""
    place = folder / PAUSED_FILE
    if is_paused:
        place.touch()
    else:
        place.unlink(missing_ok=True)


def moment_of(address: str, spread: int, at: int) -> int:
    """The moment of a box (address of its key) within a time `spread` after a plan changed [s]; another each time."""
    return int.from_bytes(keccak(f"{address} {at}".encode())[:8], "big") % spread if spread else 0


class HomePower:
    """What a home takes from the grid without its devices, from its registers and from what devices were told.

    Both are means over the same time: what a device was told a moment ago is not in the registers yet.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int, float, float]] = deque()
        self._told_ws, self._wall = 0.0, 0.0

    def pass_time(self, told_w: int, wall: float) -> None:
        """Know what all devices were told to draw [W] until a time that only rises [s]."""
        self._told_ws += told_w * (wall - self._wall)
        self._wall = wall

    def see(self, at: int, registers: tuple[int, ...]) -> bool:
        """See import and export [Wh] at a time [Unix s]; returns whether that is news."""
        if self._seen and at <= self._seen[-1][0]:
            return False
        self._seen.append((at, registers[0] - registers[1], self._wall, self._told_ws))
        while len(self._seen) > 2 and at - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        return True

    @property
    def alone_w(self) -> int | None:
        """What it takes from the grid without devices, below 0 what it gives [W]; None before that is known."""
        if len(self._seen) < 2:
            return None
        (since, before, began, told), (now, after, ended, told_now) = self._seen[0], self._seen[-1]
        mean_w = (told_now - told) / (ended - began) if ended > began else 0
        return (after - before) * 3_600 // (now - since) - round(mean_w)


class DeviceDriver:
    """Drives one device. name: what it is, in words.

    held_wh: what it held last, None while it does not answer. power_w: what it was told last. failures: how often it
    did not answer; failure: why, while it does not. counter: what it has drawn and given. doing: that, in words.
    """

    def __init__(self, name: str, device: MovedDevice, most: Power, tell: Callable[[str], None]) -> None:
        self._name, self._device, self.most, self._tell = name, device, most, tell
        self.counter = DeviceCounter(max(most.charge_w, most.discharge_w))
        self.held_wh: int | None = None
        self.power_w, self.failures, self.failure = 0, 0, ""
        self.doing = ""

    def step(self, wanted: Callable[[int, int], Task], wall: float, at_rest: Task = LEFT_ALONE) -> None:
        """Do what is wanted of it, for what it holds [Wh] and what it was told [W], at a clock that only rises [s].

        at_rest: what it is told where it does not say how full it is; a limit of the grid goes before that too.
        """
        try:
            self.held_wh = self._device.held_wh()
            if counted := self._device.counted_wh():
                self.counter.see(counted, wall)
            given = wanted(self.held_wh, self.power_w)
            power = self._device.lease(given, wall)
        except OSError as error:
            self.held_wh, self.failures, self.doing = None, self.failures + 1, ""
            self._let_rest(wall, at_rest)
            if self.failure != str(error):
                self.failure = str(error)
                self._tell(f"not followed: the {self._name} does not do what was planned: {error}")
            return
        doing = _words(given, power)
        if doing != self.doing:
            self._tell(f"{self._name} at {self.held_wh} Wh: {doing}")
        self.power_w, self.failure, self.doing = power, "", doing

    def _let_rest(self, wall: float, at_rest: Task) -> None:
        """Let a device rest that does not say how full it is: what it was told last must not outlast its reason."""
        try:
            self.power_w = self._device.lease(at_rest, wall)
        except OSError:
            return  # why it does not answer is told already; it is tried again at the next look

    def let_go(self) -> None:
        """Let the device go, as the box ends."""
        try:
            self._device.lease(LEFT_ALONE, 0.0)
        except OSError as error:
            self._tell(f"not followed: the {self._name} cannot be let go: {error}")
        self._device.close()
        self.power_w = 0


class HomeDriver:
    """Drives all devices of a home, by number. plan: the box's own levels of the battery, before those it was told.

    failed: hears of a device (its number) that has a rule at a time [Unix s] and does not follow it, and why, once.
    """

    def __init__(
        self, folder: Path, drivers: dict[int, DeviceDriver], book: RuleBook, start: Callable[[int], int] = lambda _: 0
    ) -> None:
        """start: how long after levels changed at a time [Unix s] a device may move more than before [s]."""
        self._start, self._changed = start, dict[int, tuple[Levels | None, int]]()
        self._switch, self.drivers, self.book = folder / PAUSED_FILE, drivers, book
        self.plan: Callable[[int], Levels | None] = lambda _: None
        self.failed: Callable[[int, int, str], None] = lambda _number, _at, _why: None
        self._home, self._heard = HomePower(), 0.0

    def step(self, at: int, registers: tuple[int, ...] | None, wall: float) -> None:
        """Do what is to be done at a time of the meter [Unix s]; wall: a clock that only rises [s]."""
        self._home.pass_time(sum(driver.power_w for driver in self.drivers.values()), wall)
        if registers is not None and self._home.see(at, registers):
            self._heard = wall
        alone_w = self._home.alone_w
        is_paused, limit = self._switch.exists(), self.book.most_import_w(at)
        is_silent = alone_w is None or wall - self._heard > SILENT_SECONDS
        at_rest = LEFT_ALONE if limit is None or is_paused else BLOCKED
        for number in sorted(self.drivers, key=lambda number: (number == BATTERY, number)):
            driver = self.drivers[number]
            failure = driver.failure
            if is_paused or is_silent or alone_w is None:
                driver.step(lambda _held, _told: at_rest, wall, at_rest)
                continue
            net_w = alone_w + sum(other.power_w for other in self.drivers.values() if other is not driver)
            own = self.plan(at) if number == BATTERY else None
            levels, promised_w = (own, 0) if own else (self.book.levels(at, number), self.book.promised_w(at, number))
            room_w = None if limit is None else limit - promised_w
            wanted = partial(_wanted, levels, driver.most, net_w - promised_w, room_w)
            if self._is_young(number, levels, at):
                wanted = partial(_no_more, wanted, 0 if limit is None else limit - net_w)
            driver.step(wanted, wall, at_rest)
            if levels and driver.failure not in ("", failure):
                self.failed(number, at, driver.failure)

    def _is_young(self, number: int, levels: Levels | None, at: int) -> bool:
        """Whether levels of a device changed so lately that it may not begin yet."""
        before, since = self._changed.get(number, (None, at))
        if before != levels:
            since = at
        self._changed[number] = levels, since
        return levels is not None and at - since < self._start(since)

    def let_go(self) -> None:
        """Let all devices go."""
        for driver in self.drivers.values():
            driver.let_go()


def _wanted(levels: Levels | None, most: Power, net_w: int, limit: int | None, held_wh: int, _told_w: int) -> Task:
    """What a device shall do that holds so much [Wh], for what the home takes without it [W]."""
    return task_of(levels, held_wh, net_w, most, limit)


def _no_more(wanted: Callable[[int, int], Task], room_w: int, held_wh: int, told_w: int) -> Task:
    """What is wanted, as far as it is no more than what the device does already: all of a street begin apart.

    room_w: to the grid's limit; below 0, that much is given at once.
    """
    found = wanted(held_wh, told_w)
    power = found.power_w or 0
    nearer = min(power, max(told_w, 0)) if power > 0 else max(power, min(told_w, room_w, 0))
    return found if found.power_w is None else found._replace(power_w=nearer)


def _words(task: Task, power_w: int) -> str:
    """What a device does, in words."""
    limited = ", as far as the grid's operator allows" if task.is_blocked else ""
    if not power_w:
        return ("is left to itself" if task.power_w is None else "rests") + limited
    return (f"draws {power_w} W" if power_w > 0 else f"gives {-power_w} W") + limited
