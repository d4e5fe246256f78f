"""From a stream of bytes to whole messages: where each kind begins and ends, and nothing of what it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from transactive.metering.decode import d0, sml

MOST = 65_536
"""Bytes that are kept of a message without an end; then they are thrown away."""
SizeAt: TypeAlias = "Callable[[bytes, int], int | None]"
"""How long a message is that begins at a place: None until that can be known, 0 where none begins."""
START = {"dlms": re.compile(rb"[\x7e\x68]"), "sml": re.compile(re.escape(sml.BEGIN[:1])), "d0": re.compile(rb"/")}
SEGMENTED, MBUS_LAST = 0x08, 0x10
Cut: TypeAlias = Callable[[bytes], tuple[list[bytes], bytes]]
"""From bytes to the whole messages in them, and what is left for those that follow."""


class Frames:
    """Messages of one kind, in the bytes of a line as they come."""

    def __init__(self, cut: Cut) -> None:
        self._cut, self._left = cut, b""

    def feed(self, data: bytes) -> list[bytes]:
        """Messages that are whole with these bytes."""
        found, self._left = self._cut(self._left + data)
        if len(self._left) > MOST:
            self._left = b""
        return found


def cut_p1(data: bytes) -> tuple[list[bytes], bytes]:
    """Telegrams from a line with `/` to one with `!`."""
    found: list[bytes] = []
    said, start = b"", 0
    while (end := data.find(b"\n", start)) >= 0:
        line, start = data[start : end + 1], end + 1
        said = line if line.startswith(b"/") else said + line if said else b""
        if said and line.startswith(b"!"):
            found.append(said)
            said = b""
    return found, said + data[start:]


def cut_dlms(data: bytes) -> tuple[list[bytes], bytes]:
    """Messages in HDLC or M-Bus frames, those of several frames together."""
    return _cut(data, START["dlms"], _dlms_size)


def cut_sml(data: bytes) -> tuple[list[bytes], bytes]:
    """Messages between the escapes of SML."""
    return _cut(data, START["sml"], _sml_size)


def cut_d0(data: bytes) -> tuple[list[bytes], bytes]:
    """Readouts from `/` to `!`, or to the check behind it. Where the parity was left in, its bit is taken off."""
    return _cut(bytes(byte & 0x7F for byte in data), START["d0"], _d0_size)


CUTS: dict[str, Cut] = {"p1": cut_p1, "dlms": cut_dlms, "sml": cut_sml, "d0": cut_d0}


def _cut(data: bytes, start: re.Pattern[bytes], size_at: SizeAt) -> tuple[list[bytes], bytes]:
    """Messages wherever one begins; what lies between them is thrown away."""
    found: list[bytes] = []
    place = 0
    while (begin := start.search(data, place)) is not None:
        place = begin.start()
        size = size_at(data, place)
        if size is None:
            return found, data[place:]
        if size:
            found.append(data[place : place + size])
        place += size or 1
    return found, b""


def _dlms_size(data: bytes, place: int) -> int | None:
    """Length of a message in one or more frames."""
    return _hdlc_size(data, place) if data[place] == 0x7E else _mbus_size(data, place)


def _hdlc_size(data: bytes, start: int) -> int | None:
    """Length of HDLC frames, from flag to flag, until one that is the last of its message."""
    place, more = start, True
    while more:
        if data[place : place + 1] == b"\x7e":
            place += 1
        if len(data) < place + 2:
            return None
        size = int.from_bytes(data[place : place + 2], "big")
        end = place + (size & 0x7FF)
        if size >> 12 != 0xA or end == place:
            return 0
        if len(data) <= end:
            return None
        if data[end] != 0x7E:
            return 0
        more, place = bool(size >> 8 & SEGMENTED), end
    return place + 1 - start


def _mbus_size(data: bytes, start: int) -> int | None:
    """Length of M-Bus frames until one that is the last of its message."""
    place = start
    while True:
        head = data[place : place + 7]
        if head[1:4] and (len(head) >= 3 and head[1] != head[2]):
            return 0
        if len(head) < 7:
            return None
        if head[0] != 0x68 or head[3] != 0x68 or head[1] < 5:
            return 0
        end = place + head[1] + 6
        if len(data) < end:
            return None
        if data[end - 1] != 0x16:
            return 0
        place = end
        if head[6] & MBUS_LAST:
            return place - start


def _sml_size(data: bytes, start: int) -> int | None:
    """Length of an SML message, from escape to checksum."""
    if not data.startswith(sml.BEGIN, start):
        return None if sml.BEGIN.startswith(data[start:]) else 0
    place = start + len(sml.BEGIN)
    while (place := data.find(sml.ESCAPE, place)) >= 0:
        if data[place + 4 : place + 8] == sml.ESCAPE:
            place += 8
        elif len(data) < place + 8:
            return None
        else:
            return place + 8 - start if data[place + 4] == sml.END else 0
    return None


def _d0_size(data: bytes, start: int) -> int | None:
    """Length of a readout, with its check where it has one."""
    end = d0.END.search(data, start)
    if end is None or not end[0].endswith(b"\n"):
        return None
    if data.find(d0.STX, start, end.start()) < 0:
        return end.end() - start
    if len(data) < end.end() + 2:
        return None
    return end.end() + 2 - start if data[end.end()] == d0.ETX else 0
