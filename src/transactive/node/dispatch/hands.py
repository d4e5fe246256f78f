"""The hands of a box: its battery, if it has one, driven in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from transactive.core.boxes.messages import Command, HasCommand
from transactive.node.dispatch.battery import ModbusBattery, battery_profile
from transactive.node.dispatch.control import Levels
from transactive.node.dispatch.driver import BatteryDriver
from transactive.node.dispatch.rulebook import RuleBook

JOIN_SECONDS = 10.0
Standing = Callable[[], tuple[int, tuple[int, ...] | None]]
"""Tells the time of the meter [Unix s] and its registers [Wh], None before it has said any."""


class Hands:
    """What a box can move. tell: hears in words what happens."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Raises ConfigError for a profile of a battery that is none, StateError for rules that cannot be read."""
        self._profile, self._tell = battery_profile(folder), tell
        self._over = threading.Event()
        self._driver: BatteryDriver | None = None
        self._thread: threading.Thread | None = None
        if self._profile:
            self._book = RuleBook(folder, self._profile.capacity_wh)
            battery, most = ModbusBattery(self._profile), self._profile.most
            self._driver = BatteryDriver(folder, battery, most, self._book, tell)

    def begin(self, standing: Standing, plan: Callable[[int], Levels | None]) -> None:
        """Begin to drive. plan: the box's own levels at a time [Unix s]."""
        if self._driver and self._profile:
            self._driver.plan = plan
            arguments = self._driver, self._profile.every, standing
            self._thread = threading.Thread(target=self._drive, args=arguments, daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Let go."""
        self._over.set()
        if self._thread and self._driver:
            self._thread.join(JOIN_SECONDS)
            self._driver.let_go()

    def take(self, command: Command, now: int) -> HasCommand:
        """Take a command of the market at a time [Unix s]; says whether it is followed."""
        if self._driver is None:
            return HasCommand(command.number, "this box has no device that it could move")
        why = self._book.take(command, now) or self._driver.failure
        if why:
            self._tell(f"not followed: command {command.number}: {why}")
        return HasCommand(command.number, why)

    def held_wh(self) -> int:
        """What the battery holds [Wh]; nothing where that is not known."""
        return (self._driver.held_wh or 0) if self._driver else 0

    def levels(self) -> tuple[int, ...]:
        """What devices hold, as a record tells it; nothing where that is not known."""
        held = self._driver.held_wh if self._driver else None
        return () if held is None else (held,)

    def _drive(self, driver: BatteryDriver, every: int, standing: Standing) -> None:
        """Look and move until the end."""
        while not self._over.wait(every):
            at, registers = standing()
            driver.step(at, registers, time.monotonic())
