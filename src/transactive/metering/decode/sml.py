"""SML: what German meters send on their optical and LMN ports.

Source: BSI TR-03109-1 annex IV, "Smart Message Language" 1.04: a transport with escapes and the CRC16 of ISO/IEC 13239
around messages of typed values; a list of registers is a GetList response (0x0701). Registers 1.8.0 and 2.8.0 have unit
30 (Wh) and a power of ten. The sensor's time counts seconds since a start that nobody knows, so it tells no time.
"""

from __future__ import annotations

from typing import TypeAlias

from transactive.core.errors import DataError
from transactive.metering.decode.checksums import crc_x25
from transactive.metering.decode.registers import MOST_WH, MeterState, energy_of

ESCAPE, BEGIN, END = b"\x1b" * 4, b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", 0x1A
GET_LIST, WH, MOST, DEEPEST, MOST_VALUES = 0x0701, 30, 16_384, 8, 4_096
TEXT, BOOLEAN, SIGNED, UNSIGNED, LIST = 0x00, 0x40, 0x50, 0x60, 0x70
NUMBERS = (b"\1\0\x60\1\0\xff", b"\1\0\0\0\x09\xff")
Value: TypeAlias = "int | bytes | list[Value] | None"


def decode(message: bytes) -> MeterState:
    """Registers of one message, from its escape to its checksum. Raises DataError with the reason."""
    if len(message) > MOST:
        raise DataError(f"an SML message has {len(message):,} bytes, more than {MOST:,}")
    if len(message) < 16 or not message.startswith(BEGIN) or message[-8:-4] != ESCAPE or message[-4] != END:
        raise DataError("an SML message is cut off")
    if crc_x25(message[:-2]) != int.from_bytes(message[-2:], "little"):
        raise DataError("an SML message has another checksum than it says; a byte is wrong")
    fill = message[-3]
    body = _unescaped(message[8:-8])
    if fill > 3 or any(body[len(body) - fill :]):
        raise DataError("an SML message is filled up with more than three zeros")
    body = body[: len(body) - fill]
    place, found = 0, None
    while place < len(body):
        value, place = _read(body, place, 0)
        listed = _list_of(value)
        if listed is not None:
            if found is not None:
                raise DataError("an SML message has two lists of registers; which one holds?")
            found = listed
    if found is None:
        raise DataError("an SML message has no list of registers")
    return _state(found)


def _unescaped(data: bytes) -> bytes:
    """Contents without the escapes that stand for four of the same bytes."""
    if ESCAPE not in data:
        return data
    found, place = b"", 0
    while (here := data.find(ESCAPE, place)) >= 0:
        if data[here + 4 : here + 8] != ESCAPE:
            raise DataError("an SML message has an escape inside")
        found, place = found + data[place : here + 4], here + 8
    return found + data[place:]


def _read(data: bytes, place: int, depth: int) -> tuple[Value, int]:
    """A value and where the next one begins. Raises DataError where bytes are missing."""
    kind, length, place = _head(data, place)
    if kind == LIST:
        if depth >= DEEPEST:
            raise DataError(f"an SML message has lists in lists, more than {DEEPEST} deep")
        values: list[Value] = []
        for _ in range(length):
            value, place = _read(data, place, depth + 1)
            values.append(value)
        return values, place
    end = place + length
    if length < 0 or end > len(data):
        raise DataError("an SML message ends inside a value")
    if kind in (SIGNED, UNSIGNED):
        if not 1 <= length <= 8:
            raise DataError(f"an SML message has a number of {length} bytes")
        return int.from_bytes(data[place:end], "big", signed=kind == SIGNED), end
    if kind == BOOLEAN:
        return int(any(data[place:end])), end
    if kind != TEXT:
        raise DataError(f"an SML message has a value of type {kind:#04x}, which there is not")
    return (data[place:end] or None), end


def _head(data: bytes, place: int) -> tuple[int, int, int]:
    """Kind of a value, its length without the head (of a list: how many values), and where it begins."""
    start = place
    try:
        first = data[place]
        length, place = first & 0x0F, place + 1
        while data[place - 1] & 0x80:
            length = length << 4 | data[place] & 0x0F
            place += 1
    except IndexError:
        raise DataError("an SML message ends too early") from None
    if length > MOST_VALUES:
        raise DataError("an SML message has a length that is none")
    kind = first & 0x70
    if first == 0:  # the end of a message stands where a value could
        return TEXT, 0, place
    return kind, length if kind == LIST else length - (place - start), place


def _list_of(message: Value) -> list[Value] | None:
    """The registers of a message, if it is a list of them."""
    if not isinstance(message, list) or len(message) != 6:
        return None
    body = message[3]
    if not isinstance(body, list) or len(body) != 2 or body[0] != GET_LIST or not isinstance(body[1], list):
        return None
    listed = body[1][4] if len(body[1]) == 7 else None
    if not isinstance(listed, list):
        raise DataError("an SML message has a list of registers that is none")
    return listed


def _state(listed: list[Value]) -> MeterState:
    """Registers of a list. Raises DataError where one stands there twice, has no unit, or none is of import."""
    energy, number = dict[tuple[int, int], int](), b""
    for entry in listed:
        if not isinstance(entry, list) or len(entry) != 7 or not isinstance(entry[0], bytes) or len(entry[0]) != 6:
            raise DataError("an SML message has a register without its code")
        code = entry[0]
        if code[:2] == b"\1\0" and code[2] in (1, 2) and code[3] == 8 and code[4] <= 4 and code[5] == 0xFF:
            key = code[2], code[4]
            if key in energy:
                raise DataError(f"an SML message names {code[2]}.8.{code[4]} twice; which one holds?")
            energy[key] = _energy(entry)
        elif code in NUMBERS and isinstance(entry[5], bytes):
            number = number or entry[5]
    told = energy_of(energy)
    if 1 not in told:
        raise DataError("an SML message names no register of import (1.8.0)")
    return MeterState(None, told[1], told.get(2, 0), number.hex())


def _energy(entry: list[Value]) -> int:
    """Whole Wh of a register."""
    unit, power, value = entry[3], entry[4] or 0, entry[5]
    if unit != WH or not isinstance(value, int) or not isinstance(power, int) or abs(power) > 9 or value < 0:
        raise DataError("a register of an SML message is no energy from zero on")
    energy: int = value * 10**power if power >= 0 else value // 10**-power
    if energy > MOST_WH:
        raise DataError(f"a register of an SML message is {energy} Wh, which no meter counts")
    return energy
