"""A settlement's heads on another chain: blocks that signers vouch for, and what is proved from them there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from transactive.core.community.validation import explained
from transactive.core.errors import InputError
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signing import digest, domain, sign

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract import Contract

    from transactive.chain.nodes.client import ChainClient

FINAL = keccak(b"FinalBlock(uint256 chainId,uint256 number,bytes32 hash)")
Address = Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}$", description="0x and 40 hexadecimal digits")]
Hash = Annotated[str, Meta(pattern="^0x[0-9a-f]{64}$", description="0x and 64 hexadecimal digits")]
Signature = Annotated[str, Meta(pattern="^0x[0-9a-f]{130}$", description="0x and 130 hexadecimal digits")]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
CONTENT = "`chain witness` writes it"


class SignedBlock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A block, and what signers signed of it for one witness: 65 bytes as 0x-hex, by address."""

    chain_id: Number
    number: Number
    hash: Hash
    signatures: dict[Address, Signature]

    @property
    def content(self) -> tuple[int, int, bytes]:
        """Chain, number and hash, as the contract takes them."""
        return self.chain_id, self.number, bytes.fromhex(self.hash[2:])

    @property
    def signed(self) -> list[tuple[int, bytes, bytes]]:
        """Signatures in the order of their addresses."""
        return [self.of(signer) for signer in sorted(self.signatures, key=lambda one: int(one, 16))]

    def of(self, signer: str) -> tuple[int, bytes, bytes]:
        """The signature of one."""
        made = bytes.fromhex(self.signatures[signer][2:])
        return made[64], made[:32], made[32:64]


class WitnessFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the head of a settlement's period is witnessed: chain and contract; and the block that it is of."""

    chain_id: Number
    contract: Address
    settlement: Address
    period: Number
    block: SignedBlock


def sign_block(
    there: ChainClient, contract: Contract, block: tuple[int, int, bytes], keys: Sequence[LocalAccount]
) -> SignedBlock:
    """Sign a block that is final, for a witness on the chain `there`."""
    separator = domain(b"TransActive Witness", there.chain_id, str(contract.address))
    content = digest(separator, keccak(FINAL + word(block[0]) + word(block[1]) + block[2]))
    signatures = {str(key.address): "0x" + sign(content, bytes(key.key)).hex() for key in keys}
    return SignedBlock(chain_id=block[0], number=block[1], hash="0x" + block[2].hex(), signatures=signatures)


def note(there: ChainClient, sender: LocalAccount, contract: Contract, block: SignedBlock) -> None:
    """Queue the noting of a signed block."""
    there.send(sender, contract, "note", *block.content, block.signed)


def prove(here: ChainClient, there: ChainClient, sender: LocalAccount, contract: Contract, file: WitnessFile) -> None:
    """Queue the proof of a period's head in a noted block. here: the chain of the settlement, with that state.

    Raises ChainError where its node gives no proofs.
    """
    place = keccak(word(int(there.read(contract, "place"))) + word(file.period))
    number = hex(file.block.number)
    header = bytes.fromhex(here.ask("debug_getRawHeader", number)[2:])
    found = here.ask("eth_getProof", file.settlement, ["0x" + place.hex()], number)
    account, storage = ([bytes.fromhex(one[2:]) for one in way] for way in (
        found["accountProof"], found["storageProof"][0]["proof"]
    ))  # fmt: skip
    block = file.block
    given = block.chain_id, block.number, header, file.settlement, account, file.period, storage
    there.send(sender, contract, "prove", *given)


def freeze(there: ChainClient, sender: LocalAccount, contract: Contract, one: SignedBlock, other: SignedBlock) -> str:
    """Queue evidence that one signer signed two hashes of a block; returns the signer. Raises InputError for none."""
    same = (one.chain_id, one.number) == (other.chain_id, other.number) and one.hash != other.hash
    both = sorted(one.signatures.keys() & other.signatures.keys())
    if not same or not both:
        raise InputError("the files do not show one signer with two hashes of one block; nothing was sent")
    given = *one.content, other.content[2], one.of(both[0]), other.of(both[0])
    there.send(sender, contract, "freeze", *given)
    return both[0]


def load_witness(path: Path) -> WitnessFile:
    """Read a file. Raises InputError naming the field that is wrong."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=WitnessFile)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {CONTENT}") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: {explained(str(error), WitnessFile)}; {CONTENT}") from None
