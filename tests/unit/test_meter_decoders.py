"""DLMS, SML and D0: registers of messages as meters send them, and a reason for whatever is none."""

import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st
from sml import SmlBase  # type: ignore[import-untyped]

from transactive.core.errors import ConfigError, DataError, InputError
from transactive.core.slots import parse_time
from transactive.links.sources.address import MeterAddress, open_meter
from transactive.metering.decode import checksums, d0, dlms, p1, sml
from transactive.metering.decode.frames import CUTS, Frames
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.profile import LineProfile, load_meter_profile, shipped_meters
from transactive.metering.meters.source import MeterSource

LISTS = {
    line.split()[0]: bytes.fromhex(line.split()[1])
    for line in (Path(__file__).parent / "telegrams" / "dlms_lists.txt").read_text().splitlines()
    if not line.startswith("#")
}
"""Lists of real meters, their numbers replaced; from the tests of amshan (MIT)."""
KNOWN = {
    "aidon-three-phases": MeterState(parse_time("2020-01-21T16:00Z"), 22_721_380, 0, "7359992890000000"),
    "kaifa-three-phases": MeterState(None, 79_591_144, 0, "6900000000000000"),
    "kaifa-with-codes": MeterState(parse_time("2021-09-22T16:35:30Z"), 4_786_979, 0, "7340000000000000"),
    "kamstrup-three-phases": MeterState(None, 77_452_500, 0, "5700000000000000"),
}
KEYS = dlms.MeterKeys(bytes(range(16)), bytes(range(16, 32)))
CLOCK = bytes.fromhex("07e80605030a0f00ff000000")


def notification(listed: bytes, clock: bytes = b"") -> bytes:
    return b"\x0f\x40\0\0\0" + bytes((len(clock),)) + clock + listed


