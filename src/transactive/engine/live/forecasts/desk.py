"""Where submitted forecasts come in: checked against what was sealed, and when; all of a request or none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from transactive.core.errors import InputError
from transactive.core.slots import MarketClock, time_text
from transactive.engine.live.forecasts.journaled import (
    HeardUpTo,
    SealedTotal,
    ShownTotal,
    SubmittedTotal,
    deadlines_of,
    enter,
    submitted_in,
)
from transactive.forecasting.pool.submissions import LARGEST_WH, Submissions
from transactive.store.live.journal import ArrivalKind, Journal

MOST_AT_ONCE = 1_000
"""Slots in one request."""
MOST_SEALS = 16
"""Times that a forecaster may seal a forecast of a slot anew."""


class TakenForecasts(NamedTuple):
    """What was taken in. received: at what time of the market [Unix s]; last: number of the newest entry."""

    received: int
    last: int


class ForecastDesk:
    """Takes forecasts of one session's slots. now: the market's time [Unix s]."""

    def __init__(self, journal: Journal, clock: MarketClock, slots: range, now: int) -> None:
        self._journal, self._clock, self._slots = journal, clock, slots
        self._received = max(now, journal.received)
        self._deadlines = deadlines_of(clock)

    def seal(self, forecaster: str, sealed: Sequence[tuple[int, str]]) -> TakenForecasts:
        """Take hashes of forecasts, by slot [Unix s], in place of earlier ones. Raises InputError; then none is."""
        self._require_slots([slot for slot, _ in sealed])
        counts = dict.fromkeys((slot for slot, _ in sealed), 1)
        for said in self._known():
            if isinstance(said, SealedTotal) and said.forecaster == forecaster and said.slot in counts:
                counts[said.slot] += 1
        for slot, count in counts.items():
            if count > MOST_SEALS:
                raise InputError(f"slot {time_text(slot)}: sealed {MOST_SEALS} times, which is all that is taken")
        return self._take([SealedTotal(forecaster, slot, digest) for slot, digest in sealed])

    def show(self, forecaster: str, shown: Sequence[tuple[int, tuple[int, ...], str]]) -> TakenForecasts:
        """Take forecasts that were sealed: quantiles [Wh] and salt by slot [Unix s]. Raises InputError; then none."""
        self._require_slots([slot for slot, _, _ in shown])
        for slot, quantiles, _ in shown:
            if any(abs(one) > LARGEST_WH for one in quantiles):
                raise InputError(f"slot {time_text(slot)}: quantiles beyond {LARGEST_WH:,} Wh; correct them")
        return self._take([ShownTotal(forecaster, slot, quantiles, salt) for slot, quantiles, salt in shown])

    def _take(self, submitted: Sequence[SubmittedTotal]) -> TakenForecasts:
        """Write what is right in all; what is shown already is not written again."""
        book, slots, shown = (
            Submissions(self._deadlines),
            {said.slot for said in submitted},
            dict[SubmittedTotal, int](),
        )
        for entry in self._journal.of_kinds((ArrivalKind.FORECAST,), 0):
            said = submitted_in(entry)
            if said.slot in slots:
                with suppress(InputError):
                    enter(book, said, entry.received)
                if isinstance(said, ShownTotal):
                    shown.setdefault(said, entry.number)
        for said in submitted:
            enter(book, said, self._received)
        new = [msgspec.json.encode(said) for said in submitted if said not in shown]
        self._journal.append(self._received, ArrivalKind.FORECAST, new)
        last = self._journal.last if new else max(shown[said] for said in submitted)
        taken = TakenForecasts(self._received, last)
        for entry in self._journal.of_kinds((ArrivalKind.HEARD,), 0):
            mark = msgspec.json.decode(entry.body, type=HeardUpTo)
            if mark.slot in slots and mark.number < taken.last:
                raise InputError(f"slot {time_text(mark.slot)}: its gate closed in this moment; this came too late")
        return taken

    def _known(self) -> list[SubmittedTotal]:
        """All that was submitted so far."""
        return [submitted_in(entry) for entry in self._journal.of_kinds((ArrivalKind.FORECAST,), 0)]

    def _require_slots(self, slots: Sequence[int]) -> None:
        """Require slots of the session, each once, and not too many."""
        if not 0 < len(slots) <= MOST_AT_ONCE:
            raise InputError(f"{len(slots)} slots in one request; give 1 to {MOST_AT_ONCE}")
        if len(set(slots)) < len(slots):
            raise InputError("a slot stands there twice; give each once")
        for slot in slots:
            if slot not in self._slots:
                raise InputError(f"slot {time_text(slot)}: is none of this market; give the start of one of its slots")
