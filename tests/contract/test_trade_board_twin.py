"""The trade board against its plain twin: same reasons, energy and money, whatever is tried."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from tests.contract.market_world import GATE, METER_OWNERS, METERS, SLOT, WINDOW, MarketWorld
from tests.contract.test_balance_market_twin import registry_twin
from tests.contract.world import OFF, ON, OPERATOR, OWNER, STRANGER, reason_of
from transactive.chain.twins.trade_board import TradeBoardTwin

CALLS, LIVES = 250, 3
BUYING = ("buyEnergy", "requestEnergy", "cancelRequest")
RARE = [
    "setEnergyPrice",
    "setEnergyAvailable",
    "setEnergyAvailable",
    "cancelTrade",
    "cancelRequest",
    "withdraw",
    "withdraw",
]


class Life:
    """Random calls on both sides; most of them could be right."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.w = MarketWorld.fresh("trade_board")
        self.twin = TradeBoardTwin(registry_twin(self.w), slot_seconds=SLOT, gate_seconds=GATE, window=WINDOW)
        self.seen: Counter[tuple[str, str | None]] = Counter()
        self.slots: set[int] = set()

    def both(self, sender, function, arguments, mirrored) -> None:
        self.w.now = max(self.w.now, self.w.client.head_timestamp + 1)
        wanted = reason_of(mirrored, self.w.now)
        assert reason_of(self.w.do, sender, function, *arguments) == wanted, (function, arguments)
        self.seen[function, wanted] += 1

    def caller(self):
        return self.rng.choice([*self.w.members] * 3 + [STRANGER])

    def slot(self) -> int:
        slot = self.w.slot(self.rng.choice([0, 3, 4, 4, 4])) + self.rng.choice([0] * 9 + [1])
        self.slots.add(slot)
        return slot

    def number(self, of: Sequence[object]) -> int:
        """Mostly a late one that exists."""
        return max(0, len(of) - self.rng.choice([0, 1, 1, 2, 2, 3, 4, 5]))

    def terms(self) -> tuple[int, int, int]:
        """Energy, price and expiry."""
        expiry = self.rng.choice([*[0] * 8, self.w.now + 200, self.w.now, self.w.now + SLOT])
        return self.rng.choice([0, *[1, 40, 40] * 4, 2**44]), self.rng.choice([0, *[3, 7] * 6, 2**64]), expiry

    def step(self) -> None:
        rng, twin, sender, slot = self.rng, self.twin, self.caller(), self.slot()
        who, (energy, price, expiry) = sender.address, self.terms()
        trade, request, some = self.number(twin.trades), self.number(twin.requests), rng.choice([0, 1, 5, 13, 41])
        total = some * (twin.trades[trade].price if trade < len(twin.trades) else 1) + rng.choice([0] * 9 + [1])
        calls = {
            "setEnergyPrice": ((price,), lambda _: twin.set_energy_price(who, price)),
            "setEnergyAvailable": ((slot, some), lambda now: twin.set_energy_available(who, slot, some, now)),
            "addAvailableTrade": (
                (slot, energy, price, expiry),
                lambda now: twin.add_available_trade(who, slot, energy, price, expiry, now),
            ),
            "cancelTrade": ((trade,), lambda _: twin.cancel_trade(who, trade)),
            "sellEnergy": ((request, some), lambda now: twin.sell_energy(who, request, some, now)),
            "buyEnergy": ((trade, some, total), lambda now: twin.buy_energy(who, trade, some, total, now)),
            "requestEnergy": (
                (slot, energy, price, expiry),
                lambda now: twin.request_energy(who, slot, energy, price, expiry, now),
            ),
            "cancelRequest": ((request,), lambda _: twin.cancel_request(who, request)),
            "withdraw": ((some,), lambda _: twin.withdraw(who, some)),
        }
        names = ["addAvailableTrade"] * 3 + ["buyEnergy"] * 6 + ["sellEnergy"] * 3 + ["requestEnergy"] * 2
        name = rng.choice([*names, *RARE])
        if rng.random() < 0.9:
            sender = self.w.members[rng.choice([2, 3, 4, 5] if name in BUYING else [0, 1, 4, 5])]
        if name in ("cancelTrade", "cancelRequest") and rng.random() < 0.7:
            made, at = (twin.trades, trade) if name == "cancelTrade" else (twin.requests, request)
            sender = self.w.members[made[at].maker] if at < len(made) else sender
        who = sender.address
        if name == "withdraw" and any(twin.credits.values()):
            sender = self.w.members[rng.choice([i for i, credit in twin.credits.items() if credit])]
            who = sender.address
        if name == "requestEnergy" and energy * price > 10**15:
            return  # beyond the wallets of this test
        self.both(sender, name, *calls[name])

    def certify(self) -> None:
        rng, twin = self.rng, self.twin
        waiting = [slot for slot, _ in twin.sold if twin.sold[slot, _] and slot + SLOT + WINDOW > self.w.now]
        slot, meter = (waiting or [self.slot()])[0], rng.randrange(len(METERS))
        if waiting and rng.random() < 0.9:
            self.w.now = max(self.w.now, slot + SLOT)
            meter = rng.choice([m for m, owner in enumerate(METER_OWNERS) if twin.sold[slot, owner]])
        reading = (meter, rng.choice([0, 3, 11, 30, 2**56]), rng.choice([0, 900]))
        if rng.random() < 0.5:
            call = lambda now: twin.certify(slot, [reading], now, signed=True)  # noqa: E731 - one of two
            self.both(STRANGER, "certify", self.w.signed(slot, *reading), call)
        else:
            call = lambda now: twin.certify(slot, [reading], now, signed=False)  # noqa: E731 - one of two
            self.both(OPERATOR, "certifyBatch", (slot, [reading]), call)

    def settle(self) -> None:
        rng, twin = self.rng, self.twin
        waiting = sorted(deal for deal in twin.deals if deal not in twin.settled)
        trade = waiting[0][0] if waiting and rng.random() < 0.9 else self.number(twin.trades)
        if waiting and rng.random() < 0.3:
            self.w.now = max(self.w.now, twin.trades[waiting[0][0]].slot + SLOT + WINDOW)
        buyers = [buyer for number, buyer in waiting if number == trade]
        if rng.random() < 0.2:
            buyers.append(rng.randrange(6))
        self.both(STRANGER, "settle", (trade, buyers), lambda now: twin.settle(trade, buyers, now))

    def check(self) -> None:
        w, twin, members = self.w, self.twin, range(len(self.w.members))
        assert [w.read("credits", i) for i in members] == [twin.credits[i] for i in members]
        assert int(w.client.read(w.token, "balanceOf", w.c.address)) == twin.holdings()
        for slot in sorted(self.slots)[-3:]:
            balances = [w.read("getBalance", i, slot) for i in members]
            assert balances == [twin.balance(i, slot) for i in members]
            assert sum(balances) == 0
        for number in range(len(twin.trades))[-4:]:
            listed = twin.trades[number]
            trade = (listed.maker, listed.slot, listed.expiry, listed.price, listed.remaining, listed.sold)
            assert tuple(w.read("getAvailableTrade", number)) == trade
            for i in members:
                wanted = [twin.deals.get((number, i), 0), (number, i) in twin.settled]
                assert w.read("getDeal", number, i) == wanted

    def run(self) -> None:
        for call in range(1, CALLS):
            self.rng.choice([self.step] * 10 + [self.certify, self.certify, self.settle])()
            if self.rng.random() < 0.05:
                self.w.now += self.rng.choice([1, 200, SLOT])
            if call % 50 == 0:
                self.check()
            if call % 20 == 0 or self.twin.paused:
                self.twin.paused = self.rng.random() < 0.3
                self.w.do(OWNER, "setPaused", ON if self.twin.paused else OFF)
        self.end()

    def end(self) -> None:
        """Settle and cancel all and let everybody leave: what stays is nothing."""
        w, twin = self.w, self.twin
        for number, request in enumerate(twin.requests):
            if request.remaining:
                sender = w.members[request.maker]
                self.both(
                    sender, "cancelRequest", (number,), lambda _, n=number, s=sender: twin.cancel_request(s.address, n)
                )
        w.now += 10 * SLOT + WINDOW
        for number in range(len(twin.trades)):
            buyers = [b for t, b in sorted(twin.deals) if t == number and (t, b) not in twin.settled]
            self.both(STRANGER, "settle", (number, buyers), lambda now, n=number, b=buyers: twin.settle(n, b, now))
        self.check()
        for i, member in enumerate(w.members):
            if twin.credits[i]:
                w.do(member, "withdraw", twin.credits[i])
        assert int(w.client.read(w.token, "balanceOf", w.c.address)) == 0


def test_random_lives():
    seen: Counter[tuple[str, str | None]] = Counter()
    for seed in range(LIVES):
        life = Life(seed)
        life.run()
        seen += life.seen
    functions = {name for name, _ in seen}
    assert len(functions) == 12
    assert {name: count for name in functions if (count := seen[name, None]) < 3} == {}
    for reason in ("wrong total", "bad amount", "own trade", "expired", "nothing sold", "nothing to settle"):
        assert any(why == f"trade_board: {reason}" for _, why in seen), reason
