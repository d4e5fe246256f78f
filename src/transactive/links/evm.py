"""Views of contracts, read from a node of an EVM chain by JSON-RPC: for a box, which has no library of a chain.

Source: Ethereum execution API, `eth_call` and `eth_chainId`; Solidity's ABI for numbers and addresses, a word each.
"""

from __future__ import annotations

from typing import Any

import msgspec

from transactive.core.errors import InputError, NodeUnreachable
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import WORD, word
from transactive.links.addresses import scheme_of, web_parts
from transactive.links.http import HttpClient

MOST = 100_000
"""Bytes of an answer."""
PATIENCE_SECONDS = 15


class EvmNode:
    """A node at http(s)://[USER:PASSWORD@]HOST[:PORT][/PATH][?QUERY]."""

    def __init__(self, url: str, patience: float = PATIENCE_SECONDS) -> None:
        """patience: until an answer has to be whole [s]. Raises InputError for another address."""
        parts = web_parts(url)
        if scheme_of(url) not in ("http", "https"):
            raise InputError(
                f"{parts.hostname}: a box reads a chain over HTTP; write http://HOST:8545 or https://HOST/KEY"
            )
        self._place = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        self._client, self._host = HttpClient(f"{parts.scheme}://{parts.netloc}", "", patience), parts.hostname

    def chain_id(self) -> int:
        """EIP-155 number of the chain. Raises NodeUnreachable."""
        return int.from_bytes(self._ask("eth_chainId", []), "big")

    def view(self, contract: str, view: str, *arguments: int) -> int:
        """Answer of one word of a contract (address) to a view such as "heads(uint256)". Raises NodeUnreachable."""
        data = keccak(view.encode())[:4] + b"".join(map(word, arguments))
        answer = self._ask("eth_call", [{"to": contract, "data": "0x" + data.hex()}, "latest"])
        if len(answer) != WORD:
            raise NodeUnreachable(
                f"{self._host}: no contract of a market at {contract} says {view}; is it the right chain?"
            )
        return int.from_bytes(answer, "big")

    def _ask(self, method: str, parameters: list[Any]) -> bytes:
        """Bytes that a node answers. Raises NodeUnreachable where it does not, or says why not."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        try:
            said = self._client.ask(self._place, MOST, msgspec.json.encode(asked))
            answer = msgspec.json.decode(said, type=dict[str, Any])
            digits = answer["result"].removeprefix("0x")
            return bytes.fromhex("0" * (len(digits) % 2) + digits)
        except OSError as error:
            raise NodeUnreachable(f"{self._host}: does not answer ({error}); the chain is asked again later") from None
        except (msgspec.MsgspecError, KeyError, AttributeError, ValueError):
            raise NodeUnreachable(f"{self._host}: does not answer {method} like a node of a chain") from None
