"""A life of the balance market: slots opened, promised, cancelled, read and settled; money in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.contract.market_world import GATE, METER_OWNERS, SLOT, WINDOW
from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Call
from tests.fuzz.metered_life import UNLIMITED, MeteredLife, Reading
from transactive.market.balance.pricing import ENERGY_END, PRICE_END
from transactive.studies.day_on_chain.twin import BalanceTwin, OpenSlot

VILLAGE, NATION = 10**10, 2**98


class BalanceLife(MeteredLife):
    """Village or nation: money and energy of ordinary size, or up to the ends of their lanes."""

    contract = "balance_market"

    def begin(self) -> Bound:
        c = super().begin()
        self.large = self.rng.random() < 0.2
        self.money = NATION if self.large else VILLAGE
        self.twin = BalanceTwin(self.registry_twin, slot_seconds=SLOT, gate_seconds=GATE, window=WINDOW)
        for member in self.members:
            self.machine.at = self.now
            if self.echo and member is self.echo.person:
                self.echo.execute(c.address, c.data("deposit", (self.money,)))
            else:
                c.do(member.address, "deposit", self.money)
            self.twin.deposit(member.address, self.money)
            self.paid(member.address, self.money)
        c.do(self.operator.address, "fund", 10 * self.money)
        self.twin.fund(10 * self.money)
        self.paid(self.operator.address, 10 * self.money)
        return c

    def move(self) -> Call | None:
        rng = self.rng
        if rng.random() < 0.08:
            self.now += rng.choice([1, GATE // 4, SLOT // 2, SLOT])
        if not self.ahead() and not self.twin.paused and rng.random() < 0.5:
            return self.open()
        if self.twin.paused and rng.random() < 0.2:
            return self.pause()
        kinds = [self.order] * 8 + [self.cancel] * 3 + [self.certify] * 3 + [self.settle] * 3
        return rng.choice(
            [*kinds, self.open, self.moved, self.moved, *([self.pause, self.govern] * (rng.random() < 0.5))]
        )()

    def ahead(self) -> list[int]:
        """Open slots that take orders."""
        return [slot for slot in self.slots()[-6:] if slot > self.now + GATE]

    def slots(self) -> list[int]:
        return sorted(self.twin.slots)

    def waiting(self, since: int) -> list[int]:
        """Slots with promises to settle that start after a time."""
        return [slot for slot in self.slots() if self.twin.slots[slot].positions and slot > since]

    def any_slot(self) -> int:
        known = self.slots()[-4:]
        if known and self.rng.random() < 0.9:
            return self.rng.choice(known)
        return self.slot(self.rng.randrange(6)) + self.rng.choice([0, 0, 0, 1])

    def open(self) -> Call:
        rng, slot = self.rng, self.slot(self.rng.randrange(3, 8))
        if self.large:
            floor, base, cap = sorted(rng.sample(range(rng.choice([40, 400_000, PRICE_END])), 3))
            sizes = [rng.randint(1, rng.choice([9, 50_000, ENERGY_END - 1])) for _ in range(2)]
            numbers = (base, floor, cap, *sizes)
        else:
            floor = rng.choice([0, 1, 80_000, 80_000])
            base = floor + rng.choice([1, 7, 120_000])
            cap = base + rng.choice([0, 1, 100_000, 100_000, 100_000])
            numbers = (base, floor, cap, rng.choice([1, 3, 500, 999, 999, 0]), rng.choice([2, 4_000, 4_000, 4_000]))
        return Call(
            self.operator,
            "openSlot",
            (slot, *numbers),
            lambda who: self.twin.open_slot(who, slot, numbers, self.now),
        )

    def order(self) -> Call:
        rng, ahead = self.rng, self.ahead()
        slot = rng.choice(ahead) if ahead and rng.random() < 0.85 else self.any_slot()
        producing = rng.random() < 0.5
        makers, takers = [0, 1, 4, 5], [2, 3, 4, 5]
        if self.echo:
            makers.append(6)
            takers.append(6)
        who = self.holder(rng.choice(makers if producing else takers))
        there = self.twin.slots.get(slot)
        least, most = rng.choice([0, *[1] * 8, 5, 300]), rng.choice([1, 5, 250, 300, 1_000, 5_000])
        price = rng.randrange(330_000)
        if self.large and there:
            most = rng.randint(1, min(2 * there.curve.limit_wh + 1, ENERGY_END))
            least = rng.choice([1, 1, 1, most, most + 1])
            q = there.balance.surplus_wh
            price = max(0, there.curve.production_price(q + rng.randint(-most, most)) + rng.choice([-1, 0, 0, 1]))
        free = 0 if producing else UNLIMITED
        limit = rng.choice([free, free, price * most, price * most + rng.randrange(most)])
        return Call(
            who,
            "produce" if producing else "consume",
            (slot, least, most, limit),
            lambda by: self.twin.order(by, slot, least, most, limit, producing, self.now),
        )

    def cancel(self) -> Call:
        rng, waiting = self.rng, self.waiting(self.now + GATE)
        slot = rng.choice(waiting) if waiting and rng.random() < 0.85 else self.any_slot()
        who, energy = rng.choice(self.members), rng.choice([0, 1, 3, 100, 250, 300])
        there = self.twin.slots.get(slot)
        if there and there.positions and rng.random() < 0.85:
            index = rng.choice(sorted(there.positions))
            who, held = self.holder(index), there.positions[index]
            part = rng.randint(1, held.energy_wh)
            energy = rng.choice([held.energy_wh, held.energy_wh + 1, part, part])
        return Call(who, "cancel", (slot, energy), lambda by: self.twin.cancel(by, slot, energy, self.now))

    def certify(self) -> Call:
        rng, slot, meter = self.rng, self.any_slot(), self.rng.randrange(len(self.meters) + 1)
        waiting = self.waiting(self.now - SLOT - WINDOW)
        sizes = [0, 1, 200, 900]
        if waiting and rng.random() < 0.9:
            slot = waiting[0]
            if rng.random() < 0.5:
                self.now = max(self.now, slot + SLOT)
            positions = self.twin.slots[slot].positions
            meters = [m for m, owner in enumerate(METER_OWNERS) if owner in positions]
            meter = rng.choice(meters) if meters else meter
            owned = positions.get(METER_OWNERS[meter] if meter < len(METER_OWNERS) else -1)
            sizes += [owned.energy_wh, owned.energy_wh // 2] if owned else []
        return self.reading(slot, meter, sizes)

    def certified(self, slot: int, readings: Sequence[Reading], *, signed: bool) -> None:
        self.twin.certify(slot, readings, self.now, signed=signed)

    def settle(self) -> Call:
        rng, slot, waiting = self.rng, self.any_slot(), self.waiting(0)
        if waiting and rng.random() < 0.85:
            slot = waiting[0]
            if rng.random() < 0.3:
                self.now = max(self.now, slot + SLOT + WINDOW)
        there = self.twin.slots.get(slot)
        holders = sorted(there.positions) if there else []
        members = rng.sample(holders, rng.randint(0, len(holders)))
        if rng.random() < 0.15:
            members.append(rng.randrange(8))
        return self.settling(slot, members)

    def settling(self, slot: int, members: Sequence[int]) -> Call:
        return Call(self.rng.choice(self.people), "settle", (slot, members), lambda _: self.settled(slot, members))

    def settled(self, slot: int, members: Sequence[int]) -> None:
        """Settle on the twin; nobody has more than its promise or loses more than its lock."""
        there = self.twin.slots.get(slot)
        held = dict(there.positions) if there else {}
        before = dict(self.twin.free)
        self.twin.settle(slot, members, self.now)
        assert there
        for index in held.keys() & set(members):
            gain = self.twin.free[index] - before.get(index, 0)
            most = there.curve.lock(held[index])
            assert 0 <= gain <= most + max(0, held[index].money_n), f"{self.title}: beyond the promise"
            self.tally.checked["certified at most promised, lost at most locked"] += 1

    def moved(self) -> Call:
        rng, twin = self.rng, self.twin
        amount, who = rng.choice([0, 1, 1, self.money // 9, self.money]), rng.choice(self.members)
        name = rng.choice(["deposit", "withdraw", "fund", "defund"])
        if name == "fund":
            return Call(who, name, (amount,), self.and_paid(lambda _: twin.fund(amount), amount), pays=True)
        if name == "deposit":
            return Call(who, name, (amount,), self.and_paid(lambda by: twin.deposit(by, amount), amount), pays=True)
        if name == "defund":
            return self.defund(rng.choice([amount, twin.pool // 2]))
        return self.withdraw(who, rng.choice([amount, twin.free.get(rng.randrange(6), 0)]))

    def withdraw(self, who: Person, amount: int) -> Call:
        mirror = self.and_paid(lambda by: self.twin.withdraw(by, amount), -amount)
        return Call(who, "withdraw", (amount,), mirror, pays=True)

    def defund(self, amount: int) -> Call:
        mirror = self.and_paid(lambda by: self.twin.defund(by, amount), -amount)
        return Call(self.operator, "defund", (amount,), mirror, pays=True)

    def keep_paused(self, *, to: bool) -> None:
        self.twin.paused = to

    def check(self) -> None:
        twin, members = self.twin, range(len(self.members))
        accounts = [self.c.read("getAccount", i) for i in members]
        self.equal("accounts", accounts, [(twin.free.get(i, 0), twin.locked.get(i, 0)) for i in members])
        locks = Counter(dict.fromkeys(members, 0))
        for there in twin.slots.values():
            for index, held in there.positions.items():
                locks[index] += there.curve.lock(held)
        self.equal("escrow is what positions can cost", {i: twin.locked.get(i, 0) for i in members}, dict(locks))
        self.equal("pool", self.c.read("pool"), twin.pool)
        self.check_money(twin.holdings())
        for slot in self.slots()[-5:]:
            self.check_slot(slot, twin.slots[slot])

    def check_slot(self, slot: int, there: OpenSlot) -> None:
        """Book and positions, field by field: no lane runs into its neighbour."""
        curve, q = there.curve, there.balance.surplus_wh
        wanted = (curve.base_n, curve.floor_n, curve.cap_n, curve.scale_wh, curve.limit_wh)
        self.equal("a curve stays as it was opened", self.c.read("getCurve", slot), wanted)
        if there.closed:
            return
        book = (there.balance.produced_wh, there.balance.consumed_wh, len(there.positions))
        self.equal("lanes of a book", self.c.read("getBook", slot), book)
        prices = (self.c.read("getProductionPrice", slot), self.c.read("getConsumptionPrice", slot))
        self.equal("prices", prices, (curve.production_price(q), curve.consumption_price(q)))
        for index, held in there.positions.items():
            energy, money, _, _, consuming = self.c.read("getPosition", slot, index)
            found = (energy, money, not consuming)
            self.equal("lanes of a position", found, (held.energy_wh, held.money_n, held.producing))
        self.equal("result", self.c.read("results", slot), there.result)

    def end(self) -> None:
        """Settle all and let everybody leave, while all is paused: what stays is nothing."""
        self.both(self.pausing(to=True))
        for slot in self.slots():
            if not self.twin.slots[slot].closed:
                self.now = max(self.now, slot + SLOT + WINDOW)
                self.both(self.settling(slot, sorted(self.twin.slots[slot].positions)))
        self.check()
        self.equal("nothing stays locked", sum(self.twin.locked.values()), 0)
        for i, free in sorted(self.twin.free.items()):
            if free:
                self.both(self.withdraw(self.holder(i), free))
        if self.twin.pool:
            self.both(self.defund(self.twin.pool))
        self.equal("everybody leaves while all is paused", self.holdings(self.c.address), 0)
