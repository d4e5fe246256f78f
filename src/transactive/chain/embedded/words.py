"""JSON-RPC words: how quantities, data and errors are written."""

from __future__ import annotations

INVALID_PARAMS = -32602
METHOD_NOT_FOUND = -32601
REFUSED = -32000
REVERTED = 3


class RpcError(Exception):
    """An error with a JSON-RPC code and, for a revert, the returned data as 0x-hex."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data


def quantity(value: int) -> str:
    """Number as 0x-hex without leading zeros."""
    return hex(value)


def data(value: bytes) -> str:
    """Bytes as 0x-hex."""
    return "0x" + value.hex()


def to_bytes(value: str | bytes) -> bytes:
    """Bytes of 0x-hex."""
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)


def to_int(value: str | int) -> int:
    """Number of a quantity; plain numbers pass."""
    return int(value, 16) if isinstance(value, str) else value
