"""The balance market on chain, as the engine sees it: members, meters and slots by number, money in n¤.

Calls only queue; they take effect in the order in which they were queued, with the next `block`. Members sign their
own orders; a meter's reading is signed with the key that the registry has for it, and anybody may bring it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount

from transactive.chain.keys.keys import DemoKeys
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.receipts import Block
from transactive.chain.twins.registry import CONSUMER, PRODUCER

CAP_N = 2**96
MAY_MINT = True
UNLIMITED = 2**256 - 1
FOR_EVER = 2**63
FIELDS = ("meter", "slot", "exported", "imported")
READING = {"Reading": [{"name": name, "type": "uint256"} for name in FIELDS]}
ROLES = ("registrar", "on-ramp", "operator", "owner")


@dataclass(frozen=True, slots=True)
class MarketTimes:
    """Seconds of a slot, from the gate to its start, and from its end until no reading counts any more."""

    slot_seconds: int
    gate_seconds: int
    window: int


class BalanceLedger:
    """A currency, a registry and a balance market of one community, each member with one meter."""

    def __init__(self, client: ChainClient, keys: DemoKeys, members: int, clock: MarketTimes, symbol: str) -> None:
        """Queue the deployment, members, meters, and the roles."""
        keys.check(client)
        self._client, self._keys, self.members, self.clock = client, keys, members, clock
        self.owner, self.operator = keys.role("owner"), keys.role("operator")
        self.registrar, self._on_ramp = keys.role("registrar"), keys.role("on-ramp")
        self._currency = client.deploy(self.owner, "currency", "Local Energy", symbol, CAP_N)
        self._registry = client.deploy(self.owner, "registry", clock.slot_seconds)
        rules = (clock.slot_seconds, clock.gate_seconds, clock.window)
        self._market = client.deploy(
            self.owner, "balance_market", self._registry.address, self._currency.address, *rules
        )
        client.send(self.owner, self._currency, "setMinter", self._on_ramp.address, MAY_MINT)
        client.send(self.owner, self._registry, "setRegistrar", self.registrar.address)
        client.send(self.owner, self._registry, "offerOperator", self.operator.address)
        client.send(self.operator, self._registry, "acceptOperator")
        for index in range(members):
            client.send(self.registrar, self._registry, "register", self.account(index).address, PRODUCER | CONSUMER)
            meter = self.meter(index).address
            client.send(self.registrar, self._registry, "addMeter", index, meter, 0, 0, FOR_EVER)
        for key in (self.operator, *(self.account(index) for index in range(members))):
            client.send(key, self._currency, "approve", self._market.address, UNLIMITED)

    @staticmethod
    def addresses(keys: DemoKeys, members: int) -> list[str]:
        """Who needs gas on a new chain."""
        named = (*(keys.role(name) for name in ROLES), *(keys.account(i) for i in range(members)))
        return [str(key.address) for key in named]

    @property
    def address(self) -> str:
        """Address of the market contract."""
        return str(self._market.address)

    def account(self, index: int) -> LocalAccount:
        """Key of a member."""
        return self._keys.account(index)

    def meter(self, index: int) -> LocalAccount:
        """Key of a member's meter, kept by its gateway."""
        return self._keys.role(f"meter {index}")

    def deposit(self, index: int, amount_n: int) -> None:
        """Queue the creation of a member's money and its deposit."""
        self._client.send(self._on_ramp, self._currency, "mint", self.account(index).address, amount_n)
        self._client.send(self.account(index), self._market, "deposit", amount_n)

    def fund(self, amount_n: int) -> None:
        """Queue money of the network for its pool."""
        self._client.send(self._on_ramp, self._currency, "mint", self.operator.address, amount_n)
        self._client.send(self.operator, self._market, "fund", amount_n)

    def open_slot(self, slot: int, numbers: Sequence[int]) -> None:
        """Queue the opening of a slot [Unix s] at base, floor, cap [n¤/Wh], scale and limit [Wh]."""
        self._client.send(self.operator, self._market, "openSlot", slot, *numbers)

    def order(self, index: int, slot: int, most_wh: int, limit_n: int, *, producing: bool) -> None:
        """Queue a member's order for up to `most_wh`, within a limit on its total [n¤]."""
        function = "produce" if producing else "consume"
        self._client.send(self.account(index), self._market, function, slot, 1, most_wh, limit_n)

    def certify(self, index: int, slot: int, exported_wh: int, imported_wh: int) -> None:
        """Queue the reading of a member's meter, signed by it and brought by the member."""
        domain = {
            "name": "TransActive balance market",
            "version": "1",
            "chainId": self._client.chain_id,
            "verifyingContract": self.address,
        }
        values = (index, slot, exported_wh, imported_wh)
        made = self.meter(index).sign_typed_data(domain, READING, dict(zip(FIELDS, values, strict=True)))
        signature = (made.v, made.r.to_bytes(32, "big"), made.s.to_bytes(32, "big"))
        arguments = (slot, index, exported_wh, imported_wh, *signature)
        self._client.send(self.account(index), self._market, "certify", *arguments)

    def settle(self, slot: int, members: Sequence[int]) -> None:
        """Queue the settling of these members' positions in a slot."""
        self._client.send(self.operator, self._market, "settle", slot, list(members))

    def withdraw(self, index: int, amount_n: int) -> None:
        """Queue a member's withdrawal."""
        self._client.send(self.account(index), self._market, "withdraw", amount_n)

    def defund(self, amount_n: int) -> None:
        """Queue the network's withdrawal from its pool."""
        self._client.send(self.operator, self._market, "defund", amount_n)

    def block(self, timestamp: int) -> Block:
        """Put all that is queued on chain, in a block at `timestamp` [Unix s].

        Raises ContractRevert if a call failed.
        """
        return self._client.block(timestamp)

    def accounts_n(self) -> list[tuple[int, int]]:
        """What each member has free and locked, as the contract has it [n¤]."""
        return [tuple(self._read("getAccount", index)) for index in range(self.members)]

    def pool_n(self) -> int:
        """What the network has that backs no slot [n¤]."""
        return int(self._read("pool"))

    def prices_n(self, slot: int) -> tuple[int, int]:
        """What the next Wh produced brings and the next Wh consumed costs in an open slot [n¤/Wh]."""
        return int(self._read("getProductionPrice", slot)), int(self._read("getConsumptionPrice", slot))

    def held_n(self) -> int:
        """Tokens that the contract holds [n¤]."""
        return int(self._client.read(self._currency, "balanceOf", self.address))

    def wallets_n(self) -> int:
        """Tokens that members and operator hold outside [n¤]."""
        keys = (self.operator, *(self.account(index) for index in range(self.members)))
        return sum(int(self._client.read(self._currency, "balanceOf", key.address)) for key in keys)

    def supply_n(self) -> int:
        """All tokens that there are [n¤]."""
        return int(self._client.read(self._currency, "totalSupply"))

    def _read(self, function: str, *arguments: int) -> Any:  # noqa: ANN401 - as the ABI says
        return self._client.read(self._market, function, *arguments)
