"""`transactive.detect`: theft and faults in anyone's readings."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from transactive.face.frames import Frame, Library, giving, local, table, taken, timed
from transactive.face.spoken import spoken
from transactive.studies.recordings.meters import MeterColumns
from transactive.studies.scores.detection import Scanned, in_words, scan_meters, score_frame

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False, repr=False)
class DetectedFaults:
    """What readings say of theft and faults; printed, it is the report of `transactive detect`.

    findings: a row each: kind, member (none where it concerns the feeder), from and until with local times beside,
    energy_wh at stake, evidence, confidence. scores: of each meter: windows, theft_score, latest (log odds; none with
    too few days). windows: the score of each two weeks: member, first, first_local, end, log_odds.
    """

    findings: Frame
    scores: Frame
    windows: Frame
    _summary: str

    def __repr__(self) -> str:
        return self._summary


@spoken
def detect(
    readings: Frame | str | PathLike[str],
    *,
    consumption: str | None = None,
    group: str | None = None,
    time: str | None = None,
    generation: str | None = None,
    charge: str | None = None,
    discharge: str | None = None,
    feeder: str | None = None,
    pv_w: str | None = None,
    unit: Literal["Wh", "kWh"] = "Wh",
    zone: str | None = None,
    judge: str | PathLike[str] | None = None,
    frames: Library | None = None,
    floats: bool = False,
) -> DetectedFaults:
    """Look for theft and faults in readings: feeder balance, meters, PV, batteries, falsified weeks, unusual use.

    A week of readings is enough for meters and devices, six weeks are needed for theft.

    Examples
    --------
    >>> import polars as pl
    >>> import transactive as ta
    >>> readings = ta.load("demo").readings.head(14 * 24 * 60)
    >>> dead = (pl.col("member") == "house-02") & (pl.col("slot_start") > readings["slot_start"][14 * 24 * 30])
    >>> found = ta.detect(readings.with_columns(consumption_wh=pl.when(dead).then(0).otherwise("consumption_wh")))
    >>> "house-02" in found.findings["member"].to_list()
    True

    Parameters
    ----------
    readings
        Table of Polars or pandas, or a CSV or Parquet file, with slots of 5, 15, 30 or 60 minutes; a missing row or an
        empty value is a gap.
    consumption
        Column of what the home used in the slot, not of its import; without it the usual names are tried.
    group
        Column that tells whose row it is; without it the usual names are tried, or the table is one meter.
    time
        Column of the slot's start; times without a zone are of `zone`, or UTC. Without it the usual names are tried.
    generation
        Column of what the PV generated.
    charge
        Column of what the battery took.
    discharge
        Column of what the battery gave.
    feeder
        Column of what the transformer gave to all together, less what it took.
    pv_w
        Column of the installed PV power [W].
    unit
        Unit of all energies.
    zone
        Time zone that people live by, like Europe/Vienna; without it days begin as the readings do.
    judge
        File of another judge, as `transactive detect train` writes it.
    frames
        Library of the results, polars or pandas; without it that of the readings.
    floats
        Add columns in kWh beside the whole numbers.

    Returns
    -------
    DetectedFaults
        Findings and scores as tables; the same call gives equal tables.

    Raises
    ------
    DataError
        Naming column and row (the first row of a table is 0) of the first fault, or readings that are too short.
    """
    source, library = taken(readings, "readings")
    give = giving(frames or library, floats=floats)
    named = MeterColumns(consumption, group, time, generation, charge, discharge, feeder, pv_w)
    scanned = scan_meters(source, named, unit=unit, zone=zone, judge=None if judge is None else Path(judge))
    return DetectedFaults(
        give(_findings(scanned, zone or "UTC")),
        give(_scores(scanned)),
        give(local(score_frame(scanned), "first", zone or "UTC")),
        in_words(scanned.report),
    )


def _findings(scanned: Scanned, zone: str) -> pl.DataFrame:
    """A row a finding."""
    found, members = scanned.found.findings, scanned.read.members
    columns = {
        "kind": [str(one.kind) for one in found],
        "member": [None if one.member is None else members[one.member] for one in found],
        "from": [one.first for one in found],
        "until": [one.end for one in found],
        "energy_wh": [one.energy_wh for one in found],
        "evidence": [one.evidence for one in found],
        "confidence": [one.confidence for one in found],
    }
    frame = table(columns, numbers=["from", "until"], parts=["confidence"])
    return timed(timed(frame, "from", zone), "until", zone)


def _scores(scanned: Scanned) -> pl.DataFrame:
    """A row a meter."""
    rows = [msgspec.structs.asdict(one) for one in scanned.report.scores]
    columns = {name: [row[name] for row in rows] for name in ("member", "windows", "theft_score", "latest")}
    return table(columns, numbers=["windows"], parts=["theft_score", "latest"])
