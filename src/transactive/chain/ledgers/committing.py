"""What a settlement contract is told of a slot's tree: one that is deployed may know less than today's."""

from __future__ import annotations

from web3.contract import Contract

from transactive.chain.commitments import Commitment
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import states_substituted
from transactive.core.proofs.slot_tree import SlotTree


def commitment_to(client: ChainClient, settlement: Contract, tree: SlotTree, certificates: bytes) -> Commitment:
    """Commitment of a slot. certificates: root of its certificates. Released contracts are told nothing substituted."""
    stated = tree.leaves.stated
    if stated and not states_substituted(client.code(settlement.address)):
        stated = 0
    return Commitment(tree.leaves.slot, tree.root, certificates, tree.money, tree.energy, 0, stated)
