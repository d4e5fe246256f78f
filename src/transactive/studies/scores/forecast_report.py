"""What a backtest found: scores of a champion and its candidates, for programs and for people."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from transactive.forecasting.evaluation.scorecard import ModelScores, TargetScores


class BacktestReport(msgspec.Struct, frozen=True):
    """What `--json` prints; members: scores over all members; sum: of all together, with two or more."""

    file: str
    target: str
    members: list[str]
    slot_minutes: int
    slots: int
    gaps: int
    horizon_slots: int
    calibration_days: int
    test_days: int
    test_since: str
    test_until: str
    each: TargetScores
    sum: TargetScores | None
    cpu_s: float


def in_words(report: BacktestReport) -> str:
    """The report for people."""
    head = (
        f"{report.file}: {report.target} of {len(report.members)} members, slots of {report.slot_minutes} minutes,"
        f" {report.gaps} gaps; {report.test_days} days from {report.test_since} tested,"
        f" {report.calibration_days} before to choose and calibrate"
    )
    parts = [head, *table("each member", report.each)]
    if report.sum:
        parts += table("all together", report.sum)
    return "\n".join(parts)


def table(title: str, target: TargetScores) -> list[str]:
    """One target: the champion and its candidates line by line, and the paired tests."""
    lines = ["", f"{title:24}{'MAE':>12}{'MASE':>8}{'pinball':>12}   coverage of 90 %"]
    rows: Mapping[str, ModelScores] = {"champion": target.champion, **target.candidates}
    for name, row in rows.items():
        inside = row.coverage
        lines.append(
            f"{name:24}{row.mae:12.4g}{row.mase:8.3f}{row.pinball:12.4g}"
            f"   {inside.mean:.3f} ({inside.min:.3f} to {inside.max:.3f})"
        )
    lines += [
        f"{test.loss} of the champion against {test.against}, {test.days} days:"
        f" DM {test.statistic:+.2f}, p {test.p_value:.2g}"
        for test in target.paired
    ]
    lines += [f"{name}: left out, {why}" for name, why in target.absent.items()]
    lines += [
        f"champion from {c.since}: {', '.join(f'{n} x {name}' for name, n in c.mix.items())}" for c in target.chosen
    ]
    return lines
