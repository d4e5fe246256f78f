"""Balance market: orders, escrow, delivery, money; every reason is met here."""

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
    UNLIMITED,
    WALLET,
    WINDOW,
    MarketWorld,
)
from tests.contract.mock_tokens import MOODY, SILENT
from tests.contract.world import (
    CANDIDATE,
    MEMBERS,
    NOBODY,
    OFF,
    ON,
    ON_RAMP,
    OPERATOR,
    OWNER,
    STRANGER,
    reason_of,
    refused,
)
from transactive.chain.artifact import artifact, source
from transactive.market.balance.pricing import PriceCurve, Promise

NUMBERS = (200_000, 80_000, 300_000, 6_000, 24_000)
CURVE = PriceCurve(*NUMBERS)
FINE = 300_000 - 80_000
"""n¤ for each promised Wh that is not there."""
MONEY = 10**12
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PRODUCER, OTHER, CONSUMER, TWO_METERS, STORE, BOTH = MEMBERS[:6]


@pytest.fixture
def w():
    """A market with money and its slot `s` open."""
    world = MarketWorld.fresh("balance_market")
    for member in world.members:
        world.client.send(member, world.c, "deposit", MONEY)
    world.client.send(OPERATOR, world.c, "fund", MONEY)
    world.do(OPERATOR, "openSlot", world.s, *NUMBERS)
    return world


def accounts(w):
    return [tuple(w.read("getAccount", i)) for i in range(len(w.members))]


def held(w, index, slot=None):
    return tuple(w.read("getPosition", slot or w.s, index))


def holdings(w):
    return int(w.client.read(w.token, "balanceOf", w.c.address))


def test_a_slot_from_promise_to_wallet(w):
    """A producer short by 300 of 2,000 Wh, a consumer with 100 of 1,000 Wh unused."""
    w.do(PRODUCER, "produce", w.s, 1, 2_000, 0)
    w.do(CONSUMER, "consume", w.s, 1, 1_000, UNLIMITED)
    earned, owed = CURVE.payment(0, 2_000), -CURVE.payment(2_000, 1_000)
    assert held(w, 0) == (2_000, earned, 0, 0, False)
    assert held(w, 2) == (1_000, owed, 0, 0, True)
    locks = 2_000 * FINE, 1_000 * FINE  # more than a thousand Wh cost at any price on this curve's lower half
    assert accounts(w)[0] == (MONEY - locks[0], locks[0])
    assert accounts(w)[2] == (MONEY - locks[1], locks[1])
    seed = w.read("seedNeeded", *NUMBERS)
    assert (w.read("pool"), seed) == (MONEY - seed, CURVE.cash_needed())
    w.until_over(w.s)
    w.do(STRANGER, "certify", *w.signed(w.s, 0, 1_700, 0))  # anybody may bring it
    w.certify(w.s, [(2, 0, 900)])
    with refused("metered: window open"):
        w.do(STRANGER, "settle", w.s, [0, 2])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [0, 2])
    outcomes = earned * 1_700 // 2_000 - 300 * FINE, -owed * 900 // 1_000 - 100 * FINE
    assert outcomes == (
        CURVE.outcome(Promise(producing=True, energy_wh=2_000, money_n=earned), 1_700),
        CURVE.outcome(Promise(producing=False, energy_wh=1_000, money_n=owed), 900),
    )
    assert accounts(w)[0] == (MONEY + outcomes[0], 0)
    assert accounts(w)[2] == (MONEY + outcomes[1], 0)
    assert w.read("pool") == MONEY - sum(outcomes)
    with refused("balance_market: slot not open"):
        w.do(STRANGER, "settle", w.s, [])
    w.do(PRODUCER, "withdraw", MONEY + outcomes[0])
    assert w.wallet(PRODUCER) == WALLET + outcomes[0]
    with refused("balance_market: balance too low"):
        w.do(PRODUCER, "withdraw", 1)


