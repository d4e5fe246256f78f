"""Active model for each forecast target, since when, with calibration and monitor state."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import msgspec
import numpy as np

from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.evaluation.conformal import Tracker
from transactive.forecasting.evaluation.contest import Rhythm, TrackRecord
from transactive.forecasting.evaluation.monitor import Monitor, TargetDay, judged
from transactive.forecasting.models.training_rows import LEAST_DAYS
from transactive.forecasting.series import FloatArray, History, Quantiles
from transactive.store.model_records import ActiveModelRecord

WEEK = 7
TEST_DAYS = 28
"""Days on which a challenger is tested, when it has that many beside those that it needs to learn."""
LEAST_TEST_DAYS = 7
"""Fewer decide nothing; after a drift only so many are taken, as those before them were of another world."""


class ActiveModelState(msgspec.Struct, frozen=True):
    """State of an active model: shifts of the calibration (2, series), and the monitors."""

    shift: list[list[float]]
    monitor: Monitor

    @classmethod
    def of(cls, active: ActiveModelRecord) -> ActiveModelState:
        """State of an active model."""
        return msgspec.json.decode(active.state, type=cls)

    @property
    def text(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()

    @property
    def tracker(self) -> Tracker:
        """The calibration."""
        return Tracker(np.array(self.shift, np.float64))


@dataclass(frozen=True, slots=True)
class ForecastTarget:
    """Something that is forecast. members: names of its series; challengers: recipes that are trained for it.

    learnt: slots ahead that its models forecast, as many as its rhythm or more. unit: of what it forecasts. as_it_is:
    empirical quantiles are served without calibration.
    """

    name: str
    members: tuple[str, ...]
    rhythm: Rhythm
    learnt: int
    challengers: tuple[str, ...]
    unit: str
    as_it_is: bool = False

    def state(self, record: TrackRecord | None, model: int | None, monitor: Monitor) -> ActiveModelState:
        """State that an active model of this target begins with: the calibration of a test, or none."""
        if record is None or (self.as_it_is and model is None):
            return ActiveModelState(np.zeros((2, len(self.members))).tolist(), monitor)
        return ActiveModelState(record.tracker.shift.tolist(), monitor)


@dataclass(slots=True)
class Course:
    """Active model of a target since when, oldest first."""

    active_records: list[ActiveModelRecord] = field(default_factory=list)

    def at(self, now: int) -> ActiveModelRecord:
        """Active model at a time: the last one since then, or the first one."""
        place = bisect_right([active.since for active in self.active_records], now)
        return self.active_records[max(place - 1, 0)]


@dataclass(frozen=True, slots=True, eq=False)
class DayTold:
    """A day of forecasts, (slots, series, levels), what came, (slots, series), and the model that told it."""

    values: FloatArray
    came: FloatArray
    model: int | None


def after_day(state: ActiveModelState, told: DayTold, *, calibrated: bool) -> tuple[ActiveModelState, TargetDay | None]:
    """Calibration, where forecasts are served with one, and monitors after a day."""
    day = judged(told.values, told.came)
    if day is None:
        return state, None
    tracker = state.tracker
    if calibrated:
        tracker.learn(Quantiles(told.values, told.values.mean(axis=-1)), told.came)
    return ActiveModelState(tracker.shift.tolist(), state.monitor.after(day)), day


def days_before(target: ForecastTarget, history: History, wanted: int) -> range | None:
    """Rows at which the last whole days begin, on the clock of the market's days; None where history is too short.

    So many days stay before them as a model needs to learn.
    """
    per_day = history.per_day
    end = history.issued // DAY * DAY
    last = len(history.values) - (history.issued - end) // history.length
    days = min(wanted, (last - target.learnt) // per_day - LEAST_DAYS - 1)
    if days < LEAST_TEST_DAYS:
        return None
    return range(last - days * per_day, last, per_day)


def whole(quantiles: Quantiles) -> IntArray:
    """A forecast in whole numbers, (slots, series, 6): five quantiles and the mean."""
    figures = np.concatenate((quantiles.values, quantiles.mean[..., None]), axis=2)
    return np.rint(figures).astype(np.int64)
