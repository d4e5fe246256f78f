"""What a community does on chain, in gas: real transactions on an embedded chain, so the figures are exact.

Settlement is that of 500 members with 96 slots a day; the second day is measured, when all words of storage are in use.
Orders and purchases stand beside contracts of others, whose gas is quoted: the public energy market contract
(HQ20 EnergyMarket, its own source compiled with solc 0.6.12, which has no escrow), and the best open exchange.

Energy of a transaction on a proof-of-stake chain, as a share by gas of what the whole network takes: Ethereum's
2,601 MWh a year (CCRI, "The Merge: Implications on the Electricity Consumption and Carbon Footprint of the Ethereum
Network", September 2022), a block every 12 s, 15 million gas a block (EIP-1559's target at that time). It is an
average: the network takes the same without the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

CERTIFICATES = bytes(range(1, 33))
"""Root of certificates: a slot without any is cheaper."""
MEMBERS, SLOTS_A_DAY = 500, 96
SLOT = 900
DAY = SLOT * SLOTS_A_DAY
START = 17_000 * DAY
WINDOW, GATE = 600, 1_800
MUCH = 10**15
EVERYTHING = 2**256 - 1
PUBLIC = "public market contract, no escrow"
EXCHANGE = "best open exchange, an order"
NETWORK_WH_A_YEAR = 2_601_000_000
GAS_A_YEAR = 15_000_000 * (365 * 86_400 // 12)


@bench("chain", summary="gas of settlement for 500 members, of orders and of purchases")
def chain(meter: BenchTimer) -> Iterator[Row]:  # noqa: ARG001 - gas needs no clock
    """Run a day of settlement and a few slots of the markets."""
    found = settlement_gas(MEMBERS)
    first, later, netting = (found.pop(name) for name in ("first commit", "later commit", "netting"))
    yield gas("slot commit, first of a period", first)
    yield gas("slot commit, later", later)
    yield gas("netting, a member of 500", netting / MEMBERS)
    for name, commits in (("a slot", SLOTS_A_DAY), ("four slots", SLOTS_A_DAY // 4)):
        day = first + (commits - 1) * later + netting
        yield gas(f"a member and slot, a commit for {name}", day / MEMBERS / SLOTS_A_DAY)
    for name, used in found.items():
        yield gas(name, used)
    yield from order_rows()
    yield from purchase_rows()
    wh = later * NETWORK_WH_A_YEAR / GAS_A_YEAR
    yield Row(name="energy of a slot commit on a proof-of-stake chain", value=wh, unit="Wh")


def gas(name: str, used: float, reference: str | None = None, theirs: float | None = None) -> Row:
    """Row of a figure in gas, beside what somebody else's contract takes."""
    ratio = used / theirs if theirs else None
    return Row(name=name, value=used, unit="gas", reference=reference, reference_value=theirs, ratio=ratio)


# -- settlement -----------------------------------------------------------------------------------------------


