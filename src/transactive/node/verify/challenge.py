"""Brings what a box has kept against its market before the judge, on a node of the chain.

This alone needs the libraries of a chain (`pip install "transactive[chain]"`), and only once something is wrong.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.chain.disputes.leaf_file import LeafFile, load
from transactive.chain.disputes.receipt_file import ReceiptFile, RecordReceiptFile
from transactive.core.errors import ContractRevert, InputError, TransactiveError
from transactive.core.proofs.signing import address_of
from transactive.node.agent.account import ACCOUNT_FILE
from transactive.node.box import BoxKey
from transactive.node.verify.kept_leaves import BEFORE, LEAF, ORDER, RECORD, WHY, WrongSlot

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.commitments import Commitment
    from transactive.chain.disputes.fraud import Fraud
    from transactive.chain.nodes.client import ChainClient

NOTHING = "no judge takes what the box has of it; show its operator the evidence"


def signer_of(folder: Path, box: BoxKey) -> bytes:
    """Key that challenges are signed with: the member's account where it is at the box, else the box's own."""
    path = folder / ACCOUNT_FILE
    return path.read_bytes() if path.exists() else box.key


def bring(evidence: Path, settlement: str, place: int, node: str, key: bytes) -> str:
    """Bring the evidence against a slot, in a folder, before the judge of a settlement (address); says what came of it.

    place: account of the member. node: URL. A leaf that was not told, or was never committed, is demanded on chain,
    which the account's own key alone can. Raises ChainError for a node that does not answer, InputError for nothing.
    """
    from eth_account import Account

    from transactive.chain.nodes.client import ChainClient

    path = evidence / WHY
    if not path.is_file():
        raise InputError(f"{evidence}: holds no evidence; a box keeps it in `evidence`, in a folder for each slot")
    wrong = msgspec.json.decode(path.read_bytes(), type=WrongSlot)
    sender: LocalAccount = Account.from_key(key)
    with closing(ChainClient.open(node)) as client:
        found = _findings(client, evidence, settlement)
        try:
            if found:
                contract = client.contract("settlement", settlement)
                judge = found[0].by or client.contract("disputes", client.read(contract, "disputes"))
                client.send(sender, judge, found[0].function, *found[0].arguments)
                what = f"{found[0].what}; {found[0].function}"
            elif _demand(client, sender, settlement, place, wrong.slot, evidence):
                what = "no leaf of what is on chain has come; demand"
            else:
                return NOTHING
            block = client.block(client.head_timestamp + 1)
        except ContractRevert as error:
            return f"refused: {error}"
        return f"{what} is done in block {block.number}, by {address_of(key)}"


def tried(evidence: Path, settlement: str, place: int, node: str, key: bytes) -> str:
    """As `bring`, and what keeps it from being brought is said, not raised."""
    try:
        return bring(evidence, settlement, place, node, key)
    except TransactiveError as error:
        return f"not brought: {error}"


def _findings(client: ChainClient, evidence: Path, settlement: str) -> list[Fraud]:
    """Every kind of fraud that the evidence shows; none where the leaf is of no commitment on chain."""
    from transactive.chain.disputes.findings import Case

    file, before = _of(evidence / LEAF), _of(evidence / BEFORE)
    placed = _opened(client, settlement, file)
    if placed is None:
        return []
    given: list[ReceiptFile | RecordReceiptFile] = []
    if (evidence / ORDER).exists():
        given.append(load(evidence / ORDER, ReceiptFile))
    if (evidence / RECORD).exists():
        given.append(load(evidence / RECORD, RecordReceiptFile))
    return Case(client, placed).findings(_opened(client, settlement, before), given, None)


def _opened(client: ChainClient, settlement: str, file: LeafFile | None) -> LeafFile | None:
    """A leaf with its commitment opened as the chain has it now; None for one that was not committed."""
    from transactive.chain.disputes.inbox import opened_anew
    from transactive.chain.history import opening

    if file is None:
        return None
    made, per_period = _commitments(client, settlement)
    places = [k for k, one in enumerate(made) if one.content == file.opening.commitment.content]
    return opened_anew(file, opening(made, places[-1], per_period)) if places else None


def _demand(client: ChainClient, sender: LocalAccount, settlement: str, place: int, slot: int, evidence: Path) -> bool:
    """Demand the leaf of a slot where none came that is of its commitment; whether there is something to demand."""
    from transactive.chain.history import opening
    from transactive.chain.named_judges import demands_judge

    made, per_period = _commitments(client, settlement)
    places = [k for k, one in enumerate(made) if one.slot == slot]
    if not places or _opened(client, settlement, _of(evidence / LEAF)):
        return False
    contract = client.contract("settlement", settlement)
    judge = client.contract("disputes", client.read(contract, "disputes"))
    client.send(sender, demands_judge(client, judge), "demand", opening(made, places[-1], per_period).content, place)
    return True


def _commitments(client: ChainClient, settlement: str) -> tuple[list[Commitment], int]:
    """All commitments that count, and how many slots a period has."""
    from transactive.chain.history import commitments

    contract = client.contract("settlement", settlement)
    return commitments(client, contract), int(client.read(contract, "slotsPerPeriod"))


def _of(path: Path) -> LeafFile | None:
    """A leaf that is kept as evidence; None where there is none."""
    return load(path, LeafFile) if path.exists() else None
