"""A profile: all that is known of a kind of meter, as a TOML file. A new device is a file, not a class.

Ours lie in `data/meters`; people keep their own beside the box. `via` says how such a meter is read, and with it which
keys a register has.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from transactive.core.errors import ConfigError
from transactive.metering.meters.source import MeterTraits
from transactive.metering.meters.values import ENERGY

FOLDER = Path(__file__).parents[2] / "data" / "meters"
Counted: TypeAlias = Literal["import", "export", "generation", "charge", "discharge"]
"""What a register counts."""
Grade: TypeAlias = Literal["real bytes", "foreign judge", "documented sample", "specification"]
"""What a profile was proved with: bytes of a real device; another program; the maker's own example; its text alone."""
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
Place: TypeAlias = Annotated[str, msgspec.Meta(max_length=300)]
Word: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Digits: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=18)]
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
"""What keys of a profile may be."""
WordKind: TypeAlias = Literal["uint16", "int16", "uint32", "int32", "uint64", "int64", "float32"]


class ProfilePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the parts of a profile."""


class JsonPlace(ProfilePart, frozen=True, kw_only=True):
    """A number in a text. at: topic, or path of the address. path: keys from the outside in, `a.b.0.[id=7].c`.

    Without a path the text is the number. sign: −1 where the device counts it below zero.
    """

    at: Place
    path: Place = ""
    sign: Literal[1, -1] = 1


class JsonRegister(JsonPlace, frozen=True, kw_only=True):
    """A register in a text. Registers of the same kind are added up: tariffs, or phases."""

    register: Counted
    unit: str = "kWh"


class ModbusPlace(ProfilePart, frozen=True, kw_only=True):
    """A number at an address of Modbus, from 0. words: whether its high or its low word comes first.

    digits: how many of its last digits are a fraction of the unit.
    """

    address: Word
    kind: WordKind
    table: Literal["holding", "input"] = "holding"
    words: Literal["big", "little"] = "big"
    digits: Digits = 0
    sign: Literal[1, -1] = 1


class ModbusRegister(ModbusPlace, frozen=True, kw_only=True):
    """A register of Modbus."""

    register: Counted
    unit: str = "Wh"


class SunspecRegister(ProfilePart, frozen=True, kw_only=True):
    """A point of a SunSpec model [Wh]. offset: from the model's first word. exponent: offset of its power of ten."""

    register: Counted
    models: tuple[Word, ...]
    offset: Word
    kind: WordKind
    exponent: Word | None = None
    sign: Literal[1, -1] = 1


class DeviceTime(ProfilePart, frozen=True, kw_only=True):
    """Where the device tells the time. form: Unix seconds, or ISO 8601 with its zone."""

    at: Place
    path: Place
    form: Literal["unix", "iso"] = "unix"


class MeterProfile(ProfilePart, frozen=True, kw_only=True, tag_field="via"):
    """What all profiles say. source: where the format is described. note: what who installs it has to know.

    least_age, silence: as `MeterTraits` has them [s]. most_w: what it can count at most [W].

    reset: what a register that falls means: refused, as of a meter for billing, or restarts, as of a plug.
    turns_over_wh: first number that its registers cannot show, after which they begin at zero.
    """

    title: str
    vendor: str
    source: str
    grade: Grade
    note: str = ""
    least_age: Seconds = 60
    silence: Seconds = 60
    most_w: Positive = 100_000
    reset: Literal["refused", "restarts"] = "refused"
    turns_over_wh: Positive | None = None

    @property
    def traits(self) -> MeterTraits:
        """For the box."""
        ages, restarts = (self.least_age, self.silence), self.reset == "restarts"
        return MeterTraits(self.title, self.grade, *ages, self.most_w, restarts, self.turns_over_wh)


class MqttProfile(MeterProfile, frozen=True, kw_only=True, tag="mqtt"):
    """A device that publishes. `{device}` in a topic stands for its name, which the address ends with."""

    registers: tuple[JsonRegister, ...]
    time: DeviceTime | None = None


class HttpProfile(MeterProfile, frozen=True, kw_only=True, tag="http"):
    """A device that is asked over HTTP, `every` so many seconds. token: it wants one."""

    registers: tuple[JsonRegister, ...]
    time: DeviceTime | None = None
    every: Seconds = 10
    token: bool = False


class ModbusProfile(MeterProfile, frozen=True, kw_only=True, tag="modbus"):
    """A device that is asked over Modbus TCP, `every` so many seconds: registers by address, or points of SunSpec."""

    registers: tuple[ModbusRegister, ...] = ()
    points: tuple[SunspecRegister, ...] = ()
    every: Seconds = 10


class LineProfile(MeterProfile, frozen=True, kw_only=True, tag="line"):
    """A meter that sends on a line: TCP or serial. key: its messages are encrypted. hourly: as `MeterTraits` has it."""

    format: Literal["p1", "dlms", "sml", "d0"]
    baud: int = 115_200
    parity: Literal["none", "even"] = "none"
    bits: Literal[7, 8] = 8
    key: bool = False
    hourly: bool = False

    @property
    def traits(self) -> MeterTraits:
        """For the box."""
        return replace(super().traits, hourly=self.hourly)


AnyProfile: TypeAlias = MqttProfile | HttpProfile | ModbusProfile | LineProfile


def load_meter_profile(named: str, folder: Path = Path()) -> AnyProfile:
    """A profile by the path of its file, relative to `folder`, or by the name of one that ships.

    Raises ConfigError naming the key that is wrong.
    """
    path = folder.joinpath(named) if named.endswith(".toml") else FOLDER.joinpath(f"{named}.toml")
    try:
        profile: AnyProfile = msgspec.toml.decode(path.read_bytes(), type=AnyProfile)
    except OSError:
        raise ConfigError(f"profile {named}: there is no such file; ours are {', '.join(shipped_meters())}") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"profile {path.name}: {error}") from None
    _check(profile, path.name)
    return profile


def shipped_meters() -> tuple[str, ...]:
    """Names of the profiles of the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def _check(profile: AnyProfile, name: str) -> None:
    """What the types of a profile do not say. Raises ConfigError."""
    if isinstance(profile, LineProfile):
        return
    units = [register.unit for register in profile.registers]
    if isinstance(profile, ModbusProfile):
        units += ["Wh" for _ in profile.points]
    if not units:
        raise ConfigError(f"profile {name}: names no register; add [[registers]]")
    for unit in units:
        if unit not in ENERGY:
            raise ConfigError(f"profile {name}: unit {unit!r} of a register is none of {', '.join(ENERGY)}")
    if isinstance(profile, HttpProfile):
        for at in [one.at for one in profile.registers] + ([profile.time.at] if profile.time else []):
            if not at.startswith("/"):
                raise ConfigError(f"profile {name}: at = {at!r}; a path of an address begins with /")
