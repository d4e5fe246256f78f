"""`transactive import`, and `transactive readings` for what is held of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

app = App(name="readings", help="Readings that are held before they are billed, and answers about them.")


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


@app.command
def holds(community: Path, /, *, json: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Show readings that are not billed as they were read, why, and what is billed meanwhile.

    Parameters
    ----------
    community
        Its TOML file.
    json
        Print one JSON list on stdout.
    """
    from transactive.cli.readings.holds import show_held

    show_held(community, json=json)


@app.command
def release(community: Path, member: str, slot: str, /, *, until: str | None = None) -> None:
    """Bill held readings as they were read: somebody knows that they are right.

    Parameters
    ----------
    community
        Its TOML file.
    member
        Whose readings.
    slot
        First of them, such as 2026-05-01T10:00Z.
    until
        End of the last one; without it the one slot.
    """
    from transactive.cli.readings.holds import answer

    answer(community, member, slot, until, "release")


@app.command
def refuse(community: Path, member: str, slot: str, /, *, until: str | None = None) -> None:
    """Bill the substitutes of held readings for good: somebody knows that they are wrong.

    Parameters
    ----------
    community
        Its TOML file.
    member
        Whose readings.
    slot
        First of them, such as 2026-05-01T10:00Z.
    until
        End of the last one; without it the one slot.
    """
    from transactive.cli.readings.holds import answer

    answer(community, member, slot, until, "refuse")
