"""Poor data are called poor data: days that were estimated or substituted accuse nobody."""

from __future__ import annotations

from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.folded import Folded

MOST_OF_A_DAY = 0.5
"""A day is poor if more than so much of it was not metered."""
LEAST_DAYS = 3
"""Fewest poor days that somebody should look after."""
JOIN = 3
"""Good days between poor ones that do not end a span."""


def poor(folded: Folded) -> list[Finding]:
    """Spans in which most of a meter's readings were estimated, substituted or held."""
    if folded.poor is None:
        return []
    found = []
    for member in range(folded.members):
        days = folded.poor[member] > MOST_OF_A_DAY
        for first, end in spans(days, join=JOIN):
            if (count := int(days[first:end].sum())) >= LEAST_DAYS:
                stake = float(folded.consumption[member, first:end][days[first:end]].sum())
                evidence = f"{count} of {end - first} days were mostly estimated or substituted, not metered"
                found.append(
                    Finding(Kind.POOR_DATA, member, *between(folded.calendar, first, end), round(stake), evidence, 0.99)
                )
    return found
