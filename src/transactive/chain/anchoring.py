"""Heads of communities' own chains on another one: noted there, kept as a file, and looked up again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.community.validation import explained
from transactive.core.errors import InputError
from transactive.core.proofs.anchors import ChainHead, HeadTree, root_of
from transactive.core.proofs.signed_orders import ADDRESS

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount
    from web3.contract import Contract

    from transactive.chain.nodes.client import ChainClient

WORD = re.compile("0x[0-9a-fA-F]{64}")
CONTENT = "`chain anchor` writes it"


class HeadFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A block of a community's own chain, and the salt that hides it in what is noted."""

    chain_id: int
    settlement: str
    number: int
    hash: str
    salt: str

    @property
    def content(self) -> ChainHead:
        """The head."""
        hash_, salt = bytes.fromhex(self.hash[2:]), bytes.fromhex(self.salt[2:])
        return ChainHead(self.chain_id, self.settlement, self.number, hash_, salt)


class AnchorFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a head is noted: chain, contract, publisher; way: siblings from its leaf up to the root."""

    chain_id: int
    contract: str
    publisher: str
    way: list[str]
    head: HeadFile

    @property
    def siblings(self) -> list[bytes]:
        """The way."""
        return [bytes.fromhex(one[2:]) for one in self.way]

    @property
    def root(self) -> bytes:
        """What the publisher noted."""
        return root_of(self.head.content.leaf, self.siblings)


def anchor(client: ChainClient, key: LocalAccount, contract: Contract, heads: Sequence[ChainHead]) -> list[AnchorFile]:
    """Queue the root over heads, and say for each where it will be found. Raises InputError for none or one twice."""
    tree = HeadTree(head.leaf for head in heads)
    client.send(key, contract, "anchor", tree.root)
    return [
        AnchorFile(
            chain_id=client.chain_id,
            contract=str(contract.address),
            publisher=str(key.address),
            way=["0x" + one.hex() for one in tree.way(head.leaf)],
            head=HeadFile(
                chain_id=head.chain_id,
                settlement=head.settlement,
                number=head.number,
                hash="0x" + head.hash.hex(),
                salt="0x" + head.salt.hex(),
            ),
        )
        for head in heads
    ]


def newest_head(client: ChainClient, settlement: str, salt: bytes) -> ChainHead:
    """Newest block of a chain."""
    number = client.height
    return ChainHead(client.chain_id, settlement, number, client.hash_of(number), salt)


def anchored_in(client: ChainClient, file: AnchorFile) -> tuple[int, int]:
    """Number and time [Unix s] of the block that notes a head.

    Raises InputError where none does, or where the file names another contract: that could say whatever it likes.
    """
    from eth_utils.address import to_checksum_address

    from transactive.chain.releases import version_of

    if client.chain_id != file.chain_id:
        raise InputError(
            f"the head is anchored on chain {file.chain_id}, not {client.chain_id}; give a node of that one"
        )
    contract = client.contract("anchors", to_checksum_address(file.contract))
    if version_of("anchors", client.code(contract.address)) is None:
        raise InputError(
            f"the contract at {file.contract} is not that of anchors, so what it says shows nothing; ask for an anchor"
            " that `chain anchor` made"
        )
    publisher = to_checksum_address(file.publisher)
    block, time = client.read(contract, "anchoredIn", publisher, file.head.content.leaf, file.siblings)
    if not block:
        raise InputError("no block of that chain notes this head; ask who published it for the file of its anchor")
    return int(block), int(time)


def load_anchor(path: Path) -> AnchorFile:
    """Read a file. Raises InputError naming the field that is wrong."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=AnchorFile)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {CONTENT}") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {explained(str(error), AnchorFile)}; {CONTENT}") from None
    texts = {"contract": (found.contract, ADDRESS), "publisher": (found.publisher, ADDRESS)}
    texts |= {"head.settlement": (found.head.settlement, ADDRESS)}
    texts |= {"head.hash": (found.head.hash, WORD), "head.salt": (found.head.salt, WORD)}
    texts |= {f"way[{place}]": (one, WORD) for place, one in enumerate(found.way)}
    for name, (text, pattern) in texts.items():
        if not pattern.fullmatch(text):
            raise InputError(f"{path}: {name} is not what an anchor has there; {CONTENT}")
    if min(found.head.number, found.head.chain_id) < 0:
        raise InputError(f"{path}: head.number and head.chain_id are counts; {CONTENT}")
    return found
