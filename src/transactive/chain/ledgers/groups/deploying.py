"""Contracts of a community in groups, deployed: the whole, a settlement and a link for each group."""

from __future__ import annotations

from typing import Any

from transactive.chain.keys.keys import Keys
from transactive.chain.keys.roles import gateway_role
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.ledgers.groups.parts import MemberGroup, PartKeys, named_keys
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import MOST_MEMBERS, NAMED, groups_of
from transactive.core.errors import ChainError


def deploy_groups(
    client: ChainClient,
    keys: Keys,
    *,
    members: int,
    timestamp: int,
    most: int = MOST_MEMBERS,
    **rules: Any,  # noqa: ANN401 - as `deploy_settlement` takes them
) -> GroupedLedger:
    """Ledger on new contracts, with all members in groups of `most` at most, and the named accounts in the whole.

    Each group has a gateway with a key of its own, because a reading's place counts within its group. timestamp: of
    the first block [Unix s]. rules: as `deploy_settlement` takes them. Raises ChainError.
    """
    spans = groups_of(members, most)
    if len({keys.role(gateway_role(number)).address for number in range(len(spans))}) != len(spans):
        raise ChainError(f"{len(spans)} groups need as many gateways, each with a key of its own; make them")
    own = named_keys(keys, members)
    rules |= {"beneficiary": str(own.account(NAMED.index("community")).address)}
    whole = deploy_settlement(
        client, own, accounts=len(NAMED), places=len(spans), of_groups=True, timestamp=timestamp, **rules
    )
    rules |= {"currency_address": whole.currency_address}
    groups = []
    for number, span in enumerate(spans):
        part, time = PartKeys(keys, span, gateway_role(number)), client.head_timestamp + 1
        made = deploy_settlement(client, part, accounts=len(span), places=1, timestamp=time, **rules)
        ends = (made.address, whole.address, keys.role("on-ramp").address)
        link = client.deploy(keys.role("owner"), "group_link", *ends)
        for settlement in ends[:2]:
            of = client.contract("settlement", settlement)
            client.send(keys.role("operator"), of, "register", link.address)
        client.block(client.head_timestamp + 1)
        groups.append(MemberGroup.at(client, keys, number, span, (made.address, link)))
    return GroupedLedger(client, keys, groups, ChainLedger.attach(client, own, whole.address))
