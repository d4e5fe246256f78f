"""What the market for predictions must do, in plain Python; money that moves is what its functions return [n¤]."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.twins.totals import TotalsTwin
from transactive.chain.commitments import Opening
from transactive.chain.prediction.lmsr import (
    MOST_OUTCOMES,
    MOST_SHARES,
    bought_n,
    loss_n,
    sold_back_n,
)
from transactive.chain.twins.refusals import refusals

LEAST_LIQUIDITY, MOST_LIQUIDITY, LARGEST = 10**6, 2**62, 2**62

refuse_unless = refusals("prediction_market")


@dataclass(slots=True)
class QuestionTwin:
    """One question, its shares by member and outcome, and what it holds [n¤]. Bounds and blur [Wh]."""

    asker: str
    lane: int
    first: int
    last: int
    closes_at: int
    liquidity: int
    blur: int
    bounds: tuple[int, ...]
    pot: int
    sold: list[int]
    is_void: bool = False
    shares: dict[int, list[int]] = field(default_factory=dict)

    @property
    def outcomes(self) -> int:
        """How many there are."""
        return len(self.bounds) + 1

    def held(self, member: int) -> list[int]:
        """Shares of a member, by outcome."""
        return self.shares.setdefault(member, [0] * self.outcomes)


class PredictionMarketTwin:
    """All questions. slope [n¤/Wh]; deadline [s]."""

    def __init__(self, totals: TotalsTwin, slope: int, deadline: int) -> None:
        self.totals, self.slope, self.deadline = totals, slope, deadline
        self.questions: list[QuestionTwin] = []

    def create(
        self, asker: str, lane: int, first: int, last: int, closes_at: int, liquidity: int, blur: int,
        bounds: tuple[int, ...], now: int,
    ) -> int:  # fmt: skip
        """Ask; gives what is paid in advance."""
        refuse_unless(self.totals.of_one_period(lane, first, last), "no such total")
        begins = first * self.totals.slot_seconds
        refuse_unless(now < closes_at <= begins, "bad end of trading")
        refuse_unless(LEAST_LIQUIDITY <= liquidity <= MOST_LIQUIDITY, "bad liquidity")
        refuse_unless(bool(bounds) and 0 < blur <= LARGEST, "bad bounds")
        least = blur
        for bound in bounds:
            refuse_unless(least <= bound <= LARGEST, "bad bounds")
            least = bound + 2 * blur
        money = loss_n(len(bounds) + 1, liquidity)
        sold = [0] * (len(bounds) + 1)
        self.questions.append(QuestionTwin(asker, lane, first, last, closes_at, liquidity, blur, bounds, money, sold))
        return money

    def buy(self, who: str, number: int, outcome: int, shares: int, most: int, now: int) -> int:
        """Buy shares; gives what is paid."""
        member = self.totals.member(who)
        q = self._tradable(number, outcome, shares, now)
        refuse_unless(q.held(member)[outcome] + shares <= 2 * q.blur * self.slope, "holds enough")
        refuse_unless(q.sold[outcome] + shares <= MOST_SHARES, "too many shares")
        money = bought_n(q.sold, q.liquidity, outcome, shares)
        refuse_unless(money <= most, "price moved")
        q.sold[outcome] += shares
        q.held(member)[outcome] += shares
        q.pot += money
        return money

    def sell(self, who: str, number: int, outcome: int, shares: int, least: int, now: int) -> int:
        """Give shares back; gives what is received."""
        member = self.totals.member(who)
        q = self._tradable(number, outcome, shares, now)
        refuse_unless(shares <= q.held(member)[outcome], "shares too low")
        money = sold_back_n(q.sold, q.liquidity, outcome, shares)
        refuse_unless(money >= least, "price moved")
        q.sold[outcome] -= shares
        q.held(member)[outcome] -= shares
        q.pot -= money
        return money

    def resolve(self, number: int, before: Opening, opening: Opening, now: int) -> None:
        """Write down what was committed."""
        q = self._question(number)
        refuse_unless(not q.is_void, "void")
        self.totals.settle(number, q.lane, q.first, q.last, before, opening, now)

    def void(self, number: int, now: int) -> None:
        """Call a question off."""
        q = self._question(number)
        refuse_unless(number not in self.totals.outcomes and not q.is_void, "over")
        refuse_unless(now >= (q.last + 1) * self.totals.slot_seconds + self.deadline, "wait")
        q.is_void = True

    def redeem(self, who: str, number: int, now: int) -> int:
        """Take what shares are worth; gives it."""
        member = self.totals.member(who)
        worth, whole = self.worth(number, now)
        q = self._question(number)
        held = q.held(member)
        money = sum(one * part for one, part in zip(held, worth, strict=True)) // whole
        q.sold = [all_of - own for all_of, own in zip(q.sold, held, strict=True)]
        q.shares[member] = [0] * q.outcomes
        q.pot -= money
        return money

    def sweep(self, who: str, number: int, now: int) -> int:
        """Take what no share can claim; gives it."""
        q = self._question(number)
        refuse_unless(who == q.asker, "not the asker")
        worth, whole = self.worth(number, now)
        owed = -(-sum(one * part for one, part in zip(q.sold, worth, strict=True)) // whole)
        money, q.pot = q.pot - owed, owed
        return money

    def worth(self, number: int, now: int) -> tuple[list[int], int]:
        """Parts that a share of each outcome pays, and how many make one."""
        q = self._question(number)
        known = number in self.totals.outcomes
        refuse_unless(q.is_void or known, "not over")
        if q.is_void or not self.totals.valid(number):
            return [1] * q.outcomes, q.outcomes
        total, whole = self.totals.outcomes[number].total, 2 * q.blur
        above = [min(max(total - bound + q.blur, 0), whole) for bound in q.bounds]  # the part that is above each bound
        return [low - high for low, high in zip([whole, *above], [*above, 0], strict=True)], whole

    def _question(self, number: int) -> QuestionTwin:
        refuse_unless(number < len(self.questions), "no such question")
        return self.questions[number]

    def _tradable(self, number: int, outcome: int, shares: int, now: int) -> QuestionTwin:
        q = self._question(number)
        refuse_unless(now < q.closes_at, "closed")
        refuse_unless(outcome < q.outcomes, "no such outcome")
        refuse_unless(shares > 0, "no shares")
        return q


def padded(values: list[int]) -> list[int]:
    """As the contract keeps them: eight places, whatever a question has."""
    return [*values, *[0] * (MOST_OUTCOMES - len(values))]
