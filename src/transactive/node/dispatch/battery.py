"""A battery over Modbus, by a profile in TOML beside the box: where its charge is read, and where its power is written.

A write is a lease: it is renewed at half of the time after which the device falls back by itself. A device that does
not is let go as a rule ends, and as the box ends; what happens between, should the box lose power, is the device's.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from transactive.core.errors import ConfigError
from transactive.links.modbus import ModbusClient, modbus_place
from transactive.node.dispatch.control import Power

BATTERY_FILE = "battery.toml"
Address = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=10**7)]
FORMS = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i"}


class ChargePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a battery says how full it is. full: the number there that means full, such as 100 or 1000."""

    address: Address
    kind: Literal["uint16", "uint32"] = "uint16"
    table: Literal["holding", "input"] = "holding"
    full: Positive = 100


class PowerPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where its power is written [W]. sign: 1 where what it draws is above zero, −1 where it is below."""

    address: Address
    kind: Literal["int16", "int32"] = "int16"
    sign: Literal[1, -1] = 1


class BatteryProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A battery. every: how often it is looked at [s]. watchdog: after what silence it falls back [s], 0: never.

    charge_w, discharge_w: most that it may be told [W], whatever a plan says.
    """

    address: str
    capacity_wh: Positive
    charge_w: Positive
    discharge_w: Positive
    charge: ChargePoint
    power: PowerPoint
    every: Positive = 5
    watchdog: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0

    @property
    def most(self) -> Power:
        """Most that it may be told."""
        return Power(self.charge_w, self.discharge_w)


def battery_profile(folder: Path) -> BatteryProfile | None:
    """The profile of a box's battery; None where it has none. Raises ConfigError naming the key."""
    path = folder / BATTERY_FILE
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=BatteryProfile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: {error}") from None
    modbus_place(found.address)
    most = 2 ** (8 * struct.calcsize(FORMS[found.power.kind]) - 1) - 1
    if max(found.charge_w, found.discharge_w) > most:
        raise ConfigError(f"{path}: {found.power.kind} holds at most {most} W; lower charge_w and discharge_w")
    return found


class ModbusBattery:
    """The device. Raises OSError where it does not answer or refuses."""

    def __init__(self, profile: BatteryProfile) -> None:
        self._profile = profile
        self._told: int | None = None
        self._since = 0.0

    def held_wh(self) -> int:
        """What it holds [Wh], by its own state of charge."""
        point, form = self._profile.charge, FORMS[self._profile.charge.kind]
        with ModbusClient(self._profile.address) as client:
            (raw,) = struct.unpack(form, client.read(point.table, point.address, struct.calcsize(form) // 2))
        if raw > point.full:
            raise OSError(f"the battery says that it is at {raw} of {point.full}")
        return int(raw) * self._profile.capacity_wh // point.full

    def lease(self, power_w: int, at: float) -> None:
        """Tell it what to draw, below 0 to give [W], at a time that only rises [s]; not while that lease is young."""
        half = self._profile.watchdog / 2
        if power_w == self._told and not (half and at - self._since >= half):
            return
        self._told = None  # unknown until it has answered
        point, form = self._profile.power, FORMS[self._profile.power.kind]
        with ModbusClient(self._profile.address) as client:
            client.write(point.address, struct.pack(form, point.sign * power_w))
        self._told, self._since = power_w, at
