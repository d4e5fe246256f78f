"""Profiles of devices that a box moves, in the words of those of meters: `battery.toml`, `load-1.toml` beside the box.

They say where a device tells how full it is, where it is told what to draw, and what its counters are. `via` says how
it is reached, and with it which keys a place has. A new device is a file, not a class.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from transactive.core.errors import ConfigError
from transactive.core.proofs.meter_records import MOST_LEVELS
from transactive.core.units import PPM
from transactive.links.addresses import broker_parts, charger_place
from transactive.links.modbus import modbus_place
from transactive.metering.meters.modbus_values import FORMATS, WORDS
from transactive.metering.meters.profile import JsonPlace, JsonRegister, ModbusPlace, ModbusRegister, ProfilePart
from transactive.metering.meters.values import ENERGY
from transactive.node.dispatch.control import Power

BATTERY = 0
"""Number of the battery; loads that can wait have those from 1 on, as the community file names them."""
FILES = ("battery.toml", *(f"load-{number}.toml" for number in range(1, MOST_LEVELS)))
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=10**7)]
Watts: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**7)]
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=86_400)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=1_000)]
POWER = "{power}"
SIGNED = {"int16", "int32", "int64"}


class ModbusLevel(ModbusPlace, frozen=True, kw_only=True):
    """Where a device says how full it is. empty, full: numbers that mean that: 0 and 100, or two temperatures."""

    empty: int = 0
    full: int = 100


class JsonLevel(JsonPlace, frozen=True, kw_only=True):
    """On which topic a device says how full it is, as `ModbusLevel` has it."""

    empty: int = 0
    full: int = 100


def level_wh(level: ModbusLevel | JsonLevel, number: Fraction, capacity_wh: int) -> int:
    """What is held [Wh] where a device says a number: nothing below empty, all above full, as of water too hot.

    Raises OSError for a number so far above full that it is none.
    """
    held = int((number - level.empty) * capacity_wh / (level.full - level.empty))
    if held > 2 * capacity_wh:
        raise OSError(f"the device says that it is at {float(number):g}, where {level.full} is full")
    return min(max(held, 0), capacity_wh)


class ModbusPower(ModbusPlace, frozen=True, kw_only=True):
    """Where a device is told what to draw [W]. sign: 1 where what it draws is above zero, −1 where it is below."""


class PowerStep(ProfilePart, frozen=True, kw_only=True):
    """What a device is told that knows a few states alone: from how much power on [W], and the message."""

    from_w: Watts
    payload: Text


class JsonPower(ProfilePart, frozen=True, kw_only=True):
    """On which topic a device is told what to draw. payload: the message; `{power}` in it stands for the number.

    steps: messages instead of a number, such as the states of SG-ready. blocked: what it is told where the grid's
    operator lets it draw nothing, if that is another message than that of no power. release: what gives it back to its
    own control, as a rule ends.
    """

    at: Annotated[str, msgspec.Meta(max_length=300)]
    payload: Text = POWER
    unit: Literal["W", "kW"] = "W"
    sign: Literal[1, -1] = 1
    steps: tuple[PowerStep, ...] = ()
    blocked: Text | None = None
    release: Text | None = None


class DeviceProfile(ProfilePart, frozen=True, kw_only=True, tag_field="via"):
    """A device. capacity_wh: what it holds when full; of a heater heat. every: how often it is looked at [s].

    charge_w, discharge_w: most that it may be told [W], whatever a plan says. least_w: below this it draws nothing.
    watchdog: after what silence it falls back by itself [s], 0: never.
    """

    address: str
    capacity_wh: Positive
    charge_w: Positive
    discharge_w: Watts = 0
    least_w: Watts = 0
    every: Annotated[int, msgspec.Meta(ge=1, le=3_600)] = 5
    watchdog: Seconds = 0

    @property
    def most(self) -> Power:
        """Most that it may be told."""
        return Power(self.charge_w, self.discharge_w, self.least_w)


class ModbusDeviceProfile(DeviceProfile, frozen=True, kw_only=True, tag="modbus"):
    """A device at modbus://HOST[:PORT][/UNIT]."""

    charge: ModbusLevel
    power: ModbusPower
    registers: tuple[ModbusRegister, ...] = ()


class MqttDeviceProfile(DeviceProfile, frozen=True, kw_only=True, tag="mqtt"):
    """A device at mqtt(s)://BROKER[/DEVICE]; `{device}` in a topic stands for its name.

    least_age: how old what it says may be [s].
    """

    charge: JsonLevel
    power: JsonPower
    registers: tuple[JsonRegister, ...] = ()
    least_age: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 300


