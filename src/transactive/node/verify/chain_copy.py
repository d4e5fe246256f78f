"""A copy of the market's own chain, whose every block this box executes itself: it has to believe nobody.

Needs the extra `chain`. What was executed once stays: a market cannot tell another history later.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.embedded.words import RpcError
from transactive.core.boxes.messages import ChainBlocks
from transactive.core.errors import DataError, NodeUnreachable
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import WORD, word

COPY_FILE = "chain-copy.sqlite"


class ChainCopy:
    """The copy in the folder of a box; answers as a node of the chain does. height: number of its newest block."""

    def __init__(self, folder: Path) -> None:
        """Open it, if there is one; it is begun by the first blocks. Raises StateError where it cannot be read."""
        self._path = folder / COPY_FILE
        self._chain = EmbeddedChain(self._path) if self._path.exists() else None

    def close(self) -> None:
        """Close the file."""
        if self._chain:
            self._chain.close()

    @property
    def height(self) -> int:
        """Number of the newest block, −1 before the first."""
        return self._chain.head.block_number if self._chain else -1

    def take(self, told: ChainBlocks) -> bool:
        """Execute blocks; whether there are more. Raises DataError for one that does not come out as it is told."""
        chain = self._chain = self._chain or self._begun(told)
        for number, block in enumerate(told.blocks, told.first):
            if number <= self.height:
                if chain.index.hash_of(number) != block.hash:
                    raise DataError(f"block {number} of the chain is told otherwise than it was before")
                continue
            if number > self.height + 1:
                break
            try:
                head = chain.mine(block.time, block.sent)
            except RpcError as error:
                raise DataError(f"block {number} of the chain cannot be: {error}") from None
            if head.hash != block.hash:
                raise DataError(f"block {number} of the chain does not come out as it is told")
        return self.height < told.newest

    def _begun(self, told: ChainBlocks) -> EmbeddedChain:
        """The copy with its first block."""
        if told.first or not told.blocks:
            raise DataError("the chain is not told from its first block on")
        start, first = told.start, told.blocks[0]
        try:
            alloc = {address: int(wei) for address, wei in start.balances.items()}
            made = EmbeddedChain(
                self._path, chain_id=start.chain_id, alloc=alloc, genesis_time=start.time, rules=start.rules
            )
        except (KeyError, ValueError) as error:
            raise DataError(f"the first block of the chain cannot be: {error}") from None
        if made.head.hash != first.hash:
            made.close()
            with suppress(OSError):
                self._path.unlink()
            raise DataError("the first block of the chain does not come out as it is told")
        return made

    def chain_id(self) -> int:
        """EIP-155 number of the chain. Raises NodeUnreachable before there is a block."""
        return self._there.chain_id

    def view(self, contract: str, view: str, *arguments: int) -> int:
        """Answer of one word of a contract (address) to a view. Raises NodeUnreachable where there is none yet."""
        data = keccak(view.encode())[:4] + b"".join(map(word, arguments))
        asked = {"to": contract, "data": "0x" + data.hex()}
        answer = EmbeddedProvider(self._there).make_request("eth_call", [asked, "latest"]).get("result") or "0x"  # type: ignore[arg-type]
        said = bytes.fromhex(str(answer)[2:])
        if len(said) != WORD:
            raise NodeUnreachable(f"the copy of the chain has no contract at {contract} yet")
        return int.from_bytes(said, "big")

    @property
    def _there(self) -> EmbeddedChain:
        """The chain, once it is begun."""
        if self._chain is None:
            raise NodeUnreachable("the market has told no block of its chain yet")
        return self._chain
