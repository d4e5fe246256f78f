"""What the pool of stakes on forecasts must do, in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from tests.twins.totals import TotalsTwin
from transactive.chain.commitments import Opening
from transactive.chain.prediction.scoring import Forecast, paid_n, sealed
from transactive.chain.twins.refusals import refusals

MOST, LARGEST = 32, 2**62

refuse_unless = refusals("forecast_pool")


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """As the contract takes them. Places of slots in a period; times [s]; scale [Wh]; slope [n¤/Wh]; least [n¤]."""

    lane: int
    first: int
    last: int
    lead: int
    reveal: int
    scale: int
    slope: int
    least: int
    deadline: int

    @property
    def content(self) -> tuple[int, ...]:
        """In the order of the constructor."""
        return (
            self.lane, self.first, self.last, self.lead, self.reveal, self.scale, self.slope, self.least, self.deadline,
        )  # fmt: skip


@dataclass(slots=True)
class WagerTwin:
    """A stake [n¤] on what is sealed; the forecast once it is shown."""

    member: int
    stake: int
    sealed: bytes
    forecast: Forecast | None = None


class ForecastPoolTwin:
    """All periods. operator: address of the settlement's."""

    def __init__(self, totals: TotalsTwin, terms: PoolTerms, operator: str) -> None:
        self.totals, self.terms, self.operator = totals, terms, operator
        self.funds: Counter[int] = Counter()
        self.reach_of: Counter[int] = Counter()
        self.wagers: defaultdict[int, list[WagerTwin]] = defaultdict(list)
        self.over: set[int] = set()

    def set_reach(self, who: str, member: int, wh: int) -> None:
        """What a member's plants and connection can make up."""
        refuse_unless(who == self.operator, "not the operator")
        refuse_unless(wh <= LARGEST, "bad reach")
        self.reach_of[member] = wh

    def fund(self, who: str, amount: int) -> int:
        """Pay in; gives what is taken."""
        member = self.totals.member(who)
        refuse_unless(amount <= LARGEST - min(self.funds[member], LARGEST), "too much")
        self.funds[member] += amount
        return amount

    def withdraw(self, who: str, amount: int) -> int:
        """Take out; gives it."""
        self._take(self.totals.member(who), amount)
        return amount

    def wager(self, who: str, period: int, hidden: bytes, stake: int, now: int) -> None:
        """Stake on what is sealed."""
        member = self.totals.member(who)
        refuse_unless(now < self.gate(period), "gate closed")
        least, most = self.terms.least, self.terms.scale * self.terms.slope
        refuse_unless(least <= stake and 2 * stake <= most, "stake out of bounds")
        refuse_unless(self.reach_of[member] > 0, "no reach")
        refuse_unless(2 * self.reach_of[member] <= self.reach_of.total(), "mostly your own")
        refuse_unless(all(one.member != member for one in self.wagers[period]), "staked already")
        refuse_unless(len(self.wagers[period]) < MOST, "full")
        self._take(member, stake)
        self.wagers[period].append(WagerTwin(member, stake, hidden))

    def show(self, who: str, period: int, number: int, forecast: Forecast, salt: bytes, now: int) -> None:
        """Open a forecast, whose quantiles are in order."""
        member, gate = self.totals.member(who), self.gate(period)
        refuse_unless(gate <= now < gate + self.terms.reveal, "not now")
        refuse_unless(number < len(self.wagers[period]), "no such wager")
        one = self.wagers[period][number]
        is_sealed = one.forecast is None and one.sealed == sealed(forecast, salt, member, period)
        refuse_unless(is_sealed and one.member == member, "other forecast")
        one.forecast = forecast

    def settle(self, period: int, before: Opening, opening: Opening, now: int) -> None:
        """Write down what was committed."""
        refuse_unless(period not in self.over, "over")
        self.totals.settle(period, self.terms.lane, *self.slots(period), before, opening, now)

    def pay(self, period: int, now: int) -> None:
        """Pay by score, or give back."""
        refuse_unless(period not in self.over, "over")
        refuse_unless(period in self.totals.outcomes, "not known")
        self.over.add(period)
        wagers = self.wagers[period]
        stakes, total = [one.stake for one in wagers], self.totals.outcomes[period].total
        valid = self.totals.valid(period)
        paid = paid_n(stakes, [one.forecast for one in wagers], total, self.terms.scale) if valid else stakes
        for one, money in zip(wagers, paid, strict=True):
            self.funds[one.member] += money

    def refund(self, period: int, now: int) -> None:
        """Give back what nobody can settle."""
        refuse_unless(period not in self.over and period not in self.totals.outcomes, "over")
        end = (self.slots(period)[1] + 1) * self.totals.slot_seconds
        refuse_unless(now >= end + self.terms.deadline, "wait")
        self.over.add(period)
        for one in self.wagers[period]:
            self.funds[one.member] += one.stake

    def gate(self, period: int) -> int:
        """End of staking [Unix s]."""
        return self.slots(period)[0] * self.totals.slot_seconds - self.terms.lead

    def slots(self, period: int) -> tuple[int, int]:
        """First and last slot that count, by number."""
        begin = period * self.totals.per_period
        return begin + self.terms.first, begin + self.terms.last

    @property
    def staked(self) -> int:
        """All that is staked and not paid yet."""
        return sum(one.stake for period, wagers in self.wagers.items() if period not in self.over for one in wagers)

    def _take(self, member: int, amount: int) -> None:
        refuse_unless(amount <= self.funds[member], "funds too low")
        self.funds[member] -= amount
