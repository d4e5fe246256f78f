"""Gas of what a community does, against a snapshot: `python -m tests.contract.test_gas` writes it anew.

Gas on an embedded chain is exact, so that any change shows; a growth of more than 1 % fails.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from functools import cache

import pytest
from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from tests.contract import market_world, predicting_world
from tests.contract.anvil import anvil
from tests.contract.deal_world import DealWorld
from tests.contract.group_world import KEYS as GROUP_KEYS
from tests.contract.group_world import OPERATOR as GROUP_OPERATOR
from tests.contract.group_world import GroupWorld
from tests.contract.market_world import UNLIMITED, MarketWorld
from tests.contract.predicting_world import ALL, MOST_STAKE, PredictingWorld
from tests.contract.witness_world import FAR, SIGNERS, Witnessed, proof_of
from tests.contract.world import NOBODY, NODES, ON, ON_RAMP, OPENED, OPERATOR, OWNER, STRANGER, World, new_client
from tests.contract.world import WINDOW as WORLD_WINDOW
from tests.strategies import leaves_of
from transactive.bench.proofs.certificate_gas import direct_rows
from transactive.bench.proofs.governance import governor_gas
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.disputes.deals import evidence as deal_evidence
from transactive.chain.gas import SNAPSHOT
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.deploying import deploy_settlement
from transactive.chain.packing import LANES, PART_WORDS, encode_nets
from transactive.chain.prediction.scoring import packed, sealed
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.slot_tree import SlotTree

ALLOWED = 1.01
KEYS = DemoKeys("gas")
HOUR, DAY, WINDOW = 3600, 24, 1800
START = 17_000 * DAY * HOUR
ELECTORATE = 300
FORECAST = (100, 300, 500, 600, 800, 1_000, 1_500, 2_500)
PLACES = 1_024
"""Leaves of the tree in which a challenge is measured, whoever has them: zeros in call data would be cheaper."""


def measure_currency() -> dict[str, int]:
    """Mint and transfer, to a new and to a known holder."""
    client, found = new_client(), {}
    token = client.deploy(OWNER, "currency", "Local Energy", "LEN", 2**80)
    client.send(OWNER, token, "setMinter", ON_RAMP.address, ON)
    found["deploy currency"] = client.block(1000).receipts[0].gas_used
    holder, other = (KEYS.account(i).address for i in range(2))
    for name in ("mint, first of all", "mint to a known holder"):
        client.send(ON_RAMP, token, "mint", ON_RAMP.address, 10**15)
        found[name] = client.block(client.head_timestamp + 1).receipts[0].gas_used
    for name, to in (("transfer to a new holder", holder), ("transfer to a known holder", holder)):
        client.send(ON_RAMP, token, "transfer", to, 10**14)
        found[name] = client.block(client.head_timestamp + 1).receipts[0].gas_used
    client.send(ON_RAMP, token, "approve", other, 5)
    found["approve"] = client.block(client.head_timestamp + 1).receipts[0].gas_used
    return found


def measure_registry() -> dict[str, int]:
    """What a registrar does; the second member and meter, when the counters are in use."""
    client, found = new_client(), {}
    registry = client.deploy(OWNER, "registry", DAY * HOUR)
    client.send(OWNER, registry, "setRegistrar", OWNER.address)
    found["deploy registry"] = client.block(1000).receipts[0].gas_used
    for i in range(2):
        key = KEYS.account(i).address
        client.send(OWNER, registry, "register", key, 3)
        client.send(OWNER, registry, "addMeter", i, key, 0, 0, 2**40)
        receipts = client.block(client.head_timestamp + 1).receipts
    found["register a member"], found["add a meter"] = (receipt.gas_used for receipt in receipts)
    return found


def measure_governor() -> dict[str, int]:
    """A proposal among 300 members, as the bench has it."""
    found = governor_gas(KEYS)
    return {name if name.startswith("deploy") else f"governor: {name}": gas for name, gas in found.items()}


def measure_balance_market() -> dict[str, int]:
    """Orders with their escrow: the first of a member in a slot that has orders, and its next one."""
    w, found = MarketWorld.fresh("balance_market"), {}
    slot, (one, other, buyer, next_buyer) = w.slot(), w.members[:4]
    for member in w.members:
        w.do(member, "deposit", 10**12)
    w.do(OPERATOR, "fund", 10**12)
    w.do(OPERATOR, "openSlot", slot, 200_000, 80_000, 300_000, 6_000, 24_000)
    found["balance market: open a slot"] = w.gas
    w.do(one, "produce", slot, 1, 1_000, 0)
    w.do(next_buyer, "consume", slot, 1, 1_000, UNLIMITED)
    for name, key, function, limit in (("produce", other, "produce", 0), ("consume", buyer, "consume", UNLIMITED)):
        for times in ("first", "again"):
            w.do(key, function, slot, 1, 1_000, limit)
            found[f"balance market: {name}, {times}"] = w.gas
    w.do(buyer, "consume", slot, 1, 20_000, 20_000 * 205_000)
    found["balance market: consume, cut by its limit"] = w.gas
    w.do(buyer, "cancel", slot, 500)
    found["balance market: cancel a part"] = w.gas
    w.until_over(slot)
    w.do(other, "certify", *w.signed(slot, 1, 1_500, 0))
    found["balance market: certify, signed"] = w.gas
    w.certify(slot, [(0, 1_000, 0), (2, 0, 1_000), (6, 0, 1_000)])
    found["balance market: certify, three stated"] = w.gas
    w.until_settling(slot)
    w.do(other, "settle", slot, [0, 1, 2, 3])
    found["balance market: settle four and close"] = w.gas
    return found


def measure_trade_board() -> dict[str, int]:
    """A listing and purchases: a buyer's first of a slot, its next of the same trade, and one of another trade."""
    w, found = MarketWorld.fresh("trade_board"), {}
    slot, (seller, other, buyer, _) = w.slot(), w.members[:4]
    w.do(other, "addAvailableTrade", slot, 1_000, 200_000, 0)
    w.do(seller, "addAvailableTrade", slot, 1_000, 150_000, 0)
    found["trade board: list"] = w.gas
    w.do(w.members[4], "buyEnergy", 0, 10, 10 * 200_000)
    for name, trade, price in (("first", 1, 150_000), ("again", 1, 150_000), ("of another trade", 0, 200_000)):
        w.do(buyer, "buyEnergy", trade, 100, 100 * price)
        found[f"trade board: buy, {name}"] = w.gas
    w.until_over(slot)
    w.do(seller, "certify", *w.signed(slot, 0, 150, 0))
    found["trade board: certify, signed"] = w.gas
    w.until_settling(slot)
    w.do(seller, "settle", 1, [2])
    found["trade board: settle"] = w.gas
    w.do(seller, "withdraw", 150 * 150_000)
    found["trade board: withdraw"] = w.gas
    w = MarketWorld.fresh("trade_board", native=True)
    w.do(seller, "addAvailableTrade", slot, 1_000, 150_000, 0)
    w.do(buyer, "buyEnergy", 0, 100, 100 * 150_000, value=100 * 150_000)
    found["trade board: buy with coin, first"] = w.gas
    return found


