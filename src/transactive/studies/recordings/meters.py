"""Anyone's readings as meters to look at: consumption, and what else the file has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.forecasting.calendar import Calendar
from transactive.insight.detection.meters import FloatArray, MeterSeries
from transactive.metering.exports.profile import Told
from transactive.metering.exports.reader import ReadOptions
from transactive.studies.recordings.days import LARGEST, TINY_WH, check_column
from transactive.studies.recordings.exports import as_recording
from transactive.studies.recordings.series import SeriesColumns, SeriesFile, read_series
from transactive.tabular.sheets import read_sheet
from transactive.tabular.source import Source

USUAL = {
    "consumption": ("consumption_wh", "load_wh", "energy_wh", "consumption", "load", "wh"),
    "group": ("member", "meter", "house", "home", "customer", "household"),
    "generation": ("generation_wh", "pv_wh"),
    "charge": ("charge_wh",),
    "discharge": ("discharge_wh",),
    "feeder": ("feeder_wh",),
    "pv_w": ("pv_w",),
}
"""Where a column is looked for that is not named."""


@dataclass(frozen=True, slots=True)
class MeterColumns:
    """Names of columns; None: the usual name, if the file has it. profile: how to read an export, by name or file."""

    consumption: str | None = None
    group: str | None = None
    time: str | None = None
    generation: str | None = None
    charge: str | None = None
    discharge: str | None = None
    feeder: str | None = None
    pv_w: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Column of times, None: the usual name, and the zone of those that have none."""

    column: str | None
    zone: str


@dataclass(frozen=True, slots=True, eq=False)
class MetersFile:
    """Meters with their names, and how many of their readings are missing."""

    meters: MeterSeries
    members: list[str]
    gaps: int


def read_meters(path: Source, named: MeterColumns, zone: str | None, unit: str) -> MetersFile:
    """Read a file. Raises DataError naming file, row and column of the first fault, InputError for an unknown zone."""
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise InputError(f"--zone {zone}: is no time zone; write it like Europe/Vienna") from None
    if named.profile or (named.consumption is None and not _has_usual(path)):
        known = path
        path = as_recording(
            path, ("",), ReadOptions(named.profile, Told(zone=zone, unit="kWh" if unit == "kWh" else None))
        )
        unit = unit if path is known else "Wh"
    names = read_sheet(path).columns
    column = named.consumption or _found("consumption", names)
    if column is None:
        raise DataError(
            f"{path.name}: has no column {', '.join(USUAL['consumption'])}; name what meters read with --consumption"
        )
    group = named.group or _found("group", names)
    at = Times(named.time, zone or "UTC")
    factor = 1000.0 if unit == "kWh" else 1.0
    consumption = _series(path, column, group, at, unit)
    flows = {}
    for key in ("generation", "charge", "discharge"):
        column = getattr(named, key) or _found(key, names)
        flows[key] = None if column is None else factor * _series(path, column, group, at, unit).history.values
    column = named.feeder or _found("feeder", names)
    feeder = None if column is None else factor * _of_all(path, column, group, at)
    column = named.pv_w or _found("pv_w", names)
    history = consumption.history
    meters = MeterSeries(
        history.first_slot, history.length, factor * history.values, flows["generation"], flows["charge"],
        flows["discharge"],
        pv_w=None if column is None else _sizes(path, column, group, at), feeder=feeder, zone=zone,
    )  # fmt: skip
    return MetersFile(meters, consumption.members, consumption.gaps)


def _has_usual(path: Source) -> bool:
    """Whether a file is a table that names its consumption as usual."""
    try:
        return _found("consumption", read_sheet(path).columns) is not None
    except DataError:
        if isinstance(path, Path) and (path.is_dir() or path.suffix == ".toml"):
            return False
        raise


def _found(key: str, names: Sequence[str]) -> str | None:
    """The first usual name that the file has."""
    return next((name for name in USUAL[key] if name in names), None)


def _series(path: Source, column: str, group: str | None, at: Times, unit: str) -> SeriesFile:
    """One column of energy, never negative, laid out by slot and member."""
    tiny = TINY_WH if unit == "Wh" else 0
    check_column(path, column, 0, tiny, "Wh; say --unit kWh if it is kWh" if tiny else "kWh")
    return read_series(path, SeriesColumns(column, group, at.column, zone=at.zone), Calendar(), sparse=True)


def _of_all(path: Source, column: str, group: str | None, at: Times) -> FloatArray:
    """A column that says the same of every member, (slots,)."""
    check_column(path, column, -LARGEST, 0, "energy")
    values = read_series(
        path, SeriesColumns(column, group, at.column, zone=at.zone), Calendar(), sparse=True
    ).history.values
    known = np.isfinite(values)
    some = np.where(known.any(axis=1), np.take_along_axis(values, known.argmax(axis=1)[:, None], axis=1)[:, 0], np.nan)
    if (known & (values != some[:, None])).any():
        raise DataError(f"{path.name}: {column} is not the same for all members of a slot; it is one meter's reading")
    return some


def _sizes(path: Source, column: str, group: str | None, at: Times) -> FloatArray:
    """Installed power of each member [W], NaN where the column is empty."""
    check_column(path, column, 0, 0, "W")
    values = read_series(
        path, SeriesColumns(column, group, at.column, zone=at.zone), Calendar(), sparse=True
    ).history.values
    known = np.isfinite(values)
    return np.where(known.any(axis=0), np.where(known, values, -np.inf).max(axis=0), np.nan)
