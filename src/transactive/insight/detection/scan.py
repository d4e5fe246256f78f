"""Everything that detection has to say of a community's readings: physics first, then meters, devices, people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.units import BoolArray
from transactive.insight.detection import device_faults, drift, feeder, meter_faults, poor_data, promises, theft
from transactive.insight.detection.findings import Finding, Kind, joined
from transactive.insight.detection.folded import Folded
from transactive.insight.detection.learned.features import HISTORY, WINDOW
from transactive.insight.detection.learned.judge import Judge
from transactive.insight.detection.meters import FloatArray

ByMember: TypeAlias = defaultdict[int | None, list[Finding]]
LEAST_DAYS = 7
"""Fewest whole days of readings that anything can be said of."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Findings, and the scores behind those of theft."""

    findings: list[Finding]
    scores: theft.WindowOdds
    folded: Folded


def scan(folded: Folded, judge: Judge, promised: tuple[FloatArray, FloatArray] | None = None) -> Scan:
    """Look at a week of readings or more; theft needs six weeks.

    promised: energy sold ahead, and of that not delivered, each (members, days) [Wh]. Raises DataError where readings
    are too short.
    """
    if folded.days < LEAST_DAYS:
        raise DataError(
            f"{folded.days} whole days of readings; give {LEAST_DAYS} at least, and {HISTORY + WINDOW} for theft"
        )
    balance = feeder.balance(folded)
    if promised is not None:
        balance += promises.broken(folded.calendar, *promised)
    scores = theft.score(folded, judge)
    stolen = theft.findings(folded, scores, _lacking(folded, balance))
    mute = meter_faults.mute(folded)
    dead = [*(one for one in mute if not _begins(one, folded)), *meter_faults.silent(folded)]
    still = _by_member(dead)
    stolen += [meter_faults.as_theft(one) for one in mute if _begins(one, folded) and not _shares(one, still)]
    faults = [*dead, *meter_faults.stuck(folded), *meter_faults.clocks(folded)]
    sure, faulty = _by_member([*balance, *faults]), _by_member(faults)
    poor = poor_data.poor(folded)
    unmetered = _by_member(poor)
    accused = [one for one in stolen if one.energy_wh and not _shares(one, faulty) and not _shares(one, unmetered)]
    people = [*accused, *drift.unusual(folded)]
    for one in sorted(people, key=lambda one: one.first):
        if not _follows(one, sure):
            sure[one.member].append(one)
    told = [one for findings in sure.values() for one in findings]
    return Scan(joined([*told, *poor, *device_faults.pv(folded), *device_faults.battery(folded)]), scores, folded)


def _by_member(findings: Iterable[Finding]) -> ByMember:
    """Findings of each meter, and of the feeder, in their order."""
    found: ByMember = defaultdict(list)
    for one in findings:
        found[one.member].append(one)
    return found


def _lacking(folded: Folded, balance: list[Finding]) -> BoolArray:
    """Days on which the feeder lacks energy."""
    starts, days = folded.calendar.starts, np.zeros(folded.days, bool)
    for one in balance:
        if one.kind == Kind.UNMETERED:
            days |= (starts >= one.first) & (starts < one.end)
    return days


def _begins(one: Finding, folded: Folded) -> bool:
    """Whether a finding began while the meter was watched, and had been sound for long enough to compare."""
    return one.first >= int(folded.calendar.starts[0]) + HISTORY * DAY


def _shares(one: Finding, others: ByMember) -> bool:
    """Whether another finding of the same meter covers at least half of this one."""
    return any(
        2 * (min(one.end, other.end) - max(one.first, other.first)) >= one.end - one.first
        for other in others[one.member]
    )


def _follows(one: Finding, others: ByMember) -> bool:
    """Whether the past that a finding was compared with is in doubt itself, for another reason."""
    return any(
        other.first < one.first and one.first - other.end < HISTORY * DAY
        for other in others[one.member]
        if other.kind != one.kind
    )
