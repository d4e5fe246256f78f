"""A profile: how to read one kind of export. Ours are TOML files of the package; people keep their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from transactive.core.errors import DataError
from transactive.core.units import PPM

Register: TypeAlias = Literal[
    "import", "export", "net", "consumption", "generation", "shared", "shared_used", "surplus"
]
"""What a column counts. net: import − export with a sign. shared, shared_used, surplus: a distributor's allocation."""
Unit: TypeAlias = Literal["Wh", "kWh", "MWh", "W", "kW"]
Reading: TypeAlias = Literal["energy", "power", "total"]
"""Energy of a slot, mean power in it, or the state of a register that counts on."""
MILLIWATT = {"W": 1, "Wh": 1, "kW": 1_000, "kWh": 1_000, "MWh": PPM}
"""Wh, or W, of a unit."""


class ProfileRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the parts of a profile."""


class TimeRule(ProfileRecord, frozen=True, kw_only=True):
    """When a row was measured.

    columns: one with date and time, or the date and the time of day. end: column with the end of the slot. order: of
    day and month, where the dates do not tell. zone_column: one that says of each row by which clock it is. stamp:
    which end of the slot the time names. hour_numbers: the time of day is the number of the hour, from 1. minutes:
    length of a slot, where the times do not tell.
    """

    columns: tuple[str, ...]
    end: str | None = None
    order: Literal["ymd", "dmy", "mdy"] | None = None
    zone: str | None = None
    zone_column: str | None = None
    stamp: Literal["start", "end"] = "start"
    hour_numbers: bool = False
    minutes: int | None = None


class RegisterRule(ProfileRecord, frozen=True, kw_only=True):
    """A column of numbers. where: values of other columns in the rows that count. meter: whose column it is.

    A star in the column's name stands for the meter, in any number of columns. optional: not every such file has it.

    Several rules for one register of a meter are added up: tariffs of day and night, or three phases.
    """

    column: str
    register: Register
    unit: Unit
    reading: Reading = "energy"
    where: dict[str, tuple[str, ...]] = {}
    meter: str | None = None
    optional: bool = False


class QualityRule(ProfileRecord, frozen=True, kw_only=True):
    """Which readings were metered, by the values of a column; all others count as estimated. missing: no reading."""

    column: str
    metered: tuple[str, ...]
    missing: tuple[str, ...] = ()


class Profile(ProfileRecord, frozen=True, kw_only=True):
    """How to read a file. signature: names of columns by which such a file is known.

    source: where the format is published. grade: what the profile was tried on. day_rows: a row is a day and its
    columns are times. meter: column that names the meter; meter_above: label over the head beside which the meter
    stands. head: first cells of the rows that together are the head. meters: names of the file to members. digits: of
    registers, whole kWh, where they roll over.
    """

    title: str = ""
    country: str = ""
    source: str = ""
    grade: Literal["", "specification", "published sample", "real export"] = ""
    format: Literal["table", "green_button", "mscons", "nem12", "sdat"] = "table"
    signature: tuple[str, ...] = ()
    sheet: str | None = None
    head: tuple[str, ...] = ()
    time: TimeRule | None = None
    meter: str | None = None
    meter_above: str | None = None
    registers: tuple[RegisterRule, ...] = ()
    day_rows: bool = False
    quality: QualityRule | None = None
    meters: dict[str, str] = {}
    digits: int | None = None
    exchanged: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says of a file beside it; what is None has to be found in it."""

    zone: str | None = None
    unit: Unit | None = None
    stamp: str | None = None
    reading: Reading | None = None
    order: str | None = None
    exchanged: bool | None = None
    register: Register | None = None


SHIPPED = Path(__file__).parents[2] / "data" / "profiles"


def load_profile(named: str, folder: Path) -> Profile:
    """A profile by the path of its file, relative to `folder`, or by the name of one that ships."""
    own = folder.joinpath(named)
    path = own if own.suffix == ".toml" or own.is_file() else SHIPPED.joinpath(f"{named}.toml")
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Profile)
    except OSError:
        known = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise DataError(
            f"profile {named}: there is no such file, and none of that name ships; known: {known}"
        ) from None
    except msgspec.DecodeError as error:
        raise DataError(f"profile {path.name}: {error}") from None


@cache
def shipped_profiles() -> dict[str, Profile]:
    """All profiles of the package by name."""
    return {path.stem: load_profile(path.stem, SHIPPED) for path in sorted(SHIPPED.glob("*.toml"))}


def profile_text(profile: Profile) -> str:
    """A profile as TOML, to be kept and changed."""
    return _toml(msgspec.to_builtins(profile))


def _toml(record: dict[str, object]) -> str:
    """Plain values first, then tables, as TOML wants them."""
    encode = msgspec.json.encode
    plain = [f"{key} = {_inline(value)}" for key, value in record.items() if not _is_table(value)]
    for key, value in record.items():
        rows: list[str]
        if isinstance(value, dict):
            rows = [
                f"{encode(name).decode() if not name.isidentifier() else name} = {_inline(v)}"
                for name, v in value.items()
            ]
            plain.append("\n".join(("", f"[{key}]", *rows)))
        elif _is_table(value) and isinstance(value, list | tuple):
            plain += ["\n".join(("", f"[[{key}]]", *(f"{n} = {_inline(v)}" for n, v in row.items()))) for row in value]
    return "\n".join(plain) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict))


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{msgspec.json.encode(k).decode()} = {_inline(v)}" for k, v in value.items()) + " }"
    return msgspec.json.encode(value).decode()
