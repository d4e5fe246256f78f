"""The balance market against its plain twin: same reasons, same money, whatever is tried; and always solvent."""

from __future__ import annotations

import random
from collections import Counter

from tests.contract.balance_twin import BalanceTwin
from tests.contract.market_world import (
    DELAY,
    FOR_EVER,
    GATE,
    METER_OWNERS,
    METERS,
    REGISTRAR,
    ROLES,
    SLOT,
    START,
    UNLIMITED,
    WINDOW,
    MarketWorld,
)
from tests.contract.world import OFF, ON, ON_RAMP, OPERATOR, OWNER, STRANGER, reason_of
from transactive.chain.reasons import reason_of as reason_in_message
from transactive.chain.twins.registry import Meter, RegistryTwin
from transactive.core.errors import ChainError
from transactive.market.balance import ENERGY_END, PRICE_END, Balance, Curve, Refusal

MONEY = 10**10
CALLS, LIVES = 250, 4


def registry_twin(w: MarketWorld) -> RegistryTwin:
    twin = RegistryTwin(owner=OWNER.address, registrar=REGISTRAR.address, operator=OPERATOR.address, delay=DELAY)
    for member, roles in zip(w.members, ROLES, strict=True):
        twin.register(REGISTRAR.address, member.address, roles)
    for owner, key in zip(METER_OWNERS, METERS, strict=True):
        twin.add_meter(REGISTRAR.address, Meter(key.address, owner, 0, 0, FOR_EVER), START)
    return twin


