"""Readouts of IEC 62056-21, as the optical port D0 of older meters gives them.

Source: IEC 62056-21 (2002): an identification after `/`, then lines of codes and values between STX and ETX with a
block check, the XOR of all after STX up to ETX. Meters that send by themselves (mode D) leave STX, ETX and check out.
"""

from __future__ import annotations

import re

from transactive.core.errors import DataError
from transactive.metering.decode.registers import MeterState, energy_of, whole_wh

REGISTER = re.compile(
    rb"^\x02?(?:1-[0-9]:)?([12])\.8\.([0-4])(?:\*255)?\((\d{1,10}(?:\.\d{1,9})?)\*(k?Wh|MWh)\)\r?$", re.MULTILINE
)
NUMBER = re.compile(
    rb"^\x02?(?:(?:1-0:)?0\.0\.0|C\.1\.0|(?:0-0:)?96\.1\.0)(?:\*255)?\(([0-9A-Za-z]{1,32})\)", re.MULTILINE
)
END = re.compile(rb"^!\r?\n?", re.MULTILINE)
STX, ETX = 0x02, 0x03
MOST = 16_384


def decode(readout: bytes) -> MeterState:
    """Registers of one readout. Raises DataError with the reason."""
    if len(readout) > MOST:
        raise DataError(f"a readout has {len(readout):,} bytes, more than {MOST:,}")
    end = END.search(readout)
    if not readout.startswith(b"/") or end is None:
        raise DataError("a readout lies between / and !; this one is cut off")
    start = readout.find(STX)
    if start >= 0:
        last = readout.find(ETX, end.end())
        if last < 0 or last + 2 != len(readout):
            raise DataError("a readout with STX ends with ETX and its check; this one has lost them")
        check = 0
        for byte in readout[start + 1 : last + 1]:
            check ^= byte
        if check != readout[last + 1]:
            raise DataError("a readout has another check than it says; a byte is wrong")
    energy = dict[tuple[int, int], int]()
    for way, tariff, number, unit in REGISTER.findall(readout):
        key = int(way), int(tariff)
        if key in energy:
            raise DataError(f"a readout names the register {key[0]}.8.{key[1]} twice; which one holds?")
        energy[key] = whole_wh(number.decode(), unit.decode())
    told = energy_of(energy)
    if 1 not in told:
        raise DataError("a readout names no register of import (1.8.0) with its unit")
    known = NUMBER.search(readout)
    return MeterState(None, told[1], told.get(2, 0), known[1].decode() if known else "")
