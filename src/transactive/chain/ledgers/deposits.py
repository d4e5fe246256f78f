"""Deposits into a settlement contract: the on-ramp pays in for all, many accounts a call.

So no account has to sign or pay gas for it. Where the currency is one that we may create, it is created as it is paid
in; of an existing token the on-ramp must have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from web3.contract import Contract

from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers import money
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import has_function

BATCH = 128
"""Most accounts that one call registers or pays in for, as the contract has it."""
PAY_IN_FOR_MANY = "depositForMany(address[],uint256[])"


class Deposits:
    """Queues what is paid in for the accounts of one settlement contract."""

    def __init__(self, client: ChainClient, keys: Keys, currency: Contract, settlement: Contract) -> None:
        self._client, self._keys, self._on_ramp = client, keys, keys.role("on-ramp")
        self._currency, self._settlement = currency, settlement

    @cached_property
    def creates_money(self) -> bool:
        """Whether money is created as it is paid in, and not taken from what the on-ramp has of an existing token."""
        return money.creates(self._client, self._currency, self._on_ramp.address)

    def queue(self, amounts_n: Sequence[int]) -> None:
        """Queue the creation and deposit of money [n¤] for each account with an amount above zero.

        `BATCH` accounts a call; a contract from before there was such a call takes one account a call.
        """
        paid = [(index, int(amount)) for index, amount in enumerate(amounts_n) if amount > 0]
        if not paid:
            return
        total, settlement = sum(amount for _, amount in paid), self._settlement
        if self.creates_money:
            self._client.send(self._on_ramp, self._currency, "mint", self._on_ramp.address, total)
        else:
            money.require_held(self._client, self._currency, self._on_ramp.address, total)
        self._client.send(self._on_ramp, self._currency, "approve", settlement.address, total)
        code = self._client.code(settlement.address)
        at_once = BATCH if len(paid) > 1 and has_function(code, PAY_IN_FOR_MANY) else 1
        for at in range(0, len(paid), at_once):
            self._pay_in(paid[at : at + at_once])

    def _pay_in(self, paid: Sequence[tuple[int, int]]) -> None:
        """Queue one call that pays in for these accounts, each with its amount [n¤]."""
        addresses = [self._keys.account(index).address for index, _ in paid]
        amounts = [amount for _, amount in paid]
        if len(paid) == 1:
            self._client.send(self._on_ramp, self._settlement, "depositFor", addresses[0], amounts[0])
        else:
            self._client.send(self._on_ramp, self._settlement, "depositForMany", addresses, amounts)
