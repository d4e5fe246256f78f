"""Let all accounts of a community move to new settlements, with what they have there and what was set for them.

Certificates need no way: who has some keeps them where their slots were committed. What the owner set of
zones goes over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from web3.contract import Contract

from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ETHER, ChainClient
from transactive.core.accounts import NAMED
from transactive.core.community.limits import NO_MOST, DebitLimits

FOR_GAS = 1000 * ETHER
"""What an account that is new on a development chain gets of the chain's own coin [wei]."""


Ledger = ChainLedger | GroupedLedger
"""The chain of a community, in one settlement or in groups."""


def settlements_of(ledger: Ledger) -> list[Contract]:
    """Settlement that each account is in, by its number."""
    if isinstance(ledger, ChainLedger):
        return [ledger.contract] * ledger.accounts
    members = [group.settlement for group in ledger.groups for _ in group.members]
    return [*members, *[ledger.whole.contract] * len(NAMED)]


def certificates_of(ledger: Ledger) -> str:
    """Addresses of the contracts of certificates, of each group in order, as a roster keeps them."""
    ledgers = [ledger] if isinstance(ledger, ChainLedger) else [group.ledger for group in ledger.groups]
    return " ".join(str(each.certificates_address) for each in ledgers)


def name_certificates(ledger: Ledger, addresses: str) -> None:
    """Say where the contracts of certificates are, as `certificates_of` has them."""
    ledgers = [ledger] if isinstance(ledger, ChainLedger) else [group.ledger for group in ledger.groups]
    for each, address in zip(ledgers, addresses.split(), strict=True):
        each.certificates_address = address


def move_accounts(
    client: ChainClient, ledgers: tuple[Ledger, Ledger], places: Sequence[int], balances_n: Sequence[int]
) -> None:
    """Queue the way of all money out of the old settlements, and into the new ones. ledgers: the old and the new.

    places: the number that each old account has among the new ones; its key and address may be others there.
    balances_n: all that each has [n¤], with nothing proposed or locked in the old ones. What links hold is their
    funder's, and stays until it takes it back.
    """
    left, entered = (settlements_of(ledger) for ledger in ledgers)
    keys, currency = ledgers[0].keys, client.contract("currency", ledgers[0].currency_address)
    operator = keys.role("operator")
    held = [(index, place, amount) for index, (place, amount) in enumerate(zip(places, balances_n, strict=True))]
    held = [each for each in held if each[2]]
    for index, _, amount in held:
        key, old = keys.account(index), left[index]
        client.send(key, old, "requestWithdrawal", amount)
        client.send(operator, old, "release", key.address)
        client.send(key, old, "withdraw")
    for index, place, amount in held:
        if index != place:
            client.send(keys.account(index), currency, "transfer", keys.account(place).address, amount)
    for _, place, amount in held:
        client.send(keys.account(place), currency, "approve", entered[place].address, amount)
        client.send(keys.account(place), entered[place], "deposit", amount)


def set_limits(client: ChainClient, ledger: Ledger, limits: DebitLimits) -> None:
    """Queue the limits of debits that members had set before, so that they go on."""
    settlements = settlements_of(ledger)
    for index in np.flatnonzero(limits.most_n < NO_MOST).tolist():
        client.send(ledger.keys.account(index), settlements[index], "setLimit", int(limits.most_n[index]))


ZONES_A_WORD = 32
"""Members whose zones one word has."""


Zones = Sequence[tuple[str, int]]
"""Contracts of certificates of a community, by address, each with how many members it has zones of."""


def zones_of(addresses: str, members: int, groups: Sequence[range]) -> Zones:
    """Contracts of certificates as `certificates_of` has them, of a community in these groups or in none."""
    return list(zip(addresses.split(), [len(group) for group in groups] or [members], strict=False))


def carry_zones(client: ChainClient, keys: Keys, before: Zones, after: Zones) -> None:
    """Queue the zones of members and where their energy can be claimed, as other contracts of certificates have them.

    Nothing is carried over from none.
    """
    zones, reach = list[int](), dict[int, int]()
    for address, members in before:
        old = client.contract("certificates", address)
        words = [int(client.read(old, "zones", number)) for number in range(-(-members // ZONES_A_WORD))]
        zones += [word >> 8 * place & 255 for word in words for place in range(ZONES_A_WORD)][:members]
        for zone in sorted({0, *zones[-members:]}):
            reach[zone] = reach.get(zone, 0) | int(client.read(old, "reachable", zone))
    first, owner = 0, keys.role("owner")
    for address, members in after:
        new, own = client.queued_contract("certificates", address), zones[first : first + members]
        for number in range(0, len(own), ZONES_A_WORD):
            word = sum(zone << 8 * place for place, zone in enumerate(own[number : number + ZONES_A_WORD]))
            if word:
                client.send(owner, new, "setZones", number // ZONES_A_WORD, word)
        for zone in sorted({0, *own}):
            if reach.get(zone):
                client.send(owner, new, "setReach", zone, reach[zone])
        first += members


def fund_gas(client: ChainClient, keys: Keys, accounts: range) -> None:
    """Queue coin for gas for accounts of these numbers, which the chain did not know as it began."""
    for index in accounts:
        client.pay(keys.role("owner"), keys.account(index).address, FOR_GAS)
