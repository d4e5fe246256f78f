"""DLMS messages that meters push: HDLC or wired M-Bus around a data notification, plain or encrypted.

Source: IEC 62056-46 (HDLC frames, checked at head and end), EN 13757-2 (M-Bus frames), IEC 62056-5-3 and the Green Book
of the DLMS UA (data notification 0x0F, general ciphering 0xDB: AES-128-GCM of NIST SP 800-38D, with system title and
counter as nonce; the tag also covers the security byte and the authentication key).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from transactive.core.errors import DataError, InputError
from transactive.metering.decode.checksums import crc_x25
from transactive.metering.decode.cosem import CLOCK, OCTETS, clock_of, read_length, read_value, state_of_list
from transactive.metering.decode.registers import MeterState

FLAG, MBUS_START, MBUS_END = 0x7E, 0x68, 0x16
LLC = (b"\xe6\xe7\x00", b"\xe6\xe6\x00")
NOTIFICATION, CIPHERED = 0x0F, 0xDB
SEGMENTED, MBUS_LAST = 0x08, 0x10
ENCRYPTED, AUTHENTICATED, TAG = 0x20, 0x10, 12
MOST = 16_384


@dataclass(frozen=True, slots=True)
class MeterKeys:
    """Keys of a meter, 16 bytes each. authentication: empty where the meter signs nothing."""

    encryption: bytes
    authentication: bytes = b""


def meter_keys(text: str) -> MeterKeys | None:
    """Keys as a grid company gives them, KEY or KEY:AUTHENTICATION in hexadecimal. Raises InputError."""
    if not text:
        return None
    try:
        keys = [bytes.fromhex(part) for part in text.split(":")]
    except ValueError:
        keys = []
    if not 1 <= len(keys) <= 2 or any(len(key) != 16 for key in keys):
        raise InputError("the key of the meter is 32 hexadecimal digits, and its authentication key 32 after a colon")
    return MeterKeys(*keys)


def decode(message: bytes, keys: MeterKeys | None = None) -> MeterState:
    """Registers of one message, with all its frames. Raises DataError with the reason.

    The state has the counter of an encrypted message, which has to rise from one to the next.
    """
    if len(message) > MOST:
        raise DataError(f"a DLMS message has {len(message):,} bytes, more than {MOST:,}")
    if not message:
        raise DataError("a DLMS message has no bytes")
    payload = _of_hdlc(message) if message[0] == FLAG else _of_mbus(message)
    if payload[:3] in LLC:
        payload = payload[3:]
    counter = 0
    if payload[:1] == bytes((CIPHERED,)):
        payload, counter = _decrypted(payload, keys)
    elif keys:
        raise DataError("a DLMS message came unencrypted, and this meter has a key")
    state = _notified(payload)
    return replace(state, counter=counter) if counter else state


def _notified(payload: bytes) -> MeterState:
    """Registers of a data notification."""
    if len(payload) < 6 or payload[0] != NOTIFICATION:
        raise DataError("a DLMS message is no data notification")
    place, at = 5, None
    if payload[place] == OCTETS:
        place += 1
    length = payload[place]
    place += 1
    if length == CLOCK:
        at = clock_of(payload[place : place + CLOCK])
    elif length:
        raise DataError("a DLMS message has a time of another length")
    value, end = read_value(payload, place + length)
    if end != len(payload):
        raise DataError(f"a DLMS message has {len(payload) - end} bytes after its last value")
    return state_of_list(value, at)


def _of_hdlc(message: bytes) -> bytes:
    """Contents of HDLC frames, one after the other. Raises DataError where a checksum is wrong or a frame missing."""
    found, place, more = b"", 0, True
    while more:
        if message[place : place + 1] == b"\x7e":
            place += 1
        size = int.from_bytes(message[place : place + 2], "big")
        end = place + (size & 0x7FF)
        frame = message[place:end]
        if size >> 12 != 0xA or len(frame) < 9 or message[end : end + 1] != b"\x7e":
            raise DataError("an HDLC frame is cut off")
        if crc_x25(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            raise DataError("an HDLC frame has another checksum than it says; a byte is wrong")
        found += frame[_head_of(frame) : -2]
        more, place = bool(size >> 8 & SEGMENTED), end
    if place + 1 != len(message):
        raise DataError("an HDLC message has bytes after its end")
    return found


def _head_of(frame: bytes) -> int:
    """Where the contents of a frame begin: behind two addresses, control and the checksum of the head."""
    place = 2
    for _ in range(2):
        for _ in range(4):
            place += 1
            if place < len(frame) and frame[place - 1] & 1:
                break
        else:
            raise DataError("an HDLC frame has an address of more than four bytes")
    place += 3
    if place > len(frame) - 2 or crc_x25(frame[: place - 2]) != int.from_bytes(frame[place - 2 : place], "little"):
        raise DataError("the head of an HDLC frame has another checksum than it says")
    return place


def _of_mbus(message: bytes) -> bytes:
    """Contents of long M-Bus frames, one after the other, in order. Raises DataError."""
    found, place, number = b"", 0, 0
    while True:
        head = message[place : place + 4]
        if len(head) < 4 or head[0] != MBUS_START or head[3] != MBUS_START or head[1] != head[2]:
            raise DataError("a message begins neither as HDLC nor as M-Bus")
        body = message[place + 4 : place + 4 + head[1]]
        end = message[place + 4 + head[1] : place + 6 + head[1]]
        if len(body) < 5 or len(end) < 2 or end[1] != MBUS_END:
            raise DataError("an M-Bus frame is cut off")
        if sum(body) & 0xFF != end[0]:
            raise DataError("an M-Bus frame has another checksum than it says; a byte is wrong")
        if body[2] & 0x0F != number or body[2] & 0xE0:
            raise DataError(f"an M-Bus frame is number {body[2] & 0x0F} of its message, not {number}")
        found, place, number = found + body[5:], place + 6 + head[1], number + 1
        if body[2] & MBUS_LAST:
            break
    if place != len(message):
        raise DataError("an M-Bus message has bytes after its end")
    return found


def _decrypted(payload: bytes, keys: MeterKeys | None) -> tuple[bytes, int]:
    """What is encrypted, and its counter. Raises DataError where the tag is wrong, or there is no key."""
    from Crypto.Cipher import AES

    if keys is None:
        raise DataError("a DLMS message is encrypted; ask the grid company for the key, and name it as the secret")
    try:
        title_length, place = read_length(payload, 1)
        title = payload[place : place + title_length]
        length, place = read_length(payload, place + title_length)
        security, counter = payload[place], payload[place + 1 : place + 5]
    except IndexError:
        raise DataError("an encrypted DLMS message ends too early") from None
    body = payload[place + 5 :]
    if length != len(payload) - place or title_length != 8 or len(counter) != 4 or not security & ENCRYPTED:
        raise DataError("an encrypted DLMS message is cut off")
    cipher = AES.new(keys.encryption, AES.MODE_GCM, nonce=title + counter, mac_len=TAG)
    number = int.from_bytes(counter, "big")
    if not security & AUTHENTICATED:
        if keys.authentication:
            raise DataError("a DLMS message has no tag, and this meter has a key for one")
        return cipher.decrypt(body), number
    cipher.update(bytes((security,)) + keys.authentication)
    try:
        return cipher.decrypt_and_verify(body[:-TAG], body[-TAG:]), number
    except ValueError:
        raise DataError("a DLMS message has a wrong tag: it was changed, or the key is another one") from None
