"""Let all accounts of a settlement move to a new one, with what they have there and the limits that they set."""

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


def fund_gas(client: ChainClient, keys: Keys, accounts: range) -> None:
    """Queue coin for gas for accounts of these numbers, which the chain did not know as it began."""
    for index in accounts:
        client.pay(keys.role("owner"), keys.account(index).address, FOR_GAS)
