"""Champion against challenger on the same days, each calibrated as it would have been in service."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.forecasting.evaluation.conformal import Tracker
from transactive.forecasting.evaluation.monitor import TargetDay, judged
from transactive.forecasting.evaluation.scores import diebold_mariano
from transactive.forecasting.models.pooled import with_pool
from transactive.forecasting.registry import Model
from transactive.forecasting.series import History, Quantiles, lowest_of

LEAST_EVIDENCE = 0.05
"""p-value of the paired test from which on a challenger stays one."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When forecasts are issued and which of their slots are judged.

    offset: slots between what is known and the first one judged. slots: judged of each issue. issues: a day.
    """

    offset: int
    slots: int
    issues: int = 1

    @property
    def horizon(self) -> int:
        """Slots of one forecast."""
        return self.offset + self.slots


@dataclass(frozen=True, slots=True, eq=False)
class TrackRecord:
    """How a forecaster did day by day, and the calibration that it ended with."""

    days: list[TargetDay]
    tracker: Tracker

    @property
    def pinball(self) -> float:
        """Mean loss of the days."""
        return float(np.mean([day.pinball for day in self.days]))

    @property
    def covered(self) -> float:
        """Share inside the 90 % interval."""
        return sum(day.inside for day in self.days) / max(sum(day.counted for day in self.days), 1)


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of a challenger and of the one in charge on the same days; statistic below 0: the challenger is better."""

    days: int
    pinball: float
    covered: float
    against: str
    against_pinball: float
    against_covered: float
    statistic: float
    p_value: float

    @property
    def won(self) -> bool:
        """Whether the challenger is better by more than luck."""
        return self.statistic < 0 and self.p_value < LEAST_EVIDENCE

    @property
    def text(self) -> str:
        """The result in words."""
        return (
            f"pinball {self.pinball:.4g} against {self.against_pinball:.4g} of {self.against} on {self.days} days,"
            f" DM {self.statistic:+.2f}, p {self.p_value:.2g}"
        )


def served(model: Model, history: History, rhythm: Rhythm, tracker: Tracker, lowest: float) -> Quantiles:
    """A forecast as members get it: young members from the pool, outer quantiles where they should lie."""
    said = model.predict(history, rhythm.horizon).checked(rhythm.horizon, history.values.shape[1])
    return tracker.moved(with_pool(said, history), lowest)


def followed(model: Model, history: History, first_day: range, rhythm: Rhythm) -> TrackRecord:
    """Let a model forecast past days as it would have then.

    history: up to the last day's end, or beyond. first_day: rows at which the days begin, a day apart. Raises DataError
    where nothing was measured on these days.
    """
    tracker = Tracker.of(history.values.shape[1])
    lowest = lowest_of(history.until(first_day[0], 0))
    apart = first_day.step // rhythm.issues
    days: list[TargetDay] = []
    for begin in first_day:
        told, came = [], []
        for start in range(begin, begin + first_day.step, apart):
            known = start - rhythm.offset
            said = served(model, history.until(known, rhythm.horizon), rhythm, tracker, lowest)
            truth = history.values[start : start + rhythm.slots]
            told.append(said.values[rhythm.offset :])
            came.append(truth)
            tracker.learn(Quantiles(told[-1], said.mean[rhythm.offset :]), truth)
        day = judged(np.concatenate(told), np.concatenate(came))
        if day is not None:
            days.append(day)
    if not days:
        raise DataError("nothing was measured on the days of the test; choose others")
    return TrackRecord(days, tracker)


def compared(challenger: TrackRecord, champion: TrackRecord, name: str) -> Contest:
    """The paired test of both records; `name` is of the one in charge."""
    losses = [np.array([day.pinball for day in record.days]) for record in (challenger, champion)]
    statistic, p_value = diebold_mariano(*losses)
    return Contest(
        days=len(challenger.days),
        pinball=challenger.pinball,
        covered=challenger.covered,
        against=name,
        against_pinball=champion.pinball,
        against_covered=champion.covered,
        statistic=statistic,
        p_value=p_value,
    )
