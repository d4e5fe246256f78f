"""The record of the escrow: energy promised against energy certified, member by member."""

from __future__ import annotations

import numpy as np

from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.learned.features import WINDOW
from transactive.insight.detection.meter_faults import backwards, rolling
from transactive.insight.detection.meters import FloatArray, HourCalendar

WORTH_TELLING_WH = 20_000.0
"""A member that sold less in two weeks is not judged."""
SHORT = 0.8
"""Part of what was sold that had to be replaced, from which a member does not keep its word."""
BESIDE = 0.4
"""How far the others must stay below: on a week of fog everybody is short."""


def broken(calendar: HourCalendar, sold: FloatArray, short: FloatArray) -> list[Finding]:
    """Members that, over two weeks, delivered less than they sold while the others kept to it.

    sold, short: promised ahead, and of that not delivered, (members, days) [Wh].
    """
    promised, failed = rolling(sold, WINDOW), rolling(short, WINDOW)
    share = failed / np.maximum(promised, 1.0)
    judged = promised * WINDOW >= WORTH_TELLING_WH
    usual = np.array(
        [np.median(share[judged[:, day], day]) if judged[:, day].any() else 0 for day in range(sold.shape[1])]
    )
    days = judged & (share >= SHORT) & (share - usual >= BESIDE)
    found = []
    for member in np.flatnonzero(days.any(axis=1)).tolist():
        for first, end in spans(backwards(days[member], WINDOW), join=7):
            lacking, whole = float(short[member, first:end].sum()), float(sold[member, first:end].sum())
            evidence = f"{lacking / 1000:,.1f} of {whole / 1000:,.1f} kWh sold ahead were not delivered"
            evidence += f", {lacking / max(whole, 1):.0%}; the median seller lacked {np.median(usual[first:end]):.0%}"
            span = between(calendar, first, end)
            found.append(Finding(Kind.SHORT_DELIVERY, member, *span, round(lacking), evidence, 0.9))
    return found
