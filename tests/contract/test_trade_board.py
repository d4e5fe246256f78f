"""Trade board: prices, trades, requests, delivery, money; every reason is met here."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.contract.market_world import (
    GATE,
    METERS,
    REGISTRAR,
    SLOT,
    WALLET,
    WINDOW,
    MarketWorld,
    deploy_source,
)
from tests.contract.mock_tokens import MOODY, SILENT
from tests.contract.world import CANDIDATE, MEMBERS, NOBODY, OFF, ON, OPERATOR, OWNER, STRANGER, reason_of, refused
from transactive.chain.artifact import artifact, source

SELLER, OTHER_SELLER, BUYER, OTHER_BUYER, STORE, BOTH = MEMBERS[:6]
PRICE = 150_000


@pytest.fixture
def w():
    """A board paid in a currency, with nothing on it."""
    return MarketWorld.fresh("trade_board")


@pytest.fixture
def native():
    """A board paid in the chain's own coin."""
    return MarketWorld.fresh("trade_board", native=True)


def buy(w, buyer, trade, energy, price=PRICE, **change):
    w.do(buyer, "buyEnergy", trade, energy, change.get("total", price * energy), value=change.get("value", 0))


def trade(w, number):
    return tuple(w.read("getAvailableTrade", number))


def balances(w, slot):
    return [w.read("getBalance", i, slot) for i in range(len(w.members))]


def credits_of(w):
    return [w.read("credits", i) for i in range(len(w.members))]


def holdings(w):
    return int(w.client.read(w.token, "balanceOf", w.c.address))


def coins(w, address):
    return int(w.client._node.ask("eth_getBalance", address, "latest"), 16)


def testEnergyPricing(w):
    """The owner of energy sets a price; it holds for what is made available from then on."""
    with refused("trade_board: no price set"):
        w.do(SELLER, "setEnergyAvailable", w.s, 10)
    for price in (0, 2**64):
        with refused("trade_board: bad price"):
            w.do(SELLER, "setEnergyPrice", price)
        with refused("trade_board: bad price"):
            w.do(SELLER, "addAvailableTrade", w.s, 10, price, 0)
    w.do(SELLER, "setEnergyPrice", PRICE)
    assert (w.read("energyPrice", 0), w.read("energyPrice", 1)) == (PRICE, 0)
    w.do(SELLER, "setEnergyAvailable", w.s, 1_000)
    assert trade(w, 0) == (0, w.s, w.s - GATE, PRICE, 1_000, 0)
    buy(w, BUYER, 0, 300)
    w.do(SELLER, "setEnergyAvailable", w.s, 500)  # the same trade, refilled
    assert (trade(w, 0)[4:], w.read("getNumAvailableTrades")) == ((500, 300), 1)
    w.do(SELLER, "setEnergyPrice", 2 * PRICE)
    assert trade(w, 0)[3:5] == (PRICE, 500), "a trade's price never changes"
    w.do(SELLER, "setEnergyAvailable", w.s, 400)
    assert trade(w, 0)[4:] == (0, 300), "what was left at the old price is taken back"
    assert trade(w, 1) == (0, w.s, w.s - GATE, 2 * PRICE, 400, 0)
    for total in (PRICE * 10, 2 * PRICE * 10 + 1, 2 * PRICE * 10 - 1):
        with refused("trade_board: wrong total"):
            buy(w, BUYER, 1, 10, total=total)
    buy(w, BUYER, 1, 10, 2 * PRICE)
    w.do(SELLER, "setEnergyAvailable", w.s, 0)
    with refused("trade_board: bad amount"):
        buy(w, BUYER, 1, 1, 2 * PRICE)
    with refused("trade_board: bad amount"):
        w.do(SELLER, "setEnergyAvailable", w.s, 2**44 - 10)


