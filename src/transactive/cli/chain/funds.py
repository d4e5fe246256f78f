"""`transactive chain fund` and `withdraw`: money of one account, in and out, each with the key of whose step it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transactive.chain.acts.values import amount_n
from transactive.cli.chain.signing import opened, time_of_step
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.core.units import money_text

if TYPE_CHECKING:
    from web3.contract import Contract

    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.nodes.client import ChainClient


def run_fund(account: str, amount: str, **where: Any) -> dict[str, Any]:  # noqa: ANN401 - as `opened` takes them
    """Create money for an account, or take it from what the on-ramp has of an existing token, and deposit it."""
    from transactive.chain.ledgers.money import creates, require_held

    added = amount_n(amount)
    with opened(**where) as (client, signers, known):
        settlement, currency, holder = _contracts(client, known.part(account), account)
        on_ramp = signers.role("on-ramp")
        if creates(client, currency, on_ramp.address):
            client.send(on_ramp, currency, "mint", on_ramp.address, added)
        else:
            require_held(client, currency, on_ramp.address, added)
        client.send(on_ramp, currency, "approve", settlement.address, added)
        client.send(on_ramp, settlement, "depositFor", holder, added)
        block = client.block(time_of_step(client)).number
        facts = _facts(client, settlement, holder, account, known.currency)
        return facts | {"deposited_n": str(added), "block": block}


def run_withdraw(account: str, amount: str | None, *, release: bool, **where: Any) -> dict[str, Any]:  # noqa: ANN401
    """Announce that money shall leave or, without an amount, take out what was announced."""
    wanted = None if amount is None else amount_n(amount)
    if release and wanted is None:
        raise InputError("--release goes with an amount that is requested now; leave it out to take out what is due")
    with opened(**where) as (client, signers, known):
        settlement, currency, holder = _contracts(client, known.part(account), account)
        key = signers.account(account)
        if wanted is None:
            before = int(client.read(currency, "balanceOf", holder))
            client.send(key, settlement, "withdraw")
            block = client.block(time_of_step(client)).number
            facts = {"paid_n": str(int(client.read(currency, "balanceOf", holder)) - before)}
        else:
            client.send(key, settlement, "requestWithdrawal", wanted)
            if release:
                client.send(signers.role("operator"), settlement, "release", holder)
            block = client.block(time_of_step(client)).number
            ready = int(client.read(settlement, "requests", holder)[1])
            facts = {"requested_n": str(wanted), "ready_at": time_text(ready)}
        return _facts(client, settlement, holder, account, known.currency) | facts | {"block": block}


def _contracts(client: ChainClient, known: Deployment, account: str) -> tuple[Contract, Contract, str]:
    """Settlement that has an account, its currency, and the address of the account."""
    settlement, index = client.contract("settlement", known.address("settlement")), known.index(account)
    currency = client.contract("currency", client.read(settlement, "currency"))
    return settlement, currency, str(client.read(settlement, "accountOf", index))


def _facts(client: ChainClient, settlement: Contract, holder: str, account: str, currency: str) -> dict[str, Any]:
    balance_n = int(client.read(settlement, "balanceOf", holder))
    return {"account": account, "balance": money_text(balance_n, currency), "balance_n": str(balance_n)}
