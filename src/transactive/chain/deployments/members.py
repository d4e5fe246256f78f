"""The registry that a settlement takes its members from, so that a lost key is not lost money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.notice import NOBODY, notice_of
from transactive.chain.nodes.client import ChainClient
from transactive.chain.twins.registry import ALL_ROLES, FIXED
from transactive.core.community.community import Community

VETO_SECONDS = 7 * 86400
"""Time in which a member can veto the replacement of its key, if the settlement does not ask for more [s]."""
SETTLES_ONLY = 0
"""Roles of an account that trades nowhere, as the supplier's."""


def enrol(client: ChainClient, keys: Keys, community: Community, holders: Sequence[str] | None = None) -> str:
    """Queue a registry with all accounts of a community, in their order; its address.

    Members may be anything until the registrar, who is the operator, says otherwise; named accounts, and those that are
    only paid for forecasts, settle and have no vote. The
    delay of a recovery covers the settlement's notice and window, and is a week at least. holders: addresses of the
    accounts, where not all keys are here.
    """
    accounts = community.chart.on_chain
    addresses = holders or [str(keys.account(index).address) for index in range(accounts)]
    roles = [ALL_ROLES if member.role == "member" else SETTLES_ONLY for member in community.members]
    roles += [SETTLES_ONLY] * (len(addresses) - len(roles))
    return _registry(client, keys, _least_delay(community), zip(addresses, roles, strict=True))


class GroupRegistries:
    """Queues a registry for each settlement of a community in groups, whose members have their places there."""

    def __init__(self, client: ChainClient, keys: Keys, community: Community) -> None:
        self._client, self._keys, self._community = client, keys, community

    def of_group(self, members: Iterable[str]) -> str:
        """Registry of a group's members, by their addresses; its address."""
        delay = _least_delay(self._community)
        return _registry(self._client, self._keys, delay, ((address, ALL_ROLES) for address in members))

    def of_whole(self, named: Iterable[str]) -> str:
        """Registry of the named accounts, by their addresses; its address."""
        delay = _least_delay(self._community, late=1, windows=2)
        return _registry(self._client, self._keys, delay, ((address, SETTLES_ONLY) for address in named))

    def enter_link(self, registry: str, link: str) -> None:
        """Queue the entry of a link in the next place, which nobody can ever take over: it has no key to lose."""
        contract = self._client.contract("registry", registry)
        self._client.send(self._keys.role("operator"), contract, "register", link, FIXED)


def _registry(client: ChainClient, keys: Keys, least_delay: int, holders: Iterable[tuple[str, int]]) -> str:
    """Queue a registry with accounts and their roles; its address."""
    owner, operator = keys.role("owner"), keys.role("operator")
    registry = client.deploy(owner, "registry", max(VETO_SECONDS, least_delay))
    client.send(owner, registry, "setRegistrar", operator.address)
    client.send(owner, registry, "offerOperator", operator.address)
    client.send(operator, registry, "acceptOperator")
    for address, roles in holders:
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


def furthest_gate(community: Community) -> int:
    """Most slots between a session's gate and the delivery of a slot that it trades."""
    ahead = community.market.day_ahead_lead
    return (
        community.clock.lead if ahead is None else max(community.clock.lead, ahead + community.clock.slots_per_period)
    )


def _least_delay(community: Community, late: int = 0, windows: int = 1) -> int:
    """Shortest delay of a recovery that a settlement of the community takes [s].

    late, windows: slots and windows that the settlement's notice has beside those of one in which everybody is.
    """
    clock, window = community.clock, community.chain.challenge_window_minutes * 60
    lead = furthest_gate(community) + late
    return notice_of(clock.length, clock.slots_per_period, lead, windows * window) + window
