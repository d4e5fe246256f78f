"""Findings of theft: windows that look falsified for weeks, sooner where the feeder lacks energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import BoolArray, IntArray
from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.folded import Folded
from transactive.insight.detection.learned.features import HISTORY, WINDOW, describe, names
from transactive.insight.detection.learned.judge import Judge
from transactive.insight.detection.learned.windows import STRIDE, cut
from transactive.insight.detection.meters import FloatArray

OPENS = 3.0
"""Log odds that two windows on end must reach: fixed on how lasting attacks score in homes left out of teaching."""
OPENS_WITH_FEEDER = 0.5
"""The same where the feeder lacks energy at that time."""
PRIOR = -4.6
"""Log odds of a thief among members before anything is known: one in a hundred."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowOdds:
    """Log odds that each window was falsified, and its features; member and first day of each, (samples,)."""

    member: IntArray
    day: IntArray
    odds: FloatArray
    features: FloatArray

    def latest(self, members: int) -> FloatArray:
        """The highest odds of two windows on end for each member, or of its only one; NaN where it has none."""
        best = np.full(members, np.nan)
        for member, rows in self.by_member():
            odds = self.odds[rows]
            best[member] = np.minimum(odds[1:], odds[:-1]).max() if len(odds) > 1 else odds[0]
        return best

    def by_member(self) -> list[tuple[int, IntArray]]:
        """Members that have windows, each with its rows in the order of days."""
        order = np.argsort(self.member, kind="stable")
        members, first = np.unique(self.member[order], return_index=True)
        return list(zip(members.tolist(), np.split(order, first[1:]), strict=True)) if len(members) else []


def score(folded: Folded, judge: Judge, first: int = HISTORY) -> WindowOdds:
    """Score all windows from day `first` on; the last one ends with the last day."""
    spare = max(folded.days - WINDOW - max(first, HISTORY), 0) % STRIDE
    cuts = cut(folded.consumption, STRIDE, max(first, HISTORY) + spare, folded.missing)
    features = describe(cuts.samples)
    return WindowOdds(cuts.member, cuts.day, judge.scores(features), features)


def findings(folded: Folded, scores: WindowOdds, lacking: BoolArray) -> list[Finding]:
    """Members of which two windows on end pass the threshold; it is lower on days when the feeder lacks energy."""
    found = []
    for member, mine in scores.by_member():
        days, odds = scores.day[mine], scores.odds[mine]
        short = np.array([lacking[day : day + WINDOW].mean() > 0.5 for day in days.tolist()], bool)
        limits = np.where(short, OPENS_WITH_FEEDER, OPENS)
        both = np.zeros(len(mine), bool)
        passed = (odds[1:] >= limits[1:]) & (odds[:-1] >= limits[:-1]) & (np.diff(days) == STRIDE)
        both[1:] |= passed
        both[:-1] |= passed
        for first, end in spans(both, join=1):
            found.append(_finding(folded, scores, mine[first:end], member))
    return found


def _finding(folded: Folded, scores: WindowOdds, rows: IntArray, member: int) -> Finding:
    first, end = int(scores.day[rows[0]]), int(scores.day[rows[-1]]) + WINDOW
    best = rows[np.argmax(scores.odds[rows])]
    gap = folded.expected(member, first, end) - folded.consumption[member, first:end]
    total, moved = float(np.maximum(gap.sum(), 0)), float(np.abs(gap - gap.mean()).sum() / 2)
    odds = np.sort(scores.odds[rows])[::-1]
    confidence = 1 / (1 + np.exp(-(odds[0] + odds[1] / 2 + PRIOR)))
    stake = total if total > 0.05 * folded.consumption[member, first:end].sum() else moved
    return Finding(
        Kind.THEFT, member, *between(folded.calendar, first, end), round(stake),
        words(dict(zip(names(), scores.features[best].tolist(), strict=True))), round(float(confidence), 2),
    )  # fmt: skip


def words(features: dict[str, float]) -> str:
    """What a falsified window shows, in words, the most telling first."""
    level, beside = (np.expm1(features[name]) for name in ("mean", "mean beside neighbours"))
    parts = [f"reads {abs(level):.0%} {'less' if level < 0 else 'more'} than in the four weeks before"]
    if abs(level - beside) > 0.02:
        parts[0] += f" ({abs(beside):.0%} {'less' if beside < 0 else 'more'} beside its neighbours)"
    if features["shape reversed"] > 0.1:
        parts.append("its day fits better reversed")
    if features["shape beside firmness"] < -0.2:
        parts.append(
            f"its day’s shape correlates {features['shape']:.2f} with its own, before {features['firmness']:.2f}"
        )
    if features["near zero"] > 0.05:
        parts.append(f"{features['near zero']:.0%} more hours near zero")
    if features["noise"] < -0.5:
        parts.append(f"{-np.expm1(features['noise']):.0%} less scatter")
    if features["below all"] > 0.15:
        parts.append(f"{features['below all']:.0%} of hours below all of four weeks")
    if features["spread of quantiles"] < 0.1 and level < -0.15:
        parts.append("every level lower by the same factor")
    return "; ".join(parts)