def test_the_sequence_that_drains_the_public_contract_cannot_here(w):
    """Six times `produce` in one slot: there it raises the producer's price threefold and takes the consumer's to 0."""
    base, public_paid, public_charged = 10, [], []
    for produced in range(6):
        public_paid.append(base * (3 + produced))
    for consumed in range(6):
        public_charged.append(max(0, base * (3 + consumed - 6)))
    assert public_paid[-1] > 2 * public_paid[0]
    assert public_charged[0] == 0
    assert sum(public_paid) > sum(public_charged)

    prices = []
    for member in (PRODUCER, OTHER, STORE) * 2:
        prices.append((w.read("getProductionPrice", w.s), w.read("getConsumptionPrice", w.s)))
        w.do(member, "produce", w.s, 1_000, 1_000, 0)
    made, taken = zip(*prices, strict=True)
    assert list(made) == sorted(made, reverse=True)
    assert len(set(made)) == 6
    assert list(taken) == sorted(taken, reverse=True)
    assert w.read("getConsumptionPrice", w.s) >= NUMBERS[1] > 0
    earned = [held(w, i)[1] for i in (0, 1, 4)]
    for member in (CONSUMER, TWO_METERS, BOTH) * 2:
        w.do(member, "consume", w.s, 1_000, 1_000, UNLIMITED)
    paid = [held(w, i)[1] for i in (2, 3, 5)]
    assert sum(earned) <= sum(paid), "a cycle back to balance earns nothing"
    assert w.read("getProductionPrice", w.s) <= NUMBERS[0] <= w.read("getConsumptionPrice", w.s)
    # and none of it is money before a meter has spoken
    assert all(free < MONEY for free, _ in accounts(w))
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [0, 1, 2, 3, 4, 5])
    assert w.read("pool") > MONEY
    assert all(free < MONEY for free, _ in accounts(w))


