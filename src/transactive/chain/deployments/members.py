"""The registry that a settlement takes its members from, so that a lost key is not lost money."""

from __future__ import annotations

from collections.abc import Sequence

from transactive.chain.deployments.deployment import furthest_gate
from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.notice import NOBODY, notice_of
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins.registry import ALL_ROLES
from transactive.core.accounts import NAMED
from transactive.core.community.community import Community

VETO_SECONDS = 7 * 86400
"""Time in which a member can veto the replacement of its key, if the settlement does not ask for more [s]."""
SETTLES_ONLY = 0
"""Roles of an account that trades nowhere, as the supplier's."""


def enrol(client: ChainClient, keys: Keys, community: Community, holders: Sequence[str] | None = None) -> str:
    """Queue a registry with all accounts of a community, in their order; its address.

    Members may be anything until the registrar, who is the operator, says otherwise; named accounts only settle. The
    delay of a recovery covers the settlement's notice and window, and is a week at least. holders: addresses of the
    accounts, where not all keys are here.
    """
    owner, operator = keys.role("owner"), keys.role("operator")
    registry = client.deploy(owner, "registry", max(VETO_SECONDS, _least_delay(community)))
    client.send(owner, registry, "setRegistrar", operator.address)
    client.send(owner, registry, "offerOperator", operator.address)
    client.send(operator, registry, "acceptOperator")
    accounts = community.chart.on_chain
    addresses = holders or [str(keys.account(index).address) for index in range(accounts)]
    for index, address in enumerate(addresses):
        roles = ALL_ROLES if index < accounts - len(NAMED) else SETTLES_ONLY
        client.send(operator, registry, "register", address, roles)
    return str(registry.address)


def kept_registry(client: ChainClient, community: Community, address: str | None, holders: Sequence[str]) -> str:
    """Address of a registry that a new settlement can take its members from; nobody's if it does not fit.

    It fits if it has these accounts at these places, and gives nobody's place away before its money can leave.
    """
    if address is None:
        return NOBODY
    registry = client.contract("registry", address)
    found = [str(client.read(registry, "accountOf", index)) for index in range(len(holders))]
    late_enough = int(client.read(registry, "delay")) >= _least_delay(community)
    return address if found == list(holders) and late_enough else NOBODY


def _least_delay(community: Community) -> int:
    """Shortest delay of a recovery that the community's settlement takes [s]."""
    clock, window = community.clock, community.chain.challenge_window_minutes * 60
    return notice_of(clock.length, clock.slots_per_period, furthest_gate(community), window) + window