class Life:
    """Random calls on both sides. Time walks on; about every call is one that could be right."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.w = MarketWorld.fresh("balance_market")
        self.twin = BalanceTwin(registry_twin(self.w))
        self.seen: Counter[tuple[str, str | None]] = Counter()
        self.opened: list[int] = []
        for member in self.w.members:
            self.w.client.send(member, self.w.c, "deposit", MONEY)
            self.twin.deposit(member.address, MONEY)
        self.w.do(OPERATOR, "fund", 10 * MONEY)
        self.twin.fund(10 * MONEY)

    def both(self, sender, function, arguments, mirrored) -> None:
        self.w.now = max(self.w.now, self.w.client.head_timestamp + 1)
        wanted = reason_of(mirrored, self.w.now)
        assert reason_of(self.w.do, sender, function, *arguments) == wanted, (function, arguments)
        self.seen[function, wanted] += 1

    def any_slot(self) -> int:
        """Mostly one that is open, or was."""
        if self.opened and self.rng.random() < 0.9:
            return self.rng.choice(self.opened[-4:])
        return self.w.slot(self.rng.randrange(6)) + self.rng.choice([0, 0, 0, 1])

    def waiting(self, since: int) -> list[int]:
        """Slots with promises to settle that start after a time."""
        return [slot for slot, there in sorted(self.twin.slots.items()) if there.positions and slot > since]

    def caller(self):
        return self.rng.choice([*self.w.members] * 3 + [STRANGER, OPERATOR])

    def wait(self) -> None:
        self.w.now += self.rng.choice([1, GATE // 4, SLOT // 2, SLOT])

    def open(self) -> None:
        rng, slot = self.rng, self.w.slot(self.rng.randrange(3, 8))
        floor = rng.choice([0, 1, 80_000, 80_000])
        base = floor + rng.choice([1, 7, 120_000])
        cap = base + rng.choice([0, 1, 100_000, 100_000])
        numbers = (base, floor, cap, rng.choice([1, 3, 500, 999, 999, 0]), rng.choice([2, 4_000, 4_000, 4_000]))
        sender = rng.choice([OPERATOR] * 9 + [STRANGER])
        call = lambda now: self.twin.open_slot(sender.address, slot, numbers, now)  # noqa: E731 - one of a table
        self.both(sender, "openSlot", (slot, *numbers), call)
        self.opened = sorted(self.twin.slots)

    def order(self) -> None:
        rng, slot = self.rng, self.any_slot()
        ahead = [slot for slot in self.opened if slot > self.w.now + GATE]
        if ahead and rng.random() < 0.8:
            slot = rng.choice(ahead)
        producing = rng.random() < 0.5
        sender = self.w.members[rng.choice([0, 1, 4, 5] if producing else [2, 3, 4, 5])]
        if rng.random() < 0.1:
            sender = self.caller()
        least = rng.choice([0, *[1] * 8, 5, 300])
        most = rng.choice([1, 5, 250, 300, 1_000, 5_000])
        price = rng.randrange(330_000)
        free = 0 if producing else UNLIMITED
        limit = rng.choice([free, free, price * most, price * most + rng.randrange(most)])
        name = "produce" if producing else "consume"
        call = lambda now: self.twin.order(sender.address, slot, least, most, limit, producing, now)  # noqa: E731
        self.both(sender, name, (slot, least, most, limit), call)

    def cancel(self) -> None:
        slot, sender = self.any_slot(), self.caller()
        waiting = self.waiting(self.w.now + GATE)
        if waiting and self.rng.random() < 0.8:
            slot = self.rng.choice(waiting)
        energy = self.rng.choice([0, 1, 3, 100, 250, 300])
        there = self.twin.slots.get(slot)
        if there and there.positions and self.rng.random() < 0.8:
            index = self.rng.choice(sorted(there.positions))
            sender, held = self.w.members[index], there.positions[index]
            part = self.rng.randint(1, held.energy_wh)
            energy = self.rng.choice([held.energy_wh, held.energy_wh + 1, part, part])
        self.both(sender, "cancel", (slot, energy), lambda now: self.twin.cancel(sender.address, slot, energy, now))

    def certify(self) -> None:
        rng, slot, meter = self.rng, self.any_slot(), self.rng.randrange(len(METERS))
        waiting = self.waiting(self.w.now - SLOT - WINDOW)
        if waiting and rng.random() < 0.9:
            slot = waiting[0]
            self.w.now = max(self.w.now, slot + SLOT)
            holders = self.twin.slots[slot].positions
            meter = rng.choice([m for m, owner in enumerate(METER_OWNERS) if owner in holders])
        reading = (meter, rng.choice([0, 1, 200, 900, 2**56]), rng.choice([0, 1, 200, 900]))
        if rng.random() < 0.5:
            arguments = self.w.signed(slot, *reading)
            call = lambda now: self.twin.certify(slot, [reading], now, signed=True)  # noqa: E731
            self.both(STRANGER, "certify", arguments, call)
        else:
            if rng.random() < 0.5:
                reading = (meter, 200, 200)
            readings = [reading, *((rng.randrange(len(METERS)), 250, 250) for _ in range(rng.choice([0, 0, 2])))]
            call = lambda now: self.twin.certify(slot, readings, now, signed=False)  # noqa: E731
            self.both(OPERATOR, "certifyBatch", (slot, readings), call)

    def settle(self) -> None:
        rng, slot = self.rng, self.any_slot()
        waiting = self.waiting(0)
        if waiting and rng.random() < 0.8:
            slot = waiting[0]
            if rng.random() < 0.3:
                self.w.now = max(self.w.now, slot + SLOT + WINDOW)
        there = self.twin.slots.get(slot)
        holders = sorted(there.positions) if there else []
        members = rng.sample(holders, rng.randint(0, len(holders)))
        if rng.random() < 0.15:
            members.append(rng.randrange(6))
        self.both(STRANGER, "settle", (slot, members), lambda now: self.twin.settle(slot, members, now))

    def money(self) -> None:
        rng, sender = self.rng, self.caller()
        amount = rng.choice([0, 1, 1, MONEY // 9, MONEY])
        name = rng.choice(["deposit", "withdraw", "fund", "defund"])
        if name == "defund" and rng.random() < 0.8:
            sender = OPERATOR
        if name in ("deposit", "fund") and sender is STRANGER:
            return  # it has no wallet
        mirrored = getattr(self.twin, name)
        arguments = (amount,) if name == "fund" else (sender.address, amount)
        self.both(sender, name, (amount,), lambda now: mirrored(*arguments))

    def pause(self) -> None:
        self.twin.paused = self.rng.random() < 0.3
        self.w.do(OWNER, "setPaused", ON if self.twin.paused else OFF)

    def check(self) -> None:
        w, twin = self.w, self.twin
        for i in range(len(w.members)):
            assert tuple(w.read("getAccount", i)) == (twin.free.get(i, 0), twin.locked.get(i, 0))
        locks = Counter(dict.fromkeys(range(len(w.members)), 0))
        for there in twin.slots.values():
            for index, held in there.positions.items():
                locks[index] += there.curve.lock(held)
        assert {i: twin.locked.get(i, 0) for i in locks} == locks, "escrow is what positions can cost"
        assert w.read("pool") == twin.pool
        holdings = int(w.client.read(w.token, "balanceOf", w.c.address))
        assert holdings == twin.holdings() >= sum(twin.free.values()) + sum(twin.locked.values())

    def run(self) -> None:
        steps = [self.order] * 8 + [
            self.open,
            self.cancel,
            self.cancel,
            self.cancel,
            self.certify,
            self.certify,
            self.settle,
        ]
        steps += [self.settle, self.certify, self.money, self.money, self.wait]
        for call in range(1, CALLS):
            if not any(slot > self.w.now + GATE for slot in self.opened) and not self.twin.paused:
                self.open()
            self.rng.choice(steps)()
            if call % 40 == 0:
                self.check()
            if call % 20 == 0 or self.twin.paused:
                self.pause()
        self.end()

    def end(self) -> None:
        """Settle all and let everybody leave: what stays is nothing."""
        self.twin.paused = False
        self.w.do(OWNER, "setPaused", OFF)
        for slot, there in self.twin.slots.items():
            if not there.closed:
                self.w.until_settling(slot)
                members = sorted(there.positions)
                self.both(
                    STRANGER, "settle", (slot, members), lambda now, s=slot, m=members: self.twin.settle(s, m, now)
                )
        self.check()
        assert not any(self.twin.locked.values())
        for i, member in enumerate(self.w.members):
            if self.twin.free[i]:
                self.w.do(member, "withdraw", self.twin.free[i])
        if self.twin.pool:
            self.w.do(OPERATOR, "defund", self.twin.pool)
        assert int(self.w.client.read(self.w.token, "balanceOf", self.w.c.address)) == 0


def asked(w: MarketWorld, sender, function: str, *arguments: int) -> tuple[int, int] | str:
    """What an order would get, or why it would be refused; nothing changes."""
    call = {"from": sender.address, "to": w.c.address, "data": w.c.encode_abi(function, arguments)}
    try:
        answer = w.client._node.ask("eth_call", call, "latest")
    except ChainError as error:
        return reason_in_message(str(error))
    return int(answer[2:66], 16), int(answer[66:], 16)


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
        curve, slot, balance = Curve(prices[1], prices[0], prices[2], *sizes), w.slot(4 + number), Balance()
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
            if isinstance(wanted, Refusal):
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
        min(seen[what] for what in ("whole", "part", *(refusal.value for refusal in Refusal)) if what != "bad amount")
        > 5
    )


def order(slot: int, least: int, most: int, limit: int, producing: bool) -> tuple[str, int, int, int, int]:
    return "produce" if producing else "consume", slot, least, most, limit


def test_random_lives():
    seen: Counter[tuple[str, str | None]] = Counter()
    for seed in range(LIVES):
        life = Life(seed)
        life.run()
        seen += life.seen
    functions = {name for name, _ in seen}
    assert functions >= {"produce", "consume", "cancel", "certify", "certifyBatch", "settle", "openSlot", "withdraw"}
    assert {name: count for name in functions if (count := seen[name, None]) < 3} == {}
    assert seen["cancel", None] >= 50, seen
    assert seen["produce", None] + seen["consume", None] >= 100, seen
    for reason in ("capacity reached", "price beyond the limit", "other side promised", "balance too low"):
        assert any(why == f"balance_market: {reason}" for _, why in seen), reason
