"""What is asked of our contracts and what they answer; and the code that reads many words in one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth_abi.exceptions import DecodingError, ValueOutOfBounds
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types, get_abi_output_types
from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.contract import Contract

from transactive.core.errors import ChainError, InputError

MOST_WORDS = 512
"""Words that `reader` reads at once: what it gives back must be no longer than a contract may be (EIP-170)."""


@dataclass(frozen=True, slots=True)
class _Function:
    """How a function is called: its selector, and what it takes and gives, types and whole descriptions."""

    selector: bytes
    takes: list[str]
    gives: list[str]
    outputs: Sequence[Any]


Known = dict[tuple[str, int], _Function]
"""Functions of a contract, by name and number of inputs."""


class CallData:
    """Encodes calls as web3.py does; remembers the functions of each contract, which that one searches every time."""

    def __init__(self, web3: Web3) -> None:
        self._codec = web3.codec

    def of(self, contract: Contract, function: str, arguments: Sequence[Any]) -> str:
        """Call data, 0x-hex. Raises KeyError for a function that the contract has not, InputError for its numbers."""
        known = _functions(contract)[function, len(arguments)]
        try:
            return "0x" + (known.selector + self._codec.encode(known.takes, arguments)).hex()
        except ValueOutOfBounds as error:
            raise InputError(
                f"{function}: a number, or a time, is below zero or too large for it; correct it"
            ) from error

    def result(self, contract: Contract, function: str, count: int, answer: bytes) -> Any:  # noqa: ANN401 - as the ABI says
        """What a function of `count` inputs gave: one value, or all of them. Raises ChainError for anything else."""
        known = _functions(contract)[function, count]
        try:
            decoded = self._codec.decode(known.gives, answer)
        except DecodingError as error:
            raise ChainError(
                f"{function} at {contract.address} gave {len(answer)} bytes that are not its result; "
                "check that the contract is on this chain"
            ) from error
        values = [_shown(output, value) for output, value in zip(known.outputs, decoded, strict=True)]
        return values[0] if len(values) == 1 else values

    def reader(self, contract: Contract, function: str, first: int, end: int) -> str:
        """Init code, 0x-hex, that gives back `function(first)`, …, `function(end − 1)` of a contract, a word each.

        A node executes it in `eth_call` without keeping anything: many views in one request, and no contract for it.
        At most `MOST_WORDS`. It fails where one of the views does.
        """
        known = _functions(contract)[function, 1]
        return "0x" + _reading(contract.address, known.selector, first, end).hex()


@lru_cache(maxsize=1024)
def _functions(contract: Contract) -> Known:
    """Functions of a contract; ours have no two of one name with as many inputs."""
    return {
        (element["name"], len(element["inputs"])): _Function(
            bytes(function_abi_to_4byte_selector(element)),
            get_abi_input_types(element),
            get_abi_output_types(element),
            element["outputs"],
        )
        for element in contract.abi
        if element["type"] == "function"
    }


def _shown(output: Any, value: Any) -> Any:  # noqa: ANN401 - as the ABI says
    """Value of an output, with addresses in the spelling that everybody compares. Source: EIP-55."""
    if (kind := str(output["type"])).endswith("]"):
        one = {**output, "type": kind.rpartition("[")[0]}
        return tuple(_shown(one, given) for given in value)
    if output["type"] == "address":
        return to_checksum_address(value)
    if output["type"] == "tuple":
        return tuple(_shown(part, given) for part, given in zip(output["components"], value, strict=True))
    return value


def _reading(address: str, selector: bytes, first: int, end: int) -> bytes:
    """Loop over the arguments: memory holds selector and argument in its first 36 bytes, the words from 64 on.

    Source of the opcodes: Ethereum Yellow Paper, appendix H; none is younger than Byzantium, for the oldest chains.
    """
    number = (first.to_bytes(2, "big"), end.to_bytes(2, "big"), (32 * (end - first)).to_bytes(2, "big"))
    start, stop, size = (b"\x61" + part for part in number)  # PUSH2
    head = b"\x7f" + selector.ljust(32, b"\0") + b"\x60\x00\x52" + start  # mstore(0, selector); stack: argument
    out = b"\x80" + start + b"\x90\x03\x60\x20\x02\x60\x40\x01"  # 64 + 32 * (argument - first)
    call = b"\x60\x20\x90\x60\x24\x60\x00\x73" + bytes.fromhex(address[2:]) + b"\x5a\xfa"  # staticcall(gas, …)
    loop = b"\x5b\x80\x60\x04\x52" + out + call  # mstore(4, argument)
    again = b"\x60\x01\x01\x80" + stop + b"\x11\x60" + bytes([len(head)]) + b"\x57"  # argument += 1; jumpi(loop, …)
    done = again + size + b"\x60\x40\xf3"  # return(64, size)
    failed = len(head) + len(loop) + 4 + len(done)
    check = b"\x15\x60" + bytes([failed]) + b"\x57"  # jumpi(failed, iszero(…))
    return head + loop + check + done + b"\x5b\x60\x00\x60\x00\xfd"  # revert(0, 0)
