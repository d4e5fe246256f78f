"""A registry with members and meters, a currency, and a market contract on them, on an embedded chain in memory."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from eth_account.signers.local import LocalAccount

from tests.contract.world import ARBITER, KEYS, MEMBERS, ON, ON_RAMP, OPERATOR, OWNER, Anchored, new_client
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.receipts import contract_address
from transactive.chain.twins.registry import CONSUMER, PRODUCER, STORAGE

REGISTRAR = ARBITER
SLOT, GATE, WINDOW, DELAY = 900, 1800, 3600, 7200
START = 2_000_000 * SLOT
"""Time at which the tests begin: the start of a slot."""
ROLES = [PRODUCER, PRODUCER, CONSUMER, CONSUMER, STORAGE, PRODUCER | CONSUMER]
METER_OWNERS = [0, 1, 2, 3, 4, 5, 3]
"""Owner of each meter: member 3 has two."""
METERS = [KEYS.account(200 + i) for i in range(len(METER_OWNERS))]
WALLET = 2**80
FOR_EVER = 2**63
UNLIMITED = 2**256 - 1
TYPES = {"Reading": [{"name": name, "type": "uint256"} for name in ("meter", "slot", "exported", "imported")]}
NAMES = {"balance_market": "TransActive balance market", "trade_board": "TransActive trade board"}


class MarketWorld:
    """The contract with its members. `now` is the time of the next block."""

    def __init__(self, contract: str, *, token_source: str | None = None, native: bool = False) -> None:
        self.kind = contract
        self.client = client = new_client(more=[m.address for m in METERS])
        self.registry = client.deploy(OWNER, "registry", DELAY)
        client.send(OWNER, self.registry, "setRegistrar", REGISTRAR.address)
        client.send(OWNER, self.registry, "offerOperator", OPERATOR.address)
        client.send(OPERATOR, self.registry, "acceptOperator")
        if token_source is None:
            self.token = client.deploy(OWNER, "currency", "Test", "TST", 2**100)
            client.send(OWNER, self.token, "setMinter", ON_RAMP.address, ON)
        else:
            self.token = deploy_source(client, token_source)
        currency = "0x" + "00" * 20 if native else self.token.address
        self.c = client.deploy(OWNER, contract, self.registry.address, currency, SLOT, GATE, WINDOW)
        self.members = MEMBERS[: len(ROLES)]
        for member, roles in zip(self.members, ROLES, strict=True):
            client.send(REGISTRAR, self.registry, "register", member.address, roles)
        for owner, meter in zip(METER_OWNERS, METERS, strict=True):
            client.send(REGISTRAR, self.registry, "addMeter", owner, meter.address, 0, 0, FOR_EVER)
        for key in (*self.members, OPERATOR):
            client.send(ON_RAMP, self.token, "mint", key.address, WALLET)
            client.send(key, self.token, "approve", self.c.address, UNLIMITED)
        client.block(START)
        self.anchored = Anchored(client)
        self.begin()

    @classmethod
    def fresh(cls, contract: str, *, native: bool = False) -> MarketWorld:
        """World as after deployment."""
        world = _world(contract, native)
        world.anchored.restore()
        world.begin()
        return world

    def begin(self) -> None:
        self.now = START + 1
        self.s = self.slot()

    def do(self, sender: LocalAccount, function: str, *arguments: Any, contract: Any = None, value: int = 0) -> None:
        """Mine one call at `now`; the next block is at least a second later."""
        self.client.send(sender, contract or self.c, function, *arguments, value=value)
        self.now = max(self.now, self.client.head_timestamp + 1)
        try:
            self.gas = self.client.block(self.now).receipts[0].gas_used
        finally:
            self.now += 1

    def read(self, function: str, *arguments: Any, contract: Any = None) -> Any:
        return self.client.read(contract or self.c, function, *arguments)

    def wallet(self, account: Any) -> int:
        return int(self.client.read(self.token, "balanceOf", account.address))

    def slot(self, ahead: int = 4) -> int:
        """Start of the slot so many after the one that `now` is in."""
        return (self.now // SLOT + ahead) * SLOT

    def until_over(self, slot: int) -> None:
        self.now = max(self.now, slot + SLOT)

    def until_settling(self, slot: int) -> None:
        self.now = max(self.now, slot + SLOT + WINDOW)

    def signed(self, slot: int, meter: int, exported: int, imported: int, **change: Any) -> list[int | bytes]:
        """Arguments of `certify`, signed by the meter unless `signer` says otherwise."""
        domain = {
            "name": NAMES[self.kind],
            "version": "1",
            "chainId": change.get("chain_id", 31337),
            "verifyingContract": change.get("contract", self.c.address),
        }
        message = {"meter": meter, "slot": slot, "exported": exported, "imported": imported}
        made = change.get("signer", METERS[meter]).sign_typed_data(domain, TYPES, message)
        return [slot, meter, exported, imported, made.v, made.r.to_bytes(32, "big"), made.s.to_bytes(32, "big")]

    def certify(self, slot: int, readings: Iterable[tuple[int, int, int]]) -> None:
        """The operator states readings: meter, exported, imported."""
        self.do(OPERATOR, "certifyBatch", slot, list(readings))


def deploy_source(client: ChainClient, text: str, *arguments: Any) -> Any:
    """Deploy a contract of the tests from its Vyper source."""
    code = compiled(text)
    factory = client._web3.eth.contract(abi=code["abi"], bytecode=code["bytecode"])
    address = contract_address(OWNER.address, client._peek_nonce(OWNER.address))
    client._enqueue(OWNER, None, factory.constructor(*arguments).data_in_transaction, "deploy a contract of the tests")
    return client._web3.eth.contract(address=address, abi=code["abi"])


@cache
def compiled(text: str) -> dict[str, Any]:
    import vyper

    made: dict[str, Any] = vyper.compile_code(text, output_formats=["abi", "bytecode"])
    return made


@cache
def _world(contract: str, native: bool) -> MarketWorld:
    return MarketWorld(contract, native=native)
