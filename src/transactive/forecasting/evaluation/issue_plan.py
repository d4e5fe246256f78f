"""When forecasts of a back-test are issued, and how often models are trained and chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.slots import DAY
from transactive.forecasting.series import History

CALIBRATION_DAYS = 42
"""Days that choose and calibrate, when there are that many."""
SCHEDULE = (14, 7)
"""Days between two trainings, and between two choices of the champion."""
MOST_TRAININGS = 9
"""Trainings along a plan at most: a longer one trains less often."""
TEST_DAYS = 91
"""Days that are tested at most, if nobody says how many."""
LONG_DAYS, LONG_TESTED, LONG_CALIBRATED = 7, 12, 6
"""Days from which on a forecast is long, and how many of them are tested, and choose, without another wish."""


@dataclass(frozen=True, slots=True)
class IssuePlan:
    """Times of issue: rows of the history, `horizon` slots apart.

    calibration: so many first ones only choose and calibrate. retrain, rechoose: issues between two
    trainings, and between two choices of the champion.
    """

    origins: range
    calibration: int
    retrain: int
    rechoose: int

    @property
    def horizon(self) -> int:
        """Slots of one forecast."""
        return self.origins.step

    @property
    def stretches(self) -> Iterator[range]:
        """Issues between two trainings, as positions in `origins`."""
        for start in range(0, len(self.origins), self.retrain):
            yield range(start, min(start + self.retrain, len(self.origins)))


@dataclass(frozen=True, slots=True)
class PlanWish:
    """What somebody wants of a plan; None leaves it to what the history allows.

    test_days, calibration_days: at the end, and before those. trainings: along the plan at most. issue_second: local
    time of day of the first issue [s].
    """

    test_days: int | None = None
    calibration_days: int | None = None
    trainings: int | None = None
    issue_second: int | None = None


ANY = PlanWish()


def plan_of(history: History, horizon: int, wish: PlanWish = ANY) -> IssuePlan:
    """Times of issue at one clock time, so many days before the end of the last whole day.

    Without a wish issues are at the clock time of the first row; a fifth of the history is tested, 91 days at most, or
    twelve forecasts of more than a week, and 42 days, or six such forecasts, choose and calibrate, a third of the
    history at most. Raises DataError when the history is too short, InputError for a time of issue between two slots.
    """
    per_day = history.per_day
    long = horizon / per_day if horizon > LONG_DAYS * per_day else 0.0
    skipped = _before_issue(history, wish.issue_second)
    days = (len(history.values) - skipped) // per_day
    test, calibration = wish.test_days, wish.calibration_days
    if test is None:
        test = min(max(days // 5, 1), max(TEST_DAYS, int(LONG_TESTED * long)))
    if calibration is None:
        calibration = min(max(days // 3, 1), max(CALIBRATION_DAYS, int(LONG_CALIBRATED * long)))
    count = {length: max(length * per_day // horizon, 1) for length in (test, calibration, *SCHEDULE)}
    end = skipped + days * per_day
    first = end - (count[test] + count[calibration]) * horizon
    if first < per_day:
        if horizon > per_day * min(test, calibration):
            wanted = f"{count[test]} forecast(s) to test and {count[calibration]} to calibrate, each"
            raise DataError(f"{days} days; {wanted} {horizon / per_day:g} days long, need a day more than that")
        raise DataError(f"{days} days; {test} to test and {calibration} to calibrate need a day more than that")
    retrain, rechoose = (count[days] for days in SCHEDULE)
    origins = range(first, end, horizon)
    most = wish.trainings or MOST_TRAININGS
    least = 1 if wish.trainings else retrain
    return IssuePlan(origins, count[calibration], max(least, -(-len(origins) // most)), rechoose)


def _before_issue(history: History, second: int | None) -> int:
    """Slots of the history before its first one at a local time of day, by the clock of its end."""
    if second is None:
        return 0
    local = history.first_slot + int(history.calendar.offset(np.array([history.issued]))[0])
    wait = (second - local) % DAY
    if wait % history.length:
        raise InputError(f"--issue lies between two slots of {history.length // 60} minutes; name the start of one")
    return wait // history.length
