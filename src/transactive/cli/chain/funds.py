"""`transactive chain fund` and `withdraw`: money of one account, in and out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
from transactive.cli.chain_options import keys_of
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError, StateError
from transactive.core.slots import time_text
from transactive.core.units import money_text
from transactive.store import FILE as STORE_FILE

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?")


def amount_n(text: str) -> int:
    """Money [n¤] of a decimal number with up to nine decimals. Raises InputError."""
    match = AMOUNT.fullmatch(text)
    whole, part = match.groups(default="") if match else ("", "")
    found = int(whole) * 10**9 + int(part.ljust(9, "0")) if match else 0
    if not found:
        raise InputError(f"amount {text!r}: give a number above zero with up to nine decimals, like 12.50")
    return found


def time_of_step(client: ChainClient) -> int:
    """Time of what is sent now [Unix s]: ours where the chain follows it, else that of its newest block."""
    from transactive.chain.keys.keys import DEVELOPMENT_CHAINS

    head = client.head_timestamp
    follows = client.is_embedded or client.chain_id in DEVELOPMENT_CHAINS
    return max(int(time.time()), head + 1) if follows else head


@contextmanager
def opened(
    node: str, deployment: Path, keys: Path | None, password_file: Path | None, seed: str
) -> Iterator[tuple[ChainClient, ChainLedger, Deployment]]:
    """Ledger of a deployment, with keys that sign. Raises InputError, ChainError, StateError."""
    from transactive.chain.deployments.deployment import load
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

    known = load(deployment)
    if is_embedded(node):
        existing_path(node)
        if Path(embedded_path(node)).with_name(STORE_FILE).exists():
            raise StateError(f"{node}: belongs to a run, whose books would no longer equal the chain; deploy another")
    members = known.accounts[: -len(NAMED)]
    with closing(ChainClient.open(node)) as client:
        known.check(client)
        signers = keys_of(keys, password_file, members) or DemoKeys(seed)
        signers.check(client)
        client.first_block = known.block
        yield client, ChainLedger.attach(client, signers, known.address("settlement")), known


def run_fund(account: str, amount: str, **where: Any) -> dict[str, Any]:  # noqa: ANN401 - as `opened` takes them
    """Create money for an account and deposit it."""
    added = amount_n(amount)
    with opened(**where) as (client, ledger, known):
        index = known.index(account)
        amounts = [added if i == index else 0 for i in range(len(known.accounts))]
        receipt = ledger.deposit(amounts, time_of_step(client))
        balance = ledger.balances_n()[index]
        return _facts(account, known, balance) | {"deposited_n": str(added), "block": receipt.number}


def run_withdraw(account: str, amount: str | None, *, release: bool, **where: Any) -> dict[str, Any]:  # noqa: ANN401
    """Announce that money shall leave or, without an amount, take out what was announced."""
    wanted = None if amount is None else amount_n(amount)
    if release and wanted is None:
        raise InputError("--release goes with an amount that is requested now; leave it out to take out what is due")
    with opened(**where) as (client, ledger, known):
        index = known.index(account)
        if wanted is None:
            before = ledger.wallet_n(index)
            ledger.withdraw(index)
            block = ledger.block(time_of_step(client)).number
            facts = {"paid_n": str(ledger.wallet_n(index) - before)}
        else:
            ledger.request_withdrawal(index, wanted)
            if release:
                ledger.release(index)
            block = ledger.block(time_of_step(client)).number
            facts = {"requested_n": str(wanted), "ready_at": time_text(_ready_at(client, known, index))}
        return _facts(account, known, ledger.balances_n()[index]) | facts | {"block": block}


def _ready_at(client: ChainClient, known: Deployment, index: int) -> int:
    """Time [Unix s] from which what an account requested can be taken out."""
    settlement = client.contract("settlement", known.address("settlement"))
    holder = client.read(settlement, "accountOf", index)
    return int(client.read(settlement, "requests", holder)[1])


def _facts(account: str, known: Deployment, balance_n: int) -> dict[str, Any]:
    return {"account": account, "balance": money_text(balance_n, known.currency), "balance_n": str(balance_n)}
