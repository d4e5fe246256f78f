"""Drift of residuals, and use that is unusual because of it. Raw load is never watched: it always drifts.

Page, "Continuous inspection schemes", Biometrika 41, 1954; the form with a tolerance is Hinkley's, Biometrika 58, 1971.
"""

from __future__ import annotations

import numpy as np

from transactive.core.units import BoolArray, IntArray
from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.folded import Folded
from transactive.insight.detection.learned.features import HISTORY, WINDOW
from transactive.insight.detection.meters import FloatArray

TOLERANCE, LIMIT = 0.10, 3.0
"""Page–Hinkley on daily ranks in [−0.5, 0.5]: drift that is let pass a day, and the sum that alarms."""
TIMES = 2.5
"""Times of what was expected from which two weeks are unusual, if the drift alarms too."""
LEAST_WH = 5_000.0
"""More energy a day than expected that is worth a finding."""


def residuals(days: FloatArray) -> FloatArray:
    """Mean rank of each day's hours among those of the four weeks before, less ½, (members, days); 0 at the start.

    It is what an empirical forecast's probability integral transform shows, and does not depend on a home's size.
    """
    ranks = np.zeros(days.shape[:2])
    for day in range(HISTORY, days.shape[1]):
        past, now = days[:, day - HISTORY : day], days[:, day, None]
        ranks[:, day] = ((past < now).mean(axis=1) + (past <= now).mean(axis=1)).mean(axis=1) / 2 - 0.5
    return ranks


def page_hinkley(values: FloatArray, tolerance: float = TOLERANCE, limit: float = LIMIT) -> tuple[BoolArray, IntArray]:
    """Where an upward drift alarms, and when the drift under way began, each (rows, steps).

    The sum of what exceeds the tolerance starts anew whenever it would be negative.
    """
    total, began = np.zeros(len(values)), np.zeros(len(values), np.int64)
    alarms, onsets = np.zeros(values.shape, bool), np.zeros(values.shape, np.int64)
    for step in range(values.shape[1]):
        total = total + values[:, step] - tolerance
        began = np.where(total <= 0, step + 1, began)
        total = np.maximum(total, 0.0)
        alarms[:, step], onsets[:, step] = total > limit, began
    return alarms, onsets


def unusual(folded: Folded) -> list[Finding]:
    """Members that use several times what their past and their neighbours let expect, in a drift of their residuals."""
    ranks = residuals(folded.consumption)
    if folded.members >= 3:
        ranks = ranks - np.median(ranks, axis=0)
    alarms, onsets = page_hinkley(ranks)
    found = []
    for member in np.flatnonzero(alarms.any(axis=1)).tolist():
        for first, last in spans(alarms[member], join=WINDOW):
            onset = int(onsets[member, first])
            end = min(max(last, onset + WINDOW), folded.days)
            found += _unusual(folded, member, max(onset, HISTORY), end)
    return found


def _unusual(folded: Folded, member: int, first: int, end: int) -> list[Finding]:
    """A finding if the span is long and high enough."""
    if end - first < WINDOW:
        return []
    expected, used = (
        float(days.mean(axis=0).sum())
        for days in (folded.expected(member, first, end), folded.consumption[member, first:end])
    )
    if used < TIMES * expected or used - expected < LEAST_WH:
        return []
    evidence = f"it used {used / 1000:.1f} kWh a day, {used / max(expected, 1):.1f} times what its past lets expect"
    stake = round((used - expected) * (end - first))
    return [Finding(Kind.UNUSUAL_USE, member, *between(folded.calendar, first, end), stake, evidence, 0.7)]