def testEnergyTrading(w):
    """From a listing to the wallet: energy moves when it is bought, money when it was delivered."""
    w.do(SELLER, "addAvailableTrade", w.s, 1_000, PRICE, 0)
    w.do(OTHER_SELLER, "addAvailableTrade", w.s, 500, 2 * PRICE, w.now + 100)
    assert w.read("getNumAvailableTrades") == 2
    buy(w, BUYER, 0, 600)
    buy(w, OTHER_BUYER, 0, 400)  # the rest
    buy(w, BUYER, 1, 500, 2 * PRICE)  # whole
    assert balances(w, w.s) == [-1_000, -500, 1_100, 400, 0, 0]
    assert [w.read("getDeal", *pair) for pair in ((0, 2), (0, 3), (1, 2))] == [[600, False], [400, False], [500, False]]
    assert (w.wallet(BUYER), w.wallet(SELLER)) == (WALLET - 1_600 * PRICE, WALLET)
    assert holdings(w) == 2_000 * PRICE
    w.until_over(w.s)
    w.do(STRANGER, "certify", *w.signed(w.s, 0, 750, 0))
    w.certify(w.s, [(1, 9_999, 0)])
    with refused("metered: window open"):
        w.do(STRANGER, "settle", 0, [2])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", 0, [2, 3])
    w.do(STRANGER, "settle", 1, [2])
    assert credits_of(w) == [750 * PRICE, 1_000 * PRICE, 150 * PRICE, 100 * PRICE, 0, 0]
    for number, buyers in ((0, [2]), (1, [2]), (0, [4]), (1, [3])):
        w.do(STRANGER, "settle", number, buyers)  # nothing is left
    assert credits_of(w) == [750 * PRICE, 1_000 * PRICE, 150 * PRICE, 100 * PRICE, 0, 0]
    for member, amount in zip(w.members[:4], credits_of(w), strict=False):
        with refused("trade_board: credit too low"):
            w.do(member, "withdraw", amount + 1)
        w.do(member, "withdraw", amount)
    assert holdings(w) == 0
    assert w.wallet(SELLER) == WALLET + 750 * PRICE
    assert sum(balances(w, w.s)) == 0


def test_selling_to_a_request(w):
    w.do(BUYER, "requestEnergy", w.s, 100, PRICE, 0)
    assert w.wallet(BUYER) == WALLET - 100 * PRICE
    with refused("trade_board: bad amount"):
        w.do(SELLER, "sellEnergy", 0, 101)
    w.do(SELLER, "sellEnergy", 0, 60)
    w.do(OTHER_SELLER, "sellEnergy", 0, 30)
    assert tuple(w.read("getRequest", 0)) == (2, w.s, w.s - GATE, PRICE, 10)
    assert trade(w, 0) == (0, w.s, w.s - GATE, PRICE, 0, 60)
    assert balances(w, w.s)[:3] == [-60, -30, 90]
    with refused("trade_board: not yours"):
        w.do(OTHER_BUYER, "cancelRequest", 0)
    w.now = w.s
    with refused("trade_board: expired"):
        w.do(OTHER_SELLER, "sellEnergy", 0, 1)
    w.do(BUYER, "cancelRequest", 0)
    assert credits_of(w)[2] == 10 * PRICE
    with refused("trade_board: nothing left"):
        w.do(BUYER, "cancelRequest", 0)
    w.until_over(w.s)
    w.certify(w.s, [(0, 60, 0)])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", 0, [2])
    w.do(STRANGER, "settle", 1, [2])
    assert credits_of(w)[:3] == [60 * PRICE, 0, 40 * PRICE]
    assert holdings(w) == 100 * PRICE


