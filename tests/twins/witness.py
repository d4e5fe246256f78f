"""Contract `witness` in plain Python: blocks that signers vouch for, heads proved from them, leaves under heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import rlp

from transactive.chain.commitments import Opening
from transactive.chain.twins.refusals import refusals
from transactive.core.errors import ContractRevert
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.leaves import Leaf, Step, parent_hash
from transactive.core.proofs.merkle import ZERO, word

refuse_unless = refusals("witness")
MOST_SIGNERS = 16
Block = tuple[int, int, bytes]
"""Chain, number and hash."""


@dataclass(slots=True)
class WitnessTwin:
    """Who signs by address; hashes by chain and number; heads by chain, settlement, period and head."""

    governor: str
    signers: set[str]
    threshold: int
    place: int
    frozen: bool = False
    hashes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    heads: dict[tuple[int, str, int, bytes], int] = field(default_factory=dict)

    def set_signer(self, by: str, signer: str, *, wanted: bool) -> None:
        refuse_unless(by == self.governor, "not the governor")
        refuse_unless((signer in self.signers) != wanted, "bad signer")
        if wanted:
            refuse_unless(len(self.signers) < MOST_SIGNERS, "too many signers")
            self.signers.add(signer)
        else:
            refuse_unless(len(self.signers) > self.threshold, "too few signers")
            self.signers.remove(signer)

    def thaw(self, by: str) -> None:
        refuse_unless(by == self.governor, "not the governor")
        refuse_unless(self.frozen, "not frozen")
        self.frozen = False

    def note(self, block: Block, signed_by: Sequence[str]) -> None:
        """signed_by: who each signature is of, in their order."""
        refuse_unless(not self.frozen, "frozen")
        refuse_unless(block[2] != ZERO, "no hash")
        refuse_unless(block[:2] not in self.hashes, "noted already")
        numbers = [int(one, 16) for one in signed_by]
        fits = set(signed_by) <= self.signers and sorted(set(numbers)) == numbers
        refuse_unless(fits, "bad signature")
        refuse_unless(len(signed_by) >= self.threshold, "too few signatures")
        self.hashes[block[:2]] = block[2]

    def freeze(self, one: Block, other: Block, first: str, second: str) -> None:
        refuse_unless(not self.frozen, "frozen")
        refuse_unless(one[2] != other[2], "one hash")
        refuse_unless(first in self.signers and first == second, "bad signature")
        self.frozen = True

    def prove(
        self, chain: int, number: int, header: bytes, settlement: str, account: list[bytes], period: int,
        storage: list[bytes],
    ) -> bytes:  # fmt: skip
        refuse_unless(not self.frozen, "frozen")
        refuse_unless(self.hashes.get((chain, number)) == keccak(header), "not that block")
        who: Any = rlp.decode(value_of(rlp.decode(header)[3], keccak(bytes.fromhex(settlement[2:])), account))
        found: Any = rlp.decode(value_of(who[2], keccak(keccak(word(self.place) + word(period))), storage))
        key = chain, settlement, period, bytes(found).rjust(32, b"\x00")
        refuse_unless(key not in self.heads, "proved already")
        self.heads[key] = number + 1
        return key[3]

    def leaf_seen(
        self, chain: int, settlement: str, period: int, opening: Opening, index: int, leaf: Leaf, proof: list[Step]
    ) -> int:  # fmt: skip
        node, place, sums = leaf.hash, 2 * index, (leaf.money, leaf.energy)
        for hash_, money, energy, own_money, own_energy in proof:
            if sums != (own_money, own_energy):
                return 0
            mine, beside = (node, own_money, own_energy), (hash_, money, energy)
            node = parent_hash(*((mine, beside) if place % 2 == 0 else (beside, mine)))
            sums, place = (own_money + money, own_energy + energy), place // 2
        made = opening.commitment
        if leaf.index != index or (node, *sums) != (made.root, made.money, made.energy):
            return 0
        if leaf.slot % 2**64 != made.slot:
            return 0
        head = opening.head
        for later in opening.later:
            head = keccak(head + later)
        return self.heads.get((chain, settlement, period, head), 0)


def value_of(root: bytes, key: bytes, nodes: list[bytes]) -> bytes:
    """What a Merkle-Patricia tree holds under a hashed key. Raises ContractRevert where the nodes do not lead there."""
    nibbles, wanted = key.hex(), root
    for raw in nodes:
        refuse_unless(keccak(raw) == wanted, "bad proof")
        node: Any = rlp.decode(raw)
        if len(node) == 17:
            wanted, nibbles = node[int(nibbles[0], 16)], nibbles[1:]
            continue
        path = node[0].hex()
        part = path[1:] if path[0] in "13" else path[2:]
        refuse_unless(nibbles.startswith(part), "bad proof")
        nibbles = nibbles[len(part) :]
        if path[0] in "23":
            refuse_unless(not nibbles, "bad proof")
            return bytes(node[1])
        wanted = node[1]
    raise ContractRevert("witness: bad proof")
