"""From a stream of bytes to whole messages: where each kind begins and ends, and nothing of what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

MOST = 65_536
"""Bytes that are kept of a message without an end; then they are thrown away."""
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
