"""PV that yields too little, and batteries that give back too little or do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from transactive.core.units import BoolArray, IntArray
from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.folded import Folded
from transactive.insight.detection.learned.features import HISTORY, WINDOW
from transactive.insight.detection.meter_faults import backwards, rolling
from transactive.insight.detection.meters import FloatArray
from transactive.insight.detection.neighbours import medians_of_others

Usual: TypeAlias = tuple[FloatArray, float]
"""Yield that neighbours let expect each day [Wh], (days,), and the part of it below which a PV is faulty."""

FEW = 0.55
"""Yield beside that of the neighbours, per installed watt, below which a PV is faulty."""
FEW_UNSTATED = 0.45
"""The same where sizes are not known but all others are alike."""
ALIKE = 0.35
"""Neighbours whose best days differ by less than this part are alike."""
DROP = 0.6
"""Yield beside neighbours, over what it was four weeks before, below which something broke."""
NEIGHBOURS = 3
"""Fewest other PVs to be compared with."""
LEAST_EFFICIENCY, MOST_EFFICIENCY = 0.7, 1.05
"""What a battery gives back of what it took, beyond which it or its meter is faulty."""
LEAST_DAILY_WH = 500.0
"""A battery that took less a day was not in use."""


def pv(folded: Folded) -> list[Finding]:
    """PVs that yield far less than their neighbours, or than they themselves did beside them."""
    if folded.generation is None:
        return []
    daily = folded.generation.sum(axis=2)
    owners = np.flatnonzero(daily.sum(axis=1) > 0)
    if not len(owners):
        return []
    own = daily[owners]
    usual = _usual(own, np.full(len(owners), np.nan) if folded.pv_w is None else folded.pv_w[owners])
    few, fell = _few_days(own, usual), _Fell.of(own)
    found: list[Finding] = []
    for place in np.flatnonzero((few | fell.days).any(axis=1)).tolist():
        member, expected = int(owners[place]), usual[place]
        if expected is not None:
            found += _few(folded, own[place], expected, few[place], member)
        found += _dropped(folded, own[place], fell, place, member)
    return found


def _usual(own: FloatArray, sizes: FloatArray) -> list[Usual | None]:
    """What the neighbours of each PV let expect of it each day [Wh], and the part of that which is few; or None.

    own: yield, (PVs, days) [Wh]. sizes: (PVs,) [W], NaN where not known.
    """
    usual: list[Usual | None] = [None] * len(own)
    if len(own) <= NEIGHBOURS:
        return usual
    known = np.isfinite(sizes) & (sizes > 0)
    if known.sum() <= NEIGHBOURS:
        known[:] = False
    places, watts = np.flatnonzero(known), sizes[known][:, None]
    if len(places):
        for place, expected in zip(places.tolist(), medians_of_others(own[known] / watts) * watts, strict=True):
            usual[place] = expected, FEW
    for place, alike in _alike(own, np.flatnonzero(~known)):
        usual[place] = alike, FEW_UNSTATED
    return usual


def _alike(own: FloatArray, places: IntArray) -> Iterator[tuple[int, FloatArray]]:
    """Median yield of the PVs whose best days are like those of the others, for each place where that can be said.

    Without one of many, the middle of the rest is one of three values at most.
    """
    peaks = np.quantile(own, 0.95, axis=1)
    middles = medians_of_others(peaks[:, None])[:, 0]
    for middle in np.unique(middles[places]).tolist():
        alike = np.abs(peaks / max(middle, 1.0) - 1) < ALIKE
        ranks, count = np.cumsum(alike) - 1, int(alike.sum())
        least = max(NEIGHBOURS, 0.8 * (len(own) - 1))
        if count < least:
            continue
        everybody, others = np.median(own[alike], axis=0), medians_of_others(own[alike])
        for place in places[middles[places] == middle].tolist():
            if count - alike[place] >= least:
                yield place, others[ranks[place]] if alike[place] else everybody


def _few_days(own: FloatArray, usual: list[Usual | None]) -> BoolArray:
    """Days at the end of four weeks in which a PV yields too little beside what its neighbours let expect."""
    none = np.zeros(own.shape[1]), 0.0
    expected = rolling(np.stack([(one or none)[0] for one in usual]), HISTORY)
    limits = np.array([(one or none)[1] for one in usual])[:, None]
    few: BoolArray = (expected > LEAST_DAILY_WH) & (rolling(own, HISTORY) / np.maximum(expected, 1.0) < limits)
    return few


def _few(folded: Folded, mine: FloatArray, usual: Usual, ends: BoolArray, member: int) -> list[Finding]:
    """Findings of a PV on the four weeks that end on some days."""
    (expected, few), days = usual, backwards(ends, HISTORY)
    found = []
    for first, end in spans(days, join=HISTORY):
        share = mine[first:end].sum() / expected[first:end].sum()
        size = "for its size" if few == FEW else "while theirs are alike; or state that it is smaller"
        evidence = f"its PV yields {share:.0%} of what its neighbours’ let expect {size}"
        stake = round(float(np.maximum(expected - mine, 0)[first:end].sum()))
        sure = 0.95 if few == FEW or share < 0.1 else 0.7
        found.append(Finding(Kind.PV_FAULT, member, *between(folded.calendar, first, end), stake, evidence, sure))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Fell:
    """Yields beside the sky, each (PVs, days): now, four weeks earlier, and days on which now is far less.

    beside: whether the neighbours show the sky; without enough of them, the PV's best days stand for it.
    """

    now: FloatArray
    earlier: FloatArray
    days: BoolArray
    beside: bool

    @classmethod
    def of(cls, own: FloatArray) -> _Fell:
        """Of all PVs, (PVs, days) [Wh]."""
        days, beside = own.shape[1], len(own) > NEIGHBOURS
        if beside:
            sky = medians_of_others(own / np.maximum(own.mean(axis=1, keepdims=True), 1.0))
            before, now = (rolling(own, n) / np.maximum(rolling(sky, n), 0.02) for n in (HISTORY, WINDOW))
        else:
            before, now = (
                np.stack([own[:, max(d - n + 1, 0) : d + 1].max(axis=1) for d in range(days)], axis=1)
                for n in (HISTORY, WINDOW)
            )
        earlier = np.concatenate((np.zeros((len(own), WINDOW)), before), axis=1)[:, :days]
        fell = (earlier > LEAST_DAILY_WH) & (now < (DROP if beside else DROP / 2) * earlier)
        fell[:, : HISTORY + WINDOW - 1] = False
        return cls(now, earlier, fell, beside)


def _dropped(folded: Folded, mine: FloatArray, fell: _Fell, place: int, member: int) -> list[Finding]:
    """Two weeks in which a PV yields far less, beside its neighbours, than in the four weeks before."""
    now, earlier = fell.now[place], fell.earlier[place]
    found = []
    for first, end in spans(fell.days[place], join=3):
        if end - first < 3:
            continue
        span = max(first - WINDOW + 1, 0), end
        share, expected = now[first:end].min() / earlier[first], earlier[first]
        evidence = f"its PV yields {share:.0%} of what it did four weeks before"
        evidence += ", beside its neighbours" if fell.beside else ", on the best days of each"
        stake = round(float(max(expected * (end - span[0]) - mine[span[0] : end].sum(), 0)))
        found.append(Finding(Kind.PV_FAULT, member, *between(folded.calendar, *span), stake, evidence, 0.8))
    return found


def battery(folded: Folded) -> list[Finding]:
    """Batteries that give back too little, or more than they took, or that stopped.

    A day's worth, the most of any day, may still be inside, or have been there before.
    """
    if folded.charge is None or folded.discharge is None:
        return []
    taken, given = (rolling(flow, HISTORY) for flow in (folded.charge, folded.discharge))
    in_use = taken > LEAST_DAILY_WH
    inside, before = (flow.max(axis=1, keepdims=True) / HISTORY for flow in (folded.charge, folded.discharge))
    wrong = in_use & ((given + inside < LEAST_EFFICIENCY * taken) | (given - before > MOST_EFFICIENCY * taken))
    recent = rolling(folded.charge, WINDOW)
    earlier = np.concatenate((np.zeros((folded.members, WINDOW)), taken[:, :-WINDOW]), axis=1)[:, : folded.days]
    idle = (recent == 0) & (earlier > LEAST_DAILY_WH)
    found = []
    for member in np.flatnonzero((wrong | idle).any(axis=1)).tolist():
        for first, end in spans(backwards(wrong[member], HISTORY)):
            took, gave = (float(f[member, first:end].sum()) for f in (folded.charge, folded.discharge))
            evidence = f"its battery gave back {gave / max(took, 1):.0%} of {took / 1000:,.1f} kWh that it took"
            span = between(folded.calendar, first, end)
            found.append(Finding(Kind.BATTERY_FAULT, member, *span, round(abs(took - gave)), evidence, 0.8))
        for first, end in spans(backwards(idle[member], WINDOW)):
            daily = float(earlier[member, min(first + WINDOW - 1, folded.days - 1)])
            evidence = f"its battery does nothing; it took {daily / 1000:.1f} kWh a day before"
            span = between(folded.calendar, first, end)
            found.append(Finding(Kind.BATTERY_FAULT, member, *span, round(daily * (end - first)), evidence, 0.8))
    return found
