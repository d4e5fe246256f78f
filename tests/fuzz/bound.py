"""Contracts on a machine, and who calls them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

from tests.fuzz.machine import Machine
from transactive.chain.artifact import artifact, source
from transactive.chain.keys.keys import DemoKeys

KEYS = DemoKeys("fuzz")
NUMBER = {"uint256"}
NOBODY = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an ABI: its selector, the types that go in and come out, and whether it changes anything."""

    selector: bytes
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    writes: bool


class Bound:
    """A contract at an address. Arguments and results as in the ABI; addresses are lower-case text."""

    def __init__(self, machine: Machine, name: str, address: str, abi: Sequence[dict[str, Any]]) -> None:
        self.machine, self.name, self.address = machine, name, address
        self.functions = {entry["name"]: _function(entry) for entry in abi if entry["type"] == "function"}

    @classmethod
    def deploy(cls, machine: Machine, sender: str, name: str, *arguments: Any) -> Bound:
        """One of our contracts, made anew."""
        made = artifact(name)
        return cls.deploy_code(machine, sender, name, made.bytecode, made.abi, *arguments)

    @classmethod
    def deploy_code(
        cls, machine: Machine, sender: str, name: str, code: str, abi: Sequence[dict[str, Any]], *arguments: Any
    ) -> Bound:
        """Any contract, made anew from its init code in hex."""
        maker = [entry for entry in abi if entry["type"] == "constructor"]
        takes = [_type(given) for given in maker[0]["inputs"]] if maker else []
        whole = bytes.fromhex(code.removeprefix("0x")) + encode(takes, arguments)
        return cls(machine, name, machine.deploy(sender, whole), abi)

    def data(self, function: str, arguments: Sequence[Any]) -> bytes:
        """Call data."""
        called = self.functions[function]
        if set(called.takes) <= NUMBER:  # the codec takes twenty times as long
            return called.selector + b"".join(int(number).to_bytes(32, "big") for number in arguments)
        return called.selector + encode(called.takes, arguments)

    def do(self, sender: str, function: str, *arguments: Any, value: int = 0) -> None:
        """Call it. Raises ContractRevert."""
        self.machine.call(sender, self.address, self.data(function, arguments), value)

    def read(self, function: str, *arguments: Any) -> Any:
        """Result of a view; a tuple if it has several."""
        gives = self.functions[function].gives
        output = self.machine.call(NOBODY, self.address, self.data(function, arguments))
        if set(gives) <= NUMBER and len(gives) == 1:
            return int.from_bytes(output, "big")
        found = decode(gives, output)
        return found[0] if len(found) == 1 else found


def _type(given: dict[str, Any]) -> str:
    kind = str(given["type"])
    if not kind.startswith("tuple"):
        return kind
    return "(" + ",".join(_type(part) for part in given["components"]) + ")" + kind.removeprefix("tuple")


def _function(entry: dict[str, Any]) -> Function:
    takes = tuple(_type(given) for given in entry["inputs"])
    selector = keccak(text=f"{entry['name']}({','.join(takes)})")[:4]
    writes = entry["stateMutability"] in ("nonpayable", "payable")
    return Function(selector, takes, tuple(_type(given) for given in entry["outputs"]), writes)


@cache
def locked_functions(contract: str) -> frozenset[str]:
    """Functions that hold the reentrancy lock, and so refuse to be called from inside each other."""
    return frozenset(re.findall(r"@nonreentrant\ndef (\w+)\(", source(contract)))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who calls: the name of the role, the address, and the key where there is one."""

    role: str
    address: str
    key: LocalAccount | None = None

    @classmethod
    def named(cls, role: str, number: int | None = None) -> Person:
        """Person with the key of this role, or of account `number`."""
        key = KEYS._derive(f"role {role}") if number is None else KEYS.account(number)
        return cls(role, str(key.address).lower(), key)
