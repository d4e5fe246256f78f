"""`transactive chain challenge`: a member's files before the judge."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
from transactive.core.errors import InputError, StateError
from transactive.core.units import money_text
from transactive.store import FILE as STORE_FILE

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.disputes.findings import Case, Fraud
    from transactive.chain.nodes.client import ChainClient

NOTHING = "nothing to challenge"


def run_challenge(
    leaf: Path,
    *,
    node: str,
    before: Path | None,
    receipts: Sequence[Path],
    reading: Path | None,
    account: str | None,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
) -> dict[str, Any]:
    """Look for every kind of fraud in a leaf; with `account`, bring the first one that is found before the judge.

    Raises InputError, StateError, ChainError; ContractRevert if the judge sees it otherwise.
    """
    from transactive.chain.disputes.findings import Case
    from transactive.chain.disputes.leaf_file import LeafFile, ReadingFile, ReceiptFile, load
    from transactive.chain.nodes.client import ChainClient

    file = load(leaf, LeafFile)
    earlier = load(before, LeafFile) if before else None
    held = [load(path, ReceiptFile) for path in receipts]
    read = load(reading, ReadingFile) if reading else None
    if is_embedded(node):
        existing_path(node)
    with closing(ChainClient.open(node)) as client:
        case = Case(client, file)
        found = case.findings(earlier, held, read)
        facts: dict[str, Any] = {"slot": case.opening.commitment.slot, "account": file.index}
        facts |= {"found": [one.what for one in found] or NOTHING, "sent": None}
        if not found or account is None:
            return facts
        if is_embedded(node) and Path(embedded_path(node)).with_name(STORE_FILE).exists():
            raise StateError(f"{node}: belongs to a run, whose books would no longer equal the chain; use a copy of it")
        challenger = key_of(client, account, keys, password_file, seed)
        return facts | _send(client, case, found[0], challenger)


def key_of(client: ChainClient, account: str, keys: Path | None, password_file: Path | None, seed: str) -> LocalAccount:
    """Key that sends: a named one in a folder, or a demo key. Raises InputError, ChainError."""
    if keys is not None:
        from transactive.chain.keys.keystore import KeyFolder
        from transactive.cli.keys.commands import read_password

        return KeyFolder(keys).unlock(account, read_password(password_file))
    from transactive.chain.keys.keys import DemoKeys

    if not account.isdigit():
        raise InputError(f"--as {account}: give the number of an account of the demo keys, or --keys with a folder")
    demo = DemoKeys(seed)
    demo.check(client)
    return demo.account(int(account))


def _send(client: ChainClient, case: Case, finding: Fraud, challenger: LocalAccount) -> dict[str, Any]:
    """Bring a finding before the judge, and say what it paid."""
    before = int(client.read(case.settlement, "awards", challenger.address))
    client.send(challenger, case.judge, finding.function, *finding.arguments)
    receipt = client.block(max(int(time.time()), client.head_timestamp + 1)).receipts[-1]
    after = int(client.read(case.settlement, "awards", challenger.address))
    sent = {"call": finding.function, "block": receipt.block, "gas": receipt.gas_used}
    return {"sent": sent | {"awarded": money_text(after - before, digits=9)}}