def test_orders_keep_to_range_limit_and_capacity(w):
    for least, most in ((0, 5), (6, 5), (1, 2**56)):
        with refused("balance_market: bad amount"):
            w.do(PRODUCER, "produce", w.s, least, most, 0)
    full = CURVE.payment(0, 2_000)
    with refused("balance_market: price beyond the limit"):
        w.do(PRODUCER, "produce", w.s, 2_000, 2_000, full + 1)
    w.do(PRODUCER, "produce", w.s, 2_000, 2_000, full)  # exactly its total price
    charge = -CURVE.payment(2_000, -1_000)
    with refused("balance_market: price beyond the limit"):
        w.do(CONSUMER, "consume", w.s, 3_000, 3_000, charge - 1)
    w.do(CONSUMER, "consume", w.s, 1, 3_000, charge - 1)  # so much as keeps each Wh to the limit
    energy = held(w, 2)[0]
    assert 0 < energy < 3_000
    assert CURVE.consumption_price(2_000 - energy + 1) <= -(-(charge - 1) // 3_000)
    with refused("balance_market: price beyond the limit"):
        w.do(OTHER, "produce", w.s, 1, 1, 2**255)
    with refused("balance_market: price beyond the limit"):
        w.do(TWO_METERS, "consume", w.s, 1, 1, 79_999)
    w.do(OTHER, "produce", w.s, 1, 50_000, 0)  # what there is room for
    assert held(w, 1)[0] == 22_000
    with refused("balance_market: capacity reached"):
        w.do(OTHER, "produce", w.s, 1, 1, 0)
    assert w.read("getBook", w.s)[:2] == (24_000, energy)


def test_no_order_and_no_cancellation_for_a_past_or_closed_slot(w):
    w.do(PRODUCER, "produce", w.s, 1, 10, 0)
    for function, arguments in (("produce", (1, 5, 0)), ("consume", (1, 5, UNLIMITED)), ("cancel", (1,))):
        sender = PRODUCER if function == "cancel" else STORE
        for slot in (w.s + 1, 2**40 // SLOT * SLOT + SLOT):
            with refused("metered: no such slot"):
                w.do(sender, function, slot, *arguments)
        for slot in (0, w.slot(0), w.slot(1)):
            with refused("metered: gate closed"):
                w.do(sender, function, slot, *arguments)
    for function, arguments in (("produce", (1, 5, 0)), ("consume", (1, 5, UNLIMITED))):
        with refused("balance_market: slot not open"):
            w.do(STORE, function, w.s + SLOT, *arguments)
    w.now = w.s - GATE - 1  # the last second before the gate
    w.do(PRODUCER, "produce", w.s, 1, 10, 0)
    for function, arguments in (("produce", (1, 5, 0)), ("cancel", (1,))):
        with refused("metered: gate closed"):
            w.do(PRODUCER, function, w.s, *arguments)
    with refused("metered: gate closed"):
        w.do(OPERATOR, "openSlot", w.s, *NUMBERS)


def test_one_side_and_the_right_role(w):
    with refused("balance_market: role missing"):
        w.do(PRODUCER, "consume", w.s, 1, 5, UNLIMITED)
    with refused("balance_market: role missing"):
        w.do(CONSUMER, "produce", w.s, 1, 5, 0)
    w.do(BOTH, "produce", w.s, 1, 5, 0)
    with refused("balance_market: other side promised"):
        w.do(BOTH, "consume", w.s, 1, 5, UNLIMITED)
    w.do(BOTH, "cancel", w.s, 5)
    w.do(BOTH, "consume", w.s, 1, 5, UNLIMITED)
    w.do(STORE, "produce", w.s, 1, 5, 0)
    with refused("metered: not a member"):
        w.do(STRANGER, "produce", w.s, 1, 5, 0)


def test_a_promise_needs_its_lock(w):
    w.do(PRODUCER, "withdraw", MONEY - 10 * FINE + 1)
    with refused("balance_market: balance too low"):
        w.do(PRODUCER, "produce", w.s, 10, 10, 0)
    w.do(PRODUCER, "produce", w.s, 9, 9, 0)
    w.do(CONSUMER, "withdraw", MONEY - 6 * FINE + 1)
    with refused("balance_market: balance too low"):
        w.do(CONSUMER, "consume", w.s, 6, 6, UNLIMITED)
    w.do(CONSUMER, "consume", w.s, 5, 5, UNLIMITED)
    w.do(TWO_METERS, "consume", w.s, 1, 20_000, UNLIMITED)  # most of them at the cap, where the price is more
    price = held(w, 3)[1]
    assert accounts(w)[3][1] == price > 20_000 * FINE


def test_cancelling_never_gains_and_costs_what_it_says(w):
    w.do(PRODUCER, "produce", w.s, 1, 1_000, 0)
    w.do(PRODUCER, "cancel", w.s, 1_000)  # nothing happened between
    assert accounts(w)[0][1] == 0
    assert MONEY - 1 <= accounts(w)[0][0] <= MONEY
    w.do(PRODUCER, "produce", w.s, 1, 1_000, 0)
    price = held(w, 0)[1]
    w.do(OTHER, "produce", w.s, 1, 3_000, 0)  # the price falls: buying back would gain
    before, part = sum(accounts(w)[0]), -(-price * 400 // 1_000)
    w.do(PRODUCER, "cancel", w.s, 400)
    assert before - sum(accounts(w)[0]) == part - -CURVE.payment(4_000, 3_600) > 0  # what the other had less for it
    assert held(w, 0)[:2] == (600, price - part)
    w.do(PRODUCER, "cancel", w.s, 7)  # a part that is no whole number of n¤
    assert held(w, 0)[:2] == (593, (rest := price - -(-price * 400 // 1_000)) - -(-rest * 7 // 600))
    w.do(PRODUCER, "produce", w.s, 7, 7, 0)
    w.do(CONSUMER, "consume", w.s, 1, 6_000, UNLIMITED)  # the price rises: it costs
    before, q = sum(accounts(w)[0]), 600 + 3_000 - 6_000  # the market's surplus
    part = held(w, 0)[1]
    w.do(PRODUCER, "cancel", w.s, 600)
    assert before - sum(accounts(w)[0]) == -CURVE.payment(q, q - 600) - part > 0
    assert held(w, 0) == (0, 0, 0, 0, False)
    with refused("balance_market: nothing promised"):
        w.do(PRODUCER, "cancel", w.s, 1)
    for energy in (0, 3_001):
        with refused("balance_market: bad amount"):
            w.do(OTHER, "cancel", w.s, energy)
    with refused("balance_market: nothing promised"):
        w.do(OTHER, "cancel", w.s + SLOT, 1)


def test_a_consumer_cancels_at_the_worse_price_too(w):
    w.do(CONSUMER, "consume", w.s, 1, 1_000, UNLIMITED)
    w.do(TWO_METERS, "consume", w.s, 1, 2_000, UNLIMITED)  # the price rises: giving back would gain
    before, price = sum(accounts(w)[2]), held(w, 2)[1]
    part = price * 333 // 1_000
    w.do(CONSUMER, "cancel", w.s, 333)
    assert before - sum(accounts(w)[2]) == CURVE.payment(-3_000, -2_667) - part > 0
    assert held(w, 2)[:2] == (667, price - part)
    w.do(PRODUCER, "produce", w.s, 1, 6_000, 0)  # the price falls: it costs
    before, part, q = sum(accounts(w)[2]), held(w, 2)[1], 6_000 - 667 - 2_000
    w.do(CONSUMER, "cancel", w.s, 667)
    assert before - sum(accounts(w)[2]) == part - CURVE.payment(q, q + 667) > 0
    assert accounts(w)[2][1] == 0


def test_readings_are_signed_by_the_meter_for_this_contract_and_chain(w):
    w.do(PRODUCER, "produce", w.s, 1, 1_000, 0)
    signed = w.signed(w.s, 0, 900, 5)
    with refused("metered: slot not over"):
        w.do(PRODUCER, "certify", *signed)
    w.until_over(w.s)
    wrong = {
        "another signer": w.signed(w.s, 0, 900, 5, signer=METERS[1]),
        "another chain": w.signed(w.s, 0, 900, 5, chain_id=1),
        "another contract": w.signed(w.s, 0, 900, 5, contract=w.registry.address),
        "another energy": [*signed[:2], 901, *signed[3:]],
        "another register": [*signed[:2], 5, 900, *signed[4:]],
        "no signature": [*signed[:4], 0, bytes(32), bytes(32)],
    }
    for arguments in wrong.values():
        with refused("metered: bad signature"):
            w.do(PRODUCER, "certify", *arguments)
    v, r, s = signed[4:]
    twin = (CURVE_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    with refused("metered: malleable signature"):
        w.do(PRODUCER, "certify", *signed[:4], 55 - v, r, twin)
    with refused("registry: no such meter"):
        w.do(PRODUCER, "certify", w.s, 99, *signed[2:])
    with refused("metered: bad reading"):
        w.do(PRODUCER, "certify", *w.signed(w.s, 0, 2**56, 0))
    with refused("balance_market: nothing promised"):
        w.do(PRODUCER, "certify", *w.signed(w.s, 1, 5, 0))
    w.do(PRODUCER, "certify", *signed)
    assert w.read("getReading", w.s, 0) == [900, 5, 2]
    with refused("metered: reading known"):
        w.do(PRODUCER, "certify", *signed)
    w.certify(w.s, [(0, 1_000, 0)])
    assert w.read("getReading", w.s, 0) == [900, 5, 2]


def test_a_meter_corrects_the_operator_never_the_other_way_round(w):
    w.do(PRODUCER, "produce", w.s, 1, 1_000, 0)
    w.until_over(w.s)
    w.certify(w.s, [(0, 100, 0)])
    w.certify(w.s, [(0, 1_000, 0)])
    assert held(w, 0)[2:4] == (100, 1)
    w.do(PRODUCER, "certify", *w.signed(w.s, 0, 950, 0))
    assert held(w, 0)[2:4] == (950, 1)
    assert w.read("getReading", w.s, 0) == [950, 0, 2]


def test_the_window_ends_at_its_second(w):
    w.do(PRODUCER, "produce", w.s, 1, 1_000, 0)
    w.now = w.s + SLOT
    w.certify(w.s, [(0, 100, 0)])
    w.now = w.s + SLOT + WINDOW // 2
    with refused("metered: statements closed"):
        w.certify(w.s, [(1, 100, 0)])
    w.now = w.s + SLOT + WINDOW - 1
    w.do(PRODUCER, "certify", *w.signed(w.s, 0, 950, 0))
    with refused("metered: window over"):
        w.do(PRODUCER, "certify", *w.signed(w.s, 0, 950, 0))
    w.do(PRODUCER, "settle", w.s, [0])


def test_a_meter_that_is_not_valid_in_the_slot_certifies_nothing(w):
    w.do(PRODUCER, "produce", w.s, 1, 1_000, 0)
    w.do(REGISTRAR, "endMeter", 0, w.s + SLOT - 1, contract=w.registry)
    w.until_over(w.s)
    with refused("registry: meter not valid then"):
        w.do(PRODUCER, "certify", *w.signed(w.s, 0, 900, 0))
    with refused("registry: meter not valid then"):
        w.certify(w.s, [(0, 900, 0)])


def test_an_unread_meter_counts_against_the_promise(w):
    w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    w.do(TWO_METERS, "consume", w.s, 1, 100, UNLIMITED)
    w.do(CONSUMER, "consume", w.s, 1, 100, UNLIMITED)
    price = held(w, 3)[1]
    w.until_over(w.s)
    w.certify(w.s, [(3, 0, 10)])  # the other meter of the member is silent
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [3])
    assert price < 100 * FINE
    assert accounts(w)[3] == (MONEY - -(-price * 10 // 100) - 90 * FINE, 0)  # dearer here than the price of all
    w.do(STRANGER, "settle", w.s, [0, 2])
    assert accounts(w)[0] == accounts(w)[2] == (MONEY - 100 * FINE, 0)


def test_an_unread_meter_may_have_seen_all_that_was_dear(w):
    w.do(CONSUMER, "consume", w.s, 1, 24_000, UNLIMITED)
    price = held(w, 2)[1]
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [2])
    assert price > 24_000 * FINE
    assert accounts(w)[2] == (MONEY - price, 0)


def test_both_meters_of_a_member_count(w):
    w.do(TWO_METERS, "consume", w.s, 1, 100, UNLIMITED)
    price = held(w, 3)[1]
    w.until_over(w.s)
    w.certify(w.s, [(3, 0, 10), (6, 7, 20)])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [3])
    assert accounts(w)[3] == (MONEY - -(-price * 30 // 100) - 70 * FINE, 0)


def test_more_than_promised_is_not_paid(w):
    w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    w.do(CONSUMER, "consume", w.s, 1, 50, UNLIMITED)
    earned, owed = held(w, 0)[1], held(w, 2)[1]
    w.until_over(w.s)
    w.certify(w.s, [(0, 2**56 - 1, 0), (2, 0, 2**56 - 1)])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [1])  # has nothing to settle
    w.do(STRANGER, "settle", w.s, [0, 0])
    w.do(STRANGER, "settle", w.s, [2, 0])
    assert accounts(w)[0] == (MONEY + earned, 0)
    assert accounts(w)[2] == (MONEY - owed, 0)


def test_opening(w):
    slot, bad = w.slot(6), "balance_market: bad prices"
    for numbers, reason in (
        ((5, 5, 9, 1, 1), bad),
        ((9, 5, 9, 1, 1), bad),
        ((8, 5, 2**40, 1, 1), bad),
        ((8, 5, 9, 0, 1), "balance_market: bad scale or limit"),
        ((8, 5, 9, 1, 0), "balance_market: bad scale or limit"),
        ((8, 5, 9, 2**56, 1), "balance_market: bad scale or limit"),
        ((8, 5, 9, 1, 2**56), "balance_market: bad scale or limit"),
        ((2**40 - 2, 2**40 - 3, 2**40 - 1, 1, 2**40), "balance_market: pool too low"),
    ):
        with refused(reason):
            w.do(OPERATOR, "openSlot", slot, *numbers)
    with refused("balance_market: slot opened before"):
        w.do(OPERATOR, "openSlot", w.s, *NUMBERS)
    assert tuple(w.read("getCurve", w.s)) == NUMBERS
    assert w.read("worstLoss", *NUMBERS) == CURVE.worst_loss()
    w.do(OPERATOR, "openSlot", slot, *NUMBERS)
    w.do(OPERATOR, "defund", w.read("pool"))
    with refused("balance_market: pool too low"):
        w.do(OPERATOR, "defund", 1)
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [])  # nobody came
    assert w.read("pool") == CURVE.cash_needed()


def test_national_amounts_cost_the_gas_of_small_ones(w):
    slot = w.slot(6)
    prices, nation = NUMBERS[:3], (10**13, 4 * 10**13)
    w.do(OPERATOR, "fund", 2**80 - MONEY)
    w.do(OPERATOR, "openSlot", slot, *prices, *nation)
    w.do(PRODUCER, "deposit", 10**20)
    w.do(OTHER, "deposit", 10**20)
    w.do(PRODUCER, "produce", slot, 1, 10**12, 0)
    national = w.gas
    w.do(PRODUCER, "produce", w.s, 1, 600, 0)
    assert abs(national - w.gas) <= 300  # the bytes of larger numbers
    assert held(w, 0, slot)[1] == PriceCurve(*prices, *nation).payment(0, 10**12)


def test_money_in_and_out(w):
    for function in ("deposit", "withdraw", "fund"):
        with refused("balance_market: bad amount"):
            w.do(PRODUCER, function, 0)
    with refused("balance_market: bad amount"):
        w.do(OPERATOR, "defund", 0)
    with refused("balance_market: bad amount"):
        w.do(PRODUCER, "deposit", 2**127 - MONEY + 1)
    with refused("currency: balance too low"):
        w.do(PRODUCER, "deposit", WALLET)
    for function in ("quoteProduction", "quoteConsumption"):
        with refused("balance_market: bad amount"):
            w.read(function, w.s, 2**56)
    assert w.read("quoteProduction", w.s, 700) == CURVE.payment(0, 700)
    assert w.read("quoteConsumption", w.s, 700) == -CURVE.payment(0, -700)


def test_funds_come_from_minting_through_the_currency(w):
    w.client.send(ON_RAMP, w.token, "mint", PRODUCER.address, 77)
    w.do(PRODUCER, "deposit", 77 + WALLET - MONEY)
    assert w.wallet(PRODUCER) == 0


def test_pause_stops_entry_never_exit(w):
    w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    w.do(CONSUMER, "consume", w.s, 1, 100, UNLIMITED)
    w.do(OWNER, "setPaused", ON)
    for sender, function, *arguments in (
        (PRODUCER, "deposit", 5),
        (PRODUCER, "fund", 5),
        (OPERATOR, "openSlot", w.slot(6), *NUMBERS),
        (PRODUCER, "produce", w.s, 1, 5, 0),
        (CONSUMER, "consume", w.s, 1, 5, UNLIMITED),
    ):
        with refused("balance_market: paused"):
            w.do(sender, function, *arguments)
    w.do(PRODUCER, "cancel", w.s, 50)
    w.until_over(w.s)
    w.do(PRODUCER, "certify", *w.signed(w.s, 0, 50, 0))
    w.certify(w.s, [(2, 0, 100)])
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [0, 2])
    for i, member in enumerate(w.members):
        w.do(member, "withdraw", accounts(w)[i][0])
    w.do(OPERATOR, "defund", w.read("pool"))
    assert holdings(w) == 0
    w.do(OWNER, "setPaused", OFF)
    w.do(PRODUCER, "deposit", 5)


def test_a_suspended_member_can_end_what_it_has(w):
    w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    w.do(REGISTRAR, "suspend", 0, contract=w.registry)
    with refused("balance_market: role missing"):
        w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    w.do(PRODUCER, "cancel", w.s, 100)
    w.do(PRODUCER, "withdraw", accounts(w)[0][0])


def test_a_member_with_a_new_key_finds_its_money_again(w):
    w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    w.do(REGISTRAR, "startRecovery", 0, CANDIDATE.address, contract=w.registry)
    w.now += 7200
    w.do(CANDIDATE, "finishRecovery", 0, contract=w.registry)
    with refused("metered: not a member"):
        w.do(PRODUCER, "withdraw", 1)
    w.until_settling(w.s)
    w.do(STRANGER, "settle", w.s, [0])
    w.do(CANDIDATE, "withdraw", accounts(w)[0][0])
    assert w.wallet(CANDIDATE) == MONEY - 100 * FINE


ALLOWED = {
    "deposit": ({"producer", "consumer"}, (5,)),
    "withdraw": ({"producer", "consumer"}, (5,)),
    "fund": ({"operator", "owner", "registrar", "producer", "consumer", "stranger"}, (5,)),
    "defund": ({"operator"}, (5,)),
    "openSlot": ({"operator"}, (0, *NUMBERS)),
    "produce": ({"producer"}, (0, 1, 5, 0)),
    "consume": ({"consumer"}, (0, 1, 5, UNLIMITED)),
    "cancel": ({"producer"}, (0, 5)),
    "setPaused": ({"owner"}, (ON,)),
}
LATER = {
    "certify": {"operator", "owner", "registrar", "producer", "consumer", "stranger"},
    "certifyBatch": {"operator"},
    "settle": {"operator", "owner", "registrar", "producer", "consumer", "stranger"},
}
ROLE_REASONS = {
    "metered: not the owner",
    "metered: not the operator",
    "metered: not a member",
    "balance_market: role missing",
    "balance_market: nothing promised",
}


def test_every_function_tried_by_every_role(w):
    written = {
        f["name"] for f in artifact("balance_market").abi if f.get("stateMutability") == "nonpayable" and "name" in f
    }
    assert written == set(ALLOWED) | set(LATER)
    people = {
        "operator": OPERATOR,
        "owner": OWNER,
        "registrar": REGISTRAR,
        "producer": PRODUCER,
        "consumer": CONSUMER,
        "stranger": STRANGER,
    }
    w.do(PRODUCER, "produce", w.s, 1, 100, 0)
    for key in people.values():
        w.client.send(ON_RAMP, w.token, "mint", key.address, 100)
        w.client.send(key, w.token, "approve", w.c.address, UNLIMITED)
    w.do(OWNER, "approve", w.c.address, 100, contract=w.token)

    def try_all(function, allowed, arguments):
        for who, key in people.items():
            mark = w.anchored.chain.snapshot()
            reason = reason_of(w.do, key, function, *arguments)
            assert (reason is None) == (who in allowed), (function, who, reason)
            assert reason is None or reason in ROLE_REASONS
            assert w.anchored.chain.revert(mark)
            w.client.forget()

    for function, (allowed, arguments) in ALLOWED.items():
        slot = w.slot(6) if function == "openSlot" else w.s
        with_slot = (slot, *arguments[1:]) if arguments[0] == 0 and len(arguments) > 1 else arguments
        try_all(function, allowed, with_slot)
    w.until_over(w.s)
    try_all("certify", LATER["certify"], w.signed(w.s, 0, 5, 0))
    try_all("certifyBatch", LATER["certifyBatch"], (w.s, [(0, 5, 0)]))
    w.until_settling(w.s)
    try_all("settle", LATER["settle"], (w.s, [0]))


def test_what_a_market_is_made_of():
    client = MarketWorld.fresh("balance_market").client
    token, registry = MEMBERS[0].address, MEMBERS[1].address
    for arguments, reason in (
        ((registry, NOBODY, SLOT, GATE, WINDOW), "balance_market: no currency"),
        ((NOBODY, token, SLOT, GATE, WINDOW), "metered: no registry"),
        ((registry, token, 0, GATE, WINDOW), "metered: bad clock"),
        ((registry, token, SLOT, GATE, 0), "metered: bad clock"),
        ((registry, token, SLOT, 2**40, WINDOW), "metered: bad clock"),
    ):
        with refused(reason):
            client.deploy(OWNER, "balance_market", *arguments)
            client.block(client.head_timestamp + 1)
    w = MarketWorld.fresh("balance_market")
    assert w.read("getClock") == [SLOT, GATE, WINDOW]
    assert (w.read("getRegistry"), w.read("currency")) == (w.registry.address, w.token.address)
    assert len(w.read("DOMAIN_SEPARATOR")) == 32


@cache
def market_on(token_source: str) -> MarketWorld:
    return MarketWorld("balance_market", token_source=token_source)


def test_a_token_that_returns_nothing_is_taken():
    w = market_on(SILENT)
    w.do(PRODUCER, "deposit", 100)
    w.do(PRODUCER, "withdraw", 60)
    assert (w.wallet(PRODUCER), holdings(w)) == (WALLET - 40, 40)


@pytest.mark.parametrize(
    ("mode", "coming", "leaving"),
    [
        (1, "tokens: transfer failed", "tokens: transfer failed"),
        (2, "tokens: other amount came", "tokens: other amount left"),
        (3, "deposit reverted without a reason", "withdraw reverted without a reason"),
    ],
)
def test_tokens_that_do_not_behave_are_refused(mode, coming, leaving):
    w = market_on(MOODY)
    w.anchored.restore()
    w.begin()
    w.do(REGISTRAR, "register", w.token.address, 1, contract=w.registry)  # so that calling back gets as far as it can
    w.do(PRODUCER, "deposit", 100)
    w.do(OPERATOR, "fund", 100)
    w.do(STRANGER, "setMode", mode, contract=w.token)
    for sender, function, reason in (
        (PRODUCER, "deposit", coming),
        (PRODUCER, "withdraw", leaving),
        (OPERATOR, "fund", coming.replace("deposit", "fund")),
        (OPERATOR, "defund", leaving.replace("withdraw", "defund")),
    ):
        with refused(reason):
            w.do(sender, function, 10)
    assert holdings(w) == 200


def test_every_reason_is_met_by_a_test_here():
    here = Path(__file__).read_text(encoding="utf-8")
    for name in ("balance_market", "modules/metered", "modules/tokens"):
        reasons = set(re.findall(r'"((?:balance_market|metered|tokens): [^"]+)"', source(name)))
        assert len(reasons) >= 3
        assert [reason for reason in sorted(reasons) if reason not in here] == []
