"""Since when another chain has known the chain of a statement: more than the operator's own word for it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.insight.statements.statement import Statement
from transactive.services.statements.checks.words import Contradiction

if TYPE_CHECKING:
    from transactive.chain.nodes.client import ChainClient


@dataclass(frozen=True, slots=True)
class GivenAnchor:
    """File of an anchor, and the node of the chain that notes it: one that the reader trusts."""

    file: Path
    node: str

    def basis(self, statement: Statement, client: ChainClient) -> str:
        """What an answer rests on, in words. client: of the chain that is anchored.

        Raises Contradiction where that chain has another block than was noted, InputError for an anchor of another
        chain or one that is noted nowhere.
        """
        from transactive.chain.anchoring import anchored_in, load_anchor
        from transactive.chain.history import commitments
        from transactive.chain.nodes.client import ChainClient
        from transactive.chain.nodes.urls import existing_path, is_embedded

        found = load_anchor(self.file)
        head = found.head.content
        if head.chain_id != client.chain_id or head.settlement.lower() != statement.chain.settlement.lower():
            raise InputError(f"{self.file}: anchors another chain or settlement than the statement is of")
        if is_embedded(self.node):
            existing_path(self.node)
        with closing(ChainClient.open(self.node)) as there:
            if there.identity == client.identity:
                raise InputError(f"{self.node}: is the chain that is anchored; give the node of the one that notes it")
            block, time = anchored_in(there, found)
        if head.number > client.height:
            raise Contradiction(
                f"block {head.number} of the chain was anchored, and this chain ends with block {client.height}: it is"
                " an older copy, or was cut off"
            )
        if client.hash_of(head.number) != head.hash:
            raise Contradiction(
                f"block {head.number} of the chain is not the one that was anchored: books were kept twice, or the"
                " anchor is of another run"
            )
        basis = f"anchored since block {block} of chain {found.chain_id}, {time_text(time)}"
        last = max((slot.slot for slot in statement.slots), default=0)
        made = commitments(client, client.contract("settlement", statement.chain.settlement))
        length = int(client.read(client.contract("settlement", statement.chain.settlement), "slotSeconds"))
        if any(one.block > head.number and one.slot * length <= last for one in made):
            basis += f"; what was committed after block {head.number} is not anchored yet"
        return basis
