"""Telegrams of a P1 port: DSMR and what follows it in Belgium, Luxembourg, Sweden, Hungary and Ireland.

Source: DSMR P1 companion standard 5.0.2 (Netbeheer Nederland, 2016): lines of OBIS codes between `/` and `!`, then the
CRC16 (polynomial x16+x15+x2+1, least bit first, from zero) of all from `/` to `!` as hexadecimal digits. Versions
before 4 have neither a CRC nor the time. The energy of a direction is register x.8.0 where there is one, else the sum
of its tariffs.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from transactive.core.errors import DataError
from transactive.core.slots import HOUR
from transactive.metering.decode.checksums import crc_p1
from transactive.metering.decode.registers import MeterState, energy_of, whole_wh

REGISTER = re.compile(rb"^1-[0-9]:([12])\.8\.([0-4])(?:\*255)?\((\d{1,10}(?:\.\d{1,9})?)\*(k?Wh|MWh)\)", re.MULTILINE)
STAMP = re.compile(rb"^0-0:1\.0\.0(?:\*255)?\((\d{12})([SW]?)\)", re.MULTILINE)
NUMBER = re.compile(rb"^0-0:96\.1\.(?:1|0)(?:\*255)?\(([0-9A-Fa-f]{2,96})\)", re.MULTILINE)
END = re.compile(rb"^!([0-9A-Fa-f]{3,4})?[ \t]*\r?$", re.MULTILINE)
MOST = 16_384
"""Bytes of a telegram, at most; the longest that is known has 3,000."""


def decode(telegram: bytes, winter_seconds: int = HOUR) -> MeterState:
    """Registers of one telegram, from `/` to its end. Raises DataError with the reason.

    winter_seconds: how far the meter's winter time is ahead of UTC; one hour in the Netherlands, zero in Ireland.
    """
    if len(telegram) > MOST:
        raise DataError(
            f"a P1 telegram has {len(telegram):,} bytes, more than {MOST:,}; is something else on the line?"
        )
    begin, end = telegram.find(b"/"), END.search(telegram)
    if begin < 0 or end is None:
        raise DataError("a P1 telegram lies between / and !; this one is cut off")
    body = telegram[begin : end.start() + 1]
    if end[1] is None and STAMP.search(body):
        raise DataError("a P1 telegram that tells the time has a CRC; this one has lost it")
    if end[1] and crc_p1(body) != int(end[1], 16):
        raise DataError(f"a P1 telegram has the CRC {crc_p1(body):04X}, and says {end[1].decode()}; a byte is wrong")
    registers = _registers(body)
    if 1 not in registers:
        raise DataError("a P1 telegram names no register of import (1-0:1.8.x); is it a meter of electricity?")
    number = NUMBER.search(body)
    said = "" if number is None else number[1].decode()
    return MeterState(_time(body, winter_seconds), registers[1], registers.get(2, 0), said)


def _registers(body: bytes) -> dict[int, int]:
    """Energy by direction [Wh]: 1 is import, 2 export. Raises DataError for a register that stands there twice."""
    tariffs: dict[tuple[int, int], int] = {}
    for way, tariff, number, unit in REGISTER.findall(body):
        key = int(way), int(tariff)
        if key in tariffs:
            raise DataError(f"a P1 telegram names the register 1-0:{key[0]}.8.{key[1]} twice; which one holds?")
        tariffs[key] = whole_wh(number.decode(), unit.decode())
    return energy_of(tariffs)


def _time(body: bytes, winter_seconds: int) -> int | None:
    """The meter's time, if it tells one that can be. Raises DataError for one that cannot."""
    stamp = STAMP.search(body)
    if stamp is None or not stamp[2]:
        return None
    digits = stamp[1]
    year, month, day, hour, minute, second = (int(digits[place : place + 2]) for place in range(0, 12, 2))
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise DataError(f"a P1 telegram says that it is {digits.decode()}, which is no time") from None
    zone = timezone(timedelta(seconds=winter_seconds + (HOUR if stamp[2] == b"S" else 0)))
    return int(local.replace(tzinfo=zone).timestamp())