def hdlc(payload: bytes, parts: int = 1) -> bytes:
    """Frames around a payload, with its LLC head in the first."""
    whole, found = b"\xe6\xe7\x00" + payload, b""
    size = -(-len(whole) // parts)
    pieces = [whole[place : place + size] for place in range(0, len(whole), size)]
    for number, piece in enumerate(pieces):
        kind = 0xA000 | (0x800 if number < len(pieces) - 1 else 0)
        head = struct.pack(">H", kind | len(piece) + 10) + b"\x41\x08\x83\x13"
        head += checksums.crc_x25(head).to_bytes(2, "little")
        found += b"\x7e" + head + piece + checksums.crc_x25(head + piece).to_bytes(2, "little")
    return found + b"\x7e"


def mbus(payload: bytes) -> bytes:
    found, pieces = b"", [payload[place : place + 245] for place in range(0, len(payload), 245)]
    for number, piece in enumerate(pieces):
        body = bytes((0x53, 0xFF, number | (0x10 if number == len(pieces) - 1 else 0), 0x01, 0x67)) + piece
        found += bytes((0x68, len(body), len(body), 0x68)) + body + bytes((sum(body) & 0xFF, 0x16))
    return found


def ciphered(payload: bytes, counter: int = 5, security: int = 0x30) -> bytes:
    title, number = b"KAM\0\0\0\0\1", counter.to_bytes(4, "big")
    cipher = AES.new(KEYS.encryption, AES.MODE_GCM, nonce=title + number, mac_len=12)
    if security & 0x10:
        cipher.update(bytes((security,)) + KEYS.authentication)
        text, tag = cipher.encrypt_and_digest(payload)
    else:
        text, tag = cipher.encrypt(payload), b""
    body = bytes((security,)) + number + text + tag
    return b"\xdb\x08" + title + b"\x82" + struct.pack(">H", len(body)) + body


def obis_list(**energy: int) -> bytes:
    """A list with scaler and unit, of registers such as `import_`."""
    codes = {"import_": "0100010800ff", "export": "0100020800ff"}
    items = [bytes.fromhex(f"02030906{codes[name]}06{value:08x}02020f01161e") for name, value in energy.items()]
    return bytes((1, len(items))) + b"".join(items)


def line_source(profile: str, secret: str = "") -> MeterSource:
    return open_meter(MeterAddress("tcp://192.168.1.20:2001", load_meter_profile(profile), secret=secret))


def test_the_line_of_each_profile_is_opened_and_read_by_its_own_decoder():
    secret = f"{KEYS.encryption.hex()}:{KEYS.authentication.hex()}"
    lines = [name for name in shipped_meters() if isinstance(load_meter_profile(name), LineProfile)]
    sources = {name: line_source(name, secret if name == "dlms-encrypted" else "") for name in lines}
    name = "aidon-three-phases"
    plain = hdlc(notification(LISTS[name]))
    assert sources["dlms-han"].decode(plain) == KNOWN[name]
    assert sources["dlms-encrypted"].decode(hdlc(ciphered(notification(LISTS[name])))).import_wh == 22_721_380
    for other in lines:
        if other != "dlms-han":
            with pytest.raises(DataError):
                sources[other].decode(plain)


def test_a_meter_that_encrypts_is_not_opened_without_its_key():
    with pytest.raises(ConfigError, match="ask the grid company"):
        line_source("dlms-encrypted")


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("wrap", [hdlc, mbus, lambda payload: hdlc(payload, 3)])
def test_lists_of_real_meters_are_read(name, wrap):
    assert dlms.decode(wrap(notification(LISTS[name]))) == KNOWN[name]


def test_a_list_without_energy_or_of_nobody_known_says_so():
    with pytest.raises(DataError, match="names no register of import"):
        dlms.decode(hdlc(notification(LISTS["aidon-power-alone"])))
    twice = obis_list(import_=1, export=2).replace(bytes.fromhex("0100020800ff"), bytes.fromhex("0101010800ff"))
    with pytest.raises(DataError, match="on two channels"):
        dlms.decode(hdlc(notification(twice)))
    unknown = b"\x02\x02\x09\x06" + bytes.fromhex("0100010800ff") + b"\x06\0\0\1\0"
    with pytest.raises(DataError, match="has no unit of energy; whose list is it"):
        dlms.decode(hdlc(notification(unknown)))


def test_the_time_of_a_message_counts_where_it_names_its_zone():
    listed = obis_list(import_=12_345, export=67)
    at = parse_time("2024-06-05T10:15Z")
    assert dlms.decode(mbus(notification(listed, CLOCK))) == MeterState(at, 123_450, 670)
    ahead = CLOCK[:9] + struct.pack(">h", -120) + b"\x80"
    assert dlms.decode(mbus(notification(listed, ahead))).at == at - 7_200
    assert dlms.decode(mbus(notification(listed, CLOCK[:9] + b"\x80\0\0"))).at is None
    with pytest.raises(DataError, match="a time that is none"):
        dlms.decode(mbus(notification(listed, b"\x07\xe8\x0d" + CLOCK[3:])))


def test_an_encrypted_message_is_read_with_its_keys_alone():
    listed = notification(obis_list(import_=100), CLOCK)
    for wrap in (hdlc, mbus):
        assert dlms.decode(wrap(ciphered(listed)), KEYS) == MeterState(
            parse_time("2024-06-05T10:15Z"), 1_000, 0, counter=5
        )
    assert dlms.decode(hdlc(ciphered(listed, security=0x20)), dlms.MeterKeys(KEYS.encryption)).import_wh == 1_000
    for message, keys, reason in (
        (ciphered(listed), None, "ask the grid company for the key"),
        (ciphered(listed), dlms.MeterKeys(bytes(16), KEYS.authentication), "wrong tag"),
        (ciphered(listed), dlms.MeterKeys(KEYS.encryption), "wrong tag"),
        (ciphered(listed)[:-1] + b"\0", KEYS, "wrong tag"),
        (ciphered(listed, security=0x20), KEYS, "has no tag"),
        (listed, KEYS, "came unencrypted"),
    ):
        with pytest.raises(DataError, match=reason):
            dlms.decode(hdlc(message), keys)


def test_keys_are_hexadecimal_digits():
    assert dlms.meter_keys("") is None
    assert dlms.meter_keys(f"{bytes(16).hex()}:{bytes(16).hex()}") == dlms.MeterKeys(bytes(16), bytes(16))
    for wrong in ("abc", bytes(15).hex(), f"{bytes(16).hex()}:", "x" * 32):
        with pytest.raises(InputError, match="32 hexadecimal digits"):
            dlms.meter_keys(wrong)


def sml_value(value: Any) -> bytes:
    """SML of a text, a number with its type, or a list."""
    if value is None:
        return b"\x01"
    if isinstance(value, list):
        return bytes((0x70 | len(value),)) + b"".join(map(sml_value, value))
    if isinstance(value, bytes):
        return (
            bytes((len(value) + 1,)) + value if len(value) < 15 else b"\x81" + bytes((len(value) + 2 & 0x0F,)) + value
        )
    kind, size, number = value
    return bytes((kind | size + 1,)) + int(number).to_bytes(size, "big", signed=kind == 0x50)


def sml_message(import_wh: int, export_wh: int, power: int = -1, server: bytes = b"\x0a\1TST\0\0\0\0\1") -> bytes:
    def entry(code: str, value: int, size: int = 8):
        return [bytes.fromhex(code), None, None, (0x60, 1, 30), (0x50, 1, power), (0x50, size, value), None]

    def message(kind: int, body) -> bytes:
        inner = sml_value(b"\0\0\0\1") + sml_value((0x60, 1, 0)) * 2 + sml_value([(0x60, 2, kind), body])
        return b"\x76" + inner + b"\x63" + checksums.crc_x25(b"\x76" + inner).to_bytes(2, "little") + b"\0"

    factor = 10**-power
    listed = [
        [bytes.fromhex("0100000009ff"), None, None, None, None, server, None],
        entry("0100010800ff", import_wh * factor),
        entry("0100020800ff", export_wh * factor + factor - 1, 6),
    ]
    opened = message(0x0101, [None, None, b"\1", server, None, None])
    body = opened + message(0x0701, [None, server, None, None, listed, None, None]) + message(0x0201, [None])
    fill = -len(body) % 4
    escaped = (body + bytes(fill)).replace(sml.ESCAPE, sml.ESCAPE * 2)
    whole = sml.BEGIN + escaped + sml.ESCAPE + bytes((sml.END, fill))
    return whole + checksums.crc_x25(whole).to_bytes(2, "little")


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(-4, 0))
def test_sml_is_read_as_pysml_reads_it(import_wh, export_wh, power):
    message = sml_message(import_wh, export_wh, power)
    state = sml.decode(message)
    judge = SmlBase.parse_frame(message)[1]
    found = {
        str(entry["objName"]): entry["value"] for body in judge for entry in body["messageBody"].get("valList", [])
    }
    assert state.import_wh == import_wh == int(found["1-0:1.8.0*255"])
    assert state.export_wh == export_wh == int(found["1-0:2.8.0*255"])
    assert state.at is None


