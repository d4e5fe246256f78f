"""A life of the market for predictions: questions, trades at every size, outcomes, objections, and who takes what."""

from __future__ import annotations

from collections.abc import Callable

from tests.contract.world import PERIOD, SLOT, SLOTS, WINDOW
from tests.fuzz.asked_settlement import MEMBERS, NOTHING, START, AskedSettlement
from tests.fuzz.bound import Bound, Person
from tests.fuzz.life import Call, Life
from tests.twins.prediction_market import PredictionMarketTwin, QuestionTwin, padded
from tests.twins.totals import TotalsTwin
from transactive.chain.prediction.lmsr import cost_n

SLOPE, DEADLINE = 1_000, 3 * PERIOD
ALL = 2**255
KEPT = 6
"""Questions back that are still traded, asked and looked at."""


class PredictionMarketLife(Life):
    """Six members and a settlement whose periods go by."""

    contract = "prediction_market"

    def begin(self) -> Bound:
        self.now = START * PERIOD + 1
        self.machine.at = self.now
        names = ("owner", "operator", "candidate", "stranger")
        self.owner, self.operator, *rest = map(Person.named, names)
        self.members = [Person.named("member", i) for i in range(MEMBERS)]
        self.asked = AskedSettlement(self.machine, self.rng, self.owner, self.operator, self.members)
        self.echo = self.asked.echo
        self.people = [self.owner, self.operator, *rest, *self.members]
        by = self.owner.address
        token = self.asked.token
        c = Bound.deploy(self.machine, by, "prediction_market", token.address, self.asked.c.address, SLOPE, DEADLINE)
        self.wallets = self.asked.fund(self.people, c.address)
        totals = TotalsTwin(SLOT, SLOTS, self.asked.is_final, self.asked.places.get)
        self.twin = PredictionMarketTwin(totals, SLOPE, DEADLINE)
        return c

    def paid(self, pay: Callable[[str], int], sign: int) -> Callable[[str], None]:
        """A mirror that moves what the twin says into a wallet, or out of it."""

        def mirror(who: str) -> None:
            self.wallets[who] += sign * pay(who)

        return mirror

    # -- who and what

    def number(self, stage: Callable[[int, QuestionTwin], bool] | None = None) -> int:
        """A question, mostly one of the last, and mostly one at this stage."""
        if stage and self.rng.random() < 0.9:
            found = [number for number, q in enumerate(self.twin.questions) if stage(number, q)]
            if found:
                return self.rng.choice(found[-KEPT:])
        back: int = self.rng.choice([0, *range(1, KEPT), *range(1, KEPT)])
        return max(len(self.twin.questions) - back, 0)

    def is_open(self, _: int, q: QuestionTwin) -> bool:
        return self.now < q.closes_at

    def is_unknown(self, number: int, q: QuestionTwin) -> bool:
        return number not in self.twin.totals.outcomes and not q.is_void and q.last // SLOTS < self.asked.period

    def is_over(self, number: int, q: QuestionTwin) -> bool:
        return q.is_void or number in self.twin.totals.outcomes

    def move(self) -> Call | None:
        rng = self.rng
        self.now += rng.choice([0, 1, 1, 20])
        if rng.random() < 0.01 or self.now >= (self.asked.period + 1) * PERIOD:
            self.now = max(self.asked.turn(), self.now) + rng.choice([0, 0, 1])
        if rng.random() < 0.03:
            self.now += rng.choice([WINDOW, SLOT])
        moves = [self.create] * 2 + [self.buy] * 8 + [self.sell] * 4 + [self.resolve] * 3
        return rng.choice([*moves, self.void, *[self.redeem] * 5, *[self.sweep] * 2])()

    def create(self) -> Call:
        rng, twin = self.rng, self.twin
        period = self.now // PERIOD + rng.choice([0, 1, 1, 1, 2])
        first, last = period * SLOTS + rng.choice([0, 1, 2]), period * SLOTS + rng.choice([2, 3, 3])
        if rng.random() < 0.1:
            last = rng.choice([first - 1, last + SLOTS])
        closes = first * SLOT - rng.choice([0, 0, 0, 1, 900, -1, 10**10])
        blur = rng.choice([1, 20, 100, 100, 0])
        outcomes = rng.choice([2, 2, 3, 5, 8])
        bounds, at = [], rng.choice([0, 100, 2_000])
        for _ in range(outcomes - 1):
            at += rng.choice([2 * blur, 2 * blur + 70, 300 + 2 * blur, 2 * blur - 1 if rng.random() < 0.1 else 500])
            bounds.append(max(at, 0))
        if rng.random() < 0.03:
            bounds = []
        liquidity = rng.choice([10**6, 10**7, 2**62, 3 * 10**9, rng.choice([0, 10**6 - 1, 2**62 + 1])])
        terms = (rng.choice([0, 1, 2, 2, 3]), first, max(last, 0), max(closes, 0), liquidity, blur)
        return Call(
            rng.choice(self.people), "create", (*terms, bounds),
            self.paid(lambda who: twin.create(who, *terms, tuple(bounds), self.now), -1), pays=True,
        )  # fmt: skip

    def buy(self) -> Call:
        rng, number = self.rng, self.number(self.is_open)
        q = self.twin.questions[number] if number < len(self.twin.questions) else None
        liquidity, cap = (q.liquidity, 2 * q.blur * SLOPE) if q else (1, 1)
        shares = rng.choice([0, 1, 7, cap, cap // 3, cap // 10, cap // 10, liquidity, cap + 1])
        most = rng.choice([ALL, ALL, ALL, shares, shares // 2])
        arguments = (number, rng.choice([0, 0, 1, 1, 2, 7, 8]), shares, most)
        who = rng.choice(self.members)
        return Call(who, "buy", arguments, self.paid(lambda by: self.twin.buy(by, *arguments, self.now), -1), pays=True)

    def sell(self) -> Call:
        rng, number = self.rng, self.number(self.is_open)
        who, outcome, held = rng.choice(self.members), rng.choice([0, 1, 1, 2]), 0
        if number < len(self.twin.questions):
            owners = [
                (place, outcome, shares)
                for place, own in self.twin.questions[number].shares.items()
                for outcome, shares in enumerate(own)
                if shares
            ]
            if owners and rng.random() < 0.9:
                place, outcome, held = rng.choice(owners)
                who = self.members[place]
        shares = rng.choice([held, held, held // 2, 1, 0, held + 1])
        arguments = (number, outcome, shares, rng.choice([0, 0, 0, shares // 3, shares]))
        return Call(
            who, "sell", arguments, self.paid(lambda by: self.twin.sell(by, *arguments, self.now), 1), pays=True
        )

    def resolve(self) -> Call:
        number = self.number(self.is_unknown)
        if number < len(self.twin.questions):
            q = self.twin.questions[number]
            before, last = self.asked.opening_of(q.first - 1), self.asked.opening_of(q.last)
        else:
            before = last = NOTHING
        return Call(
            self.rng.choice(self.people), "resolve", (number, before.content, last.content),
            lambda _: self.twin.resolve(number, before, last, self.now),
        )  # fmt: skip

    def void(self) -> Call:
        return self.voiding(self.rng.choice(self.people), self.number(self.is_unknown))

    def voiding(self, who: Person, number: int) -> Call:
        return Call(who, "void", (number,), lambda _: self.twin.void(number, self.now))

    def redeem(self) -> Call:
        return self.redeeming(self.rng.choice(self.members), self.number(self.is_over))

    def redeeming(self, who: Person, number: int) -> Call:
        return Call(
            who, "redeem", (number,), self.paid(lambda by: self.twin.redeem(by, number, self.now), 1), pays=True
        )

    def sweep(self) -> Call:
        number = self.number(self.is_over)
        return self.sweeping(self.asker(number), number)

    def sweeping(self, who: Person, number: int) -> Call:
        return Call(who, "sweep", (number,), self.paid(lambda by: self.twin.sweep(by, number, self.now), 1), pays=True)

    def asker(self, number: int) -> Person:
        """Who asked a question; anybody, if there is none."""
        if number >= len(self.twin.questions):
            return self.rng.choice(self.people)
        return next(person for person in self.people if person.address == self.twin.questions[number].asker)

    # -- what is the same

    def check(self) -> None:
        twin, c, token = self.twin, self.c, self.asked.token
        self.equal("questions counted", c.read("count"), len(twin.questions))
        pots = sum(q.pot for q in twin.questions)
        self.equal("tokens held are what its questions hold", token.read("balanceOf", c.address), pots)
        for person in self.people:
            held = token.read("balanceOf", person.address)
            self.equal("a wallet", held, self.wallets[person.address])
        for number, q in list(enumerate(twin.questions))[-KEPT:]:
            terms = (q.asker, q.lane, q.first, q.last, q.closes_at, q.liquidity, q.blur, q.pot, q.is_void, q.bounds)
            self.equal("a question", c.read("getQuestion", number), terms)
            self.equal("shares sold", list(c.read("soldOf", number)), padded(q.sold))
            for place, shares in q.shares.items():
                self.equal("a member's shares", list(c.read("sharesOf", number, place)), padded(shares))
            found = twin.totals.outcomes.get(number)
            outcome = (found.total, found.known_at, found.substituted) if found else (0, 0, 0)
            self.equal("an outcome", tuple(c.read("outcomeOf", number)), outcome)
            self.owed(q, number)

    def owed(self, q: QuestionTwin, number: int) -> None:
        """Solvency: what is held covers all that shares can claim, whatever happens."""
        if self.is_over(number, q):
            worth, whole = self.twin.worth(number, self.now)
            claims = sum(one * part for one, part in zip(q.sold, worth, strict=True))
            self.equal("claims are covered", q.pot * whole >= claims, wanted=True)
            self.equal("no share is worth more than one", sum(worth) <= whole, wanted=True)
        else:
            self.equal("more is held than any outcome can claim", q.pot > cost_n(q.sold, q.liquidity), wanted=True)
            self.equal("an invalid question can be paid", q.pot * q.outcomes >= sum(q.sold), wanted=True)

    def end(self) -> None:
        """All is called off or over, all redeem and sweep: nothing is left."""
        for number, q in enumerate(self.twin.questions):
            self.now = max(self.now, (q.last + 1) * SLOT + DEADLINE, self.machine.at + WINDOW)
            if number not in self.twin.totals.outcomes and not q.is_void:
                self.both(self.voiding(self.owner, number))
        for number, q in enumerate(self.twin.questions):
            for place in [place for place, shares in q.shares.items() if any(shares)]:
                self.both(self.redeeming(self.members[place], number))
            self.both(self.sweeping(self.asker(number), number))
        self.check()
        self.equal("everybody leaves", self.asked.token.read("balanceOf", self.c.address), 0)
