"""Working capital of links: paid in where a netting takes it, and carried back to where it came from."""

from __future__ import annotations

from collections.abc import Sequence

from web3.contract import Contract

from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers import money
from transactive.chain.ledgers.groups.parts import MemberGroup
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient

FROM_GROUP, FROM_WHOLE = True, False


class LinkCapital:
    """Queues what on-ramp and operator do for the links of a community in groups."""

    def __init__(self, client: ChainClient, keys: Keys, whole: ChainLedger) -> None:
        self._client, self._keys = client, keys
        self._ledger, self._whole = whole, whole.contract

    def pay_in(self, group: MemberGroup, side: bool, needed_n: int) -> None:
        """Queue what a link lacks on a side to pay this [n¤]."""
        settlement = self._side(group, side)
        missing, on_ramp = needed_n - self._held_n(group, side), self._keys.role("on-ramp")
        if missing <= 0:
            return
        currency = self._client.contract("currency", self._ledger.currency_address)
        if self._ledger.creates_money:
            self._client.send(on_ramp, currency, "mint", on_ramp.address, missing)
        else:
            money.require_held(self._client, currency, on_ramp.address, missing)
        self._client.send(on_ramp, currency, "approve", settlement.address, missing)
        self._client.send(on_ramp, settlement, "depositFor", group.link.address, missing)

    def shift(self, group: MemberGroup, side: bool, amount_n: int) -> None:
        """Queue the way of a link's money [n¤] to its other side; what the funder asked for there is paid before."""
        settlement = self._side(group, side)
        if int(self._client.read(group.link, "returning", settlement.address)):
            self._carry(group, side)
        self._client.send(self._keys.role("operator"), group.link, "shift", side, amount_n)
        self._carry(group, side)

    def held_n(self, groups: Sequence[MemberGroup]) -> list[tuple[int, int]]:
        """What each link has in its group and in the whole [n¤]."""
        return [(self._held_n(group, FROM_GROUP), self._held_n(group, FROM_WHOLE)) for group in groups]

    def _carry(self, group: MemberGroup, side: bool) -> None:
        operator = self._keys.role("operator")
        self._client.send(operator, self._side(group, side), "release", group.link.address)
        self._client.send(operator, group.link, "carry", side)

    def _held_n(self, group: MemberGroup, side: bool) -> int:
        return int(self._client.read(self._side(group, side), "balanceOf", group.link.address))

    def _side(self, group: MemberGroup, side: bool) -> Contract:
        return group.settlement if side == FROM_GROUP else self._whole
