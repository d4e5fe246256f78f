"""Is a forecaster still right? Monitors of what came against what was forecast, never of the load itself.

Two of them watch each target, day by day. Coverage: how much of the last week lay in the 90 % interval. Residuals: the
mean place of what came in its forecast distribution (PIT), against its mean and deviation on the days on which the
forecaster was tested; a two-sided CUSUM adds up what lies more than `SLACK` deviations off, and alarms at `LIMIT`.

Sources: PIT, Dawid, J. Royal Statistical Society A 147(2), 1984; with ties, Czado, Gneiting, Held, Biometrics 65(4),
2009. CUSUM, Page, Biometrika 41, 1954.
"""

from __future__ import annotations

import msgspec
import numpy as np

from transactive.forecasting.evaluation.scores import pinball
from transactive.forecasting.series import LEVELS, FloatArray

SLACK, LIMIT = 1.0, 5.0
"""Of the CUSUM, in deviations of a day's mean PIT. Wider than the textbook 0.5 and 5, as days are not independent."""
LEAST_DEVIATION = 0.02
"""Of a day's mean PIT: below it days differ by no more than chance even with many members."""
WEEK = 7
LEAST_COVERED, HEALTHY_COVERED = 0.7, 0.8
"""Share of a week inside the 90 % interval below which coverage alarms, and from which a target is well again."""
HEALTHY_PIT = 0.1
"""How far the mean PIT of a week may lie from one half in a target that is well again."""
EDGES = np.array([0.0, *LEVELS, 1.0])


class TargetDay(msgspec.Struct, frozen=True):
    """One day of a target: slots and members inside the 90 % interval, those that count, mean PIT, pinball loss."""

    inside: int
    counted: int
    pit: float
    pinball: float


def judged(values: FloatArray, truth: FloatArray) -> TargetDay | None:
    """Hold a day's forecasts against what came.

    values: (slots, members, levels); truth: (slots, members), NaN where nothing was measured. Slots that were forecast
    as certain and came so do not count, unless for the loss. None where nothing was measured.
    """
    there = np.isfinite(truth)
    if not there.any():
        return None
    inside = there & (truth >= values[..., 0]) & (truth <= values[..., -1])
    counts = there & ~((values[..., 0] == values[..., -1]) & inside)
    places = pit(values[counts], truth[counts])
    middle = float(places.mean()) if len(places) else 0.5
    return TargetDay(
        int((inside & counts).sum()), int(counts.sum()), middle, float(pinball(values, truth)[there].mean())
    )


def pit(values: FloatArray, truth: FloatArray) -> FloatArray:
    """Place of what came in its forecast distribution, from 0 to 1: the middle of the levels around it.

    values: (rows, levels); truth: (rows,). Where several quantiles are equal to what came, it lies between all of them.
    """
    below = (values < truth[:, None]).sum(axis=1)
    not_above = (values <= truth[:, None]).sum(axis=1)
    places: FloatArray = (EDGES[below] + EDGES[not_above + 1]) / 2
    return places


class Monitor(msgspec.Struct, frozen=True):
    """What the monitors of one target remember.

    mean, deviation: of a day's PIT on the days of the test. up, down: sums of the CUSUM. week: the last days.
    drifting: an alarm was raised and the target is not well again.
    """

    mean: float = 0.5
    deviation: float = 0.05
    up: float = 0.0
    down: float = 0.0
    week: tuple[TargetDay, ...] = ()
    drifting: bool = False

    @classmethod
    def of(cls, tested: list[TargetDay], *, drifting: bool = False) -> Monitor:
        """Monitors of a forecaster that did so on the days of its test."""
        places = np.array([day.pit for day in tested])
        deviation = max(float(places.std()), LEAST_DEVIATION) if len(places) else 0.05
        return cls(float(places.mean()) if len(places) else 0.5, deviation, drifting=drifting)

    def after(self, day: TargetDay) -> Monitor:
        """The monitors after another day."""
        off = (day.pit - self.mean) / self.deviation
        return msgspec.structs.replace(
            self,
            up=max(self.up + off - SLACK, 0.0),
            down=max(self.down - off - SLACK, 0.0),
            week=(*self.week, day)[-WEEK:],
        )

    @property
    def covered(self) -> float | None:
        """Share of the last days inside the 90 % interval; None where nothing counted."""
        counted = sum(day.counted for day in self.week)
        return sum(day.inside for day in self.week) / counted if counted else None

    @property
    def alarm(self) -> str | None:
        """Why the target drifts, in words; None while it does not, or did already."""
        if self.drifting:
            return None
        if max(self.up, self.down) > LIMIT:
            side = "above" if self.up > self.down else "below"
            return f"what came lay {side} the forecasts by more than chance (CUSUM {max(self.up, self.down):.1f})"
        if len(self.week) == WEEK and self.covered is not None and self.covered < LEAST_COVERED:
            return f"{self.covered:.0%} of the last week inside the 90 % interval"
        return None

    @property
    def well(self) -> bool:
        """Whether the last week was covered, and centred, as it should be."""
        if len(self.week) < WEEK or self.covered is None:
            return False
        middle = sum(day.pit for day in self.week) / WEEK
        return self.covered >= HEALTHY_COVERED and abs(middle - 0.5) <= HEALTHY_PIT
