"""Contracts of released versions, known by their code: what their functions take and give.

A chain keeps the contracts that were deployed on it, so that a later program meets older ones. For each released
version whose contracts have changed since, `artifacts/VERSION` holds the ABI, and length and hash of the code in front
of its immutables.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, cast

import msgspec
from eth_typing import ABIElement
from eth_utils.abi import abi_to_signature
from eth_utils.crypto import keccak

from transactive.chain.artifact import artifact

RELEASES = ("0.1",)
"""Newest first."""


class ReleasedContract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contract of a released version.

    runtime_bytes, runtime_keccak: length and keccak-256 (0x-hex) of its code without the immutables behind it.
    """

    name: str
    runtime_bytes: int
    runtime_keccak: str
    abi: list[dict[str, Any]]


@cache
def released(version: str, name: str) -> ReleasedContract | None:
    """Contract of a released version; None if that version had none of this name."""
    file = files("transactive.chain") / "artifacts" / version / f"{name}.json"
    return msgspec.json.decode(file.read_bytes(), type=ReleasedContract) if file.is_file() else None


def version_of(name: str, code: bytes) -> str | None:
    """Version whose contract of this name has this code: "" for today's, None if it is nobody's of ours.

    Vyper puts immutables behind the code that it compiled, so that only the beginning is compared.
    """
    runtime = bytes.fromhex(artifact(name).runtime[2:])
    if code[: len(runtime)] == runtime:
        return ""
    for version, made in _released(name):
        if "0x" + keccak(code[: made.runtime_bytes]).hex() == made.runtime_keccak:
            return version
    return None


def has_function(code: bytes, signature: str) -> bool:
    """Whether deployed code of ours has a function, as in "depositFor(address,uint256)": also code of no release."""
    return keccak(text=signature)[:4] in code


def states_substituted(code: bytes) -> bool:
    """Whether a settlement's commitments state what of a period nobody has metered."""
    return keccak(text="SlotCommitted(uint256,uint256,bytes32,bytes32,uint256,uint256)") in code


def is_as_today(name: str, function: str, code: bytes) -> bool:
    """Whether deployed code has a function with the parameters that it has in today's contract of this name."""
    made = (entry for entry in artifact(name).abi if entry.get("name") == function)
    return has_function(code, abi_to_signature(cast("ABIElement", next(made))))


def abi_of(name: str, version: str | None) -> list[dict[str, Any]]:
    """ABI of a contract of a released version; today's of code that is unknown, or of this program ("")."""
    made = released(version, name) if version else None
    return made.abi if made else artifact(name).abi


def _released(name: str) -> Iterator[tuple[str, ReleasedContract]]:
    """What released versions had under a name."""
    for version in RELEASES:
        if made := released(version, name):
            yield version, made
