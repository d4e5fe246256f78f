"""A life of the pool of stakes: sealed, shown or not, changed, late, settled, objected to, paid or given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract.world import PERIOD, SLOT, SLOTS, WINDOW
from tests.fuzz.asked_settlement import MEMBERS, START, AskedSettlement
from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.forecast_pool import ForecastPoolTwin, PoolTerms
from tests.twins.totals import TotalsTwin
from transactive.chain.prediction.scoring import LEVELS, Forecast, packed, sealed

BACK = 4
"""Periods back that are still looked at."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What somebody sealed."""

    member: int
    period: int
    forecast: Forecast
    salt: bytes


class ForecastPoolLife(Life):
    """Six members and a settlement whose periods go by."""

    contract = "forecast_pool"

    def begin(self) -> Bound:
        rng = self.rng
        self.now = START * PERIOD + 1
        self.machine.at = self.now
        self.owner, self.operator, *rest = map(Person.named, ("owner", "operator", "candidate", "stranger"))
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        self.asked = AskedSettlement(self.machine, rng, self.owner, self.operator, self.members)
        self.echo = self.asked.echo
        self.people = [self.owner, self.operator, *rest, *self.members]
        token, by = self.asked.token, self.owner.address
        first, last = rng.choice([(0, 3), (1, 2), (2, 3)])
        self.terms = PoolTerms(
            rng.randrange(3),
            first,
            last,
            SLOT,
            rng.choice([300, SLOT]),
            rng.choice([500, 8_000]),
            1_000,
            100,
            3 * PERIOD,
        )
        c = Bound.deploy(self.machine, by, "forecast_pool", token.address, self.asked.c.address, *self.terms.content)
        self.wallets = self.asked.fund(self.people, c.address)
        totals = TotalsTwin(SLOT, SLOTS, self.asked.is_final, self.asked.places.get)
        self.twin = ForecastPoolTwin(totals, self.terms, self.operator.address)
        self.hidden: list[Hidden] = []
        return c

    def paid(self, pay: Callable[[str], int], sign: int) -> Callable[[str], None]:
        """A mirror that moves what the twin says into a wallet, or out of it."""

        def mirror(who: str) -> None:
            self.wallets[who] += sign * pay(who)

        return mirror

    # -- who and what

    def period(self) -> int:
        """A period, mostly one of the last or the next."""
        return self.now // PERIOD + int(self.rng.choice([*range(-BACK, 3), 0, 1, 1, 1]))

    def move(self) -> Call | None:
        rng = self.rng
        self.now += rng.choice([0, 1, 1, 10])
        if self.now >= (self.asked.period + 1) * PERIOD or rng.random() < 0.005:
            self.now = max(self.asked.turn(), self.now) + rng.choice([0, 0, 1])
        elif rng.random() < 0.03:
            gate = self.twin.gate(self.now // PERIOD + 1)
            self.now = max(self.now, rng.choice([gate, gate, gate + self.terms.reveal, self.now + WINDOW]))
        moves = [self.wager] * 6 + [self.show] * 6 + [self.settle] * 2 + [self.pay] * 2
        return rng.choice([*moves, self.refund, self.reach, *[self.fund, self.withdraw] * 3])()

    def reach(self) -> Call:
        """At first that of everybody."""
        rng = self.rng
        without = [place for place in range(MEMBERS) if not self.twin.reach_of[place]]
        member = rng.choice(without) if without and rng.random() < 0.8 else rng.randrange(MEMBERS)
        wh = rng.choice([1_000, 1_000, 1_000, 5_000, 0, 2**62, 2**62 + 1] if not without else [1_000])
        return Call(self.operator, "setReach", (member, wh), lambda who: self.twin.set_reach(who, member, wh))

    def fund(self) -> Call:
        amount = self.rng.choice([10**7, 10**7, 0, 2**62, 2**62 + 1])
        who = self.rng.choice(self.members)
        return Call(who, "fund", (amount,), self.paid(lambda by: self.twin.fund(by, amount), -1), pays=True)

    def withdraw(self) -> Call:
        place = self.rng.randrange(MEMBERS)
        held = self.twin.funds[place]
        return self.withdrawing(place, self.rng.choice([0, 1, held // 10, held // 2, held + 1]))

    def withdrawing(self, place: int, amount: int) -> Call:
        mirror = self.paid(lambda by: self.twin.withdraw(by, amount), 1)
        return Call(self.members[place], "withdraw", (amount,), mirror, pays=True)

    def wager(self) -> Call:
        rng, period, place = (
            self.rng,
            self.now // PERIOD + self.rng.choice([0, 1, 1, 1, 2]),
            self.rng.randrange(MEMBERS),
        )
        low = rng.choice([0, 100, 1_000])
        forecast = tuple(sorted(rng.choice([low, low + 40, low + rng.randrange(3_000)]) for _ in range(LEVELS)))
        made = Hidden(place, period, forecast, rng.randbytes(32))
        most = self.terms.scale * self.terms.slope // 2
        stake = rng.choice([self.terms.least, 7_777, 7_777, most // 3, most, most + 1, self.terms.least - 1])
        seal = sealed(forecast, made.salt, place, period)
        if self.hidden and rng.random() < 0.1:  # another's
            copied = rng.choice(self.hidden[-9:])
            seal = sealed(copied.forecast, copied.salt, copied.member, copied.period)

        def mirror(who: str) -> None:
            self.twin.wager(who, period, seal, stake, self.now)
            self.hidden.append(made)

        return Call(self.members[place], "wager", (period, seal, stake), mirror)

    def show(self) -> Call | None:
        rng = self.rng
        if not self.hidden:
            return None
        made = rng.choice(self.hidden[-2 * MEMBERS :])
        now = [one for one in self.hidden[-3 * MEMBERS :] if one.period == self.now // PERIOD + 1]
        if now and rng.random() < 0.6:
            made = rng.choice(now)
            if rng.random() < 0.1:
                self.now = max(self.now, self.twin.gate(made.period))
        wagers = self.twin.wagers[made.period]
        number = next((at for at, one in enumerate(wagers) if one.member == made.member), len(wagers))
        number = number if rng.random() < 0.95 else rng.randrange(len(wagers) + 1)
        salt = made.salt if rng.random() < 0.95 else rng.randbytes(32)
        shown = (made.period, number, packed(made.forecast), salt)
        return Call(
            self.members[made.member], "show", shown,
            lambda who: self.twin.show(who, made.period, number, made.forecast, salt, self.now),
        )  # fmt: skip

    def settle(self) -> Call:
        period = self.period()
        first, last = self.twin.slots(period)
        before, opening = self.asked.opening_of(first - 1), self.asked.opening_of(last)
        return Call(
            self.rng.choice(self.people), "settle", (period, before.content, opening.content),
            lambda _: self.twin.settle(period, before, opening, self.now),
        )  # fmt: skip

    def pay(self) -> Call:
        known = [period for period in self.twin.totals.outcomes if period not in self.twin.over]
        period = self.rng.choice(known) if known and self.rng.random() < 0.5 else self.period()
        return Call(self.rng.choice(self.people), "pay", (period,), lambda _: self.twin.pay(period, self.now))

    def refund(self) -> Call:
        return self.refunding(self.period() - self.rng.choice([0, 2]))

    def refunding(self, period: int) -> Call:
        return Call(self.rng.choice(self.people), "refund", (period,), lambda _: self.twin.refund(period, self.now))

    # -- what is the same

    def check(self) -> None:
        twin, c, token = self.twin, self.c, self.asked.token
        held = token.read("balanceOf", c.address)
        self.equal("tokens held are funds and stakes", held, twin.funds.total() + twin.staked)
        self.equal("reach of all", c.read("reach"), twin.reach_of.total())
        for place, member in enumerate(self.members):
            self.equal("funds", c.read("funds", place), twin.funds[place])
            self.equal("a wallet", token.read("balanceOf", member.address), self.wallets[member.address])
        for period in range(self.now // PERIOD - BACK, self.now // PERIOD + 3):
            wanted = tuple(
                (one.member | one.stake << 64 | (one.forecast is not None) << 255,
                 int.from_bytes(one.sealed, "big") if one.forecast is None else packed(one.forecast))
                for one in twin.wagers[period]
            )  # fmt: skip
            self.equal("wagers", c.read("wagersOf", period), wanted)
            self.equal("whether a period is over", c.read("isOver", period), period in twin.over)

    def end(self) -> None:
        """All stakes go back or were paid; everybody leaves, and nothing is left."""
        self.now = max(self.now, self.machine.at) + 8 * PERIOD
        for period in sorted(period for period in self.twin.wagers if self.twin.wagers[period]):
            if period in self.twin.over:
                continue
            known = period in self.twin.totals.outcomes
            self.both(
                Call(self.owner, "pay", (period,), lambda _, p=period: self.twin.pay(p, self.now))  # type: ignore[misc]
                if known
                else self.refunding(period)
            )
        for place in range(MEMBERS):
            self.both(self.withdrawing(place, self.twin.funds[place]))
        self.check()
        self.equal("everybody leaves", self.asked.token.read("balanceOf", self.c.address), 0)
