"""Registers of Modbus, and points of SunSpec models, to numbers.

A raw message is a JSON object of places and the words that stood there, as hexadecimal digits: `holding:72:2` is a
table, the first address and how many words; `model:203` is a whole model of SunSpec.

Source: Modbus Application Protocol 1.1b3 (modbus.org); SunSpec Device Information Model Specification 1.1
(sunspec.org), which also says which value of a point means that it is not there.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from fractions import Fraction

from transactive.core.errors import DataError
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.profile import ModbusPlace, ModbusProfile, SunspecRegister
from transactive.metering.meters.values import ReadValue, number_of, state_of

FORMATS = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "uint64": "Q", "int64": "q", "float32": "f"}
WORDS = {kind: struct.calcsize(f">{code}") // 2 for kind, code in FORMATS.items()}
NOT_THERE = {
    "uint16": b"\xff\xff", "int16": b"\x80\x00", "uint32": b"\xff" * 4, "int32": b"\x80\0\0\0", "uint64": b"\xff" * 8,
    "int64": b"\x80" + bytes(7), "float32": b"\x7f\xc0\0\0",
}  # fmt: skip
"""Words of SunSpec for a point that a device has not."""
MOST_EXPONENT = 10
MOST = 65_536


def place_of(register: ModbusPlace) -> str:
    """Where a register stands."""
    return f"{register.table}:{register.address}:{WORDS[register.kind]}"


def number_at(place: ModbusPlace, words: bytes) -> Fraction:
    """The number of a place in the words that stood there, without its sign. Raises DataError."""
    if place.words == "little":
        words = b"".join(words[start : start + 2] for start in range(len(words) - 2, -1, -2))
    return _number(place.kind, words, place_of(place)) * Fraction(1, 10**place.digits)


def decode_words(profile: ModbusProfile, raw: bytes) -> MeterState:
    """Registers of a raw message. Raises DataError naming the address or the point."""
    if len(raw) > MOST:
        raise DataError(f"a message has {len(raw):,} bytes, more than {MOST:,}")
    try:
        said = json.loads(raw)
        blocks = {str(place): bytes.fromhex(words) for place, words in said.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise DataError("message is no object of places and words") from None
    return state_of((*_registers(profile, blocks), *_points(profile, blocks)), None)


def _registers(profile: ModbusProfile, blocks: dict[str, bytes]) -> Iterator[ReadValue]:
    """Values at plain addresses."""
    for one in profile.registers:
        what = place_of(one)
        yield ReadValue(what, one.register, number_at(one, blocks.get(what, b"")), one.unit, one.sign)


def _points(profile: ModbusProfile, blocks: dict[str, bytes]) -> Iterator[ReadValue]:
    """Values of SunSpec points, of the first model of each that the device has."""
    for one in profile.points:
        model = next((name for name in one.models if f"model:{name}" in blocks), None)
        if model is None:
            raise DataError(f"the device has none of the SunSpec models {', '.join(map(str, one.models))}")
        what, words = f"model:{model} +{one.offset}", blocks[f"model:{model}"]
        number = _number(one.kind, words[2 * one.offset :][: 2 * WORDS[one.kind]], what, absent=True)
        if one.exponent is not None:
            power = int(_number("int16", words[2 * one.exponent :][:2], f"model:{model} +{one.exponent}", absent=True))
            if abs(power) > MOST_EXPONENT:
                raise DataError(f"{what}: its power of ten is {power}; SunSpec has −10 to 10")
            number *= Fraction(10) ** power
        yield ReadValue(what, one.register, number, "Wh", one.sign)


def models_of(points: tuple[SunspecRegister, ...]) -> frozenset[int]:
    """Models that are read where a device has them."""
    return frozenset(model for point in points for model in point.models)


def _number(kind: str, words: bytes, what: str, *, absent: bool = False) -> Fraction:
    """A number of big-endian words. absent: a value may mean that there is none. Raises DataError."""
    if len(words) != 2 * WORDS[kind]:
        raise DataError(f"{what}: {len(words) // 2} words instead of {WORDS[kind]}")
    if absent and words == NOT_THERE[kind]:
        raise DataError(f"{what}: the device has no such register")
    (value,) = struct.unpack(f">{FORMATS[kind]}", words)
    return number_of(
        f"{value:.9g}" if kind == "float32" else str(value), what
    )  # nine digits tell floats of 32 bits apart
