"""Values of DLMS: what is packed in A-XDR, and the registers that OBIS codes name among them.

Source: IEC 62056-6-2 and the Green Book of the DLMS UA: types of data, date-time, units and scalers. How meters fill a
list is told by its makers: NVE's HAN descriptions of Aidon, Kaifa and Kamstrup. Where a list names neither unit nor
scaler its first entry says whose it is; of any other list without units no register is taken.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple, TypeAlias

from transactive.core.errors import DataError
from transactive.metering.decode.registers import MOST_WH, MeterState, energy_of

Value: TypeAlias = "int | bytes | str | list[Value] | None"
INTEGERS = {
    0x03: (1, False), 0x0F: (1, True), 0x10: (2, True), 0x11: (1, False), 0x12: (2, False), 0x05: (4, True),
    0x06: (4, False), 0x14: (8, True), 0x15: (8, False), 0x16: (1, False),
}  # fmt: skip
NULL, ARRAY, STRUCTURE, OCTETS, VISIBLE, UTF8 = 0x00, 0x01, 0x02, 0x09, 0x0A, 0x0C
DEEPEST, WH, OBIS, CLOCK = 8, 30, 6, 12
MAKERS = {"Kamstrup_V": 1, "KFM_": 0}
"""Lists without units: how they begin, and the power of ten of their energy [Wh]."""
KAIFA, KAIFA_ENERGY = "KFM_", {14: 10, 18: 14}
"""Kaifa's lists without OBIS codes: by their length, where energy stands: import, export."""
LIST_CODE = b"\1\0\0\2\x81\xff"
TOTALS = {(1, 8): 1, (2, 8): 2}
UNKNOWN = 0x8000


class NamedValue(NamedTuple):
    """A register of a list: value, and its power of ten and unit where they stand beside it."""

    value: Value
    power: int | None
    unit: int | None


def read_value(data: bytes, place: int, depth: int = 0) -> tuple[Value, int]:
    """A value and where the next one begins. Raises DataError where bytes are missing or of no known type."""
    try:
        tag = data[place]
        place += 1
        known = INTEGERS.get(tag)
        if known is not None:
            end = place + known[0]
            value: Value = int.from_bytes(data[place:end], "big", signed=known[1])
        elif tag in (OCTETS, VISIBLE, UTF8):
            length, place = read_length(data, place)
            end = place + length
            value = data[place:end] if tag == OCTETS else data[place:end].decode("latin-1")
        elif tag in (ARRAY, STRUCTURE):
            return _read_list(data, place, depth)
        elif tag == NULL:
            return None, place
        else:
            raise DataError(f"a DLMS message has a value of type {tag}, which no list of registers has")
    except IndexError:
        raise DataError("a DLMS message ends too early") from None
    if end > len(data):
        raise DataError("a DLMS message ends inside a value")
    return value, end


def _read_list(data: bytes, place: int, depth: int) -> tuple[Value, int]:
    """The values of a structure or an array."""
    if depth > DEEPEST:
        raise DataError(f"a DLMS message has lists in lists, more than {DEEPEST} deep")
    count, place = read_length(data, place)
    found: list[Value] = []
    for _ in range(count):
        value, place = read_value(data, place, depth + 1)
        found.append(value)
    return found, place


def read_length(data: bytes, place: int) -> tuple[int, int]:
    """A length, and what comes after it. Raises IndexError where bytes are missing."""
    first = data[place]
    if first < 0x80:
        return first, place + 1
    end = place + 1 + (first & 0x7F)
    if end > len(data) or first > 0x84:
        raise DataError("a DLMS message has a length that is none")
    return int.from_bytes(data[place + 1 : end], "big"), end


def clock_of(data: bytes) -> int | None:
    """The time of 12 bytes [Unix s]; None where it has no deviation from UTC, or is not set. Raises DataError."""
    deviation = int.from_bytes(data[9:11], "big")
    if len(data) != CLOCK or deviation == UNKNOWN or data[:2] == b"\xff\xff":
        return None
    minutes = deviation - 0x10000 if deviation > UNKNOWN else deviation
    try:
        local = datetime(data[0] << 8 | data[1], data[2], data[3], data[5], data[6], data[7], tzinfo=UTC)
    except ValueError:
        raise DataError(f"a DLMS message has a time that is none: {data.hex()}") from None
    return int(local.timestamp()) + 60 * minutes