def measure_predictions() -> dict[str, int]:
    """A question of three outcomes: asked, a member's first and next trades, resolved, redeemed."""
    w, found = PredictingWorld.again(), {}
    question = w.question()

    def gas(name: str, who: LocalAccount, function: str, *arguments: object) -> None:
        w.client.send(who, w.market, function, *arguments)
        w.now = max(w.now, w.client.head_timestamp + 1)
        found[f"predictions: {name}"] = w.client.block(w.now).receipts[-1].gas_used

    w.act(w.members[2], "buy", question, 1, 10**6, ALL)
    gas("buy, first of a member", w.members[1], "buy", question, 1, 10**6, ALL)
    gas("buy, again", w.members[1], "buy", question, 1, 10**6, ALL)
    gas("sell", w.members[1], "sell", question, 1, 10**6, 0)
    made = w.run([300, 500, 200, 100])
    gas("resolve", STRANGER, "resolve", question, w.opened(made, 0), w.opened(made, 2))
    w.now += WORLD_WINDOW
    gas("redeem", w.members[1], "redeem", question)
    return found


def measure_stakes() -> dict[str, int]:
    """A period of eight agents in the pool, half of whom have nothing left beside their stake."""
    w, found = PredictingWorld.again(), {}

    def gas(name: str, who: LocalAccount, function: str, *arguments: object) -> None:
        found[f"stakes: {name}"] = w.stake(who, function, *arguments)

    agents = len(w.members)
    for member in range(agents):
        if member % 2:
            w.stake(w.members[member], "withdraw", 10**12 - MOST_STAKE)
        hidden = sealed(FORECAST, bytes([member]) * 32, member, w.period)
        gas("wager", w.members[member], "wager", w.period, hidden, MOST_STAKE)
    w.after_gate()
    for member in range(agents):
        gas("show", w.members[member], "show", w.period, member, packed(FORECAST), bytes([member]) * 32)
    period, made = w.period, w.run([100, 300, 500, 200])
    gas("settle", STRANGER, "settle", period, w.opened(made, 1), w.opened(made, 3))
    w.now += WORLD_WINDOW
    gas("pay", STRANGER, "pay", period)
    found["stakes: settle and pay, an agent of eight"] = (found["stakes: settle"] + found["stakes: pay"]) // agents
    return found