def test_what_is_no_trade(w):
    for slot in (w.s + 1, 2**40 // SLOT * SLOT + SLOT):
        with refused("metered: no such slot"):
            w.do(SELLER, "addAvailableTrade", slot, 1, PRICE, 0)
    for slot in (0, w.slot(0), w.slot(1)):
        with refused("metered: gate closed"):
            w.do(SELLER, "addAvailableTrade", slot, 1, PRICE, 0)
        with refused("metered: gate closed"):
            w.do(BUYER, "requestEnergy", slot, 1, PRICE, 0)
    for energy in (0, 2**44):
        with refused("trade_board: bad amount"):
            w.do(SELLER, "addAvailableTrade", w.s, energy, PRICE, 0)
    for expiry in (w.now, w.s - GATE + 1):
        with refused("trade_board: bad expiry"):
            w.do(SELLER, "addAvailableTrade", w.s, 1, PRICE, expiry)
    unknown: list[tuple[str, tuple[object, ...]]] = [
        ("cancelTrade", (0,)),
        ("buyEnergy", (0, 1, 1)),
        ("settle", (0, [])),
    ]
    for function, arguments in unknown:
        with refused("trade_board: no such trade"):
            w.do(BUYER, function, *arguments)
    with refused("trade_board: no such trade"):
        w.read("getAvailableTrade", 0)
    with refused("trade_board: no such request"):
        w.do(SELLER, "sellEnergy", 0, 1)
    with refused("trade_board: no such request"):
        w.do(BUYER, "cancelRequest", 0)


def test_no_purchase_beyond_what_is_offered_or_after_its_expiry(w):
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, w.now + 50)
    for energy in (0, 11):
        with refused("trade_board: bad amount"):
            buy(w, BUYER, 0, energy)
    w.now = trade(w, 0)[2] - 1
    buy(w, BUYER, 0, 4)
    with refused("trade_board: expired"):
        buy(w, BUYER, 0, 4)
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    w.now = w.s - GATE
    with refused("trade_board: expired"):
        buy(w, BUYER, 1, 4)


def test_cancelling_takes_back_what_was_not_sold(w):
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    buy(w, BUYER, 0, 4)
    with refused("trade_board: not yours"):
        w.do(OTHER_SELLER, "cancelTrade", 0)
    w.do(SELLER, "cancelTrade", 0)
    with refused("trade_board: bad amount"):
        buy(w, BUYER, 0, 1)
    with refused("trade_board: nothing left"):
        w.do(SELLER, "cancelTrade", 0)
    assert trade(w, 0)[4:] == (0, 4)


def test_roles_and_own_trades(w):
    for sender, function, arguments in (
        (BUYER, "setEnergyPrice", (1,)),
        (BUYER, "setEnergyAvailable", (w.s, 1)),
        (BUYER, "addAvailableTrade", (w.s, 1, 1, 0)),
        (BUYER, "sellEnergy", (0, 1)),
        (SELLER, "buyEnergy", (0, 1, 1)),
        (SELLER, "requestEnergy", (w.s, 1, 1, 0)),
    ):
        with refused("trade_board: role missing"):
            w.do(sender, function, *arguments)
        with refused("metered: not a member"):
            w.do(STRANGER, function, *arguments)
    w.do(BOTH, "addAvailableTrade", w.s, 5, PRICE, 0)
    w.do(BOTH, "requestEnergy", w.s, 5, PRICE, 0)
    with refused("trade_board: own trade"):
        buy(w, BOTH, 0, 1)
    with refused("trade_board: own trade"):
        w.do(BOTH, "sellEnergy", 0, 1)
    buy(w, STORE, 0, 5)
    w.do(STORE, "addAvailableTrade", w.s, 9, PRICE, 0)  # a battery may do both
    buy(w, BUYER, 1, 7)
    assert balances(w, w.s) == [0, 0, 7, 0, -2, -5]


def test_an_account_has_an_end(w):
    most = 2**44 - 1
    for seller in (SELLER, SELLER, OTHER_SELLER):
        w.do(seller, "addAvailableTrade", w.s, most, 1, 0)
    buy(w, BUYER, 0, most, 1)
    with refused("trade_board: account full"):
        buy(w, OTHER_BUYER, 1, 1, 1)
    with refused("trade_board: account full"):
        buy(w, BUYER, 2, 1, 1)


