"""Prices of the balance market against Python, up to the largest numbers; `tests/fuzz` has its lives."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.contract.market_world import (
    UNLIMITED,
    MarketWorld,
)
from tests.contract.world import ON_RAMP, OPERATOR
from transactive.chain.revert_reasons import reason_of as reason_in_message
from transactive.core.errors import ChainError
from transactive.market.balance.pricing import ENERGY_END, PRICE_END, Balance, PriceCurve, PricingRefusal

MONEY = 10**10
CALLS, LIVES = 250, 4


def asked(w: MarketWorld, sender, function: str, *arguments: int) -> tuple[int, int] | str:
    """What an order would get, or why it would be refused; nothing changes."""
    call = {"from": sender.address, "to": w.c.address, "data": w.c.encode_abi(function, arguments)}
    try:
        answer = w.client._node.ask("eth_call", call, "latest")
    except ChainError as error:
        return reason_in_message(str(error))
    return int(answer[2:66], 16), int(answer[66:], 16)


@pytest.mark.long
def test_prices_are_equal_to_the_last_unit_up_to_the_largest_numbers():
    """Random curves and orders of any size; half of the limits lie where the price is."""
    rng, w = random.Random(5), MarketWorld.fresh("balance_market")
    maker, taker, seen = w.members[0], w.members[2], Counter[str]()
    for key in (maker, taker, OPERATOR):
        w.client.send(ON_RAMP, w.token, "mint", key.address, 2**98)
        w.client.send(key, w.c, "fund" if key is OPERATOR else "deposit", 2**98)
    for number in range(16):
        prices = sorted(rng.sample(range(rng.choice([40, 400_000, PRICE_END])), 3))
        sizes = [rng.randint(1, rng.choice([9, 50_000, ENERGY_END - 1])) for _ in range(2)]
        curve, slot, balance = PriceCurve(prices[1], prices[0], prices[2], *sizes), w.slot(4 + number), Balance()
        w.do(OPERATOR, "openSlot", slot, prices[1], prices[0], prices[2], *sizes)
        for producing in rng.sample([True, False], 2):
            most = rng.randint(1, curve.limit_wh)
            w.do(maker if producing else taker, *order(slot, 1, most, 0 if producing else UNLIMITED, producing))
            balance = balance.moved(most, producing=producing)
        q, span = balance.surplus_wh, prices[2] - prices[0]
        for _ in range(30):
            producing, most = rng.random() < 0.5, rng.randint(1, 2 * curve.limit_wh + 1)
            near = curve.production_price(q + rng.randint(-most, most)) + rng.choice([-1, 0, 0, 1])
            price = max(0, rng.choice([near, near, rng.randint(prices[0] - span, prices[2] + span)]))
            limit = price * most + rng.choice([0, 0, rng.randrange(most)])
            wanted = curve.order(balance, 1, most, limit, producing=producing)
            got = asked(w, maker if producing else taker, *order(slot, 1, most, limit, producing))
            if isinstance(wanted, PricingRefusal):
                assert got == f"balance_market: {wanted.value}"
                seen[wanted.value] += 1
            else:
                assert got == (wanted.energy_wh, wanted.money_n)
                seen["whole" if wanted.energy_wh == most else "part"] += 1
        assert w.read("getProductionPrice", slot) == curve.production_price(q)
        assert w.read("getConsumptionPrice", slot) == curve.consumption_price(q)
        assert w.read("worstLoss", prices[1], prices[0], prices[2], *sizes) == curve.worst_loss()
        assert w.read("seedNeeded", prices[1], prices[0], prices[2], *sizes) == curve.cash_needed()
    assert (
        min(
            seen[what]
            for what in ("whole", "part", *(refusal.value for refusal in PricingRefusal))
            if what != "bad amount"
        )
        > 5
    )


def order(slot: int, least: int, most: int, limit: int, producing: bool) -> tuple[str, int, int, int, int]:
    return "produce" if producing else "consume", slot, least, most, limit