def settlement_gas(members: int) -> dict[str, float]:
    """Two days of a community: slot commits, netting, a challenge that is right, deposits and a withdrawal [gas]."""
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.nodes.client import ChainClient

    keys, found = DemoKeys("bench"), dict[str, float]()
    with closing(ChainClient.open("embedded::memory:", alloc=keys.addresses(members))) as client:
        ledger = deploy_settlement(
            client,
            keys,
            accounts=members,
            slot_seconds=SLOT,
            slots_per_period=SLOTS_A_DAY,
            window=WINDOW,
            timestamp=START - DAY,
            currency_name="Local Energy",
            currency_symbol="LEN",
        )
        alone = [MUCH] + [0] * (members - 1)
        for name in ("deposit, first", "deposit, again"):
            found[name] = ledger.deposit(alone, client.head_timestamp + 60).gas["depositFor"]
        ledger.deposit([MUCH] * members, START)
        nets = [credit - debit for debit, credit, _, _ in totals(members)]
        for day in range(2):
            two_commits(ledger, members, day)
            ledger.propose(START // DAY + day, nets)
            ledger.block(START + (day + 1) * DAY)
            ledger.finalise(START // DAY + day)
            ledger.block(START + (day + 1) * DAY + WINDOW)
        found["first commit"], found["later commit"] = ledger.gas_slot_commits[2:]
        found["netting"] = ledger.gas_nettings[1]
        for name in ("withdraw to an empty wallet", "withdraw"):
            ledger.request_withdrawal(0, MUCH)
            ledger.release(0)
            ledger.withdraw(0)
            found[name] = ledger.block(client.head_timestamp + 60).gas["withdraw"]
        found["netting challenge"] = challenge(client, keys, ledger, members)
        found["slot challenge, running totals"] = slot_challenge(client, keys, ledger, members, wrong_leaf=False)
        found["slot challenge, a leaf"] = slot_challenge(client, keys, ledger, members, wrong_leaf=True)
    return found


def totals(members: int) -> list[list[int]]:
    """Debit, credit [n¤], bought and sold [Wh] of every member, in balance."""
    return [
        [10**8 + 97 * i, 10**8 + 97 * (members - 1 - i), 10**4 + i, 10**4 + members - 1 - i] for i in range(members)
    ]


def two_commits(ledger: ChainLedger, members: int, day: int) -> SlotTree:
    """The first slot of a day and a later one, of which this is the tree."""
    return commits(ledger, members, day, 2, certified_wh=0)[-1]


def commits(ledger: ChainLedger, members: int, day: int, slots: int, *, certified_wh: int) -> list[SlotTree]:
    """Trees of a day's first slots: each states the same totals, and a first member with so much certified energy."""
    none, trees = [ZERO] * members, []
    money, energy = np.array(totals(members), np.int64), np.zeros((members, 4), np.int64)
    energy[0, 3] = certified_wh
    for slot in range(slots):
        number = START // SLOT + day * SLOTS_A_DAY + slot
        trees.append(ledger.commit_slot(SlotLeaves(number, money, energy, money, energy, none, none), CERTIFICATES))
        ledger.block((number + 1) * SLOT)
    return trees


def slot_challenge(client: ChainClient, keys: DemoKeys, ledger: ChainLedger, members: int, *, wrong_leaf: bool) -> int:
    """Gas of convicting the operator for the second of a full day's slots: all later ones have to be named.

    The second slot's totals are those of the first, although it says that something was paid; or, with `wrong_leaf`,
    a leaf has a Wh certified and none produced.
    """
    from dataclasses import replace

    from transactive.chain.disputes.evidence import shown
    from transactive.chain.history import opening

    day = 5 if wrong_leaf else 4
    trees = commits(ledger, members, day, SLOTS_A_DAY, certified_wh=int(wrong_leaf))
    judge = client.contract("disputes", ledger.disputes_address)
    made = ledger.commitments()[-SLOTS_A_DAY:]
    first, second = (opening(made, position, SLOTS_A_DAY) for position in range(2))
    leaves = [shown(0, tree.leaf(0), tree.proof(0)) for tree in trees[:2]]
    if wrong_leaf:
        client.send(keys.account(1), judge, "challengeLeaf", second.content, leaves[1])
    else:
        before = replace(first, later=()).content
        client.send(keys.account(1), judge, "challengeTotals", second.content, leaves[1], before, leaves[0])
    return client.block(client.head_timestamp + 60).receipts[0].gas_used


def challenge(client: ChainClient, keys: DemoKeys, ledger: ChainLedger, members: int) -> int:
    """Gas of stopping a netting that takes a unit from one member and gives it to another."""
    from transactive.chain.disputes.evidence import shown
    from transactive.chain.history import opening

    day = 3
    tree = two_commits(ledger, members, day)
    nets = [credit - debit for debit, credit, _, _ in totals(members)]
    nets[0], nets[1] = nets[0] - 1, nets[1] + 1
    ledger.propose(START // DAY + day, nets)
    ledger.block(START + (day + 1) * DAY)
    judge = client.contract("disputes", ledger.disputes_address)
    made = ledger.commitments()
    last = opening(made, len(made) - 1, SLOTS_A_DAY)
    leaf = shown(0, tree.leaf(0), tree.proof(0))
    client.send(keys.account(1), judge, "challengeNetting", last.content, leaf)
    return client.block(client.head_timestamp + 60).receipts[0].gas_used


# -- markets with delivery ------------------------------------------------------------------------------------


@dataclass(slots=True)
class BenchMarket:
    """A market contract with its registry, four members and money in their wallets."""

    client: ChainClient
    keys: DemoKeys
    contract: Any
    slot: int

    def do(self, sender: LocalAccount, function: str, *arguments: Any) -> int:  # noqa: ANN401 - as the ABI says
        """Gas of one call."""
        self.client.send(sender, self.contract, function, *arguments)
        return self.client.block(self.client.head_timestamp + 1).receipts[0].gas_used


def market(name: str) -> BenchMarket:
    """Deploy a market; members 0 and 1 produce, 2 and 3 consume."""
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.nodes.client import ChainClient

    keys = DemoKeys("bench")
    owner, operator = keys.role("owner"), keys.role("operator")
    members = [keys.account(i) for i in range(4)]
    client = ChainClient.open("embedded::memory:", alloc=keys.addresses(4))
    currency = client.deploy(owner, "currency", "Local Energy", "LEN", 2**96)
    registry = client.deploy(owner, "registry", DAY)
    contract = client.deploy(owner, name, registry.address, currency.address, SLOT, GATE, WINDOW)
    client.send(owner, registry, "setRegistrar", owner.address)
    client.send(owner, registry, "offerOperator", operator.address)
    client.send(operator, registry, "acceptOperator")
    client.send(owner, currency, "setMinter", owner.address, *[True])
    for number, key in zip(count(), (*members, operator)):
        client.send(owner, currency, "mint", key.address, MUCH)
        client.send(key, currency, "approve", contract.address, EVERYTHING)
        if key is not operator:
            client.send(owner, registry, "register", key.address, 1 if number < 2 else 2)
    client.block(START)
    return BenchMarket(client, keys, contract, START + 4 * SLOT)


def order_rows() -> Iterator[Row]:
    """Orders on the balance market, in a slot that has some: a member's first, and its next."""
    made = market("balance_market")
    with closing(made.client):
        producer, other, consumer, next_one = (made.keys.account(i) for i in range(4))
        for key in (producer, other, consumer, next_one):
            made.do(key, "deposit", MUCH // 2)
        made.do(made.keys.role("operator"), "fund", MUCH // 2)
        made.do(made.keys.role("operator"), "openSlot", made.slot, 200_000, 80_000, 300_000, 6_000, 24_000)
        made.do(producer, "produce", made.slot, 1, 1_000, 0)
        made.do(next_one, "consume", made.slot, 1, 1_000, EVERYTHING)
        theirs = {"produce": (82_757, 48_557), "consume": (73_186, 56_086)}
        for function, key, limit in (("produce", other, 0), ("consume", consumer, EVERYTHING)):
            for times, used in zip(("first", "again"), theirs[function], strict=True):
                found = made.do(key, function, made.slot, 1, 1_000, limit)
                yield gas(f"balance market, {function}, {times}", found, PUBLIC, used)


def purchase_rows() -> Iterator[Row]:
    """Purchases of a listing: a buyer's first of a slot, its next, and its first of another listing."""
    made = market("trade_board")
    with closing(made.client):
        seller, other, buyer, before = (made.keys.account(i) for i in range(4))
        made.do(other, "addAvailableTrade", made.slot, 1_000, 200_000, 0)
        made.do(seller, "addAvailableTrade", made.slot, 1_000, 150_000, 0)
        made.do(before, "buyEnergy", 0, 10, 10 * 200_000)
        for name, trade, price in (("first", 1, 150_000), ("again", 1, 150_000), ("of another listing", 0, 200_000)):
            found = made.do(buyer, "buyEnergy", trade, 100, 100 * price)
            yield gas(f"listing, purchase, {name}", found, EXCHANGE, 161_000)
