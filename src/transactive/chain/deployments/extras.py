"""Contracts beside a community's settlement, for those who want them: members on chain, markets, credits."""

from __future__ import annotations

from collections.abc import Collection

from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.community.community import Community
from transactive.core.errors import InputError

EXTRAS = ("registry", "balance_market", "trade_board", "carbon_credits")
"""In the order in which they are deployed: markets want a registry."""
MARKETS = ("balance_market", "trade_board")
BUFFER_PPM = 200_000
"""Part of each batch of credits that answers for reversals: a fifth, as in `carbon.credits.register`."""


def with_needed(names: Collection[str]) -> list[str]:
    """The wanted contracts and those that they need, in the order in which they are deployed."""
    wanted = set(names) | ({"registry"} if set(names) & set(MARKETS) else set())
    return [name for name in EXTRAS if name in wanted]


def deploy_extras(
    client: ChainClient,
    keys: Keys,
    ledger: ChainLedger | GroupedLedger,
    community: Community,
    names: Collection[str],
    timestamp: int,
) -> dict[str, str]:
    """Deploy contracts of `EXTRAS` beside a new ledger, with the offices of its keys; addresses by name.

    The registry is there before, with the members (`enrol`). Meters are entered by its registrar, who is the operator;
    projects into the credits by the owner. Credits and certificates know each other, so that a Wh gives one of them
    only. Raises InputError for a community in groups that wants markets, which need all members in one registry.
    """
    if community.groups and set(names) & set(MARKETS):
        raise InputError(f"{community.name} settles in groups: no registry has all its members; leave markets out")
    owner, clock = keys.role("owner"), community.clock
    settlement = client.contract("settlement", ledger.address)
    currency = client.read(settlement, "currency")
    made: dict[str, str] = {}
    for name in with_needed(names):
        if name == "registry":
            made[name] = str(client.read(settlement, name))
            continue
        if name in MARKETS:
            rules = (clock.length, clock.lead * clock.length, community.chain.challenge_window_minutes * 60)
            contract = client.deploy(owner, name, made["registry"], currency, *rules)
        else:
            contract = client.deploy(owner, name, BUFFER_PPM)
            if ledger.certificates_address:
                certificates = client.contract("certificates", ledger.certificates_address)
                client.send(owner, contract, "setCertificates", certificates.address)
                client.send(owner, certificates, "setCredits", contract.address)
        made[name] = str(contract.address)
    if set(made) - {"registry"}:
        ledger.block(timestamp)
    return made
