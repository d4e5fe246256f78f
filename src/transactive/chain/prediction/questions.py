"""Questions of a community's market for predictions as the chain has them: terms, prices, trades, where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from eth_utils.crypto import keccak
from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.deployments.deployment import Deployment
from transactive.chain.history import commitments, opening
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.events import event_of
from transactive.chain.prediction.lmsr import price_ppm
from transactive.core.errors import InputError
from transactive.core.proofs.merkle import ZERO
from transactive.core.slots import time_text

TRADED = "0x" + keccak(text="Traded(uint256,uint256,uint256,int256,uint256)").hex()
NOTHING = Opening(ZERO, Commitment(0, ZERO, ZERO, 0, 0, 0), ())
"""Shown where no commitment is asked for."""


@dataclass(frozen=True, slots=True)
class CommittedTotal:
    """What was committed [Wh], when that was written down [Unix s], and what of it nobody had metered [Wh]."""

    total: int
    known_at: int
    substituted: int


@dataclass(frozen=True, slots=True)
class MarketQuestion:
    """One question at the newest block. bounds, blur [Wh]; liquidity, pot, sold [n¤]; times [Unix s]; slots by number.

    prices: of a share of each outcome [ppm]; now: time of the block; voidable_from: when it can be called off.
    """

    number: int
    asker: str
    lane: int
    first: int
    last: int
    begins: int
    ends: int
    closes_at: int
    liquidity: int
    blur: int
    pot: int
    is_void: bool
    bounds: tuple[int, ...]
    sold: tuple[int, ...]
    prices: tuple[int, ...]
    outcome: CommittedTotal | None
    voidable_from: int
    now: int

    @property
    def stage(self) -> str:
        """Where it stands, in a word."""
        if self.is_void:
            return "void"
        if self.outcome is None:
            return "open" if self.now < self.closes_at else "waiting for the meters"
        return "over"


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade and the price of every outcome after it [ppm]. shares: negative if given back; at [Unix s]."""

    at: int
    member: int
    outcome: int
    shares: int
    money: int
    prices: tuple[int, ...]


@dataclass(frozen=True)
class Predictions:
    """The market of a deployment, read through a client."""

    client: ChainClient
    known: Deployment

    @cached_property
    def market(self) -> Contract:
        """The market. Raises InputError if there is none."""
        if "prediction_market" not in self.known.contracts:
            raise InputError("the deployment has no market for predictions; `predict open` makes one")
        return self.client.contract("prediction_market", self.known.address("prediction_market"))

    @cached_property
    def settlement(self) -> Contract:
        """The settlement whose totals decide."""
        return self.client.contract("settlement", self.known.address("settlement"))

    @cached_property
    def slot_seconds(self) -> int:
        """Length of a slot [s]."""
        return int(self.client.read(self.settlement, "slotSeconds"))

    @cached_property
    def per_period(self) -> int:
        """Slots of a period."""
        return int(self.client.read(self.settlement, "slotsPerPeriod"))

    @cached_property
    def window(self) -> int:
        """How long somebody can object to an outcome [s]."""
        return int(self.client.read(self.settlement, "window"))

    @cached_property
    def slope(self) -> int:
        """What a moved Wh pays a member at most [n¤/Wh]."""
        return int(self.client.read(self.market, "slope"))

    @property
    def count(self) -> int:
        """How many questions there are."""
        return int(self.client.read(self.market, "count"))

    def question(self, number: int) -> MarketQuestion:
        """A question by number, the prices of one that is over as they were at last. Raises InputError for none."""
        if not 0 <= number < (count := self.count):
            raise InputError(f"question {number}: there are {count}, from 0 on; `predict show` lists them")
        read = self.client.read(self.market, "getQuestion", number)
        asker, lane, first, last, closes_at, liquidity, blur, pot, is_void, bounds = read
        sold = tuple(map(int, self.client.read(self.market, "soldOf", number)))[: len(bounds) + 1]
        total, known_at, substituted = map(int, self.client.read(self.market, "outcomeOf", number))
        ends = (int(last) + 1) * self.slot_seconds
        made = MarketQuestion(
            number=number,
            asker=str(asker),
            lane=int(lane),
            first=int(first),
            last=int(last),
            begins=int(first) * self.slot_seconds,
            ends=ends,
            closes_at=int(closes_at),
            liquidity=int(liquidity),
            blur=int(blur),
            pot=int(pot),
            is_void=bool(is_void),
            bounds=tuple(map(int, bounds)),
            sold=sold,
            prices=_prices(sold, int(liquidity)),
            outcome=CommittedTotal(total, known_at, substituted) if known_at else None,
            voidable_from=ends + int(self.client.read(self.market, "deadline")),
            now=self.client.head_timestamp,
        )
        if made.is_void or made.outcome is not None:  # shares that were paid are sold no more
            last = next(reversed(self.trades(made)), None)
            return replace(made, prices=_prices([0] * len(sold), int(liquidity)) if last is None else last.prices)
        return made

    def questions(self) -> list[MarketQuestion]:
        """All questions, oldest first."""
        return [self.question(number) for number in range(self.count)]

    def trades(self, question: MarketQuestion) -> list[Trade]:
        """All trades of a question, oldest first, with the prices after each."""
        topics = [TRADED, "0x" + question.number.to_bytes(32, "big").hex()]
        sold, found = [0] * len(question.sold), []
        for log in self.client.logs(self.market, topics=topics):
            _, said = event_of(self.market, log)
            outcome, shares = int(said["outcome"]), int(said["shares"])
            sold[outcome] += shares
            at, prices = self.client.time_of(int(log["blockNumber"], 16)), _prices(sold, question.liquidity)
            found.append(Trade(at, int(said["member"]), outcome, shares, int(said["money"]), prices))
        return found

    def shares(self, question: MarketQuestion, member: int) -> tuple[int, ...]:
        """Shares of each outcome that a member holds."""
        held = self.client.read(self.market, "sharesOf", question.number, member)
        return tuple(map(int, held))[: len(question.sold)]

    def evidence(self, first: int, last: int, *, late: bool) -> tuple[Any, Any] | None:
        """Commitments that tell the total of slots (numbers): the one before the first, and the last one's.

        late: what is not final now need not be waited for; then None where something is not. Raises InputError naming
        a slot that is not committed.
        """
        made, needed = commitments(self.client, self.settlement), [last]
        if first % self.per_period:
            needed.insert(0, first - 1)
        if late and not {one.slot for one in made} >= set(needed):
            return None
        found = [self._opened(made, slot).content for slot in needed]
        if late and not all(self.client.read(self.settlement, "isFinal", one) for one in found):
            return None
        return (found[0] if len(found) > 1 else NOTHING.content), found[-1]

    def _opened(self, made: Sequence[Commitment], slot: int) -> Opening:
        places = [place for place, one in enumerate(made) if one.slot == slot]
        if not places:
            raise InputError(
                f"slot {time_text(slot * self.slot_seconds)} is not committed by itself; wait for it, or until the"
                " deadline, after which the same command calls it off"
            )
        return opening(made, places[-1], self.per_period)


def _prices(sold: Sequence[int], liquidity: int) -> tuple[int, ...]:
    """Price of a share of each outcome [ppm]."""
    return tuple(price_ppm(sold, liquidity, outcome) for outcome in range(len(sold)))
