"""A member's way through nested trees in the file of its leaf, and what it shows against the operator of the whole."""

from __future__ import annotations

from typing import Any

from web3.contract import Contract

from transactive.chain.disputes.fraud import Fraud
from transactive.chain.disputes.leaf_file import NestedFile, PlacedFile, placed_file
from transactive.chain.disputes.nested import NestedProof, Placed, evidence_of
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import InputError
from transactive.core.proofs.groups import agrees
from transactive.core.proofs.merkle import ZERO

ANSWERED = 2**256 - 1
"""Time of an answer, as the judge keeps it of what was answered."""


def nested_file(ledger: GroupedLedger, proof: NestedProof) -> NestedFile:
    """What a member gets beside its leaf."""
    group = ledger.groups[proof.group]
    return NestedFile(
        number=proof.group,
        link=str(group.link.address),
        group_leaf=_file(ledger.chain_id, ledger.address, proof.whole),
        link_leaf=_file(ledger.chain_id, group.ledger.address, proof.link),
    )


def findings(client: ChainClient, nested: NestedFile) -> list[Fraud]:
    """Where the whole says of a group what that does not have. Raises InputError for files of other commitments."""
    group, whole = (client.contract("settlement", one.settlement) for one in (nested.link_leaf, nested.group_leaf))
    leaf, link = _placed(nested.group_leaf), _placed(nested.link_leaf)
    period = leaf.opening.commitment.slot // int(client.read(whole, "slotsPerPeriod"))
    if not (leaf.holds and link.holds and client.read(whole, "isCommitted", leaf.opening.content)):
        raise InputError("the group's leaf is not one of the whole's commitments; ask the operator for the right file")
    named, made = leaf.leaf.fills if leaf.leaf else ZERO, link.opening.commitment
    is_paid = int(client.read(group, "settledPeriod")) >= period
    if is_paid and named == bytes(client.read(group, "heads", period)):
        if named != ZERO and link.head != named:
            raise InputError(
                "the link's leaf is not of the group's last commitment; ask the operator for the right file"
            )
        if agrees(leaf.leaf, link.leaf, made.money, made.energy):
            return []
        what = "the whole has other sums than the group"
    else:
        what = "the whole names other commitments than the group has" if is_paid else "the group has not paid"
    return [Fraud(what, "challengeGroup", evidence_of(leaf, nested.link, link), _judge(client, whole))]


def answer(client: ChainClient, nested: NestedFile) -> tuple[Contract, tuple[Any, ...]] | None:
    """Judge and arguments that answer what a member has asked of the whole; None if nobody waits for an answer."""
    leaf, link = _placed(nested.group_leaf), _placed(nested.link_leaf)
    judge = _judge(client, client.contract("settlement", nested.group_leaf.settlement))
    until = int(client.read(judge, "asked", leaf.opening.head, nested.link))
    return (judge, evidence_of(leaf, nested.link, link)) if 0 < until < ANSWERED else None


def _judge(client: ChainClient, whole: Contract) -> Contract:
    """Judge of what a whole says of its groups."""
    disputes = client.contract("disputes", client.read(whole, "disputes"))
    return client.contract("group_disputes", client.read(disputes, "demands"))


def _file(chain_id: int, settlement: str, placed: Placed) -> PlacedFile:
    return placed_file(chain_id, settlement, placed.index, placed.leaf, placed.proof, placed.opening)


def _placed(file: PlacedFile) -> Placed:
    return Placed(file.index, file.content, file.steps, file.opening)
