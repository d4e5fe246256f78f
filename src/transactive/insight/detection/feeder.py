"""The balance of the feeder: what the transformer gave beyond all meters, less what lines usually lose.

Physics before statistics: energy that left the feeder and passed no meter is missing whoever is suspected. Whom the
missing energy resembles is a second question, answered by correlation with what each meter reads too little.
"""

from __future__ import annotations

import numpy as np

from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.folded import Folded
from transactive.insight.detection.learned.features import HISTORY
from transactive.insight.detection.meter_faults import backwards, rolling
from transactive.insight.detection.meters import FloatArray

LEAST_SHARE = 0.02
"""Missing part of all consumption, over a week, that is worth a finding."""
MOST_LOSSES = 0.15
"""Losses beyond this are none: a low-voltage feeder loses 2 to 8 %."""
LIKENESS = 0.3
"""Correlation from which missing energy is laid at a meter's door, and how far the next one must stay behind."""


def missing(folded: Folded) -> FloatArray | None:
    """Energy of each hour that passed no meter and is no usual loss, (days, 24) [Wh]; None without a feeder's meter.

    Usual is the lower quartile of the days' shares: losses are there every day, theft came at some time.
    """
    if folded.excess is None:
        return None
    used = folded.consumption.sum(axis=0)
    share = folded.excess.sum(axis=1) / np.maximum(used.sum(axis=1), 1.0)
    losses = float(np.clip(np.nanquantile(share, 0.25), 0.0, MOST_LOSSES)) if np.isfinite(share).any() else 0.0
    gone: FloatArray = np.nan_to_num(folded.excess - losses * used)
    return gone


def balance(folded: Folded) -> list[Finding]:
    """Spans in which the feeder gave more than all its meters read, and whose meter that resembles."""
    gone = missing(folded)
    if gone is None or folded.days < 2 * 7:
        return []
    used = folded.consumption.sum(axis=(0, 2))
    weekly = rolling(gone.sum(axis=1)[None], 7)[0] / np.maximum(rolling(used[None], 7)[0], 1.0)
    scatter = 1.4826 * float(np.median(np.abs(weekly[6:] - np.median(weekly[6:]))))
    days = backwards(weekly > max(LEAST_SHARE, 4 * min(scatter, LEAST_SHARE)), 7)
    found = []
    for first, end in spans(days, join=7):
        stake = round(float(np.maximum(gone[first:end].sum(axis=1), 0).sum()))
        share = stake / max(float(used[first:end].sum()), 1.0)
        evidence = f"the feeder gave {stake / 1000:,.1f} kWh more than its meters and lines account for, {share:.1%}"
        span = between(folded.calendar, first, end)
        found.append(Finding(Kind.UNMETERED, None, *span, stake, evidence, 0.95))
        member, likeness = resembles(folded, gone, first, end)
        if member is not None:
            evidence = f"what the feeder misses follows what this meter reads too little (correlation {likeness:.2f})"
            found.append(Finding(Kind.THEFT, member, *span, stake, evidence, round(min(0.5 + likeness / 2, 0.95), 2)))
    return found


def resembles(folded: Folded, gone: FloatArray, first: int, end: int) -> tuple[int | None, float]:
    """The meter whose shortfall the missing energy of some days follows best, if one clearly does, and how closely."""
    if first < HISTORY // 4:
        return None, 0.0
    lost = gone[first:end].ravel()
    likeness = np.zeros(folded.members)
    for member in range(folded.members):
        short = folded.expected(member, first, end) - folded.consumption[member, first:end]
        likeness[member] = _correlation(lost, short.ravel())
    order = np.argsort(likeness)[::-1]
    best, next_best = likeness[order[0]], likeness[order[1]] if len(order) > 1 else 0.0
    clear = best >= LIKENESS and best - max(next_best, 0.0) >= LIKENESS / 3
    return (int(order[0]), float(best)) if clear else (None, float(best))


def _correlation(a: FloatArray, b: FloatArray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a**2).sum() * (b**2).sum()) + 1e-9))
