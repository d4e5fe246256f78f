"""Contracts of a community in groups, deployed: the whole, a settlement and a link for each group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from transactive.chain.keys.keys import Keys
from transactive.chain.keys.roles import gateway_role
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.ledgers.groups.parts import MemberGroup, PartKeys, blinding_of, named_keys
from transactive.chain.ledgers.notice import NOBODY
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import MOST_MEMBERS, NAMED, groups_of
from transactive.core.errors import ChainError


class Registries(Protocol):
    """Where members and named accounts are entered, so that a lost key is not lost money."""

    def of_group(self, members: Iterable[str]) -> str:
        """Registry of a group's members, by their addresses; its address."""

    def of_whole(self, named: Iterable[str]) -> str:
        """Registry of the named accounts, by their addresses; its address."""

    def enter_link(self, registry: str, link: str) -> None:
        """Queue the entry of a link in the next place, which nobody can ever take over."""


def deploy_groups(
    client: ChainClient,
    keys: Keys,
    *,
    members: int,
    timestamp: int | None,
    most: int = MOST_MEMBERS,
    registries: Registries | None = None,
    direct: bool = False,
    first_slot: int = 0,
    **rules: Any,  # noqa: ANN401 - as `deploy_settlement` takes them
) -> GroupedLedger:
    """Ledger on new contracts, with all members in groups of `most` at most, and the named accounts in the whole.

    Each group has a gateway with a key of its own, because a reading's place counts within its group. timestamp: of
    the first block [Unix s]; None only queues all, in a currency that there is. registries: makes those that the
    settlements take their accounts from; None for none. direct, first_slot, rules: as `deploy_settlement` takes them.
    Raises ChainError.
    """
    spans = groups_of(members, most)
    if len({keys.role(gateway_role(number)).address for number in range(len(spans))}) != len(spans):
        raise ChainError(f"{len(spans)} groups need as many gateways, each with a key of its own; make them")
    own = named_keys(keys, members)
    rules |= {"beneficiary": str(own.account(NAMED.index("community")).address)}
    named = [own.account(index).address for index in range(len(NAMED))]
    of_whole = registries.of_whole(named) if registries else NOBODY
    made = deploy_settlement(
        client, own, accounts=len(NAMED), places=len(spans), of_groups=True, timestamp=timestamp,
        registry_address=of_whole, **rules,
    )  # fmt: skip
    rules |= {"currency_address": made.currency_address, "direct": direct, "first_slot": first_slot}
    currency, groups = client.contract("currency", made.currency_address), []
    whole = ChainLedger(client, own, (currency, made.contract), len(NAMED) + len(spans))
    for number, span in enumerate(spans):
        part = PartKeys(keys, span, gateway_role(number))
        time = None if timestamp is None else client.head_timestamp + 1
        registry = registries.of_group(keys.account(index).address for index in span) if registries else NOBODY
        made = deploy_settlement(
            client, part, accounts=len(span), places=1, timestamp=time, registry_address=registry, **rules
        )
        ends = (made.address, whole.address, keys.role("on-ramp").address)
        link = client.deploy(keys.role("owner"), "group_link", *ends)
        for settlement, entered in ((made.contract, registry), (whole.contract, of_whole)):
            if registries:
                registries.enter_link(entered, link.address)
            client.send(keys.role("operator"), settlement, "register", link.address)
        if timestamp is not None:
            client.block(client.head_timestamp + 1)
        ledger = ChainLedger(client, part, (currency, made.contract), len(span) + 1, blinding_of(made.address))
        ledger.certificates_address = made.certificates_address
        groups.append(MemberGroup(span, ledger, link, made.contract))
    return GroupedLedger(client, keys, groups, whole)
