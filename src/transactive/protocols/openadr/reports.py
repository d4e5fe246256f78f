"""Reports of VENs as a file of readings: nothing counts before the operator has looked at it and accepted it.

A report's USAGE of DIRECT_READ, in KWH or WH, is what its home took from the grid in an interval; below zero, what it
gave. READING is none: it is what a register shows at a moment. Only homes that the operator named a client for are
read, and only their own client's reports, of one resource: a battery would count in place of the home's meter.

Source: OpenADR 3.1 Definitions, report enumerations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import msgspec

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.protocols.openadr.clients import VtnClient
from transactive.protocols.openadr.objects import (
    DECODERS,
    ObjectKind,
    PayloadDescriptor,
    ReportedResource,
    ReportRequest,
    ValuesMap,
)
from transactive.protocols.openadr.spans import FOREVER, spans_of
from transactive.store.protocols.openadr import StoredObject

USAGE = "USAGE"
UNITS = {"KWH": 1_000, "WH": 1}
MOST_WH = 10**9
"""Most energy of an interval: a GWh is no home's."""


@dataclass(frozen=True, slots=True)
class ReportedReading:
    """Energy of an interval, from `start` [Unix s]: what came from the grid, or below zero went there [Wh]."""

    member: str
    start: int
    seconds: int
    energy_wh: int
    resource: str


Found: TypeAlias = dict[tuple[int, str], ReportedReading]
"""Readings by slot and member."""


def readings_of(
    reports: Sequence[StoredObject], clients: Sequence[VtnClient], length: int, times: range
) -> tuple[list[ReportedReading], list[str]]:
    """Readings of reports, later reports in place of earlier ones, by slot and member; and why others are left out.

    length: of a slot [s]; an interval of another length is no reading, since nobody knows what is in each of its slots.
    times: starts that a reading can have [Unix s]: one far from all others would stand in the way of everybody's.
    """
    known = {client.id: client.member for client in clients if client.role == "ven" and client.member}
    found: Found = {}
    left: list[str] = []
    for one in reports:
        if one.client not in known:
            left.append(f"report {one.id}: its client is no home's")
            continue
        report = DECODERS[ObjectKind.REPORT].decode(one.body)
        try:
            if isinstance(report, ReportRequest):
                found |= _of_report(report, known[one.client], (times, length), found)
        except DataError as error:
            left.append(f"report {one.id}: {error}")
    return [found[key] for key in sorted(found)], left


def readings_file(readings: Sequence[ReportedReading]) -> bytes:
    """Readings as a file of both registers, as `import` reads it."""
    lines = ["slot_start,member,import_wh,export_wh"]
    lines += [
        f"{time_text(one.start)},{one.member},{max(one.energy_wh, 0)},{max(-one.energy_wh, 0)}" for one in readings
    ]
    return ("\n".join(lines) + "\n").encode()


def _of_report(report: ReportRequest, member: str, slots: tuple[range, int], before: Found) -> Found:
    """Readings of a report. slots: starts that they can have [Unix s], and their length [s].

    Raises DataError where two resources, or two values of one, tell of the same slot.
    """
    found: Found = {}
    for read in _readings(report, member, *slots):
        key = read.start, member
        known = found.get(key, before.get(key, read))
        if known.resource != read.resource or key in found:
            raise DataError(
                f"{read.resource}: tells of {time_text(read.start)}, of which {known.resource} told before; report the"
                " home's meter alone, and each slot once"
            )
        found[key] = read
    if not found:
        raise DataError("has no USAGE; nothing else is energy of a slot")
    return found


def _readings(report: ReportRequest, member: str, times: range, length: int) -> Iterator[ReportedReading]:
    """Readings of a report. Raises DataError for energy that is no number of a unit."""
    units = {one.payload_type: one for one in report.payload_descriptors or ()}
    for resource in report.resources:
        for read in _of_resource(resource, units, member):
            if read.seconds != length or read.start % length:
                lasting = f"of {read.seconds} s" if read.seconds < FOREVER - read.start else "without an end"
                raise DataError(
                    f"an interval {lasting} from {time_text(read.start)} is no slot of {length // 60} minutes"
                )
            if read.start not in times:
                raise DataError(
                    f"{time_text(read.start)}: is before the run or not over yet; correct the clock of the box"
                )
            yield read


def _of_resource(
    resource: ReportedResource, units: dict[str, PayloadDescriptor], member: str
) -> Iterator[ReportedReading]:
    for span in spans_of(resource.intervals, resource.interval_period):
        for payload in span.payloads:
            if payload.type == USAGE:
                energy = _energy_wh(payload, units.get(payload.type))
                yield ReportedReading(member, span.start, span.end - span.start, energy, resource.resource_name)


def _energy_wh(payload: ValuesMap, said: PayloadDescriptor | None) -> int:
    """Energy of a payload, the nearest whole Wh. Raises DataError."""
    unit = (said.units if said else None) or "KWH"
    if unit not in UNITS:
        raise DataError(f"{payload.type} in {unit}: energy is in KWH or WH")
    if said and said.reading_type not in (None, "DIRECT_READ", "SUMMED"):
        raise DataError(f"{payload.type} of {said.reading_type}: only what a meter read is a reading")
    value = payload.values[0] if len(payload.values) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(
            f"{payload.type}: one number is a reading, and this is {msgspec.json.encode(payload.values)!r:.60}"
        )
    energy = round(Fraction(str(value)) * UNITS[unit])
    if abs(energy) > MOST_WH:
        raise DataError(f"{payload.type}: {value} {unit} is no home's")
    return energy
