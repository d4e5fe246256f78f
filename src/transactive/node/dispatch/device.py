"""A device as a box moves it: what it holds and has counted by its own word, and what it is told as a lease.

A lease is renewed at half of the time after which the device falls back by itself. A device that does not is let go as
a rule ends, and as the box ends; what happens between, should the box lose power, is the device's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction

from transactive.core.errors import DataError
from transactive.metering.meters.values import ENERGY
from transactive.node.dispatch.control import Task
from transactive.node.dispatch.profile import DeviceProfile

UNTOLD = Task(-(10**9))
"""What no device is ever told: it is not known what it does."""


class MovedDevice(ABC):
    """A device. Raises OSError from all that it does where it does not answer, refuses, or says nothing of use."""

    def __init__(self, profile: DeviceProfile) -> None:
        self._lease_seconds = profile.watchdog / 2
        self._told, self._since = UNTOLD, 0.0

    @abstractmethod
    def held_wh(self) -> int:
        """What it holds [Wh], by its own state of charge."""

    def counted_wh(self) -> tuple[int, int] | None:
        """What it has drawn and given since it was made [Wh]; None where it does not count."""
        return None

    def lease(self, task: Task, at: float) -> int:
        """Tell it what to do, unless it was told just that; returns what it draws [W]. at: a time that only rises."""
        half = self._lease_seconds
        if task != self._told or (half and at - self._since >= half):
            self._told = UNTOLD  # until it has answered
            self._tell(task)
            self._told, self._since = task, at
        return self.drawn_w(task)

    def drawn_w(self, task: Task) -> int:
        """What it draws if it does what it is told [W]."""
        return task.power_w or 0

    def close(self) -> None:  # noqa: B027 - a device without a line that stays has nothing to end
        """End the line to it."""

    @abstractmethod
    def _tell(self, task: Task) -> None:
        """Tell it."""


def energy_wh(numbers: list[tuple[str, str, Fraction]]) -> tuple[int, int]:
    """Drawn and given [Wh] of registers: kind, unit and number of each."""
    sums = [Fraction(0), Fraction(0)]
    for kind, unit, number in numbers:
        if number < 0:
            raise OSError(f"its register {kind} is below zero; does its profile need sign = -1?")
        sums[kind == "discharge"] += number * ENERGY[unit]
    return int(sums[0]), int(sums[1])


def as_os_error(error: DataError) -> OSError:
    """What a device says that is none of its profile, as a device that does not answer."""
    return OSError(str(error))
