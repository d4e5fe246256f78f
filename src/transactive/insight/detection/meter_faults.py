"""Meters that count nothing, meters that count the same for ever, and clocks that are off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transactive.core.units import BoolArray, IntArray
from transactive.insight.detection.findings import Finding, Kind, between, spans
from transactive.insight.detection.folded import Folded
from transactive.insight.detection.learned.features import HISTORY, WINDOW, turned
from transactive.insight.detection.meters import HOURS, FloatArray

NEARLY_NOTHING_WH = 5.0
"""A lived-in home uses more in every hour: a refrigerator alone takes 20 to 40 W."""
NOTHING_SHARE = 0.4
"""Part of the hours of four weeks with nearly nothing from which a meter is called dead."""
SILENT_DAYS = 3
"""Days without a single pulse from which a meter is called dead."""
STUCK_HOURS = 30
"""Hours with one and the same reading from which a meter is called stuck, if that is new for it."""
LEAST_HOURS = 2
"""Least error of a clock [h] that habits can tell: the summer-time clock moves them by one."""
FITS, FIRM, BETTER = 0.8, 0.75, 0.25
"""Correlation of a turned day with the days before, of these among themselves, and what turning has to gain."""
LEAST_SUNNY_DAYS = 12
"""Days of sun on which the middle of a PV's day must be off."""
LEAST_SUN_HOURS = 1.7
"""Least error of a clock [h] that the sun can tell: shade and filled gaps move the middle of a day by up to 1.5."""
STEADY_HOURS = 0.3
"""How much three in four of these days may differ, or a sixth: a clock errs by the same every day, shade does not."""


def silent(folded: Folded) -> list[Finding]:
    """Meters that count nothing for days on end."""
    still = (folded.consumption.sum(axis=2) == 0) & (folded.missing < 1)
    return _dead_meters(folded, rolling(still, SILENT_DAYS) == 1, SILENT_DAYS)


def mute(folded: Folded) -> list[Finding]:
    """Meters that count nothing in so many hours that no home is like that."""
    often = rolling((folded.consumption < NEARLY_NOTHING_WH).mean(axis=2), HISTORY) >= NOTHING_SHARE
    return _dead_meters(folded, often, HISTORY)


def as_theft(one: Finding) -> Finding:
    """A meter that began to leave hours out in parts of days while it was watched: no broken one does that."""
    evidence = f"{one.evidence}, in parts of days, and hardly any before"
    return replace(one, kind=Kind.THEFT, evidence=evidence)


def _dead_meters(folded: Folded, ends: BoolArray, days: int) -> list[Finding]:
    """Findings on windows of so many days that end where `ends` says, (members, days)."""
    nothing = folded.consumption < NEARLY_NOTHING_WH
    everybody = nothing.sum(axis=(0, 2))
    alive = folded.consumption.max(axis=(1, 2)) > 20 * NEARLY_NOTHING_WH
    found = []
    for member in np.flatnonzero(alive & ends.any(axis=1)).tolist():
        inside = backwards(ends[member], days)
        found += [_dead(folded, nothing[member], everybody, member, *run) for run in spans(inside, join=7)]
    return found


def _dead(folded: Folded, nothing: BoolArray, everybody: IntArray, member: int, first: int, end: int) -> Finding:
    """everybody: hours with nearly nothing of all meters together, (days,)."""
    share, hours = nothing[first:end].mean(), int(nothing[first:end].sum())
    evidence = f"{hours:,} of {(end - first) * HOURS:,} hours read less than {NEARLY_NOTHING_WH:g} Wh"
    if folded.members > 1:
        theirs = int(everybody[first:end].sum()) - hours
        evidence += f" ({theirs / ((folded.members - 1) * (end - first) * HOURS):.0%} among its neighbours)"
    level = _usual_wh(folded.consumption[member], nothing)
    return Finding(
        Kind.DEAD_METER, member, *between(folded.calendar, first, end), round(hours * level), evidence,
        round(min(0.5 + float(share) / 2, 0.99), 2),
    )  # fmt: skip


