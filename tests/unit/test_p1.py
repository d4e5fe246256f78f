"""P1 telegrams: registers as another decoder reads them, and a reason for whatever is none."""

from pathlib import Path

import pytest
from dsmr_parser import telegram_specifications as specifications  # type: ignore[import-untyped]
from dsmr_parser.parsers import TelegramParser  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.core.slots import parse_time
from transactive.metering.decode.checksums import crc_p1
from transactive.metering.decode.p1 import decode

FOLDER = Path(__file__).parent / "telegrams"
"""Telegrams of real meters, their numbers replaced; from the tests of dsmr-parser (MIT)."""
JUDGED = {
    "fluvius_v171": specifications.BELGIUM_FLUVIUS,
    "fluvius_v171_alt": specifications.BELGIUM_FLUVIUS,
    "iskra_ie": specifications.ISKRA_IE,
    "sagemcom_t210_d_r": specifications.EON_HUNGARY,  # the same registers; its own speaks of encrypted ones
    "v2_2": specifications.V2_2,
    "v3": specifications.V3,
    "v4_2": specifications.V4,
    "v5": specifications.V5,
    "v5_eon_hu": specifications.EON_HUNGARY,
    "v5_two_mbus": specifications.V5,
}
SWEDISH = {"esy5q3da1004_v304": (32_549_506, 0), "esy5q3db1024_v304": (52_185_782, 19_949_322)}


def raw(name: str) -> bytes:
    return (FOLDER / f"{name}.txt").read_bytes()


def judged(telegram: object, way: str) -> int:
    """Energy of a direction by dsmr-parser [Wh]: its total where it has one, else the sum of its tariffs."""
    total = getattr(telegram, f"ELECTRICITY_{way}_TOTAL", None)
    parts = [total] if total else [getattr(telegram, f"ELECTRICITY_{way}_TARIFF_{k}", None) for k in (1, 2, 3, 4)]
    found = [(part.value, part.unit) for part in parts if part]
    return sum(int(value * (1000 if unit == "kWh" else 1)) for value, unit in found)


@pytest.mark.parametrize("name", JUDGED)
def test_registers_are_those_of_another_decoder(name):
    state = decode(raw(name))
    telegram = TelegramParser(JUDGED[name]).parse(raw(name).decode("ascii"))
    assert state.import_wh == judged(telegram, "USED")
    assert state.export_wh == judged(telegram, "DELIVERED")
    assert state.import_wh > 0
    if name.startswith(("fluvius", "v4", "v5")):
        assert state.at == telegram.P1_MESSAGE_TIMESTAMP.value.timestamp()


@pytest.mark.parametrize("name", SWEDISH)
def test_parts_of_a_wh_are_left_for_the_next_reading(name):
    state = decode(raw(name))
    assert (state.import_wh, state.export_wh) == SWEDISH[name]
    assert state.at is None


def test_time_is_that_of_the_country():
    telegram = raw("iskra_ie")
    assert decode(telegram, winter_seconds=0).at == parse_time("2023-02-02T12:27:47Z")
    assert decode(telegram).at == parse_time("2023-02-02T11:27:47Z")


def test_the_hour_that_comes_twice_is_told_apart():
    def at(stamp: bytes) -> int | None:
        body = b"/X\r\n0-0:1.0.0(" + stamp + b")\r\n1-0:1.8.0(000001.000*kWh)\r\n!"
        return decode(body + b"%04X\r\n" % crc_p1(body)).at

    summer, winter = at(b"241027023000S"), at(b"241027023000W")
    assert summer == parse_time("2024-10-27T00:30Z")
    assert winter == parse_time("2024-10-27T01:30Z")


def test_a_crc_without_leading_zero_counts():
    for number in range(10_000):
        body = b"/X\r\n1-0:1.8.0(%06d.000*kWh)\r\n!" % number
        if crc_p1(body) < 0x1000:
            assert decode(body + b"%X\r\n" % crc_p1(body)).import_wh == number * 1000
            return
    raise AssertionError("no such telegram")


def with_crc(telegram: bytes) -> bytes:
    """A telegram that was changed, with the CRC that it has then."""
    body = telegram[: telegram.rindex(b"!") + 1]
    return body + b"%04X\r\n" % crc_p1(body)


WRONG = {
    "is cut off": lambda: raw("v5")[:-10],
    "a byte is wrong": lambda: raw("v5").replace(b"000004.426", b"000004.427"),
    "names no register of import": lambda: raw("unpadded_crc"),
    "twice; which one holds": lambda: raw("v3").replace(b"1-0:1.8.2", b"1-0:1.8.1"),
    "has lost it": lambda: raw("v5")[:-6] + b"\r\n",
    "which is no time": lambda: with_crc(raw("v5").replace(b"170102192002W", b"171302192002W")),
    "is something else on the line": lambda: b"/" + bytes(20_000),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_is_no_telegram_has_its_reason(reason):
    with pytest.raises(DataError, match=reason):
        decode(WRONG[reason]())


@given(st.binary(max_size=400), st.sampled_from(sorted(JUDGED)), st.integers(0, 2_000), st.integers(0, 40))
def test_nothing_on_the_line_becomes_a_wrong_number(noise, name, place, length):
    telegram = raw(name)
    place %= len(telegram)
    broken = telegram[:place] + noise[:length] + telegram[place + length :]
    try:
        state = decode(broken)
    except DataError:
        return
    if name not in ("v2_2", "v3"):  # which have no CRC
        assert state == decode(telegram)
