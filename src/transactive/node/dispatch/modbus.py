"""A device over Modbus."""

from __future__ import annotations

import struct
from fractions import Fraction

from transactive.core.errors import DataError
from transactive.links.modbus import ModbusClient
from transactive.metering.meters.modbus_values import FORMATS, WORDS, number_at
from transactive.metering.meters.profile import ModbusPlace
from transactive.node.dispatch.control import Task
from transactive.node.dispatch.device import MovedDevice, as_os_error, energy_wh
from transactive.node.dispatch.profile import ModbusDeviceProfile, level_wh


class ModbusDevice(MovedDevice):
    """A battery or a load at an address of Modbus; each word to it has a connection of its own."""

    def __init__(self, profile: ModbusDeviceProfile) -> None:
        super().__init__(profile)
        self._profile = profile

    def held_wh(self) -> int:
        """What it holds [Wh], by its own state of charge."""
        level = self._profile.charge
        return level_wh(level, self._number(level), self._profile.capacity_wh)

    def counted_wh(self) -> tuple[int, int] | None:
        """What it has drawn and given since it was made [Wh]; None where it does not count."""
        registers = self._profile.registers
        if not registers:
            return None
        return energy_wh([(one.register, one.unit, self._number(one)) for one in registers])

    def _tell(self, task: Task) -> None:
        """Write its power; left to itself it rests."""
        point = self._profile.power
        number = point.sign * (task.power_w or 0) * 10**point.digits
        words = struct.pack(f">{FORMATS[point.kind]}", number)
        if point.words == "little":
            words = b"".join(words[start : start + 2] for start in range(len(words) - 2, -1, -2))
        with ModbusClient(self._profile.address) as client:
            client.write(point.address, words)

    def _number(self, place: ModbusPlace) -> Fraction:
        """The number that stands at a place."""
        with ModbusClient(self._profile.address) as client:
            words = client.read(place.table, place.address, WORDS[place.kind])
        try:
            return number_at(place, words) * place.sign
        except DataError as error:
            raise as_os_error(error) from None
