"""`transactive detect …`: what readings say about meters, devices and people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

detect = App(name="detect", help="Find theft and faults in meter readings.")


@detect.default
def scan(
    file: Path,
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
    profile: str | None = None,
    zone: str | None = None,
    judge: Path | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Search readings for theft and faults: feeder balance, meters, PV, batteries, falsified weeks, unusual use.

    A week of readings is enough for meters and devices, six weeks are needed for theft.

    Parameters
    ----------
    file
        Any export with slots of 5, 15, 30 or 60 minutes, or a community file; a missing row or empty value is a gap.
    consumption
        Column with consumption (not import) of the slot; without it the usual names are tried.
    group
        Column with the member; without it the usual names are tried, or the file is one meter.
    time
        Column of the slot's start; times without a zone are of --zone, or UTC. Without it the usual names are tried.
    generation
        Column of what the PV generated.
    charge
        Column of what the battery took.
    discharge
        Column of what the battery gave.
    feeder
        Column with the net energy at the transformer; negative if the community exported.
    pv_w
        Column of the installed PV power, W.
    unit
        Unit of all energies.
    profile
        How to read the file: the name of a profile that ships, or a TOML file; without it it is found.
    zone
        Local time zone, such as Europe/Vienna; without it days begin where the file begins.
    judge
        File of another judge, as `detect train` writes it.
    output
        Parquet of all scores: member, first and end of the two weeks, log odds.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.detect.scan import scan_file
    from transactive.studies.recordings.meters import MeterColumns

    named = MeterColumns(consumption, group, time, generation, charge, discharge, feeder, pv_w, profile)
    scan_file(file, named, unit=unit, zone=zone, judge=judge, output=output, json=json)


@detect.command
def backtest(
    file: Path | None = None,
    *,
    consumption: str | None = None,
    group: str | None = None,
    time: str | None = None,
    unit: Literal["Wh", "kWh"] = "Wh",
    seeds: int = 3,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Falsify honest readings in six ways, and measure how well unseen homes and attacks are detected.

    Parameters
    ----------
    file
        Readings of four sound homes or more, six weeks at least; without it the demo's fourteen.
    consumption
        Column with consumption of the slot; without it the usual names are tried.
    group
        Column with the member; without it the usual names are tried.
    time
        Column of the slot's start; times without a zone are UTC. Without it the usual names are tried.
    unit
        Unit of the readings.
    seeds
        Number of repetitions with other attacks; the median counts.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.detect.teaching import back_test_file
    from transactive.studies.recordings.meters import MeterColumns

    back_test_file(file, MeterColumns(consumption, group, time), unit=unit, seeds=seeds, json=json)


@detect.command
def train(
    file: Path | None = None,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    consumption: str | None = None,
    group: str | None = None,
    time: str | None = None,
    unit: Literal["Wh", "kWh"] = "Wh",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Train a classifier of falsified readings and write it to a file; without readings, the one that ships.

    Parameters
    ----------
    file
        Readings of sound homes, six weeks at least; without it the demo's fourteen.
    output
        Where the judge is written, as .npz.
    consumption
        Column with consumption of the slot; without it the usual names are tried.
    group
        Column with the member; without it the usual names are tried.
    time
        Column of the slot's start; times without a zone are UTC. Without it the usual names are tried.
    unit
        Unit of the readings.
    json
        Print file, SHA-256 and size as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.detect.teaching import train_file
    from transactive.studies.recordings.meters import MeterColumns

    train_file(file, output, MeterColumns(consumption, group, time), unit=unit, json=json)


@detect.command
def items(
    *,
    state: Path,
    acknowledge: int | None = None,
    close: int | None = None,
    reopen: int | None = None,
    reason: str = "",
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """List what a run's detection found, and acknowledge, close or reopen an item.

    Parameters
    ----------
    state
        State folder of a run or a demo.
    acknowledge
        Number of an item to acknowledge; from then on a kind that `detection.hold` names holds back income.
    close
        Number of an item to close; held money is released in the next slot.
    reopen
        Number of an item to open again.
    reason
        Why, kept as a note on each item that moves, where its home reads it; to hold back income needs one.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.detect.items import show_items

    show_items(state, {"acknowledged": acknowledge, "closed": close, "open": reopen}, reason, json=json)
