"""`transactive import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def import_readings(
    files: Annotated[tuple[Path, ...], Parameter(negative="")],
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    profile: str | None = None,
    keep: Path | None = None,
    zone: str | None = None,
    unit: Literal["Wh", "kWh", "MWh", "W", "kW"] | None = None,
    register: Literal["import", "export", "net", "consumption", "generation"] | None = None,
    stamp: Literal["start", "end"] | None = None,
    reading: Literal["energy", "power", "total"] | None = None,
    order: Literal["dmy", "mdy", "ymd"] | None = None,
    exchanged: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Read exports of meters, say what they hold, and write them as readings that every command takes.

    What a file does not tell is asked at a terminal; elsewhere the option that says it is named.

    Parameters
    ----------
    files
        Exports of a utility, a portal or a meter: CSV in any dress, spreadsheets, Parquet, Green Button, NEM12, MSCONS.
    output
        Where the readings are written, as .parquet; without it the file is only told about.
    profile
        How to read: the name of a profile that ships, or a TOML file; without it, it is found.
    keep
        Where the profile is written; without it beside the output, unless it ships.
    zone
        Zone of times without one, such as Europe/Vienna, or +01:00 all the year.
    unit
        Unit of the numbers, where their columns do not say it.
    register
        What a column without a name counts.
    stamp
        Which end of its slot a time names.
    reading
        What the numbers are: energy of a slot, mean power in it, or total of a register that counts on.
    order
        Order of day, month and year in dates.
    exchanged
        A register that falls was exchanged or set back; the slot in which it does is a gap.
    json
        Print what is believed as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.readings.importing import Import, import_files
    from transactive.metering.exports.profile import Told
    from transactive.metering.exports.reader import ReadOptions

    told = Told(zone, unit, stamp, reading, order, exchanged or None, register)
    import_files(Import(files, ReadOptions(profile, told), output, keep), json=json)
