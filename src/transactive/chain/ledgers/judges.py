"""The judges of a new settlement, and what only they and its certificates need."""

from __future__ import annotations

from web3.contract import Contract

from transactive.chain.keys.keys import Keys
from transactive.chain.nodes.client import ChainClient

CERTIFICATES_VALID = 730 * 86400
"""Seconds after its slot until a certificate that became a token expires, if nothing else is agreed: two years."""


def appoint(client: ChainClient, keys: Keys, settlement: Contract, *, direct: bool, first_slot: int) -> str:
    """Queue the judges of a settlement of members, its gateway and its certificates; address of the last.

    direct: certificates come from signed readings at once, not from the roots of slots. first_slot: number of the first
    slot that they are issued for.
    """
    owner = keys.role("owner")
    disputes = client.deploy(owner, "disputes", settlement.address)
    judge = client.deploy(owner, "certificate_disputes", disputes.address)
    client.send(owner, settlement, "setDisputes", disputes.address)
    client.send(owner, disputes, "setCertificateDisputes", judge.address)
    client.send(owner, disputes, "setDemands", client.deploy(owner, "demands", disputes.address).address)
    certificates = client.deploy(owner, "certificates", settlement.address, direct, CERTIFICATES_VALID, first_slot)
    client.send(owner, disputes, "setGateway", keys.role("gateway").address)
    return str(certificates.address)


def appoint_for_groups(client: ChainClient, keys: Keys, settlement: Contract) -> None:
    """Queue the judges of a settlement of groups: it has no meters and no certificates."""
    owner = keys.role("owner")
    disputes = client.deploy(owner, "disputes", settlement.address)
    client.send(owner, settlement, "setDisputes", disputes.address)
    client.send(owner, disputes, "setDemands", client.deploy(owner, "group_disputes", disputes.address).address)