def test_sml_with_an_escape_inside_is_read():
    message = sml_message(123, 45, server=b"\x0a\1" + sml.ESCAPE + b"\0\0\0\1")
    assert message.count(sml.ESCAPE) >= 4
    assert sml.decode(message).meter == (b"\x0a\1" + sml.ESCAPE + b"\0\0\0\1").hex()


def readout(*lines: str, check: bool = True) -> bytes:
    data = "".join(f"{line}\r\n" for line in lines).encode() + b"!\r\n"
    if not check:
        return b"/ELS5\\@V0.01\r\n\r\n" + data
    block, total = data + b"\x03", 0
    for byte in block:
        total ^= byte
    return b"/ELS5\\@V0.01\r\n\x02" + block + bytes((total,))


def test_a_readout_of_the_optical_port_is_read():
    lines = (
        "F.F(000000)",
        "0.0.0(00000000)",
        "1.8.0(012345.678*kWh)",
        "1.8.0*01(012000.000*kWh)",
        "2.8.0(000001.5*kWh)",
    )
    for check in (True, False):
        assert d0.decode(readout(*lines, check=check)) == MeterState(None, 12_345_678, 1_500, "00000000")
    tariffs = ("1-0:1.8.1*255(000001.000*kWh)", "1-0:1.8.2*255(000002.000*kWh)")
    assert d0.decode(readout(*tariffs)).import_wh == 3_000
    for wrong, reason in (
        (readout(*lines).replace(b"012345", b"012346"), "another check"),
        (readout(*lines)[:-1], "has lost them"),
        (readout(*lines)[:-9], "cut off"),
        (readout("1.8.0(012345.678)"), "no register of import"),
        (readout(lines[2], lines[2]), "twice"),
    ):
        with pytest.raises(DataError, match=reason):
            d0.decode(wrong)


