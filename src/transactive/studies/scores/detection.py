"""What anyone's readings say of theft and faults, as a report and as the score of each window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.engine.daily.detector import FILE, load_judge
from transactive.insight.detection.findings import Finding, between
from transactive.insight.detection.folded import fold
from transactive.insight.detection.learned.features import WINDOW
from transactive.insight.detection.scan import Scan, scan
from transactive.studies.recordings.meters import MeterColumns, MetersFile, read_meters
from transactive.tabular.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl


class FindingRecord(msgspec.Struct, frozen=True, rename={"first": "from", "end": "until"}):
    """One finding; member: none where it concerns the whole feeder. energy_wh: at stake."""

    kind: str
    member: str | None
    first: str
    end: str
    energy_wh: int
    evidence: str
    confidence: float


class MemberScore(msgspec.Struct, frozen=True):
    """theft_score: log odds that the worst two windows on end were falsified; latest: the newest window alone."""

    member: str
    windows: int
    theft_score: float | None
    latest: float | None


class ScanReport(msgspec.Struct, frozen=True, rename={"first": "from", "end": "until"}):
    """What `--json` prints."""

    file: str
    members: int
    slot_minutes: int
    slots: int
    gaps: int
    days: int
    first: str
    end: str
    judge_sha256: str
    findings: list[FindingRecord]
    scores: list[MemberScore]
    cpu_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """The report, the meters that were read, and what was found."""

    report: ScanReport
    read: MetersFile
    found: Scan


def scan_meters(
    source: Source,
    named: MeterColumns,
    *,
    unit: str = "Wh",
    zone: str | None = None,
    judge: Path | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Scanned:
    """Scan readings; judge: the file of another one than ours. Raises DataError naming file, row and column."""
    began = process_time()
    told(f"reading {source.name}")
    read = read_meters(source, named, zone, unit)
    told(f"scoring {len(read.members):,} meters")
    opinion = load_judge(judge or FILE)
    try:
        found = scan(fold(read.meters), opinion)
    except DataError as error:
        raise DataError(f"{source.name}: {error}") from None
    meters = read.meters
    report = ScanReport(
        source.name, len(read.members), meters.length // 60, len(meters.consumption), read.gaps, found.folded.days,
        time_text(meters.first), time_text(meters.end), opinion.sha256,
        [record(one, read.members) for one in found.findings], scores_of(read, found),
        round(process_time() - began, 2),
    )  # fmt: skip
    return Scanned(report, read, found)


def record(one: Finding, members: list[str]) -> FindingRecord:
    """A finding with names and times as text."""
    member = None if one.member is None else members[one.member]
    return FindingRecord(
        str(one.kind), member, time_text(one.first), time_text(one.end), one.energy_wh, one.evidence, one.confidence
    )


def scores_of(read: MetersFile, found: Scan) -> list[MemberScore]:
    """Scores of every meter; none for one with too few days or too many gaps."""
    highest = found.scores.latest(len(read.members))
    scores = []
    for member, name in enumerate(read.members):
        odds = found.scores.odds[found.scores.member == member]
        worst, last = (round(float(highest[member]), 3), round(float(odds[-1]), 3)) if len(odds) else (None, None)
        scores.append(MemberScore(name, len(odds), worst, last))
    return scores


def score_frame(scanned: Scanned) -> pl.DataFrame:
    """The score of each window: member, first, end, log odds."""
    import polars as pl

    scores, calendar = scanned.found.scores, scanned.found.folded.calendar
    spans = [between(calendar, day, day + WINDOW) for day in scores.day.tolist()]
    times = np.array(spans, np.int64).reshape(-1, 2)
    return pl.DataFrame(
        {
            "member": [scanned.read.members[member] for member in scores.member.tolist()],
            "first": times[:, 0],
            "end": times[:, 1],
            "log_odds": scores.odds,
        },
        schema_overrides={"member": pl.String},
    ).with_columns((pl.col("first", "end") * 1_000).cast(pl.Datetime("ms", "UTC")))


def in_words(report: ScanReport) -> str:
    """The report for people."""
    head = (
        f"{report.file}: {report.members} meters, slots of {report.slot_minutes} minutes, {report.days} days from"
        f" {report.first}, {report.gaps} gaps"
    )
    lines = [head]
    for one in report.findings:
        who = one.member or "the feeder"
        lines += [
            (
                f"\n{one.kind}: {who}, {one.first} to {one.end}, {one.energy_wh / 1000:,.1f} kWh at stake,"
                f" confidence {one.confidence:.2f}"
            ),
            f"  {one.evidence}",
        ]
    if not report.findings:
        lines.append("nothing found")
    if not any(one.windows for one in report.scores):
        lines.append("no meter has the six weeks that theft is told from")
    return "\n".join(lines)
