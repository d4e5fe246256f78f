"""A finding: what seems wrong, with whom, since when, how much energy is at stake, on which evidence, how sure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from transactive.core.slots import DAY
from transactive.core.units import BoolArray
from transactive.insight.detection.meters import HourCalendar


class Kind(StrEnum):
    """What a finding says is wrong."""

    THEFT = "theft"
    UNMETERED = "unmetered energy"
    DEAD_METER = "dead meter"
    STUCK_METER = "stuck meter"
    CLOCK_SHIFT = "clock shift"
    PV_FAULT = "PV fault"
    BATTERY_FAULT = "battery fault"
    SHORT_DELIVERY = "short delivery"
    UNUSUAL_USE = "unusual use"
    POOR_DATA = "poor data"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. member: index, or None for the whole feeder. first, end: span [Unix s]; energy_wh: at stake."""

    kind: Kind
    member: int | None
    first: int
    end: int
    energy_wh: int
    evidence: str
    confidence: float


def spans(days: BoolArray, join: int = 0) -> list[tuple[int, int]]:
    """Runs of true days as (first, end); runs with at most `join` other days between them are one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], days.astype(np.int8), [0]))))
    runs: list[tuple[int, int]] = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and first - runs[-1][1] <= join:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((first, end))
    return runs


def between(calendar: HourCalendar, first: int, end: int) -> tuple[int, int]:
    """Times [Unix s] of the days from `first` to before `end`."""
    starts = calendar.starts
    return int(starts[first]), int(starts[end]) if end < len(starts) else int(starts[-1]) + DAY


def joined(findings: Iterable[Finding], gap: int = 14 * DAY) -> list[Finding]:
    """Findings of the same kind and member that overlap, or lie at most `gap` [s] apart, as one: the surest speaks."""
    whole: list[Finding] = []
    for found in sorted(findings, key=lambda one: (one.kind, -1 if one.member is None else one.member, one.first)):
        last = whole[-1] if whole else None
        if last and (last.kind, last.member) == (found.kind, found.member) and found.first - last.end <= gap:
            surer = max(last, found, key=lambda one: one.confidence)
            energy = (
                last.energy_wh + found.energy_wh if found.first >= last.end else max(last.energy_wh, found.energy_wh)
            )
            whole[-1] = replace(surer, first=last.first, end=max(last.end, found.end), energy_wh=energy)
        else:
            whole.append(found)
    return sorted(whole, key=lambda one: (one.first, one.kind, -1 if one.member is None else one.member))