@given(st.binary(max_size=3_000))
def test_checksums_are_those_of_one_bit_after_the_other(data):
    for checksum, polynomial, start in ((checksums.crc_p1, 0xA001, 0), (checksums.crc_x25, 0x8408, 0xFFFF)):
        crc = start
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
        assert checksum(data) == crc ^ start


MESSAGES = {
    "dlms": [hdlc(notification(obis_list(import_=1))), mbus(notification(obis_list(import_=2, export=3) + b"") * 1),
             hdlc(notification(obis_list(import_=4)), 2)],
    "sml": [sml_message(1, 2), sml_message(3, 4, server=b"\x0a\1" + sml.ESCAPE + b"\x1a\0\0\1")],
    "d0": [readout("1.8.0(1.0*kWh)", check=False), readout("1.8.0(2.0*kWh)")],
    "p1": [b"/X\r\n1-0:1.8.0(1*kWh)\r\n!\r\n"],
}  # fmt: skip
DECODERS = {"dlms": dlms.decode, "sml": sml.decode, "d0": d0.decode, "p1": p1.decode}


@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_messages_are_found_in_a_stream_however_it_is_cut(kind, data):
    messages = data.draw(st.lists(st.sampled_from(MESSAGES[kind]), min_size=1, max_size=4))
    stream = b"".join(messages)
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)) | {0, len(stream)})
    frames = Frames(CUTS[kind])
    found = [one for start, end in pairwise(places) for one in frames.feed(stream[start:end])]
    assert found == messages


@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_no_bytes_crash_a_decoder_or_make_a_wrong_number(kind, data):
    message = data.draw(st.sampled_from(MESSAGES[kind]))
    place, length = data.draw(st.integers(0, len(message))), data.draw(st.integers(0, 20))
    broken = message[:place] + data.draw(st.binary(max_size=20)) + message[place + length :]
    for said in (broken, data.draw(st.binary(max_size=300))):
        for one in (said, *Frames(CUTS[kind]).feed(said)):
            try:
                state = DECODERS[kind](one)
            except DataError:
                continue
            if kind in ("dlms", "sml"):  # all of whose bytes a checksum covers
                assert state in [DECODERS[kind](whole) for whole in MESSAGES[kind]]


@given(st.binary(max_size=200))
def test_no_list_crashes_the_decoder_behind_its_checksum(listed):
    for wrap in (hdlc, mbus):
        try:
            state = dlms.decode(wrap(notification(listed)))
        except DataError:
            continue
        assert all(register >= 0 for register in state.registers)


@given(st.binary(max_size=200))
def test_no_value_crashes_the_decoder_of_sml_behind_its_checksum(body):
    body += bytes(-len(body) % 4)
    whole = sml.BEGIN + body.replace(sml.ESCAPE, sml.ESCAPE * 2) + sml.ESCAPE + b"\x1a\0"
    with pytest.raises(DataError):
        sml.decode(whole + checksums.crc_x25(whole).to_bytes(2, "little"))


@pytest.mark.soak
def test_a_core_decodes_a_street_of_meters():
    """Messages a second of processor time, the best of three, printed (-s). A street of 1,000 boxes sends 1,000."""
    listed = notification(obis_list(import_=12_345, export=67), CLOCK)
    telegram = Path(__file__).parent / "telegrams" / "v5.txt"
    messages: dict[str, tuple[Callable[[bytes], object], bytes]] = {
        "P1": (p1.decode, telegram.read_bytes()),
        "DLMS, short list": (dlms.decode, hdlc(listed)),
        "DLMS, Kaifa": (dlms.decode, hdlc(notification(LISTS["kaifa-three-phases"]))),
        "DLMS, Aidon": (dlms.decode, hdlc(notification(LISTS["aidon-three-phases"]))),
        "DLMS, encrypted": (lambda message: dlms.decode(message, KEYS), hdlc(ciphered(listed))),
        "SML": (sml.decode, sml_message(123_456, 789)),
    }
    for name, (decode, message) in messages.items():
        rates = []
        for _ in range(3):
            began = process_time()
            for _ in range(3_000):
                decode(message)
            rates.append(3_000 / (process_time() - began))
        print(f"{name}, {len(message)} bytes: {max(rates):,.0f} a second")
        assert max(rates) > 2_000, name
