"""A settlement on one chain, a witness of it on another, and the twin of that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp
from trie.hexary import HexaryTrie

from tests.contract.world import MEMBERS, OWNER, STRANGER, World, new_client, refused
from tests.twins.witness import Block, WitnessTwin
from transactive.chain.artifact import artifact
from transactive.core.errors import ContractRevert
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signing import digest, domain, sign

SIGNERS = sorted(MEMBERS[:3], key=lambda key: int(key.address, 16))
OUTSIDER = MEMBERS[5]
PLACE = artifact("settlement").storage["heads"]
FINAL = keccak(b"FinalBlock(uint256 chainId,uint256 number,bytes32 hash)")
CHAIN = 31_337
FAR = 4_242
"""Name of the witnessed chain, so that both differ."""


def proof_of(world: World, period: int) -> tuple[int, bytes, list[bytes], list[bytes]]:
    """Number and header of the newest block, and the nodes that lead to the head of a period."""
    chain = world.anchored.chain
    header, address = chain.head, bytes.fromhex(world.c.address[2:])
    state = HexaryTrie(chain._store, header.state_root)
    account = state.get_proof(keccak(address))
    storage = HexaryTrie(chain._store, rlp.decode(state[keccak(address)])[2])
    held = storage.get_proof(keccak(keccak(word(PLACE) + word(period))))
    return header.block_number, rlp.encode(header), *([rlp.encode(node) for node in way] for way in (account, held))


@dataclass
class Witnessed:
    """A settlement on one chain, the witness on another, and its twin."""

    world: World
    client: Any
    c: Any
    twin: WitnessTwin
    now: int = 1_000

    @classmethod
    def fresh(cls, world: World | None = None, threshold: int = 2) -> Witnessed:
        """A new witness. world: what it shall witness."""
        client = new_client()
        names = [key.address for key in SIGNERS]
        c = client.deploy(OWNER, "witness", OWNER.address, names, threshold, PLACE)
        client.block(1_000)
        return cls(world or World.fresh(), client, c, WitnessTwin(OWNER.address, set(names), threshold, PLACE))

    def signed(self, block: Block, key: Any, chain: int = CHAIN) -> tuple[int, bytes, bytes]:
        struct = keccak(FINAL + word(block[0]) + word(block[1]) + block[2])
        made = sign(digest(domain(b"TransActive Witness", chain, self.c.address), struct), bytes(key.key))
        return made[64], made[:32], made[32:64]

    def do(self, key: Any, mirror: Any, function: str, *arguments: Any) -> int:
        """Call both; what one refuses, the other refuses with the same words. Returns the gas."""
        self.now += 7
        said = None
        try:
            mirror()
        except ContractRevert as error:
            said = str(error)
        if said is not None:
            with refused(said):
                self.send(key, function, *arguments)
            raise ContractRevert(said)
        return self.send(key, function, *arguments)

    def send(self, key: Any, function: str, *arguments: Any) -> int:
        """Call the contract. Returns the gas."""
        self.client.send(key, self.c, function, *arguments)
        return int(self.client.block(self.now).receipts[-1].gas_used)

    def note(self, block: Block, *keys: Any) -> int:
        signatures = [self.signed(block, key) for key in keys]
        mirror = lambda: self.twin.note(block, [key.address for key in keys])  # noqa: E731 - one place
        return self.do(STRANGER, mirror, "note", *block, signatures)

    def freeze(self, one: Block, other: Block, first: Any, second: Any) -> int:
        made = self.signed(one, first), self.signed(other, second)
        mirror = lambda: self.twin.freeze(one, other, first.address, second.address)  # noqa: E731 - one place
        return self.do(STRANGER, mirror, "freeze", *one, other[2], *made)

    def prove(self, number: int, header: bytes, account: list[bytes], storage: list[bytes], **changes: Any) -> int:
        settlement = changes.get("settlement", self.world.c.address)
        period = changes.get("period", self.world.period)
        given = FAR, number, header, settlement, account, period, storage
        return self.do(STRANGER, lambda: self.twin.prove(*given), "prove", *given)

    def seen(self, index: int, position: int, **changes: Any) -> int:
        """What both say of a member's leaf."""
        w, opening = self.world, changes.get("opening") or self.world.opening(position)
        shown = w.shown(index, position, **changes)
        settlement = changes.get("settlement", w.c.address)
        period = changes.get("period", w.period)
        said = int(self.client.read(self.c, "leafSeen", FAR, settlement, period, opening.content, shown))
        leaf = changes.get("leaf") or w.trees[w.chain[position].slot].leaf(index)
        assert said == self.twin.leaf_seen(FAR, settlement, period, opening, index, leaf, shown[3])
        return said