def test_delivery_is_shared_pro_rata_and_rounded_for_the_buyers(w):
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    w.do(SELLER, "addAvailableTrade", w.s, 5, 7, 0)
    buy(w, BUYER, 0, 7)
    buy(w, OTHER_BUYER, 0, 3)
    buy(w, BUYER, 1, 5, 7)
    w.until_over(w.s)
    w.certify(w.s, [(0, 8, 0)])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", 1, [2])
    w.do(STRANGER, "settle", 0, [3, 2])
    delivered = [7 * 8 // 15, 3 * 8 // 15, 5 * 8 // 15]
    assert sum(delivered) <= 8
    assert credits_of(w)[0] == (delivered[0] + delivered[1]) * PRICE + delivered[2] * 7
    assert credits_of(w)[2:4] == [(7 - delivered[0]) * PRICE + (5 - delivered[2]) * 7, (3 - delivered[1]) * PRICE]


def test_readings(w):
    with refused("trade_board: nothing sold"):
        w.until_over(w.s)
        w.certify(w.s, [(0, 8, 0)])
    w.s = w.slot()
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    buy(w, BUYER, 0, 10)
    signed = w.signed(w.s, 0, 8, 0)
    with refused("metered: slot not over"):
        w.do(SELLER, "certify", *signed)
    w.until_over(w.s)
    for wrong in ({"signer": METERS[1]}, {"chain_id": 5}, {"contract": w.token.address}):
        with refused("metered: bad signature"):
            w.do(SELLER, "certify", *w.signed(w.s, 0, 8, 0, **wrong))
    with refused("metered: not the operator"):
        w.do(SELLER, "certifyBatch", w.s, [(0, 8, 0)])
    w.certify(w.s, [(0, 1, 0)])
    w.do(SELLER, "certify", *signed)
    assert w.read("getAccount", 0, w.s)[3] == 8
    w.until_settling(w.s)
    with refused("metered: window over"):
        w.do(SELLER, "certify", *signed)


def test_the_coin_of_the_chain(native):
    w = native
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    for value in (0, 4 * PRICE - 1, 4 * PRICE + 1):
        with refused("trade_board: wrong coin"):
            buy(w, BUYER, 0, 4, value=value)
    buy(w, BUYER, 0, 4, value=4 * PRICE)
    with refused("trade_board: wrong coin"):
        w.do(BUYER, "requestEnergy", w.s, 4, PRICE, 0)
    w.do(BUYER, "requestEnergy", w.s, 4, PRICE, 0, value=4 * PRICE)
    w.do(BUYER, "cancelRequest", 0)
    assert coins(w, w.c.address) == 8 * PRICE
    w.until_over(w.s)
    w.certify(w.s, [(0, 4, 0)])
    w.until_settling(w.s)
    w.do(SELLER, "settle", 0, [2])
    w.do(SELLER, "withdraw", 4 * PRICE)
    w.do(BUYER, "withdraw", 4 * PRICE)
    assert coins(w, w.c.address) == 0
    assert w.read("currency") == NOBODY


def test_no_coin_where_a_currency_is_used(w):
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    with refused("trade_board: wrong coin"):
        buy(w, BUYER, 0, 1, value=PRICE)


MEMBER_CONTRACT = """
# pragma version 0.4.3
# pragma evm-version cancun
interface Board:
    def requestEnergy(slot: uint256, energy: uint256, price: uint256, expiry: uint256) -> uint256: payable
    def cancelRequest(request: uint256): nonpayable
    def withdraw(amount: uint256): nonpayable
mode: public(uint256)
@external
@payable
def ask(board: address, slot: uint256):
    made: uint256 = extcall Board(board).requestEnergy(slot, 1, msg.value, 0, value=msg.value)
    extcall Board(board).cancelRequest(made)
@external
def take(board: address, amount: uint256, mode: uint256):
    self.mode = mode
    extcall Board(board).withdraw(amount)
@external
@payable
def __default__():
    if self.mode == 1:
        extcall Board(msg.sender).withdraw(msg.value)
    assert self.mode == 0
"""


def test_who_takes_no_coin_or_calls_back_keeps_only_itself_from_its_money(native):
    w = native
    member = deploy_source(w.client, MEMBER_CONTRACT)
    w.do(REGISTRAR, "register", member.address, 2, contract=w.registry)
    w.do(BUYER, "requestEnergy", w.s, 1, 5, 0, value=5)
    w.do(BUYER, "cancelRequest", 0)
    w.do(STRANGER, "ask", w.c.address, w.s, contract=member, value=3)
    for mode in (1, 2):
        with refused("trade_board: coin not taken"):
            w.do(STRANGER, "take", w.c.address, 2, mode, contract=member)
    w.do(STRANGER, "take", w.c.address, 2, 0, contract=member)
    assert coins(w, member.address) == 2
    w.do(BUYER, "withdraw", 5)
    assert coins(w, w.c.address) == 1


def test_pause_stops_entry_never_exit(w):
    w.do(SELLER, "setEnergyPrice", PRICE)
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    w.do(BUYER, "requestEnergy", w.s, 10, PRICE, 0)
    buy(w, BUYER, 0, 4)
    w.do(OWNER, "setPaused", ON)
    for sender, function, arguments in (
        (SELLER, "setEnergyPrice", (1,)),
        (SELLER, "setEnergyAvailable", (w.s, 1)),
        (SELLER, "addAvailableTrade", (w.s, 1, 1, 0)),
        (SELLER, "sellEnergy", (0, 1)),
        (BUYER, "buyEnergy", (0, 1, PRICE)),
        (BUYER, "requestEnergy", (w.s, 1, 1, 0)),
    ):
        with refused("trade_board: paused"):
            w.do(sender, function, *arguments)
    w.do(REGISTRAR, "suspend", 0, contract=w.registry)
    w.do(SELLER, "cancelTrade", 0)
    w.do(BUYER, "cancelRequest", 0)
    w.until_over(w.s)
    w.do(SELLER, "certify", *w.signed(w.s, 0, 3, 0))
    w.until_settling(w.s)
    w.do(STRANGER, "settle", 0, [2])
    w.do(SELLER, "withdraw", 3 * PRICE)
    w.do(BUYER, "withdraw", 11 * PRICE)
    assert holdings(w) == 0
    w.do(OWNER, "setPaused", OFF)
    w.do(OTHER_SELLER, "setEnergyPrice", 1)
    with refused("trade_board: role missing"):
        w.do(SELLER, "setEnergyPrice", 1)


def test_a_member_with_a_new_key_finds_its_credit_again(w):
    w.do(BUYER, "requestEnergy", w.s, 10, PRICE, 0)
    w.do(REGISTRAR, "startRecovery", 2, CANDIDATE.address, contract=w.registry)
    w.now += 7200
    w.do(CANDIDATE, "finishRecovery", 2, contract=w.registry)
    with refused("metered: not a member"):
        w.do(BUYER, "cancelRequest", 0)
    w.do(CANDIDATE, "cancelRequest", 0)
    w.do(CANDIDATE, "withdraw", 10 * PRICE)
    assert w.wallet(CANDIDATE) == 10 * PRICE


ANYBODY = {"operator", "owner", "registrar", "seller", "buyer", "stranger"}
ALLOWED = {
    "setEnergyPrice": ({"seller"}, lambda w: (5,)),
    "setEnergyAvailable": ({"seller"}, lambda w: (w.s, 5)),
    "addAvailableTrade": ({"seller"}, lambda w: (w.s, 5, 5, 0)),
    "cancelTrade": ({"seller"}, lambda w: (0,)),
    "sellEnergy": ({"seller"}, lambda w: (0, 1)),
    "buyEnergy": ({"buyer"}, lambda w: (0, 1, PRICE)),
    "requestEnergy": ({"buyer"}, lambda w: (w.s, 1, 1, 0)),
    "cancelRequest": ({"buyer"}, lambda w: (0,)),
    "withdraw": ({"buyer"}, lambda w: (1,)),
    "setPaused": ({"owner"}, lambda w: (ON,)),
    "certify": (ANYBODY, lambda w: w.signed(w.s, 0, 5, 0)),
    "certifyBatch": ({"operator"}, lambda w: (w.s, [(0, 5, 0)])),
    "settle": (ANYBODY, lambda w: (0, [2])),
}
PEOPLE = {
    "operator": OPERATOR,
    "owner": OWNER,
    "registrar": REGISTRAR,
    "seller": SELLER,
    "buyer": BUYER,
    "stranger": STRANGER,
}
ROLE_REASONS = {
    "metered: not the owner",
    "metered: not the operator",
    "metered: not a member",
    "trade_board: role missing",
    "trade_board: not yours",
    "trade_board: credit too low",
}


def test_every_function_tried_by_every_role(w):
    changing = ("nonpayable", "payable")
    written = {f["name"] for f in artifact("trade_board").abi if f.get("stateMutability") in changing and "name" in f}
    assert written == set(ALLOWED)
    w.do(SELLER, "setEnergyPrice", PRICE)
    w.do(SELLER, "addAvailableTrade", w.s, 10, PRICE, 0)
    for _ in range(2):
        w.do(BUYER, "requestEnergy", w.s, 2, PRICE, 0)
    w.do(BUYER, "cancelRequest", 1)
    buy(w, BUYER, 0, 2)
    for function, (allowed, arguments) in ALLOWED.items():
        if function == "certify":
            w.until_over(w.s)
        if function == "settle":
            w.until_settling(w.s)
        for who, key in PEOPLE.items():
            mark = w.anchored.chain.snapshot()
            reason = reason_of(w.do, key, function, *arguments(w))
            assert (reason is None) == (who in allowed), (function, who, reason)
            assert reason is None or reason in ROLE_REASONS
            assert w.anchored.chain.revert(mark)
            w.client.forget()


LARGE_REGISTRY = """
# pragma version 0.4.3
# pragma evm-version cancun
@external
@view
def standing(account: address) -> (uint256, uint256):
    return 2**24 + 1, 7
"""


def test_an_index_that_does_not_fit_its_place(w):
    registry = deploy_source(w.client, LARGE_REGISTRY)
    c = w.client.deploy(OWNER, "trade_board", registry.address, w.token.address, SLOT, GATE, WINDOW)
    with refused("trade_board: index too large"):
        w.do(STRANGER, "setEnergyPrice", 1, contract=c)


@cache
def board_on(token_source: str) -> MarketWorld:
    return MarketWorld("trade_board", token_source=token_source)


def test_a_token_that_returns_nothing_is_taken():
    w = board_on(SILENT)
    w.do(BUYER, "requestEnergy", w.s, 10, 5, 0)
    w.do(BUYER, "cancelRequest", 0)
    w.do(BUYER, "withdraw", 20)
    assert (w.wallet(BUYER), holdings(w)) == (WALLET - 30, 30)


@pytest.mark.parametrize(
    ("mode", "coming", "leaving"),
    [
        (1, "tokens: transfer failed", "tokens: transfer failed"),
        (2, "tokens: other amount came", "tokens: other amount left"),
        (3, None, "withdraw reverted without a reason"),
    ],
)
def test_tokens_that_do_not_behave_are_refused(mode, coming, leaving):
    w = board_on(MOODY)
    w.anchored.restore()
    w.begin()
    w.do(REGISTRAR, "register", w.token.address, 7, contract=w.registry)  # so that calling back gets as far as it can
    w.do(SELLER, "addAvailableTrade", w.s, 10, 5, 0)
    w.do(BUYER, "requestEnergy", w.s, 10, 5, 0)
    w.do(BUYER, "cancelRequest", 0)
    w.do(STRANGER, "setMode", mode, contract=w.token)
    if coming:
        with refused(coming):
            buy(w, BUYER, 0, 1, 5)
        with refused(coming):
            w.do(BUYER, "requestEnergy", w.s, 1, 5, 0)
    with refused(leaving):
        w.do(BUYER, "withdraw", 10)
    assert (holdings(w), credits_of(w)[2], trade(w, 0)[4]) == (50, 50, 10)


def test_every_reason_is_met_by_a_test_here():
    reasons = set(re.findall(r'"(trade_board: [^"]+)"', source("trade_board")))
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(reasons) > 15
    assert [reason for reason in sorted(reasons) if reason not in here] == []