def _usual_wh(days: FloatArray, nothing: BoolArray) -> float:
    """What a meter reads in its low hours when it counts [Wh]: a quarter of its real readings are below."""
    counted = days[~nothing]
    return float(np.quantile(counted, 0.25)) if len(counted) else 0.0


def stuck(folded: Folded) -> list[Finding]:
    """Meters that read the same to the watt-hour for longer than ever else."""
    found = []
    for member in range(folded.members):
        series = folded.consumption[member].ravel()
        same = (np.abs(np.diff(series)) < 0.5) & (series[1:] >= NEARLY_NOTHING_WH)
        same &= np.repeat(folded.missing[member] == 0, HOURS)[1:]
        runs = [(first, end + 1) for first, end in spans(same)]
        long = [run for run in runs if run[1] - run[0] >= STUCK_HOURS]
        usual = max((end - first for first, end in runs if end - first < STUCK_HOURS), default=0)
        if long and usual <= STUCK_HOURS // 3:
            found += [_stuck(folded, member, first, end) for first, end in long]
    return found


def _stuck(folded: Folded, member: int, first: int, end: int) -> Finding:
    """A constant reading; one that is the meter's own mean for a week or more is made up, not stuck."""
    value = folded.consumption[member].ravel()[first]
    days = first // HOURS, -(-end // HOURS)
    expected = folded.expected(member, *days).ravel()[first - days[0] * HOURS : end - days[0] * HOURS]
    made_up = end - first >= 7 * HOURS and 0.7 < value / max(float(expected.mean()), 1.0) < 1.3
    evidence = (
        f"{end - first:,} hours on end read {value:,.0f} Wh each, expected were {expected.mean():,.0f} on average"
    )
    if made_up:
        evidence += ": its own mean, which no stuck register gives"
    starts = folded.calendar.starts
    begin, stop = (int(starts[min(hour // HOURS, len(starts) - 1)]) + hour % HOURS * 3600 for hour in (first, end - 1))
    stake = round(float(np.abs(expected - value).sum()))
    kind = Kind.THEFT if made_up else Kind.STUCK_METER
    return Finding(kind, member, begin, stop + 3600, stake, evidence, 0.95)


def clocks(folded: Folded) -> list[Finding]:
    """Meters whose habits, or whose sun, moved by hours against their own past while their neighbours' did not."""
    shifts = habit_shifts(folded.consumption)
    by_habit = [_clock(folded, member, *run) for member, run in _steady(shifts)]
    if folded.generation is None:
        return by_habit
    return by_habit + [_by_sun(folded, folded.generation, *run) for run in _sun_runs(folded.generation)]


def habit_shifts(days: FloatArray) -> IntArray:
    """Hours by which the days of a window are later than those before it, (members, starts); 0 where that is not clear.

    Clear is: the days have a firm shape, it fits far better when turned, nothing fits better reversed, and the
    neighbours did not turn.
    """
    starts = np.arange(HISTORY, days.shape[1] - WINDOW + 1)
    totals = np.cumsum(np.pad(days, ((0, 0), (1, 0), (0, 0))), axis=1)

    def profile(first: IntArray, length: int) -> FloatArray:
        mean = (totals[:, first + length] - totals[:, first]) / length
        centred: FloatArray = mean - mean.mean(axis=2, keepdims=True)
        return centred.reshape(-1, HOURS)

    half = HISTORY // 2
    forward, backward = turned(profile(starts - HISTORY, HISTORY), profile(starts, WINDOW))
    firm = turned(profile(starts - HISTORY, half), profile(starts - half, half))[0][:, 0]
    best = forward.argmax(axis=1)
    hours = np.where(best > HOURS // 2, best - HOURS, best)
    near = forward[:, [0, 1, -1]].max(axis=1)
    peak = forward.max(axis=1)
    clear = (peak >= FITS) & (firm >= FIRM) & (peak - near >= BETTER) & (peak > backward.max(axis=1) - 0.05)
    shifts = np.where(clear & (np.abs(hours) >= LEAST_HOURS), hours, 0).reshape(len(days), -1)
    common = (shifts != 0).mean(axis=0) > 0.3 if len(days) > 3 else np.zeros(shifts.shape[1], bool)
    return np.where(common[None], 0, shifts)


def _steady(shifts: IntArray) -> list[tuple[int, tuple[int, int, int]]]:
    """Members with (first day, end, hours) of shifts that last for a week."""
    found = []
    for member in np.flatnonzero((shifts != 0).any(axis=1)).tolist():
        for first, end in spans(shifts[member] != 0, join=1):
            if end - first >= 7:
                hours = int(np.median(shifts[member, first:end][shifts[member, first:end] != 0]))
                found.append((member, (first + HISTORY, end + HISTORY + WINDOW - 1, hours)))
    return found


def _clock(folded: Folded, member: int, first: int, end: int, hours: int) -> Finding:
    days = folded.consumption[member, first:end]
    moved = np.abs(np.roll(days.ravel(), -hours) - days.ravel()).sum() / 2
    evidence = f"its days fit its own before only {abs(hours)} hours {'later' if hours > 0 else 'earlier'};"
    evidence += " its neighbours’ fit as they are" if folded.members > 1 else " check it against other meters"
    return Finding(
        Kind.CLOCK_SHIFT, member, *between(folded.calendar, first, end), round(float(moved)), evidence, 0.85
    )  # fmt: skip


def _sun_runs(generation: FloatArray) -> list[tuple[int, int, int, float]]:
    """Member, first day, end and hours of runs of days in which the middle of a PV's day is off."""
    total = generation.sum(axis=2)
    with np.errstate(invalid="ignore"):
        middle = (generation * np.arange(HOURS)).sum(axis=2) / np.where(total > 0, total, np.nan)
    good = total > 0.2 * np.quantile(total, 0.9, axis=1, keepdims=True)
    middle = np.where(good & (total > 0), middle, np.nan)
    usual = np.full(total.shape[1], np.nan)
    enough = np.isfinite(middle).sum(axis=0) >= 3
    usual[enough] = np.nanmedian(middle[:, enough], axis=0)
    found = []
    for member in np.flatnonzero(np.isfinite(middle).sum(axis=1) >= HISTORY).tolist():
        alone = len(middle) < 3
        off = middle[member] - (np.nanmedian(middle[member]) if alone else usual)
        off = off - np.nanmedian(off)
        known = np.isfinite(off)
        days = known & (np.abs(np.where(known, off, 0.0)) > (1.5 if alone else 0.7))
        for first, end in spans(days | ~known, join=0):
            seen = off[first:end][days[first:end]]
            if len(seen) < LEAST_SUNNY_DAYS:
                continue
            hours = float(np.median(seen))
            steady = np.quantile(np.abs(seen - hours), 0.75) < max(STEADY_HOURS, abs(hours) / 6)
            if steady and abs(hours) >= LEAST_SUN_HOURS:
                found.append((member, first, end, hours))
    return found


def _by_sun(folded: Folded, generation: FloatArray, member: int, first: int, end: int, hours: float) -> Finding:
    """A clock that is off, as the middle of the day of a meter's PV says."""
    days = generation[member, first:end].ravel()
    moved = np.abs(np.roll(days, -round(hours)) - days).sum() / 2
    evidence = f"the middle of its PV’s day is {abs(hours):.1f} hours {'later' if hours > 0 else 'earlier'} than it was"
    evidence += " beside its neighbours’" if folded.members >= 3 else ""
    return Finding(Kind.CLOCK_SHIFT, member, *between(folded.calendar, first, end), round(float(moved)), evidence, 0.9)


def rolling(values: FloatArray | BoolArray, days: int) -> FloatArray:
    """Mean of each day and those before it, `days` in all, (members, days); 0 before there are as many."""
    sums = np.cumsum(np.pad(values.astype(np.float64), ((0, 0), (1, 0))), axis=1)
    means = np.zeros(values.shape)
    means[:, days - 1 :] = (sums[:, days:] - sums[:, :-days]) / days
    return means


def backwards(ends: BoolArray, days: int) -> BoolArray:
    """Days that lie in a window of `days` days which ends on a true day."""
    inside = np.zeros(len(ends), bool)
    for end in np.flatnonzero(ends).tolist():
        inside[max(end - days + 1, 0) : end + 1] = True
    return inside
