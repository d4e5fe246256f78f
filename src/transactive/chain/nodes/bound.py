"""Our contracts as web3.py binds them, each once a process: it takes 10 to 20 ms to go through an ABI."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract import Contract

from transactive.chain.artifact import artifact
from transactive.chain.releases import abi_of


@lru_cache(maxsize=1024)
def bound(name: str, version: str | None, address: ChecksumAddress) -> Contract:
    """Contract of a released version ("" or None: of this program) at an address; it knows no node, and asks none."""
    return _web3().eth.contract(address=address, abi=abi_of(name, version))


def construction(name: str, *arguments: Any) -> str:  # noqa: ANN401 - as the ABI says
    """Data of the transaction that deploys a contract of this version, 0x-hex."""
    return str(_factory(name).constructor(*arguments).data_in_transaction)


@cache
def _factory(name: str) -> Any:  # noqa: ANN401 - web3's type lacks what it has
    made = artifact(name)
    return _web3().eth.contract(abi=made.abi, bytecode=made.bytecode)


@cache
def _web3() -> Web3:
    return Web3(middleware=[])
