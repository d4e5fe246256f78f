"""Keccak-256: the hash behind EIP-712 digests, addresses, and what contracts compute with `keccak256`.

A slot of 500 members takes some 4,000 of them, of a block or two each. The library that computes them sits beneath a
Python interface which makes several objects a hash and takes four times as long as the hash; so it is called directly,
on a state that is used again. Where it cannot be, the interface does it. Source: the Keccak reference, version 3.0,
padded with 0x01 as in the Ethereum yellow paper, appendix H.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from Crypto.Hash import keccak as interface
from eth_hash.auto import keccak as interface_of_chains

BYTES = 32
ROUNDS, PADDING = 24, 1


def _direct(library: Any, binding: Any) -> Callable[[bytes], bytes]:  # noqa: ANN401 - functions of C have no types
    """Hash by calls of the library. Each thread that is inside has a state of its own: the calls let others run."""
    start, absorb, finish = library.keccak_reset, library.keccak_absorb, library.keccak_digest
    free: list[tuple[Any, Any, Any]] = []

    def made() -> tuple[Any, Any, Any]:
        """State, buffer for a digest, and a view of it."""
        pointer, buffer = binding.VoidPointer(), binding.ffi.new("uint8_t[]", BYTES)
        if library.keccak_init(pointer.address_of(), 2 * BYTES, ROUNDS):
            raise MemoryError("no memory is left for a hash")
        return pointer.get(), buffer, binding.ffi.buffer(buffer)

    def keccak(data: bytes) -> bytes:
        try:
            own = free.pop()
        except IndexError:
            own = made()
        state, buffer, view = own
        start(state)
        absorb(state, data, len(data))
        finish(state, buffer, BYTES, PADDING)
        digest: bytes = view[:]
        free.append(own)
        return digest

    return keccak


def _chosen() -> Callable[[bytes], bytes]:
    """The direct way where the library is bound as we know it, else its interface."""
    try:
        direct = _direct(vars(interface)["_raw_keccak_lib"], import_module("Crypto.Util._raw_api"))
        trusted = direct(b"") == interface_of_chains(b"")
    except (ImportError, KeyError, AttributeError, TypeError):
        trusted = False
    return direct if trusted else interface_of_chains


keccak = _chosen()


def lend() -> None:
    """Let the interface that py-evm hashes through compute as this module does, in the whole process."""
    if keccak is not interface_of_chains:
        interface_of_chains.hasher = lambda in_data: keccak(bytes(in_data))