def measure_community(accounts: int) -> dict[str, int]:
    """Two periods; the second is measured, when all words are in use."""
    client = new_client(more=KEYS.addresses(accounts))
    ledger = deploy_settlement(
        client,
        KEYS,
        accounts=accounts,
        slot_seconds=HOUR,
        slots_per_period=DAY,
        window=WINDOW,
        timestamp=START - HOUR,
        currency_name="Local Energy",
        currency_symbol="LEN",
    )
    found = {}
    only_first = [10**12] + [0] * (accounts - 1)
    for name in ("deposit, first", "deposit, again"):
        found[name] = ledger.deposit(only_first, client.head_timestamp + 60).gas["depositFor"]
    ledger.request_withdrawal(0, 10**11)
    ledger.release(0)
    ledger.withdraw(0)
    gas = ledger.block(client.head_timestamp + 60).gas
    found |= {"withdraw: request": gas["requestWithdrawal"], "withdraw: release": gas["release"]}
    found["withdraw"] = gas["withdraw"]
    for_all = ledger.deposit([10**12] * accounts, START).gas["depositForMany"]
    found[f"deposit for {accounts} accounts at once, first"] = for_all
    totals = [
        [10**8 + 97 * i, 10**8 + 97 * (accounts - 1 - i), 10**4 + i, 10**4 + accounts - 1 - i] for i in range(accounts)
    ]
    nets = [credit - debit for debit, credit, _, _ in totals]
    for day in range(2):
        for hour in range(2):
            ledger.commit_slot(leaves_of(START // HOUR + day * DAY + hour, totals), bytes(range(1, 33)))
            ledger.block(START + (day * DAY + hour + 1) * HOUR)
        ledger.propose(START // HOUR // DAY + day, nets)
        ledger.block(START + (day + 1) * DAY * HOUR)
        ledger.finalise(START // HOUR // DAY + day)
        ledger.block(START + (day + 1) * DAY * HOUR + WINDOW)
    found["slot commit, first of a period"], found["slot commit, later"] = ledger.gas_slot_commits[2:]
    found[f"propose and finalise, {accounts} accounts"] = ledger.gas_nettings[1]
    return found


@cache
def measure_parts(accounts: int) -> dict[str, int]:
    """A part of a first netting, all storage zero before, and a challenge that stops it; the last account pays all."""
    client, depth = new_client(), 12
    token = client.deploy(OWNER, "currency", "Local Energy", "LEN", 2**80)
    rules = (depth, HOUR, DAY, WINDOW, 2 * DAY * HOUR, 2 * DAY * HOUR, 0, OWNER.address, 1, NOBODY)
    settlement = client.deploy(OWNER, "settlement", token.address, *rules)
    judge = client.deploy(OWNER, "disputes", settlement.address)
    client.send(OWNER, settlement, "setDisputes", judge.address)
    client.send(OWNER, settlement, "offerOperator", OPERATOR.address)
    client.send(OPERATOR, settlement, "acceptOperator")
    client.send(OWNER, token, "setMinter", OWNER.address, ON)
    client.send(OWNER, token, "mint", OWNER.address, 10**15)
    client.send(OWNER, token, "approve", settlement.address, 10**15)
    addresses = [f"0x{number:040x}" for number in range(1, accounts + 1)]
    for first in range(0, accounts, 128):
        client.send(OPERATOR, settlement, "registerMany", addresses[first : first + 128])
    client.send(OWNER, settlement, "depositFor", addresses[-1], 10**15)
    client.block(START)
    nets = [10**8 + i for i in range(accounts - 1)]
    nets.append(-sum(nets))
    rows = [[max(-net, 0), max(net, 0), 0, 0] for net in nets] + [[0] * 4] * (PLACES - accounts)
    tree = SlotTree(leaves_of(START // HOUR, rows), depth, b"gas")
    made = Commitment(START // HOUR, tree.root, bytes(32), tree.money, tree.energy, 0)
    client.send(OPERATOR, settlement, "commitSlot", *made.content)
    client.block(START + HOUR)

    def gas(sender: LocalAccount, contract: Contract, function: str, *arguments: object, time: int = 0) -> int:
        client.send(sender, contract, function, *arguments)
        return client.block(max(time, client.head_timestamp + 1)).receipts[0].gas_used

    period, over = START // HOUR // DAY, START + DAY * HOUR
    wrong = encode_nets([nets[0] + 1, nets[1] - 1, *nets[2:]])
    found = {"propose": gas(OPERATOR, settlement, "propose", period, 0, wrong, time=over)}
    shown = evidence.shown(0, tree.leaf(0), tree.proof(0))
    opening = Opening(bytes(32), made, ()).content
    found["challenge"] = gas(OWNER, judge, "challengeNetting", opening, shown)
    client.send(OPERATOR, settlement, "propose", period, 0, encode_nets(nets))
    client.block(client.head_timestamp + 1)
    after = client.head_timestamp + WINDOW
    found["apply"] = gas(OWNER, settlement, "finalise", PART_WORDS, time=after)
    assert int(client.read(settlement, "settledPeriod")) == period
    return found


def measure_registration(accounts: int) -> dict[str, int]:
    """Accounts one by one, and many at once."""
    client = new_client()
    token = client.deploy(OWNER, "currency", "Local Energy", "LEN", 2**80)
    rules = (8, HOUR, DAY, WINDOW, 2 * DAY * HOUR, 2 * DAY * HOUR, 0, OWNER.address, 1, NOBODY)
    settlement = client.deploy(OWNER, "settlement", token.address, *rules)
    client.send(OWNER, settlement, "offerOperator", OPERATOR.address)
    client.send(OPERATOR, settlement, "acceptOperator")
    addresses = [KEYS.account(i).address for i in range(accounts + 2)]
    for address in addresses[:2]:
        client.send(OPERATOR, settlement, "register", address)
    one = client.block(1000).receipts[-1].gas_used
    client.send(OPERATOR, settlement, "registerMany", addresses[2:])
    many = client.block(client.head_timestamp + 1).receipts[0].gas_used
    return {"register an account": one, f"register {accounts} accounts at once": many}


def measure_largest_part() -> dict[str, int]:
    """The part of a netting that one transaction takes."""
    accounts = PART_WORDS * LANES
    found = measure_parts(accounts)
    return {
        f"netting: propose a part of {accounts} accounts, from zero": found["propose"],
        f"netting: apply a part of {accounts} accounts, from zero": found["apply"],
    }


def measure_groups() -> dict[str, int]:
    """What three groups add in a period, the second one, when words are in use; and what it costs to be judged."""
    w, found = GroupWorld.fresh(), {}
    for _ in range(2):
        w.trade()
        w.propose()
        w.pay_groups_alone()
        w.tree = w.ledger.whole.commit_slot(w.whole_leaves())
        w.mine()
        found["groups: commit the whole"] = w.gas["commitSlot"]
        w.propose_whole()
        w.do(GROUP_KEYS.account(2), w.judge, "ask", w.ledger.opening(None, w.last).content, w.link(1))
        found["groups: ask"] = w.gas["ask"]
        w.do(GROUP_OPERATOR, w.judge, "answer", *w.evidence(1))
        found["groups: answer"] = w.gas["answer"]
        w.finalise()
        found["groups: capital back to the other side, a group"] = (
            sum(w.gas[call] for call in ("shift", "release", "carry")) // w.shifted
        )
        w.period += 1
    return found


def measure_certificates() -> dict[str, int]:
    """Direct issues and claims, a bundle; what roots cost stands in the slot commits."""
    return {f"certificates: {row.name}": round(row.value or 0) for row in direct_rows()}


@cache
def measure_deals() -> dict[str, int]:
    """A deal posted, left out and shown by a challenger that has earned before; and what is shown of who cheated."""
    w, found = DealWorld.fresh(money=10**9), {}
    for name in ("deals: challenge, one posted deal, first award", "deals: challenge, one posted deal"):
        deal = w.deal(0, 1, w.coming)
        w.post(deal)
        found["deals: post"] = w.gas_used
        w.settle(deal, but=(deal,))
        w.challenge_deals(0, w.posted(deal, 1))
        found[name] = w.gas_used
        w.back()
    slot = w.coming
    deals = [w.deal(0, 1, slot, wh, serial=serial) for serial, wh in enumerate((700, 600))]
    for deal in deals:
        w.post(deal)
    w.act("showBeyond", w.allowed(1, slot).content, *[False], [deal_evidence.signed(deal) for deal in deals])
    found["deals: two posted deals beyond an allowance"] = w.gas_used
    w.act("showTwice", *[deal_evidence.signed(w.deal(0, 1, slot, wh, most=9, serial=2)) for wh in (5, 6)])
    found["deals: two awards for one bid"] = w.gas_used
    w.settle(*deals, but=tuple(deals))
    w.challenge_deals(0, w.receipted(deals[0]))
    found["deals: challenge, one receipted deal"] = w.gas_used
    return found


def measure_anchors() -> dict[str, int]:
    """A root over as many communities as like."""
    client = new_client()
    c = client.deploy(OWNER, "anchors")
    client.block(1000)
    client.send(OWNER, c, "anchor", b"\x07" * 32)
    return {"anchors: a root for many communities": client.block(1001).receipts[-1].gas_used}


def measure_witness() -> dict[str, int]:
    """A block, the head of a period and a leaf of another chain."""
    w = World.fresh()
    found = Witnessed.fresh(w)
    w.book.trade(0, 1, 70)
    w.commit()
    number, header, account, storage = proof_of(w, w.period)
    noted = found.note((FAR, number, keccak(header)), *SIGNERS[:2])
    return {
        "witness: note a block, two signers": noted,
        "witness: prove the head of a period": found.prove(number, header, account, storage),
    }


def measured() -> dict[str, int]:
    """All figures on an embedded chain [gas]."""
    return (
        measure()
        | measure_certificates()
        | measure_largest_part()
        | measure_groups()
        | measure_deals()
        | measure_anchors()
        | measure_witness()
    )


def measure() -> dict[str, int]:
    """All figures on new chains [gas]."""
    markets = measure_registry() | measure_balance_market() | measure_trade_board() | measure_governor()
    markets |= measure_predictions() | measure_stakes()
    return measure_currency() | markets | measure_community(100) | measure_community(14) | measure_registration(100)


def test_gas_has_not_grown():
    known, now = json.loads(SNAPSHOT.read_text(encoding="utf-8")), measured()
    assert set(known) == set(now)
    grown = {name: (known[name], gas) for name, gas in now.items() if gas > ALLOWED * known[name]}
    assert grown == {}, "write the snapshot anew only if the growth is worth it"


@pytest.fixture
def embedded_gas():
    return measured()


@pytest.fixture
def on_anvil(monkeypatch):
    """All chains of a test on Anvil, each on its own."""
    monkeypatch.setattr(market_world, "_world", market_world._world.__wrapped__)
    monkeypatch.setattr(predicting_world, "_predicting", predicting_world._predicting.__wrapped__)
    already = len(OPENED)
    with ExitStack() as nodes:
        NODES.append(lambda: nodes.enter_context(anvil("--timestamp", "1")))
        try:
            yield
        finally:
            NODES.pop()
            while len(OPENED) > already:
                OPENED.pop().close()


@pytest.mark.service
def test_another_node_charges_the_same_gas(embedded_gas, on_anvil):
    """Slot commitments, netting, orders on the balance market, purchases, deposits and withdrawals."""
    assert embedded_gas | measure() == embedded_gas


@pytest.mark.parametrize("slots", [24, 96])
def test_two_tiers_stay_cheap(slots):
    """A period of a hundred accounts, from the snapshot: per account and slot."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    period = (slots - 1) * gas["slot commit, later"] + gas["slot commit, first of a period"]
    assert (period + gas["propose and finalise, 100 accounts"]) / slots / 100 < 600
    assert gas["slot commit, later"] <= 42_000
    assert gas["slot commit, first of a period"] <= 105_000


def test_a_part_of_a_netting_fits_a_transaction():
    """At most ten million gas, however many accounts there are, though all words are new."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    parts = [used for name, used in gas.items() if name.startswith("netting: ")]
    assert len(parts) == 2
    assert max(parts) <= 10_000_000


def test_a_challenge_to_a_netting_costs_the_same_however_many_members_there_are():
    few, many = (measure_parts(accounts)["challenge"] for accounts in (32, PART_WORDS * LANES))
    assert abs(many - few) < 500  # of the two calls' data, a few bytes are zero


def test_orders_with_escrow_stay_cheap():
    """Against the public market contract, which has no escrow: produce 82,757 and 48,557, consume 73,186 and 56,086."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    for name in ("produce", "consume"):
        assert gas[f"balance market: {name}, first"] <= 95_000
        assert gas[f"balance market: {name}, again"] <= 60_000


def test_purchases_stay_cheap():
    """Against the best open exchange, which moves no money: 161,000 an order, 189,000 a match."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    bought = [used for name, used in gas.items() if name.startswith("trade board: buy")]
    assert len(bought) == 4
    assert max(bought) <= 90_000


def test_deals_stay_cheap():
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert gas["deals: post"] <= 70_000
    assert gas["deals: challenge, one posted deal"] <= 135_000


def test_votes_stay_cheap():
    """Against the usual governor of tokens: a proposal of three actions about 170,000, a vote by signature 80,000."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert gas["governor: propose three actions"] <= 180_000
    assert gas["governor: ballots in a batch of 100, each"] <= 11_000


def test_predictions_stay_cheap():
    """Exponentials and logarithms of 112 bits included."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    trades = [gas[f"predictions: {name}"] for name in ("buy, first of a member", "buy, again", "sell")]
    assert max(trades) <= 160_000


def test_stakes_stay_cheap():
    """Of eight agents, all of whom showed a forecast."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert gas["stakes: settle and pay, an agent of eight"] <= 35_000


def test_certificates_stay_cheap():
    """Against ERC-1888's own contract: 447,235 a certificate issued in a batch, 84,369 one that is claimed."""
    gas = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert gas["certificates: direct issue, a bundle of 50"] <= 50_000
    assert gas["certificates: batch claim, a bundle of 50"] <= 16_400


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(measured(), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(SNAPSHOT.read_text(encoding="utf-8"))