def state_of_list(value: Value, at: int | None) -> MeterState:
    """Registers of a list of values. Raises DataError where it has none, twice the same, or one without its unit."""
    if not isinstance(value, list):
        raise DataError("a DLMS message has no list of values")
    items, texts = dict[bytes, NamedValue](), list[str]()
    _collect(value, items, texts)
    if not items and _maker(texts) == KAIFA:
        return _kaifa(value, at)
    energy = dict[tuple[int, int], int]()
    for code, item in items.items():
        way = TOTALS.get((code[2], code[3]))
        if way is not None and code[0] == 1 and code[4] <= 4 and code[5] == 0xFF:
            if (way, code[4]) in energy:
                raise DataError(f"a DLMS message names {_dotted(code)} on two channels; which one holds?")
            maker = _maker(texts) if item.power is None else None
            energy[way, code[4]] = _energy(code, item, maker)
    told = energy_of(energy)
    if 1 not in told:
        raise DataError("a DLMS message names no register of import (1.8.0); meters send those less often than power")
    clock = items.get(b"\0\0\1\0\0\xff") or items.get(b"\0\1\1\0\0\xff")
    if clock and isinstance(clock.value, bytes) and len(clock.value) == CLOCK:
        at = clock_of(clock.value)
    return MeterState(at, told[1], told.get(2, 0), _number(items))


def _collect(values: list[Value], items: dict[bytes, NamedValue], texts: list[str]) -> None:
    """Find OBIS codes and what follows each: its value, and scaler and unit where they stand there."""
    place, count = 0, len(values)
    while place < count:
        value = values[place]
        place += 1
        if type(value) is bytes and len(value) == OBIS and place < count:
            item, place = values[place], place + 1
            power = unit = None
            if place < count:
                after = values[place]
                if type(after) is list and len(after) == 2 and type(after[0]) is int and type(after[1]) is int:
                    power, unit, place = after[0], after[1], place + 1
            if value in items:
                raise DataError(f"a DLMS message names {_dotted(value)} twice; which one holds?")
            items[value] = NamedValue(item, power, unit)
            if value == LIST_CODE and isinstance(item, str | bytes):
                texts.append(item if isinstance(item, str) else item.decode("latin-1"))
        elif type(value) is list:
            _collect(value, items, texts)
        elif type(value) is str:
            texts.append(value)
        elif type(value) is bytes and value[:4] == b"KFM_":
            texts.append(value.decode("latin-1"))


def _maker(texts: list[str]) -> str | None:
    """Whose list it is, by how it begins."""
    return next((name for name in MAKERS if any(text.startswith(name) for text in texts[:2])), None)


def _energy(code: bytes, item: NamedValue, maker: str | None) -> int:
    """Whole Wh of a register. Raises DataError for one that has no number or no unit."""
    if not isinstance(item.value, int) or item.value < 0:
        raise DataError(f"{_dotted(code)} of a DLMS message is no number from zero on")
    power = MAKERS[maker] if item.power is None and maker else item.power
    if power is None or (item.unit is not None and item.unit != WH) or abs(power) > 9:
        raise DataError(f"{_dotted(code)} of a DLMS message has no unit of energy; whose list is it?")
    energy: int = item.value * 10**power if power >= 0 else item.value // 10**-power
    if energy > MOST_WH:
        raise DataError(f"{_dotted(code)} of a DLMS message is {energy} Wh, which no meter counts")
    return energy


def _kaifa(values: list[Value], at: int | None) -> MeterState:
    """Registers of a list that has no OBIS codes, by its length."""
    place = KAIFA_ENERGY.get(len(values))
    if place is None:
        raise DataError(f"a list of {len(values)} values without OBIS codes has no energy; Kaifa's has 14 or 18")
    found = [
        _energy(bytes((1, 0, way, 8, 0, 255)), NamedValue(values[place + way - 1], None, None), KAIFA) for way in (1, 2)
    ]
    number = values[1]
    return MeterState(at, found[0], found[1], number.decode("latin-1") if isinstance(number, bytes) else "")


def _number(items: dict[bytes, NamedValue]) -> str:
    """The number that a meter says of itself, where its list has one."""
    for code in (b"\0\0\x60\1\0\xff", b"\1\1\0\0\5\xff"):
        value = items[code].value if code in items else None
        if isinstance(value, bytes | str):
            return value.decode("latin-1") if isinstance(value, bytes) else value
    return ""


def _dotted(code: bytes) -> str:
    """An OBIS code as people write it."""
    return "{}-{}:{}.{}.{}*{}".format(*code)
