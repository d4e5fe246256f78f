"""What is asked of our contracts: call data, and the code that reads many words in one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types
from web3 import Web3
from web3.contract import Contract

MOST_WORDS = 512
"""Words that `reader` reads at once: what it gives back must be no longer than a contract may be (EIP-170)."""

Known = dict[tuple[str, int], tuple[bytes, list[str]]]
"""Selector and types of the inputs, by name and number of inputs."""


class CallData:
    """Encodes calls as web3.py does; remembers the functions of each contract, which that one searches every time."""

    def __init__(self, web3: Web3) -> None:
        self._codec = web3.codec
        self._known: WeakKeyDictionary[Contract, Known] = WeakKeyDictionary()

    def of(self, contract: Contract, function: str, arguments: Sequence[Any]) -> str:
        """Call data, 0x-hex. Raises KeyError for a function that the contract does not have."""
        selector, types = self._functions(contract)[function, len(arguments)]
        return "0x" + (selector + self._codec.encode(types, arguments)).hex()

    def reader(self, contract: Contract, function: str, first: int, end: int) -> str:
        """Init code, 0x-hex, that gives back `function(first)`, …, `function(end − 1)` of a contract, a word each.

        A node executes it in `eth_call` without keeping anything: many views in one request, and no contract for it.
        At most `MOST_WORDS`. It fails where one of the views does.
        """
        selector, _ = self._functions(contract)[function, 1]
        return "0x" + _reading(contract.address, selector, first, end).hex()

    def _functions(self, contract: Contract) -> Known:
        """Functions of a contract; ours have no two of one name with as many inputs."""
        if contract not in self._known:
            self._known[contract] = {
                (element["name"], len(element["inputs"])): (
                    bytes(function_abi_to_4byte_selector(element)),
                    get_abi_input_types(element),
                )
                for element in contract.abi
                if element["type"] == "function"
            }
        return self._known[contract]


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
