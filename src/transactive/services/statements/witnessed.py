"""What a witness on another chain knows of the chain of a statement: heads proved from blocks that were signed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import InputError
from transactive.insight.statements.statement import Statement
from transactive.services.statements.checks.words import Contradiction

if TYPE_CHECKING:
    from transactive.chain.nodes.client import ChainClient


@dataclass(frozen=True, slots=True)
class GivenWitness:
    """File of a witness, and the node of the chain that it is on: one that the reader trusts."""

    file: Path
    node: str

    def basis(self, statement: Statement, client: ChainClient) -> str:
        """What an answer rests on, in words. client: of the chain that is witnessed.

        Raises Contradiction where that chain has another head than was proved, InputError for a witness of another
        chain or a contract that is none.
        """
        from transactive.chain.commitments import head_of
        from transactive.chain.history import commitments
        from transactive.chain.nodes.client import ChainClient
        from transactive.chain.nodes.urls import existing_path, is_embedded
        from transactive.chain.releases import version_of
        from transactive.chain.witnessing import load_witness

        found = load_witness(self.file)
        same = (
            found.block.chain_id == client.chain_id and found.settlement.lower() == statement.chain.settlement.lower()
        )
        if not same:
            raise InputError(f"{self.file}: witnesses another chain or settlement than the statement is of")
        if is_embedded(self.node):
            existing_path(self.node)
        settlement = client.contract("settlement", statement.chain.settlement)
        slots = int(client.read(settlement, "slotsPerPeriod"))
        made = [one for one in commitments(client, settlement) if one.slot // slots == found.period]
        made = [one for one in made if one.block <= found.block.number]
        head = head_of(made)
        with closing(ChainClient.open(self.node)) as there:
            if there.identity == client.identity or there.chain_id != found.chain_id:
                raise InputError(f"{self.node}: is not the chain of the witness; give a node of chain {found.chain_id}")
            contract = there.contract("witness", found.contract)
            if version_of("witness", there.code(contract.address)) is None:
                raise InputError(f"the contract at {found.contract} is no witness, so what it says shows nothing")
            given = found.block.chain_id, found.settlement, found.period, head
            block = int(there.read(contract, "headSeen", *given))
            signers = int(there.read(contract, "threshold"))
        if not block:
            raise Contradiction(
                f"period {found.period} of the chain has another head than the witness knows: books were kept twice, or"
                " nothing was proved there"
            )
        basis = f"witnessed in block {block - 1} on chain {found.chain_id} by {signers} signers"
        length = int(client.read(settlement, "slotSeconds"))
        if {slot.slot // length for slot in statement.slots} - {one.slot for one in made}:
            until = f"of other periods than {found.period}, or committed after block {found.block.number},"
            basis += f"; slots {until} are not witnessed by it"
        return basis
