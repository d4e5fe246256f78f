"""Revert reasons: the "module: reason" in what a contract returned or a node reported."""

from __future__ import annotations

import re

from transactive.chain.artifact import CONTRACTS, MODULES

ERROR_STRING = bytes.fromhex("08c379a0")
UNKNOWN = "reverted without a reason"
_REASON = re.compile(rf"\b((?:{'|'.join(CONTRACTS + MODULES)}): [^'\")>\n]+)")


def reason_in(output: bytes) -> str:
    """Text of an `Error(string)` that a call returned; empty for anything else."""
    if output[:4] != ERROR_STRING or len(output) < 4 + 64:
        return ""
    length = int.from_bytes(output[36:68], "big")
    return output[68 : 68 + length].decode("utf-8", "replace")


def reason_of(message: str) -> str:
    """The contract's own reason in a node's error message; empty if there is none."""
    found = _REASON.search(message)
    return found.group(1).strip() if found else ""
