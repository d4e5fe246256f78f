"""Evidence as the disputes contract takes it: arguments of its functions, made from leaves, proofs and signed words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from transactive.chain.packing import CHUNK_ACCOUNTS
from transactive.core.certificates import bundle_words
from transactive.core.proofs.corrections import Corrections, line_hash, line_words
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.leaves import Leaf, Step
from transactive.core.proofs.merkle import ZERO, Tree, word
from transactive.core.proofs.signed_orders import Fills, Grant, Order, SignedOrder, split

BLANK = Leaf(0, 0, 0, 0, 0, 0, ZERO, ZERO, ZERO)
NO_GRANT = Grant(0, "0x" + "00" * 20, 0, 0, 0, 0)
NO_ORDER = Order(0, 0, 0, (), ())

Argument = Any
"""Value as web3 encodes it by the ABI."""


def shown(index: int, leaf: Leaf | None, proof: Sequence[Step]) -> Argument:
    """Leaf of an account with its proof; None shows that nothing is there."""
    return index, leaf is None, (leaf or BLANK).content, list(proof)


def net_of(index: int, chunks: Sequence[Sequence[int]]) -> tuple[bytes, list[int], list[bytes]]:
    """The chunk with an account's net amount, the chain of hashes before it, and the hashes after it.

    For judges from before there were parts; those of today read the net amount from the settlement.
    """
    number, before = index // CHUNK_ACCOUNTS, ZERO
    hashes = [keccak(b"".join(map(word, (k, *chunk)))) for k, chunk in enumerate(chunks)]
    for earlier in hashes[:number]:
        before = keccak(before + earlier)
    return before, list(chunks[number]), hashes[number + 1 :]


def entries(accepted: Sequence[SignedOrder]) -> Argument:
    """All accepted orders of a leaf."""
    return [one.entry for one in accepted]


def trade(accepted: Sequence[SignedOrder], fills: Fills) -> tuple[Argument, ...]:
    """Accepted orders, content of the last one and of its grant, purchases and sales."""
    last = accepted[-1] if accepted else None
    order, grant = (last.order, last.grant or NO_GRANT) if last else (NO_ORDER, NO_GRANT)
    return entries(accepted), order.content, grant.content, list(fills.buys), list(fills.sells)


def record(rest: bytes, bundles: Sequence[Sequence[int]]) -> tuple[bytes, list[int]]:
    """Bundles of a member (device, first Wh, Wh, owner, state, mg) with the hash of what else is in its record."""
    words = bundle_words(np.array(bundles, np.int64).reshape(-1, 6))
    return rest, [int.from_bytes(row.tobytes(), "big") for row in words]


def reading(tree: Tree, meters: int, index: int, sums: int, signature: bytes) -> Argument:
    """One meter's registers in the tree that a gateway signed."""
    steps = [(int.from_bytes(step[0], "big"), step[1]) for step in tree.proof(index)]
    return meters, tree.root, tree.totals, sums, steps, split(signature)


def corrections(lines: Corrections, place: int) -> Any:  # noqa: ANN401 - as the ABI says
    """All lines of one member by their hashes, and the one in a place."""
    pairs = [(row, bytes(s)) for row, s in zip(lines.rows.tolist(), lines.signature.tolist(), strict=True)]
    *numbers, r, s, v = line_words(*pairs[place])[1:]
    return [line_hash(*pair) for pair in pairs], place, (*numbers, word(r), word(s), v)
