"""Stakes on forecasts as the chain has them: terms of a community's pool, and how each period stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from web3.contract import Contract

from transactive.chain.prediction.questions import CommittedTotal, Predictions
from transactive.chain.prediction.scoring import Forecast, unpacked
from transactive.core.errors import InputError
from transactive.core.slots import time_text

SHOWN_AT, STAKE_AT, FIELD = 255, 64, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Wager:
    """A member's stake [n¤] on a forecast, which is None while it is sealed."""

    member: int
    stake: int
    forecast: Forecast | None


@dataclass(frozen=True, slots=True)
class StakedPeriod:
    """One period at the newest block; times [Unix s], slots by number."""

    number: int
    first: int
    last: int
    gate: int
    reveal_until: int
    refundable_from: int
    wagers: tuple[Wager, ...]
    outcome: CommittedTotal | None
    is_over: bool
    now: int

    @property
    def stage(self) -> str:
        """Where it stands, in a word."""
        if self.is_over:
            return "over"
        if self.outcome is not None:
            return "can be paid"
        if self.now < self.gate:
            return "open"
        return "forecasts are shown" if self.now < self.reveal_until else "waiting for the meters"


@dataclass(frozen=True)
class Stakes:
    """The pool of a deployment, read through a client."""

    predictions: Predictions

    @cached_property
    def pool(self) -> Contract:
        """The pool. Raises InputError if there is none."""
        known = self.predictions.known
        if "forecast_pool" not in known.contracts:
            raise InputError("the deployment has no pool of stakes; `predict open-pool` makes one")
        return self.predictions.client.contract("forecast_pool", known.address("forecast_pool"))

    @cached_property
    def terms(self) -> dict[str, int]:
        """Numbers of the pool by name."""
        names = ("lane", "first", "last", "lead", "reveal", "scale", "slope", "least", "deadline")
        return {name: int(self.predictions.client.read(self.pool, name)) for name in names}

    @property
    def most(self) -> int:
        """Largest stake [n¤]."""
        return self.terms["scale"] * self.terms["slope"] // 2

    def funds(self, member: int) -> int:
        """What a member has in the pool beside its stakes [n¤]."""
        return int(self.predictions.client.read(self.pool, "funds", member))

    def reach(self, member: int) -> tuple[int, int]:
        """What a member can make up of a slot, and what all can [Wh], as the operator has said."""
        read = self.predictions.client.read
        return int(read(self.pool, "reachOf", member)), int(read(self.pool, "reach"))

    def number(self, begin: int, text: str) -> int:
        """Number of the period that begins at a time [Unix s]. Raises InputError if none does."""
        length = self.predictions.per_period * self.predictions.slot_seconds
        number, rest = divmod(begin, length)
        if rest:
            raise InputError(f"{text}: no settlement period begins then; one does at {time_text(number * length)}")
        if number < 0:
            raise InputError(f"{text}: was before 1970, and no settlement period is; correct it")
        return number

    def period(self, number: int) -> StakedPeriod:
        """A period by number."""
        client, terms, seconds = self.predictions.client, self.terms, self.predictions.slot_seconds
        begin = number * self.predictions.per_period
        first, last = begin + terms["first"], begin + terms["last"]
        total, known_at, substituted = map(int, client.read(self.pool, "outcomeOf", number))
        gate = first * seconds - terms["lead"]
        return StakedPeriod(
            number=number,
            first=first,
            last=last,
            gate=gate,
            reveal_until=gate + terms["reveal"],
            refundable_from=(last + 1) * seconds + terms["deadline"],
            wagers=tuple(
                _wager(int(word), int(content)) for word, content in client.read(self.pool, "wagersOf", number)
            ),
            outcome=CommittedTotal(total, known_at, substituted) if known_at else None,
            is_over=bool(client.read(self.pool, "isOver", number)),
            now=client.head_timestamp,
        )


def _wager(word: int, content: int) -> Wager:
    """A wager of its two words."""
    stake = (word & ~(1 << SHOWN_AT)) >> STAKE_AT
    return Wager(word & FIELD, stake, unpacked(content) if word >> SHOWN_AT else None)
