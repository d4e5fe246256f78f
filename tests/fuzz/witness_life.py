"""A life of the witness: blocks signed by some, heads proved from states made here, freezes, signers that change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp
from trie.hexary import HexaryTrie

from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.witness import Block, WitnessTwin
from transactive.chain.embedded.chain import CHAIN_ID
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO, word
from transactive.core.proofs.signing import digest, domain, sign

PLACE, FAR = 1_036, 77
FINAL = keccak(b"FinalBlock(uint256 chainId,uint256 number,bytes32 hash)")


@dataclass(frozen=True)
class FarState:
    """A state of another chain: its header, and what leads to the head of a settlement's period."""

    header: bytes
    settlement: str
    period: int
    account: list[bytes]
    storage: list[bytes]

    @property
    def hash(self) -> bytes:
        return keccak(self.header)


class WitnessLife(Life):
    """A governor, four signers of whom some sign, and a stranger."""

    contract = "witness"

    def begin(self) -> Bound:
        self.now = 1_600_000_000
        governor, stranger = Person.named("owner"), Person.named("stranger")
        self.signing = [Person.named("member", number) for number in range(4)]
        self.people = [governor, *self.signing, stranger]
        self.governor, self.number = governor, 0
        first = {person.address for person in self.signing[:3]}
        self.twin = WitnessTwin(governor.address, first, 2, PLACE)
        self.far: list[tuple[int, FarState]] = []
        return Bound.deploy(self.machine, governor.address, "witness", governor.address, sorted(first), 2, PLACE)

    def move(self) -> Call | None:
        kinds = [self.note, self.prove, self.freeze, self.thaw, self.set_signer]
        return self.rng.choices(kinds, (6, 6, 1, 3 if self.twin.frozen else 1, 2))[0]()

    def state(self) -> FarState:
        """A state with a settlement among other accounts, and a head among other words."""
        rng = self.rng
        settlement, period = "0x" + rng.randbytes(20).hex(), rng.randrange(2**32)
        key = keccak(keccak(word(PLACE) + word(period)))
        storage, state = HexaryTrie({}), HexaryTrie({})
        for place in (key, *(rng.randbytes(32) for _ in range(rng.randrange(40)))):
            storage[place] = rlp.encode(rng.choice([rng.randbytes(32), rng.randbytes(31), rng.randbytes(1)]))
        account = keccak(bytes.fromhex(settlement[2:]))
        for who in (account, *(rng.randbytes(32) for _ in range(rng.randrange(40)))):
            state[who] = rlp.encode([b"\x01", b"", storage.root_hash, rng.randbytes(32)])
        fields = [rng.randbytes(32) for _ in range(3)] + [state.root_hash] + [rng.randbytes(256), b"\x05", b""]
        ways: list[Any] = [state.get_proof(account), storage.get_proof(key)]
        nodes = [[rlp.encode(node) for node in way] for way in ways]
        return FarState(rlp.encode(fields), settlement, period, *nodes)

    def signed(self, block: Block, person: Person) -> tuple[int, bytes, bytes]:
        separator = domain(b"TransActive Witness", CHAIN_ID, self.c.address)
        content = digest(separator, keccak(FINAL + word(block[0]) + word(block[1]) + block[2]))
        assert person.key is not None
        made = sign(content, bytes(person.key.key))
        return made[64], made[:32], made[32:64]

    def note(self) -> Call:
        rng = self.rng
        if self.far and rng.random() < 0.2:
            number, far = rng.choice(self.far)
        else:
            self.number += 1
            number, far = self.number, self.state()
            self.far.append((number, far))
        block = FAR, number, rng.choice([far.hash] * 19 + [ZERO])
        able = [person for person in self.signing if person.address in self.twin.signers]
        chosen = rng.choice([able, able, able[:2], able[:1], self.signing[2:]])
        if rng.random() < 0.95:
            chosen = sorted(chosen, key=lambda person: int(person.address, 16))
        given = (*block, [self.signed(block, person) for person in chosen])
        return Call(
            rng.choice(self.people), "note", given,
            lambda _: self.twin.note(block, [person.address for person in chosen]),
        )  # fmt: skip

    def prove(self) -> Call | None:
        if not self.far:
            return None
        rng = self.rng
        number, far = rng.choice(self.far[-12:])
        storage = rng.choice([far.storage] * 8 + [far.storage[:-1], far.account])
        period = far.period + (rng.random() < 0.05)
        given = FAR, number, far.header, far.settlement, far.account, period, storage
        return Call(rng.choice(self.people), "prove", given, lambda _: self.twin.prove(*given))

    def freeze(self) -> Call:
        rng = self.rng
        one = FAR, rng.randrange(50), rng.randbytes(32)
        other = (*one[:2], rng.choice([rng.randbytes(32), rng.randbytes(32), one[2]]))
        first, second = rng.choice([(person, person) for person in self.signing] + [(self.signing[0], self.signing[1])])
        given = *one, other[2], self.signed(one, first), self.signed(other, second)
        return Call(
            rng.choice(self.people), "freeze", given,
            lambda _: self.twin.freeze(one, other, first.address, second.address),
        )  # fmt: skip

    def thaw(self) -> Call:
        return Call(self.governor, "thaw", (), self.twin.thaw)

    def set_signer(self) -> Call:
        signer, wanted = self.rng.choice(self.signing).address, self.rng.random() < 0.6
        return Call(
            self.governor, "setSigner", (signer, wanted), lambda who: self.twin.set_signer(who, signer, wanted=wanted)
        )

    def check(self) -> None:
        self.equal("whether it is frozen", self.c.read("isFrozen"), self.twin.frozen)
        self.equal("how many signers there are", self.c.read("signers"), len(self.twin.signers))
        for person in self.signing:
            self.equal("who signs", self.c.read("isSigner", person.address), person.address in self.twin.signers)
        for number, _ in self.far[-5:]:
            self.equal("a noted hash", self.c.read("hashes", FAR, number), self.twin.hashes.get((FAR, number), ZERO))
        for key, block in list(self.twin.heads.items())[-5:]:
            self.equal("a proved head", self.c.read("headSeen", *key), block)