class OcppDeviceProfile(DeviceProfile, frozen=True, kw_only=True, tag="ocpp"):
    """A charger that connects to ocpp://HOST:PORT/NAME, which is listened on here. capacity_wh: what the car needs.

    watchdog: for how long each limit holds [s]. connector: the one that is used. password: file of the charger's;
    certificate, key: files of TLS. unit: of its limits; volts, phases: of its line. efficiency_ppm: Wh held for a
    million drawn. battery_wh: of the car, and target_percent, to which it shall be charged, where it tells its charge.
    """

    watchdog: Annotated[int, msgspec.Meta(ge=30, le=3_600)] = 300
    connector: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    password: str = ""
    certificate: str = ""
    key: str = ""
    unit: Literal["W", "A"] = "W"
    volts: Annotated[int, msgspec.Meta(ge=100, le=1_000)] = 230
    phases: Literal[1, 2, 3] = 3
    efficiency_ppm: Annotated[int, msgspec.Meta(gt=0, le=PPM)] = 900_000
    battery_wh: Watts = 0
    target_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100


AnyDevice: TypeAlias = ModbusDeviceProfile | MqttDeviceProfile | OcppDeviceProfile


def device_profiles(folder: Path) -> dict[int, AnyDevice]:
    """The devices of a box by their number. Raises ConfigError naming file and key."""
    found = dict[int, AnyDevice]()
    for number, name in enumerate(FILES):
        path = folder / name
        try:
            found[number] = msgspec.toml.decode(path.read_bytes(), type=AnyDevice)
        except FileNotFoundError:
            continue
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigError(f"{path}: {error}") from None
        if why := _wrong(found[number], number):
            raise ConfigError(f"{path}: {why}")
    return found


def _wrong(device: AnyDevice, number: int) -> str:
    """What the types of a profile do not say; empty where nothing is wrong."""
    if number != BATTERY and device.discharge_w:
        return "discharge_w: a load gives nothing back; leave it out"
    if isinstance(device, OcppDeviceProfile):
        return _wrong_charger(device, number)
    if device.charge.full == device.charge.empty:
        return "charge: full and empty are the same number"
    counts = {"charge", "discharge"} if number == BATTERY else {"import"}
    for register in device.registers:
        if register.register not in counts:
            return f"registers: {register.register!r} is not counted here; it has {', '.join(sorted(counts))}"
        if register.unit not in ENERGY:
            return f"registers: unit {register.unit!r} is none of {', '.join(ENERGY)}"
    return _wrong_modbus(device) if isinstance(device, ModbusDeviceProfile) else _wrong_mqtt(device)


def _wrong_charger(device: OcppDeviceProfile, number: int) -> str:
    """What is wrong with a charger."""
    if number == BATTERY:
        return "via: a charger is a load; name the file load-1.toml, or as the community file counts it"
    if not charger_place(device.address).rest:
        return "address: after the port comes the name of the charger, as in ocpp://0.0.0.0:9000/GARAGE"
    if device.certificate and not device.password:
        return "password: with TLS a charger shows a password too; name the file that has it"
    return ""


def _wrong_modbus(device: ModbusDeviceProfile) -> str:
    """What is wrong with a device on Modbus."""
    modbus_place(device.address)
    kind = device.power.kind
    if kind not in FORMATS or kind == "float32" or (device.discharge_w and kind not in SIGNED):
        return f"power: {kind} cannot say what the device shall draw; give int16 or int32"
    bits = 16 * WORDS[kind] - (kind in SIGNED)
    most = (2**bits - 1) // 10**device.power.digits
    if max(device.charge_w, device.discharge_w) > most:
        return f"power: {kind} holds at most {most} W; lower charge_w and discharge_w"
    return ""


def _wrong_mqtt(device: MqttDeviceProfile) -> str:
    """What is wrong with a device on MQTT."""
    name = broker_parts(device.address).path.strip("/")
    topics = (device.charge.at, device.power.at, *(one.at for one in device.registers))
    if any(sign in topic + name for sign in "+#" for topic in topics):
        return "a topic is named whole, without + and #"
    if not name and any("{device}" in topic for topic in topics):
        return "address: after the broker comes the name of the device, as in mqtt://broker/NAME"
    if not device.power.steps and POWER not in device.power.payload:
        return f"power: payload does not say {POWER}; add it, or name steps"
    levels = [step.from_w for step in device.power.steps]
    if levels and (levels[0] != 0 or levels != sorted(set(levels))):
        return "power: steps begin with from_w = 0 and rise"
    return ""
