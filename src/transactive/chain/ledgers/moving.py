"""Let all accounts of a settlement move to a new one, with what they have there and what was set for them.

Certificates need no way: who has some keeps them where their slots were committed. What the owner set of
zones goes over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from web3.contract import Contract

from transactive.chain.keys.keys import Keys
from transactive.chain.nodes.client import ETHER, ChainClient
from transactive.core.community.limits import NO_MOST, DebitLimits

FOR_GAS = 1000 * ETHER
"""What an account that is new on a development chain gets of the chain's own coin [wei]."""


def move_accounts(
    client: ChainClient,
    keys: Keys,
    parts: tuple[Contract, Contract, Contract],
    places: Sequence[int],
    balances_n: Sequence[int],
) -> None:
    """Queue the way of all money from one settlement to another: out of the old one, and into the new one.

    parts: currency, old and new settlement. places: the number that each old account has among the new ones; its key
    and address may be others there. balances_n: all that each has [n¤], with nothing proposed or locked in the old one.
    """
    currency, old, new = parts
    operator = keys.role("operator")
    held = [(index, place, amount) for index, (place, amount) in enumerate(zip(places, balances_n, strict=True))]
    held = [each for each in held if each[2]]
    for index, _, amount in held:
        key = keys.account(index)
        client.send(key, old, "requestWithdrawal", amount)
        client.send(operator, old, "release", key.address)
        client.send(key, old, "withdraw")
    for index, place, amount in held:
        if index != place:
            client.send(keys.account(index), currency, "transfer", keys.account(place).address, amount)
    for _, place, amount in held:
        client.send(keys.account(place), currency, "approve", new.address, amount)
        client.send(keys.account(place), new, "deposit", amount)


def set_limits(client: ChainClient, keys: Keys, settlement: Contract, limits: DebitLimits) -> None:
    """Queue the limits of debits that members had set before, so that they go on."""
    for index in np.flatnonzero(limits.most_n < NO_MOST).tolist():
        client.send(keys.account(index), settlement, "setLimit", int(limits.most_n[index]))


ZONES_A_WORD = 32
"""Members whose zones one word has."""


def carry_zones(client: ChainClient, keys: Keys, before: str, after: str, members: int) -> None:
    """Queue the zones of members and where their energy can be claimed, as another contract of certificates has them.

    before, after: addresses of contracts of certificates; nothing is carried over from none.
    """
    if not before:
        return
    old, new, owner = (
        client.contract("certificates", before),
        client.queued_contract("certificates", after),
        keys.role("owner"),
    )
    zones = {0}
    for number in range(-(-members // ZONES_A_WORD)):
        word = int(client.read(old, "zones", number))
        zones |= {word >> 8 * place & 255 for place in range(ZONES_A_WORD)}
        if word:
            client.send(owner, new, "setZones", number, word)
    for zone in sorted(zones):
        if reach := int(client.read(old, "reachable", zone)):
            client.send(owner, new, "setReach", zone, reach)


def fund_gas(client: ChainClient, keys: Keys, accounts: range) -> None:
    """Queue coin for gas for accounts of these numbers, which the chain did not know as it began."""
    for index in accounts:
        client.pay(keys.role("owner"), keys.account(index).address, FOR_GAS)
