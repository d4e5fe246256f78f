"""Proofs that a state holds what it holds: nodes of its tries from the root down. Source: EIP-1186."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp
from eth.abc import BlockHeaderAPI
from eth.db.backends.base import BaseAtomicDB
from trie.hexary import HexaryTrie

from transactive.chain.embedded.render import Json
from transactive.chain.embedded.words import data, to_bytes, to_int
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word


def proof_json(store: BaseAtomicDB, header: BlockHeaderAPI, address: str, places: Sequence[str]) -> Json:
    """What eth_getProof answers for an account and places of its storage, in the state after a header."""
    key, state = keccak(to_bytes(address)), HexaryTrie(store, header.state_root)
    held = state[key]
    storage = HexaryTrie(store, rlp.decode(held)[2]) if held else HexaryTrie(store)
    proofs = []
    for place in places:
        inside = keccak(word(to_int(place)))
        value: Any = rlp.decode(storage[inside]) if storage[inside] else b""
        proofs.append({"key": place, "value": data(value or b"\0"), "proof": _nodes(storage, inside)})
    return {"address": address, "accountProof": _nodes(state, key), "storageProof": proofs}


def _nodes(trie: HexaryTrie, key: bytes) -> list[str]:
    """Nodes on the way to a key, as RLP."""
    return [data(rlp.encode(node)) for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]
