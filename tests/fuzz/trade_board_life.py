"""A life of the trade board: listings, requests, purchases, readings and payment, in a token or the chain's coin."""

from __future__ import annotations

from collections.abc import Sequence

from tests.contract.market_world import GATE, METER_OWNERS, SLOT, WINDOW
from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Call
from tests.fuzz.metered_life import MeteredLife, Reading
from tests.twins.trade_board import ENERGY_END, PRICE_END, TradeBoardTwin

ANY_SLOT = (0, 3, 4, 4, 4, 5)


class TradeBoardLife(MeteredLife):
    """Ordinary amounts, with a few at the ends of their lanes."""

    contract = "trade_board"

    def begin(self) -> Bound:
        self.coin = self.rng.random() < 0.3
        c = super().begin()
        self.twin = TradeBoardTwin(self.registry_twin, slot_seconds=SLOT, gate_seconds=GATE, window=WINDOW)
        self.seen: list[int] = []
        self.scale = self.rng.choice([1, 1, PRICE_END // 8])
        return c

    def move(self) -> Call | None:
        rng = self.rng
        if rng.random() < 0.05:
            self.now += rng.choice([1, 200, SLOT])
        if self.twin.paused and rng.random() < 0.2:
            return self.pause()
        kinds = [self.lists] * 4 + [self.buys] * 6 + [self.sells] * 3 + [self.requests] * 2 + [self.shop] * 3
        kinds += [self.undo] * 2 + [self.withdraw] * 2 + [self.certify] * 5 + [self.settle] * 2
        return rng.choice([*kinds, *([self.pause, self.govern] * (rng.random() < 0.5))])()

    def seller(self) -> Person:
        return self.holder(self.rng.choice([0, 1, 4, 5, *([6] if self.echo else [])]))

    def buyer(self) -> Person:
        return self.holder(self.rng.choice([2, 3, 4, 5, *([6] if self.echo else [])]))

    def any_slot(self) -> int:
        slot = self.slot(self.rng.choice(ANY_SLOT)) + self.rng.choice([0] * 12 + [1])
        if slot not in self.seen[-4:]:
            self.seen.append(slot)
        return slot

    def number(self, of: Sequence[object]) -> int:
        """Mostly a late one that exists."""
        return max(0, len(of) - self.rng.choice([0, 1, 1, 2, 2, 3, 4, 5]))

    def terms(self) -> tuple[int, int, int]:
        """Energy, price and expiry."""
        rng = self.rng
        expiry = rng.choice([*[0] * 8, self.now + 200, self.now, self.now + SLOT])
        price = rng.choice([0, *[3, 7] * 8, PRICE_END // self.scale]) * self.scale
        return rng.choice([0, *[1, 40, 40] * 4, ENERGY_END - 1, ENERGY_END]), price, expiry

    def lists(self) -> Call:
        slot, (energy, price, expiry) = self.any_slot(), self.terms()
        return Call(
            self.seller(),
            "addAvailableTrade",
            (slot, energy, price, expiry),
            lambda by: self.twin.add_available_trade(by, slot, energy, price, expiry, self.now),
        )

    def shop(self) -> Call:
        slot, twin = self.any_slot(), self.twin
        energy, price, _ = self.terms()
        if self.rng.random() < 0.3:
            return Call(self.seller(), "setEnergyPrice", (price,), lambda by: twin.set_energy_price(by, price))
        return Call(
            self.seller(),
            "setEnergyAvailable",
            (slot, energy),
            lambda by: twin.set_energy_available(by, slot, energy, self.now),
        )

    def buys(self) -> Call:
        rng, twin, trade = self.rng, self.twin, self.number(self.twin.trades)
        open_trades = [
            n
            for n, t in enumerate(twin.trades[-30:], max(0, len(twin.trades) - 30))
            if t.remaining and t.expiry > self.now
        ]
        if open_trades and rng.random() < 0.8:
            trade = rng.choice(open_trades)
        some = rng.choice([0, 1, 5, 13, 41, ENERGY_END - 1] if rng.random() < 0.3 else [1, 5, 13])
        price = twin.trades[trade].price if trade < len(twin.trades) else 1
        total = some * price + rng.choice([0] * 15 + [1])
        value, right = self.sent(total)
        mirror = self.and_paid(lambda by: twin.buy_energy(by, trade, some, total, self.now, right_coin=right), total)
        return Call(self.buyer(), "buyEnergy", (trade, some, total), mirror, value, pays=True)

    def requests(self) -> Call:
        slot, (energy, price, expiry) = self.any_slot(), self.terms()
        total = energy * price
        value, right = self.sent(total)
        mirror = self.and_paid(
            lambda by: self.twin.request_energy(by, slot, energy, price, expiry, self.now, right_coin=right), total
        )
        return Call(
            self.buyer(),
            "requestEnergy",
            (slot, energy, price, expiry),
            mirror,
            value,
            pays=True,
        )

    def sent(self, total: int) -> tuple[int, bool]:
        """Coin sent along, and whether it is what is due: the total, or nothing where a token is the currency."""
        due = total if self.coin else 0
        value = due + (self.rng.random() < 0.05 and not self.echo)  # the hostile token sends no coin
        return value, value == due

    def sells(self) -> Call:
        rng, twin, request = self.rng, self.twin, self.number(self.twin.requests)
        waiting = [
            n
            for n, r in enumerate(twin.requests[-20:], max(0, len(twin.requests) - 20))
            if r.remaining and r.expiry > self.now
        ]
        if waiting and rng.random() < 0.8:
            request = rng.choice(waiting)
        some = rng.choice([0, 1, 5, 5, 13, 41])
        return Call(
            self.seller(), "sellEnergy", (request, some), lambda by: twin.sell_energy(by, request, some, self.now)
        )

    def undo(self) -> Call:
        rng, twin = self.rng, self.twin
        listed = rng.random() < 0.5
        made = twin.trades if listed else twin.requests
        number, who = self.number(made), rng.choice(self.members)
        if number < len(made) and rng.random() < 0.8:
            who = self.holder(made[number].maker)
        if listed:
            return Call(who, "cancelTrade", (number,), lambda by: twin.cancel_trade(by, number))
        return self.cancelling(who, number)

    def cancelling(self, who: Person, number: int) -> Call:
        return Call(who, "cancelRequest", (number,), lambda by: self.twin.cancel_request(by, number))

    def withdraw(self) -> Call:
        rng, twin = self.rng, self.twin
        rich = [i for i, credit in twin.credits.items() if credit]
        index = rng.choice(rich) if rich and rng.random() < 0.8 else rng.randrange(6)
        amount = rng.choice([0, 1, twin.credits[index], twin.credits[index], twin.credits[index] + 1])
        return self.withdrawing(self.holder(index), amount)

    def withdrawing(self, who: Person, amount: int) -> Call:
        mirror = self.and_paid(lambda by: self.twin.withdraw(by, amount), -amount)
        return Call(who, "withdraw", (amount,), mirror, pays=True)

    def certify(self) -> Call:
        rng, twin = self.rng, self.twin
        sold = {key: wh for key, wh in list(twin.sold.items())[-40:] if wh}
        waiting = sorted({slot for slot, _ in sold if slot + SLOT + WINDOW > self.now})
        slot, meter = (waiting or [self.any_slot()])[0], rng.randrange(len(self.meters) + 1)
        if waiting and rng.random() < 0.9:
            if rng.random() < 0.4:
                self.now = max(self.now, slot + SLOT)
            meter = rng.choice([m for m, owner in enumerate(METER_OWNERS) if (slot, owner) in sold] or [meter])
        return self.reading(slot, meter, [0, 3, 11, 30, 900])

    def certified(self, slot: int, readings: Sequence[Reading], *, signed: bool) -> None:
        self.twin.certify(slot, readings, self.now, signed=signed)

    def settle(self) -> Call:
        rng, twin = self.rng, self.twin
        waiting = sorted(deal for deal in twin.deals if twin.deals[deal] and deal not in twin.settled)
        trade = waiting[0][0] if waiting and rng.random() < 0.9 else self.number(twin.trades)
        if waiting and rng.random() < 0.3:
            self.now = max(self.now, twin.trades[waiting[0][0]].slot + SLOT + WINDOW)
        buyers = [buyer for number, buyer in waiting if number == trade]
        if rng.random() < 0.2:
            buyers.append(rng.randrange(7))
        return self.settling(trade, buyers)

    def settling(self, trade: int, buyers: Sequence[int]) -> Call:
        return Call(self.rng.choice(self.people), "settle", (trade, buyers), lambda _: self.settled(trade, buyers))

    def settled(self, trade: int, buyers: Sequence[int]) -> None:
        """Settle on the twin; nobody is paid for more than was certified, and all of the money finds its place."""
        twin = self.twin
        before, settled = sum(twin.credits.values()), set(twin.settled)
        twin.settle(trade, buyers, self.now)
        found = twin.trades[trade]
        energy = sum(twin.deals[deal] for deal in twin.settled - settled)
        assert sum(twin.credits.values()) - before == found.price * energy, self.title
        self.tally.checked["a deal's money goes to seller and buyer, whole"] += 1

    def keep_paused(self, *, to: bool) -> None:
        self.twin.paused = to

    def check(self) -> None:
        twin, members = self.twin, range(len(self.members))
        self.equal("credits", [self.c.read("credits", i) for i in members], [twin.credits[i] for i in members])
        self.check_money(twin.holdings())
        for slot in self.seen[-4:]:
            balances = [self.c.read("getBalance", i, slot) for i in members]
            self.equal("energy accounts", balances, [twin.balance(i, slot) for i in members])
            self.equal("Wh bought = Wh sold", sum(balances), 0)
            sold = [self.c.read("getAccount", i, slot)[1] for i in members]
            self.equal("lanes of an energy account", sold, [twin.sold.get((slot, i), 0) for i in members])
        for number in range(max(0, len(twin.trades) - 5), len(twin.trades)):
            t = twin.trades[number]
            wanted = (t.maker, t.slot, t.expiry, t.price, t.remaining, t.sold)
            self.equal("lanes of a trade", self.c.read("getAvailableTrade", number), wanted)
            deals = [self.c.read("getDeal", number, i) for i in members]
            due = [(twin.deals.get((number, i), 0), (number, i) in twin.settled) for i in members]
            self.equal("deals", deals, due)
        for number in range(max(0, len(twin.requests) - 5), len(twin.requests)):
            r = twin.requests[number]
            wanted_request = (r.maker, r.slot, r.expiry, r.price, r.remaining)
            self.equal("lanes of a request", self.c.read("getRequest", number), wanted_request)

    def end(self) -> None:
        """Cancel and settle all and let everybody leave, while all is paused: what stays is nothing."""
        twin = self.twin
        self.both(self.pausing(to=True))
        for number, request in enumerate(twin.requests):
            if request.remaining:
                self.both(self.cancelling(self.holder(request.maker), number))
        self.now += 10 * SLOT + WINDOW
        for trade in sorted({trade for trade, _ in twin.deals}):
            due = [key for key in sorted(twin.deals) if key[0] == trade and twin.deals[key] and key not in twin.settled]
            if due:
                self.both(self.settling(trade, [buyer for _, buyer in due]))
        self.check()
        for i, credit in sorted(twin.credits.items()):
            if credit:
                self.both(self.withdrawing(self.holder(i), credit))
        self.equal("everybody leaves while all is paused", self.holdings(self.c.address), 0)
