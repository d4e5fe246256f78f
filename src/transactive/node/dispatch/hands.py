"""The hands of a box: its devices, if it has any, driven in a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from transactive.core.boxes.messages import HasCommand, ImportLimit, LevelRules, NotFollowed
from transactive.core.installed import named_extras
from transactive.node.dispatch.control import Levels
from transactive.node.dispatch.device import MovedDevice
from transactive.node.dispatch.driver import DeviceDriver, HomeDriver
from transactive.node.dispatch.grid_signal import GridSignal
from transactive.node.dispatch.modbus import ModbusDevice
from transactive.node.dispatch.mqtt import MqttDevice
from transactive.node.dispatch.profile import (
    BATTERY,
    AnyDevice,
    ModbusDeviceProfile,
    MqttDeviceProfile,
    device_profiles,
)
from transactive.node.dispatch.rulebook import RuleBook

JOIN_SECONDS = 10.0
Standing = Callable[[], tuple[int, tuple[int, ...] | None]]
"""Tells the time of the meter [Unix s] and its registers [Wh], None before it has said any."""
NONE = "this box has no such device that it could move"


class Hands:
    """What a box can move. tell: hears in words what happens. counts_battery: its battery has counters of its own."""

    def __init__(self, folder: Path, tell: Callable[[str], None], start: Callable[[int], int] = lambda _: 0) -> None:
        """start: as `HomeDriver` has it.

        Raises ConfigError for a profile of a device that is none, StateError for rules that cannot be read.
        """
        profiles, self._tell = device_profiles(folder), tell
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._every = min((profile.every for profile in profiles.values()), default=1)
        book = RuleBook(folder, {number: profile.capacity_wh for number, profile in profiles.items()})
        drivers = {
            number: DeviceDriver(name_of(number), _device(profile, folder, tell), profile.most, tell)
            for number, profile in profiles.items()
        }
        self._home = HomeDriver(folder, drivers, book, start)
        self._signal = GridSignal(folder, book, tell)
        self._failures = queue.SimpleQueue[NotFollowed]()
        self._home.failed = lambda *failure: self._failures.put(NotFollowed(*failure))
        self.counts_battery = BATTERY in profiles and bool(getattr(profiles[BATTERY], "registers", ()))

    def begin(self, standing: Standing, plan: Callable[[int], Levels | None]) -> None:
        """Begin to drive. plan: the box's own levels of its battery at a time [Unix s]."""
        if self._home.drivers:
            self._home.plan = plan
            self._thread = threading.Thread(target=self._drive, args=(standing,), daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Let go."""
        self._over.set()
        if self._thread:
            self._thread.join(JOIN_SECONDS)
        self._home.let_go()
        self._signal.close()

    def take(self, command: LevelRules | ImportLimit, now: int) -> HasCommand:
        """Take a command of the market at a time [Unix s]; says whether it is followed."""
        drivers = self._home.drivers
        meant = [command.device] if isinstance(command, LevelRules) else list(drivers)
        if not meant or any(number not in drivers for number in meant):
            return HasCommand(command.number, NONE)
        why = self._home.book.take(command, now)
        why = why or "; ".join(drivers[number].failure for number in meant if drivers[number].failure)
        if why:
            self._tell(f"not followed: command {command.number}: {why}")
        return HasCommand(command.number, why)

    def failures(self) -> Iterator[NotFollowed]:
        """What devices did not do since this was last asked."""
        with suppress(queue.Empty):
            while True:
                yield self._failures.get_nowait()

    def doing(self) -> str:
        """What devices do, in words; nothing where there are none, or not known."""
        found = (f"{name_of(number)} {one.doing}" for number, one in sorted(self._home.drivers.items()) if one.doing)
        return "; ".join(found)

    def held_wh(self) -> int:
        """What the battery holds [Wh]; nothing where that is not known."""
        battery = self._home.drivers.get(BATTERY)
        return (battery.held_wh or 0) if battery else 0

    def levels(self) -> tuple[int, ...]:
        """What devices hold, the battery first, as a record tells it: as far as it is known, in their order."""
        drivers, found = self._home.drivers, list[int]()
        for number in range(max(drivers, default=-1) + 1):
            held = drivers[number].held_wh if number in drivers else (0 if number == BATTERY else None)
            if held is None:
                break
            found.append(held)
        return tuple(found) if any(number in drivers for number in range(len(found))) else ()

    def counted_wh(self) -> tuple[int, int, int]:
        """What the battery has drawn and given, and what loads have drawn, since the box began [Wh]."""
        drivers = self._home.drivers
        charged, discharged = drivers[BATTERY].counter.energy_wh if BATTERY in drivers else (0, 0)
        return charged, discharged, sum(one.counter.energy_wh[0] for number, one in drivers.items() if number)

    def _drive(self, standing: Standing) -> None:
        """Look and move until the end."""
        while not self._over.wait(self._every):
            at, registers = standing()
            self._signal.look(at or int(time.time()))
            self._home.step(at, registers, time.monotonic())


def name_of(number: int) -> str:
    """A device in words."""
    return "battery" if number == BATTERY else f"load {number}"


def _device(profile: AnyDevice, folder: Path, tell: Callable[[str], None]) -> MovedDevice:
    """The device of a profile. Raises MissingExtra where a charger has no central system here."""
    if isinstance(profile, ModbusDeviceProfile):
        return ModbusDevice(profile)
    if isinstance(profile, MqttDeviceProfile):
        return MqttDevice(profile)
    with named_extras("a charger"):
        from transactive.node.dispatch.charger import Charger
    return Charger(profile, folder, tell)
